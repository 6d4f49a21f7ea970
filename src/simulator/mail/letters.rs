//! Correspondences: making them, finding them, and what has become of them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::Multipart;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Received, receive};
use super::rules::{self, Initialize};
use super::{MessageFacts, Refusal, invalid, is_for_sender, problem};
use crate::simulator::World;
use crate::simulator::control::{answer_fault, struck};
use crate::simulator::effects::owner_hash;
use crate::simulator::faults::{Call, Fault};
use crate::simulator::tcp::Line;

/// `POST /correspondence/api/v1/correspondence`
pub(in crate::simulator) async fn send(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let received = Received { content: body, files: Vec::new() };
    take(&world, &line, &headers, "POST /correspondence/api/v1/correspondence", Some(received)).await
}

/// `POST /correspondence/api/v1/correspondence/upload`
pub(in crate::simulator) async fn send_form(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    // The whole request is read first: an answer in the middle of it might not reach the sender.
    let received = receive(form).await;
    take(&world, &line, &headers, "POST /correspondence/api/v1/correspondence/upload", received).await
}

async fn take(
    world: &World,
    line: &Line,
    headers: &HeaderMap,
    operation: &'static str,
    received: Option<Received>,
) -> Response {
    world.mail().counts.calls += 1;
    let fault = struck(world, Call::Message).await;
    if !world.issued().accepts(headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answer_fault(fault, line);
    }
    let Some(received) = received else { return problem(408, 2022).into_response() };
    world.record(operation, || received.content.clone());
    match (make(world, received), fault) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(_), Some(fault)) => answer_fault(fault, line),
        (Ok((message, recipient)), None) => {
            let one = json!({
                "correspondenceId": message.id, "status": "Initialized", "recipient": recipient, "notifications": []
            });
            Json(json!({"correspondences": [one], "attachmentIds": []})).into_response()
        }
    }
}

fn make(world: &World, received: Received) -> Result<(MessageFacts, String), Refusal> {
    let Received { content, files } = received;
    let asked: Initialize = serde_json::from_value(content).map_err(|error| invalid(&error.to_string()))?;
    let mut mail = world.mail();
    let recipient = owner_hash(rules::check(&asked, &files, world)?);
    if let Some(key) = asked.idempotent_key
        && mail.keys.contains_key(&key)
    {
        mail.counts.known_keys += 1;
        return Err(problem(409, 1034));
    }
    let mut attachments = files;
    for id in &asked.existing_attachments {
        let attachment = mail.attachments.get(id).ok_or_else(|| problem(404, 1017))?;
        if attachment.status(Duration::from_millis(world.options.scan_ms)) != "Published" {
            return Err(problem(400, 1018));
        }
        attachments.push(attachment.facts());
    }
    mail.counts.attached += (attachments.len() - asked.existing_attachments.len()) as u64;
    let created = Timestamp::now();
    let message = MessageFacts {
        id: Uuid::new_v4(),
        key: asked.idempotent_key,
        resource_id: asked.correspondence.resource_id,
        senders_reference: asked.correspondence.senders_reference,
        recipient,
        created,
        publish_at: asked.correspondence.requested_publish_time.unwrap_or(created),
        is_confirmation_needed: asked.correspondence.is_confirmation_needed,
        attachments,
        happened: Vec::new(),
    };
    mail.add(message.clone());
    drop(mail);
    let MessageFacts { id, resource_id: resource, .. } = &message;
    world.tell_message(resource, *id, "initialized", created);
    let published = message.published(Duration::from_millis(world.options.publish_ms));
    world.tell_message(resource, *id, "published", published);
    let urn = asked.recipients.into_iter().next().unwrap_or_default();
    Ok((message, urn))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::simulator) struct Wanted {
    resource_id: String,
    role: String,
    idempotent_key: Option<Uuid>,
    senders_reference: Option<String>,
}

/// `GET /correspondence/api/v1/correspondence`
pub(in crate::simulator) async fn find(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    world.mail().counts.look_ups += 1;
    if let Some(refusal) = before_look(&world, &line, &headers, Call::FindMessage).await {
        return refusal;
    }
    world.record(
        "GET /correspondence/api/v1/correspondence",
        || json!({"resourceId": wanted.resource_id, "role": wanted.role, "idempotentKey": wanted.idempotent_key}),
    );
    let mail = world.mail();
    if !matches!(wanted.role.as_str(), "Sender" | "Recipient" | "RecipientAndSender") {
        return invalid("role").into_response();
    }
    let is_it = |message: &&MessageFacts| {
        message.resource_id == wanted.resource_id
            && wanted.senders_reference.as_ref().is_none_or(|reference| *reference == message.senders_reference)
    };
    let ids: Vec<Uuid> = match wanted.idempotent_key {
        Some(key) => {
            let found = mail.keys.get(&key).and_then(|id| mail.messages.get(id)).filter(is_it);
            found.map(|message| message.id).into_iter().collect()
        }
        None => mail.messages.values().filter(is_it).take(MOST_IDS).map(|message| message.id).collect(),
    };
    Json(json!({"ids": ids})).into_response()
}

/// `GET /correspondence/api/v1/correspondence/{id}`
pub(in crate::simulator) async fn overview(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = before_look(&world, &line, &headers, Call::MessageOverview).await {
        return refusal;
    }
    match world.mail().messages.get(&id) {
        Some(message) => Json(shown(message, Duration::from_millis(world.options.publish_ms))).into_response(),
        None => problem(404, 1025).into_response(),
    }
}

/// `GET /correspondence/api/v1/correspondence/{id}/details`
pub(in crate::simulator) async fn details(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = before_look(&world, &line, &headers, Call::MessageDetails).await {
        return refusal;
    }
    let mail = world.mail();
    let Some(message) = mail.messages.get(&id) else { return problem(404, 1025).into_response() };
    let publish_delay = Duration::from_millis(world.options.publish_ms);
    let history = message.history(publish_delay).into_iter().filter(|(status, _)| is_for_sender(status));
    let history: Vec<_> =
        history.map(|(status, at)| json!({"status": status, "statusText": status, "statusChanged": at})).collect();
    let mut shown = shown(message, publish_delay);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("statusHistory".to_owned(), Value::Array(history));
    }
    Json(shown).into_response()
}

fn shown(message: &MessageFacts, publish_delay: Duration) -> Value {
    let history = message.history(publish_delay);
    let first = |wanted: &str| history.iter().find(|(status, _)| status == wanted).map(|(_, at)| *at);
    let (status, changed) = message.stands(publish_delay);
    json!({
        "correspondenceId": message.id, "resourceId": message.resource_id,
        "sendersReference": message.senders_reference, "created": message.created, "recipient": "hidden",
        "status": status, "statusText": status, "statusChanged": changed, "published": first("Published"),
        "read": first("Read"), "isConfirmationNeeded": message.is_confirmation_needed
    })
}

/// `PUT /simulator/messages/{id}/status`
pub(in crate::simulator) async fn set_status(
    State(world): State<Arc<World>>,
    Path(id): Path<Uuid>,
    status: String,
) -> StatusCode {
    if world.set_message_status(id, status.trim()) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn before_look(world: &World, line: &Line, headers: &HeaderMap, call: Call) -> Option<Response> {
    let fault = struck(world, call).await;
    if !world.issued().accepts(headers) {
        return Some(StatusCode::UNAUTHORIZED.into_response());
    }
    fault.map(|fault| answer_fault(if fault == Fault::ErrorAfter { Fault::ErrorBefore } else { fault }, line))
}

/// A list has no more.
const MOST_IDS: usize = 1_000;
