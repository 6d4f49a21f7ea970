//! Where apps ask for what is kept for them: `POST /v1/apps/{org}/{app}/prefill`, over HTTP, with a token.
//!
//! The reportee's number stands in the body, since addresses end up in logs. Neither it nor a form is ever logged here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::ports::{HeldForms, NotServed, ServedForm, ServedSet};

/// A service that listens and does not answer yet.
pub struct PrefillService {
    listener: TcpListener,
    desk: Arc<Desk>,
}

struct Desk {
    forms: Arc<dyn HeldForms>,
    token: SecretString,
    /// Forms are held whole while they are given: only few at once.
    places: Semaphore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    reportee: String,
}

impl PrefillService {
    /// Listens; what is asked waits until the service runs.
    pub async fn bind(listen: SocketAddr, token: SecretString, forms: Arc<dyn HeldForms>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        Ok(Self { listener, desk: Arc::new(Desk { forms, token, places: Semaphore::new(AT_ONCE) }) })
    }

    /// Answers until asked to stop.
    pub async fn run(self, stop: CancellationToken) {
        let router = Router::new()
            .route("/v1/apps/{org}/{app}/prefill", post(answer))
            .layer(DefaultBodyLimit::max(QUESTION_BYTES))
            .with_state(self.desk);
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(%error, "apps can no longer ask for what is kept for them");
        }
    }
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    Path((org, app)): Path<(String, String)>,
    headers: HeaderMap,
    question: Result<Json<Question>, JsonRejection>,
) -> Response {
    if !desk.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(Json(question)) = question else { return refusal(StatusCode::BAD_REQUEST, "the question cannot be read") };
    let Ok(_place) = desk.places.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    match desk.forms.held_forms(&format!("{org}/{app}"), &question.reportee).await {
        Ok(sets) => {
            tracing::info!(org, app, sets = sets.len(), "an app asked for what is kept");
            let sets: Vec<Value> = sets.into_iter().map(shown).collect();
            ([(CACHE_CONTROL, "no-store")], Json(json!({"sets": sets}))).into_response()
        }
        Err(error @ NotServed::UnknownApp) => refusal(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error @ NotServed::BadReportee) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(NotServed::Failed(error)) => {
            tracing::error!(org, app, %error, "what is kept for an app cannot be given");
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "10")]).into_response()
        }
    }
}

impl Desk {
    fn knows(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        shown.is_some_and(|token| verify_slices_are_equal(token, self.token.expose_secret().as_bytes()).is_ok())
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}

fn shown(set: ServedSet) -> Value {
    let ServedSet { senders_reference, valid_from, valid_to, identifying_fields, forms } = set;
    let form = |form: ServedForm| {
        let ServedForm { data_type, format_id, format_version, xml } = form;
        json!({"dataType": data_type, "dataFormatId": format_id, "dataFormatVersion": format_version, "xml": xml})
    };
    json!({
        "sendersReference": senders_reference,
        "validFrom": valid_from.map(|day| day.to_string()),
        "validTo": valid_to.map(|day| day.to_string()),
        "identifyingFields": identifying_fields,
        "forms": forms.into_iter().map(form).collect::<Vec<_>>(),
    })
}

/// A number in JSON, with room to spare.
const QUESTION_BYTES: usize = 4 << 10;
/// Questions answered at once.
const AT_ONCE: usize = 4;
