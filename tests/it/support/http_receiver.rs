//! A service that takes items by plain HTTP, as a partner would write one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use tokio::net::TcpListener;

use super::gateway::HTTP_TOKEN;

/// A receiver that keeps to the contract: a key takes effect once.
#[derive(Clone, Default)]
pub(crate) struct Inbox {
    /// What it took, by key.
    pub(crate) taken: Arc<Mutex<HashMap<String, (HeaderMap, Bytes)>>>,
    /// What it answers instead of taking anything.
    pub(crate) answer: Arc<Mutex<Option<StatusCode>>>,
    /// How many answers are lost on their way, though it took what was sent.
    pub(crate) lost: Arc<Mutex<u64>>,
    /// Keys that were sent though it has them.
    pub(crate) again: Arc<Mutex<Vec<String>>>,
}

async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if bearer != Some(HTTP_TOKEN) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(status) = *inbox.answer.lock().unwrap() {
        return (status, [("retry-after", "5")]).into_response();
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    match inbox.taken.lock().unwrap().entry(key.clone()) {
        Entry::Occupied(_) => inbox.again.lock().unwrap().push(key.clone()),
        Entry::Vacant(place) => drop(place.insert((headers, body))),
    }
    let mut lost = inbox.lost.lock().unwrap();
    if *lost > 0 {
        *lost -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    (StatusCode::CREATED, [("x-receivers-reference", format!("R-{key}"))]).into_response()
}

async fn status(State(inbox): State<Inbox>, Path(key): Path<String>) -> Response {
    if inbox.taken.lock().unwrap().contains_key(&key) {
        [("x-receivers-reference", format!("R-{key}"))].into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// Serves it; the address has `/items` and `/items/{key}`.
pub(crate) async fn serve(inbox: Inbox) -> String {
    let router = axum::Router::new().route("/items", post(take)).route("/items/{key}", get(status)).with_state(inbox);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base_url
}
