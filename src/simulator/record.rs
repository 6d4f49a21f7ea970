//! Requests as they came, for who checks them against the platform's own description.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::TryStreamExt as _;
use serde::Serialize;
use serde_json::Value;

use super::World;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedRequest {
    /// Method and path, without ids.
    pub operation: &'static str,
    /// Its query or its body; a form's fields as the object they stand for.
    pub content: Value,
}

/// The same, whatever it was for, as HTTP has it. Not logged: it holds a token.
#[derive(Clone)]
pub struct RecordedCall {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as anybody read it; of a large one the beginning.
    pub body: Vec<u8>,
}

/// The latest requests.
#[derive(Default)]
pub(super) struct Record {
    requests: VecDeque<RecordedRequest>,
    calls: VecDeque<(RecordedCall, Arc<Mutex<Vec<u8>>>)>,
}

impl Record {
    /// Adds a request; the oldest one is forgotten in time.
    pub(super) fn add(&mut self, operation: &'static str, content: Value) {
        self.requests.push_back(RecordedRequest { operation, content });
        if self.requests.len() > KEPT {
            self.requests.pop_front();
        }
    }

    /// All that are kept, oldest first.
    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    /// Adds a call whose body is still to come.
    fn add_call(&mut self, parts: &Parts) -> Arc<Mutex<Vec<u8>>> {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let call = RecordedCall {
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            body: Vec::new(),
        };
        let body = Arc::default();
        self.calls.push_back((call, Arc::clone(&body)));
        if self.calls.len() > KEPT {
            self.calls.pop_front();
        }
        body
    }

    /// All calls that are kept, oldest first.
    pub(super) fn calls(&self) -> Vec<RecordedCall> {
        let with_body = |(call, body): &(RecordedCall, Arc<Mutex<Vec<u8>>>)| {
            let body = body.lock().unwrap_or_else(PoisonError::into_inner).clone();
            RecordedCall { body, ..call.clone() }
        };
        self.calls.iter().map(with_body).collect()
    }
}

/// Keeps a call while it is read.
pub(super) async fn kept(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let so_far = world.requests.lock().unwrap_or_else(PoisonError::into_inner).add_call(&parts);
    let body = body.into_data_stream().inspect_ok(move |chunk: &Bytes| {
        let mut so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_BYTES.saturating_sub(so_far.len());
        so_far.extend(chunk.iter().take(room));
    });
    next.run(Request::from_parts(parts, Body::from_stream(body))).await
}

const KEPT: usize = 2_000;
/// Of one body.
const MOST_BYTES: usize = 1 << 20;
