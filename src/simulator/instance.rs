//! One instance: how it stands, data added to it, its process, its end.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::World;
use super::apps::shown;
use super::control::{answer_fault, struck};
use super::effects::{InstanceFacts, PartFacts};
use super::faults::Call;
use super::tcp::Line;

type Place = Path<(String, String, String, String)>;

/// `GET /{org}/{app}/instances/{party}/{guid}`
pub(super) async fn get(
    State(world): State<Arc<World>>,
    Path((_, _, party, guid)): Place,
    headers: HeaderMap,
) -> Response {
    changed(&world, &headers, &format!("{party}/{guid}"), |_| Ok(()))
        .map_or_else(IntoResponse::into_response, |instance| Json(shown(&instance)).into_response())
}

/// `DELETE /{org}/{app}/instances/{party}/{guid}`
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    Path((_, _, party, guid)): Place,
    headers: HeaderMap,
) -> Response {
    let gone = changed(&world, &headers, &format!("{party}/{guid}"), |instance| {
        instance.is_deleted = true;
        Ok(())
    });
    gone.map_or_else(IntoResponse::into_response, |instance| Json(shown(&instance)).into_response())
}

/// `POST /{org}/{app}/instances/{party}/{guid}/data/type/{type}`
pub(super) async fn add_data(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((_, _, party, guid, data_type)): Path<(String, String, String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let part = || {
        let text =
            |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        PartFacts {
            name: data_type,
            content_type: text(&CONTENT_TYPE),
            file_name: file_name(&text(&CONTENT_DISPOSITION)),
            size_bytes: body.len() as u64,
            sha256: digest(&SHA256, &body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    };
    let add = |instance: &mut InstanceFacts| {
        let part = part();
        if part.size_bytes == 0 || part.content_type.is_empty() || part.file_name.is_none() {
            return Err(StatusCode::BAD_REQUEST);
        }
        instance.parts.push(part);
        Ok(())
    };
    done((&world, &line), Call::Data, &headers, (&party, &guid), add, |_| json!({}), StatusCode::CREATED).await
}

/// `PUT /{org}/{app}/instances/{party}/{guid}/process/next`
pub(super) async fn next(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((_, _, party, guid)): Place,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_readable = body.is_empty() || serde_json::from_slice::<Value>(&body).is_ok_and(|body| body.is_object());
    let step = |instance: &mut InstanceFacts| {
        if !is_readable {
            return Err(StatusCode::BAD_REQUEST);
        }
        if instance.steps >= TASKS {
            return Err(StatusCode::CONFLICT);
        }
        instance.steps += 1;
        Ok(())
    };
    done((&world, &line), Call::Next, &headers, (&party, &guid), step, process, StatusCode::OK).await
}

/// `GET /{org}/{app}/instances/{party}/{guid}/validate`: a form with nothing in it is an error.
pub(super) async fn validate(
    State(world): State<Arc<World>>,
    Path((_, _, party, guid)): Place,
    headers: HeaderMap,
) -> Response {
    let found = changed(&world, &headers, &format!("{party}/{guid}"), |_| Ok(()));
    found.map_or_else(IntoResponse::into_response, |instance| {
        let short = instance.parts.iter().filter(|part| part.size_bytes < SHORTEST_FORM);
        let issue =
            |_| json!({"severity": 1, "code": "required", "description": "Feltet er påkrevd", "source": "Required"});
        Json(short.map(issue).collect::<Vec<_>>()).into_response()
    })
}

/// Changes an instance, with what goes wrong before or after.
async fn done(
    (world, line): (&World, &Line),
    call: Call,
    headers: &HeaderMap,
    (party, guid): (&str, &str),
    change: impl FnOnce(&mut InstanceFacts) -> Result<(), StatusCode>,
    told: impl FnOnce(&InstanceFacts) -> Value,
    status: StatusCode,
) -> Response {
    let fault = struck(world, call).await;
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answer_fault(fault, line);
    }
    match (changed(world, headers, &format!("{party}/{guid}"), change), fault) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(_), Some(fault)) => answer_fault(fault, line),
        (Ok(instance), None) => (status, Json(told(&instance))).into_response(),
    }
}

fn changed(
    world: &World,
    headers: &HeaderMap,
    id: &str,
    change: impl FnOnce(&mut InstanceFacts) -> Result<(), StatusCode>,
) -> Result<InstanceFacts, StatusCode> {
    if !world.issued().accepts(headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let mut effects = world.effects();
    let instance = effects.one(id).filter(|instance| !instance.is_deleted).ok_or(StatusCode::NOT_FOUND)?;
    change(instance)?;
    Ok(instance.clone())
}

/// The process of every app here: two tasks, and the end.
pub(super) fn process(instance: &InstanceFacts) -> Value {
    if instance.steps >= TASKS {
        return json!({"started": instance.created, "ended": instance.created, "endEvent": "EndEvent_1"});
    }
    let task = format!("Task_{}", instance.steps + 1);
    json!({"started": instance.created, "currentTask": {"flow": instance.steps + 2, "elementId": task}})
}

/// The name in a `Content-Disposition`, the encoded one before the plain one.
fn file_name(disposition: &str) -> Option<String> {
    let encoded = disposition.split_once("filename*=UTF-8''").map(|(_, rest)| decoded(rest));
    encoded.or_else(|| Some(disposition.split_once("filename=\"")?.1.split_once('"')?.0.to_owned()))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut pieces = text.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        bytes.extend(u8::from_str_radix(digits, 16).ok());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tasks before the end.
const TASKS: u32 = 2;
/// Forms that are shorter have nothing in them.
const SHORTEST_FORM: u64 = 5;
