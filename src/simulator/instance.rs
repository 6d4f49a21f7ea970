//! One instance: how it stands, data added to it, its process, its end.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

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

/// How an instance is deleted.
#[derive(Deserialize)]
pub(super) struct Deletion {
    #[serde(default)]
    hard: bool,
}

/// `DELETE /{org}/{app}/instances/{party}/{guid}`
pub(super) async fn delete(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((_, _, party, guid)): Place,
    Query(Deletion { hard }): Query<Deletion>,
    headers: HeaderMap,
) -> Response {
    let mut is_new = false;
    let delete = |instance: &mut InstanceFacts| {
        let is_deleted = if hard { &mut instance.is_deleted } else { &mut instance.is_soft_deleted };
        is_new = !*is_deleted;
        *is_deleted = true;
        Ok(())
    };
    let place = (party.as_str(), guid.as_str());
    let answer = done((&world, &line), Call::Delete, &headers, place, delete, shown, StatusCode::OK).await;
    let counts = &mut world.effects().counts;
    *(if hard { &mut counts.deleted } else { &mut counts.soft_deleted }) += u64::from(is_new);
    answer
}

/// `POST /{org}/{app}/instances/{party}/{guid}/data/type/{type}`
pub(super) async fn add_data(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((_, _, party, guid, data_type)): Path<(String, String, String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let part = part(Uuid::new_v4(), data_type, &headers, &body);
    let add = |instance: &mut InstanceFacts| {
        // Forms have no names; whatever else has.
        let needs_name = !part.content_type.starts_with("application/xml");
        if part.size_bytes == 0 || part.content_type.is_empty() || (needs_name && part.file_name.is_none()) {
            return Err(StatusCode::BAD_REQUEST);
        }
        instance.parts.push(part);
        Ok(())
    };
    done((&world, &line), Call::Data, &headers, (&party, &guid), add, |_| json!({}), StatusCode::CREATED).await
}

/// `PUT /{org}/{app}/instances/{party}/{guid}/data/{id}`
pub(super) async fn put_data(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((_, _, party, guid, id)): Path<(String, String, String, String, Uuid)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let put = |instance: &mut InstanceFacts| {
        let is_open = !instance.has_ended();
        let place = instance.parts.iter_mut().find(|part| part.id == id).ok_or(StatusCode::NOT_FOUND)?;
        let new = part(id, place.name.clone(), &headers, &body);
        if new.size_bytes == 0 || new.content_type.is_empty() {
            return Err(StatusCode::BAD_REQUEST);
        }
        if !is_open {
            return Err(StatusCode::CONFLICT);
        }
        *place = new;
        Ok(())
    };
    world.effects().counts.puts += 1;
    done((&world, &line), Call::ChangeData, &headers, (&party, &guid), put, |_| json!({}), StatusCode::OK).await
}

/// `DELETE /{org}/{app}/instances/{party}/{guid}/data/{id}`
pub(super) async fn drop_data(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path((_, _, party, guid, id)): Path<(String, String, String, String, Uuid)>,
    headers: HeaderMap,
) -> Response {
    let drop = |instance: &mut InstanceFacts| {
        let place = instance.parts.iter().position(|part| part.id == id).ok_or(StatusCode::NOT_FOUND)?;
        instance.parts.remove(place);
        Ok(())
    };
    done((&world, &line), Call::ChangeData, &headers, (&party, &guid), drop, |_| json!({}), StatusCode::OK).await
}

/// `PUT /simulator/instances/{party}/{guid}/status`: what its owner has done with it, `opened`, `edited` or `submitted`.
pub(super) async fn set_status(
    State(world): State<Arc<World>>,
    Path((party, guid)): Path<(String, String)>,
    status: String,
) -> StatusCode {
    let is_known = world.effects().used(&format!("{party}/{guid}"), status.trim().trim_matches('"'));
    if is_known { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// What arrived in a body.
fn part(id: Uuid, name: String, headers: &HeaderMap, body: &Bytes) -> PartFacts {
    let text =
        |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    PartFacts {
        id,
        name,
        content_type: text(&CONTENT_TYPE),
        file_name: file_name(&text(&CONTENT_DISPOSITION)),
        size_bytes: body.len() as u64,
        sha256: digest(&SHA256, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
    }
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
        if instance.has_ended() {
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
    let changed = changed(world, headers, &format!("{party}/{guid}"), change);
    if let (Ok(instance), Call::Next) = (&changed, call) {
        world.tell_moved(instance);
    }
    match (changed, fault) {
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
    // What nobody has the platform does not let us see. Of what was let go nobody can tell whether it was ever there.
    let absent = if effects.forgets() { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
    let instance = effects.one(id).ok_or(absent)?;
    if instance.is_deleted {
        return Err(StatusCode::NOT_FOUND);
    }
    change(instance)?;
    Ok(instance.clone())
}

impl InstanceFacts {
    /// Its process is at its end.
    pub(super) fn has_ended(&self) -> bool {
        self.steps >= TASKS
    }
}

/// The process of every app here: two tasks, and the end.
pub(super) fn process(instance: &InstanceFacts) -> Value {
    if instance.has_ended() {
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
pub(super) const TASKS: u32 = 2;
/// Forms that are shorter have nothing in them.
const SHORTEST_FORM: u64 = 5;
