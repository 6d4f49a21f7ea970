//! Attachments that come before their message.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::rules::is_taken;
use super::{Attachment, Stored, invalid, problem};
use crate::simulator::World;
use crate::simulator::control::{answer_fault, struck};
use crate::simulator::faults::{Call, Fault};
use crate::simulator::sums::{Summed, Sums};
use crate::simulator::tcp::Line;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Announced {
    resource_id: String,
    senders_reference: String,
    file_name: String,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    display_name: Option<String>,
    #[expect(dead_code, reason = "part of the request, and not used here")]
    #[serde(default)]
    is_encrypted: bool,
    checksum: Option<String>,
}

/// `POST /correspondence/api/v1/attachment`
pub(in crate::simulator) async fn announce(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let fault = struck(&world, Call::Announce).await;
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answer_fault(fault, &line);
    }
    world.record("POST /correspondence/api/v1/attachment", || body.clone());
    let announced: Announced = match serde_json::from_value(body) {
        Ok(announced) => announced,
        Err(error) => return invalid(&error.to_string()).into_response(),
    };
    if announced.resource_id.is_empty() || announced.senders_reference.is_empty() {
        return invalid("A field is empty").into_response();
    }
    if !is_taken(&announced.file_name) {
        return problem(400, 2013).into_response();
    }
    let id = Uuid::new_v4();
    let mut mail = world.mail();
    mail.counts.announced += 1;
    let Announced { file_name: name, resource_id: resource, checksum, .. } = announced;
    mail.attachments.insert(id, Attachment { name, resource: resource.clone(), checksum, content: None });
    drop(mail);
    world.tell_attachment(&resource, id, "initialized", Timestamp::now());
    match fault {
        Some(fault) => answer_fault(fault, &line),
        None => Json(json!(id)).into_response(),
    }
}

/// `POST /correspondence/api/v1/attachment/{id}/upload`
pub(in crate::simulator) async fn upload(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // The whole request is read first: an answer in the middle of it might not reach the sender.
    let read = read(body).await;
    let fault = struck(&world, Call::Upload).await;
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answer_fault(fault, &line);
    }
    let Some((stored, md5)) = read else { return problem(408, 2022).into_response() };
    let mut mail = world.mail();
    let Some(attachment) = mail.attachments.get_mut(&id) else { return problem(404, 2001).into_response() };
    if attachment.content.is_some() {
        return problem(400, 2005).into_response();
    }
    if stored.size_bytes == 0 {
        return problem(400, 2004).into_response();
    }
    if attachment.checksum.as_ref().is_some_and(|checksum| *checksum != md5) {
        return problem(400, 2008).into_response();
    }
    let (resource, at, has_malware) = (attachment.resource.clone(), stored.at, stored.has_malware);
    attachment.content = Some(stored);
    mail.counts.uploads += 1;
    let shown = mail.attachments.get(&id).map(|attachment| shown(&world, id, attachment));
    drop(mail);
    world.tell_attachment(&resource, id, "uploadprocessing", at);
    let scanned = at.checked_add(Duration::from_millis(world.options.scan_ms)).unwrap_or(Timestamp::MAX);
    world.tell_attachment(&resource, id, if has_malware { "uploadfailed" } else { "published" }, scanned);
    match fault {
        Some(fault) => answer_fault(fault, &line),
        None => Json(shown).into_response(),
    }
}

/// `GET /correspondence/api/v1/attachment/{id}`
pub(in crate::simulator) async fn attachment(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    let fault = struck(&world, Call::AttachmentOverview).await;
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = fault {
        return answer_fault(if fault == Fault::ErrorAfter { Fault::ErrorBefore } else { fault }, &line);
    }
    match world.mail().attachments.get(&id) {
        Some(attachment) => Json(shown(&world, id, attachment)).into_response(),
        None => problem(404, 2001).into_response(),
    }
}

async fn read(body: Body) -> Option<(Stored, String)> {
    let (mut sums, mut stream) = (Sums::new(), body.into_data_stream());
    while let Some(chunk) = stream.next().await {
        sums.push(&chunk.ok()?);
    }
    let Summed { sha256, md5, size_bytes, has_malware } = sums.finish();
    Some((Stored { size_bytes, sha256, has_malware, at: Timestamp::now() }, md5))
}

impl Attachment {
    /// Its status after the scan takes so long.
    pub(super) fn status(&self, scan: Duration) -> &'static str {
        let Some(stored) = &self.content else { return "Initialized" };
        let scanned = stored.at.checked_add(scan).unwrap_or(Timestamp::MAX) <= Timestamp::now();
        match (scanned, stored.has_malware) {
            (false, _) => "UploadProcessing",
            (true, true) => "Failed",
            (true, false) => "Published",
        }
    }

    /// Name, size and hash.
    pub(super) fn facts(&self) -> (String, u64, String) {
        let (size_bytes, sha256) =
            self.content.as_ref().map_or((0, String::new()), |stored| (stored.size_bytes, stored.sha256.clone()));
        (self.name.clone(), size_bytes, sha256)
    }
}

fn shown(world: &World, id: Uuid, attachment: &Attachment) -> Value {
    let status = attachment.status(Duration::from_millis(world.options.scan_ms));
    json!({
        "attachmentId": id, "fileName": attachment.name, "resourceId": attachment.resource, "sender": "0192:310000000",
        "sendersReference": "s", "status": status, "statusText": status, "statusChanged": Timestamp::now(),
        "correspondenceIds": []
    })
}
