//! The stand-in's own calls, and how faults are answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::World;
use super::apps::WRONG_PARTY;
use super::broker::{TransferCounts, TransferFacts};
use super::effects::{EffectCounts, InstanceFacts};
use super::faults::{Call, Fault, FaultPlan, Faults};
use super::limits::{LimitCounts, LimitPlan, Limits};
use super::mail::{MessageCounts, MessageFacts};
use super::online::BatchCounts;
use super::tcp::Line;

/// `GET /simulator/effects`
pub(super) async fn effects(State(world): State<Arc<World>>) -> Json<EffectCounts> {
    Json(world.effects().counts())
}

/// `GET /simulator/instances`
pub(super) async fn instances(State(world): State<Arc<World>>) -> Json<Vec<InstanceFacts>> {
    Json(world.effects().recent())
}

/// `GET /simulator/messages/counts`
pub(super) async fn message_counts(State(world): State<Arc<World>>) -> Json<MessageCounts> {
    Json(world.mail().counts.clone())
}

/// `GET /simulator/messages`
pub(super) async fn messages(State(world): State<Arc<World>>) -> Json<Vec<MessageFacts>> {
    Json(world.mail().latest())
}

/// `GET /simulator/transfers/counts`
pub(super) async fn transfer_counts(State(world): State<Arc<World>>) -> Json<TransferCounts> {
    Json(world.desk().counts.clone())
}

/// `GET /simulator/transfers`
pub(super) async fn transfers(State(world): State<Arc<World>>) -> Json<Vec<TransferFacts>> {
    Json(world.desk().facts(Duration::from_millis(world.options.scan_ms)))
}

/// `PUT /simulator/faults`
pub(super) async fn faults(State(world): State<Arc<World>>, Json(plan): Json<FaultPlan>) -> StatusCode {
    *world.faults() = Faults::new(plan);
    StatusCode::NO_CONTENT
}

/// `GET /simulator/batches/counts`
pub(super) async fn batch_counts(State(world): State<Arc<World>>) -> Json<BatchCounts> {
    Json(world.online().counts.clone())
}

/// `GET /simulator/limits`
pub(super) async fn limit_counts(State(world): State<Arc<World>>) -> Json<BTreeMap<Call, LimitCounts>> {
    Json(world.limits().counts())
}

/// `PUT /simulator/limits`
pub(super) async fn limits(State(world): State<Arc<World>>, Json(plan): Json<LimitPlan>) -> StatusCode {
    *world.limits() = Limits::new(&plan);
    StatusCode::NO_CONTENT
}

/// `POST /simulator/reset`
pub(super) async fn reset(State(world): State<Arc<World>>) -> StatusCode {
    match world.reset() {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => {
            tracing::error!(%error, "the journal cannot be emptied");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// Waits out a delay and returns the fault, if one strikes.
pub(super) async fn struck(world: &World, call: Call) -> Option<Fault> {
    let struck = world.faults().strike(call);
    if struck.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(struck.latency_ms)).await;
    }
    struck.fault
}

/// The answer to a call that goes wrong; whether it had its effect was settled before.
pub(super) fn answer_fault(fault: Fault, line: &Line) -> Response {
    let plain = |status: StatusCode| status.into_response();
    let patience = |status: StatusCode, seconds: u64| (status, [(RETRY_AFTER, seconds.to_string())]).into_response();
    match fault {
        Fault::BadRequest => (StatusCode::BAD_REQUEST, "The request is not valid").into_response(),
        Fault::InvalidGrant => {
            let refusal = json!({"error": "invalid_grant", "error_description": "MP-012 Grant is used before"});
            (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
        }
        Fault::Unauthorized => plain(StatusCode::UNAUTHORIZED),
        Fault::Forbidden => plain(StatusCode::FORBIDDEN),
        Fault::NotInstantiable => {
            let result = json!({"valid": false, "message": "The app does not take this owner", "validParties": []});
            (StatusCode::FORBIDDEN, Json(result)).into_response()
        }
        Fault::WrongParty => (StatusCode::FORBIDDEN, Json(WRONG_PARTY)).into_response(),
        Fault::UnknownParty => (StatusCode::NOT_FOUND, "Cannot lookup party").into_response(),
        Fault::Problem(status, code) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(json!({"code": format!("CORR-{code:05}"), "errorCode": code}))).into_response()
        }
        Fault::Conflict => plain(StatusCode::CONFLICT),
        Fault::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE),
        Fault::Throttled(seconds) => patience(StatusCode::TOO_MANY_REQUESTS, seconds),
        Fault::Unavailable(seconds) => patience(StatusCode::SERVICE_UNAVAILABLE, seconds),
        // What only a SOAP receiver says is an error elsewhere.
        Fault::ErrorBefore
        | Fault::ErrorAfter
        | Fault::Down
        | Fault::DownAfter
        | Fault::Failed
        | Fault::FailedForGood => plain(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::ResetBefore | Fault::ResetAfter => {
            line.cut();
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
        // Delays were waited out before; what is cut off where it arrives, or answered without a body, is told apart there.
        Fault::Latency(_) | Fault::CutOff(_) | Fault::NoBody => plain(StatusCode::OK),
    }
}
