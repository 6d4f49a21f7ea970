//! Beginning transfers, uploading to them in one piece, and what has become of them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Initialize, Refusal, Transfer, answered, met, problem};
use crate::simulator::World;
use crate::simulator::control::struck;
use crate::simulator::faults::{Call, Fault};
use crate::simulator::sums::Sums;
use crate::simulator::tcp::Line;

/// `POST /broker/api/v1/filetransfer`
pub(in crate::simulator) async fn begin(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    world.desk().counts.calls += 1;
    let fault = match met(&world, &line, &headers, Call::Transfer).await {
        Ok(fault) => fault,
        Err(answer) => return answer,
    };
    world.record("POST /broker/api/v1/filetransfer", || body.clone());
    let Ok(asked) = serde_json::from_value::<Initialize>(body) else { return problem(400, 0).into_response() };
    if let Err(refusal) = asked.check(&world) {
        return refusal.into_response();
    }
    let id = world.desk().add(asked);
    world.tell_step(id);
    match fault {
        Some(fault) => answered(fault, &line),
        None => Json(json!({"fileTransferId": id})).into_response(),
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Wanted {
    resource_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Timestamp>,
    #[serde(default)]
    order_ascending: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

/// `GET /broker/api/v1/filetransfer`
pub(in crate::simulator) async fn list(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    world.desk().counts.look_ups += 1;
    if let Err(answer) = looked_at(&world, &line, &headers, Call::FindTransfer).await {
        return answer;
    }
    world.record("GET /broker/api/v1/filetransfer", || serde_json::to_value(&wanted).unwrap_or_default());
    let (desk, scan) = (world.desk(), world.scan());
    let is_wanted = |transfer: &Transfer| {
        let (status, changed) = transfer.status(scan);
        // With a status the times are those of its change.
        let at = if wanted.status.is_some() { changed } else { transfer.created };
        transfer.asked.resource_id == wanted.resource_id
            && wanted.status.as_ref().is_none_or(|wanted| *wanted == status)
            && wanted.from.is_none_or(|from| at >= from)
            && wanted.to.is_none_or(|to| at <= to)
    };
    let mut ids: Vec<Uuid> =
        desk.order.iter().filter(|id| desk.transfers.get(id).is_some_and(is_wanted)).copied().collect();
    if !wanted.order_ascending {
        ids.reverse();
    }
    ids.truncate(MOST_IDS);
    Json(ids).into_response()
}

/// `GET /broker/api/v1/filetransfer/{id}`
pub(in crate::simulator) async fn overview(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    world.desk().counts.overviews += 1;
    match looked_at(&world, &line, &headers, Call::TransferOverview).await {
        Ok(()) => shown(&world, id, false),
        Err(answer) => answer,
    }
}

/// `GET /broker/api/v1/filetransfer/{id}/details`
pub(in crate::simulator) async fn details(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    match looked_at(&world, &line, &headers, Call::TransferDetails).await {
        Ok(()) => shown(&world, id, true),
        Err(answer) => answer,
    }
}

/// What a look meets; nothing comes after it.
pub(super) async fn looked_at(world: &World, line: &Line, headers: &HeaderMap, call: Call) -> Result<(), Response> {
    match met(world, line, headers, call).await? {
        Some(Fault::ErrorAfter) => Err(answered(Fault::ErrorBefore, line)),
        Some(fault) => Err(answered(fault, line)),
        None => Ok(()),
    }
}

fn shown(world: &World, id: Uuid, with_history: bool) -> Response {
    let (desk, scan) = (world.desk(), world.scan());
    let Some(transfer) = desk.transfers.get(&id) else { return problem(404, 1).into_response() };
    let (status, changed) = transfer.status(scan);
    let code = if transfer.confirmed.is_some() { "DownloadConfirmed" } else { "Initialized" };
    let recipient = |recipient: &String| {
        json!({
            "recipient": recipient, "currentRecipientFileTransferStatusCode": code,
            "currentRecipientFileTransferStatusText": code,
            "currentRecipientFileTransferStatusChanged": transfer.confirmed.unwrap_or(transfer.created)
        })
    };
    let asked = &transfer.asked;
    let published = transfer.so_far(scan).into_iter().find(|(status, _)| status == "Published").map(|(_, at)| at);
    let mut shown = json!({
        "fileTransferId": id, "resourceId": asked.resource_id, "fileName": asked.file_name,
        "sendersFileTransferReference": asked.senders_file_transfer_reference, "checksum": asked.checksum,
        "useVirusScan": !asked.disable_virus_scan,
        "fileTransferSize": transfer.stored.as_ref().map_or(0, |stored| stored.size_bytes),
        "fileTransferStatus": status, "fileTransferStatusText": status, "fileTransferStatusChanged": changed,
        "created": transfer.created, "sender": asked.sender, "propertyList": asked.property_list,
        "recipients": asked.recipients.iter().map(recipient).collect::<Vec<_>>()
    });
    let more = if with_history {
        ("fileTransferStatusHistory", history(transfer, world))
    } else {
        ("published", json!(published))
    };
    if let Some(object) = shown.as_object_mut() {
        object.insert(more.0.to_owned(), more.1);
    }
    Json(shown).into_response()
}

fn history(transfer: &Transfer, world: &World) -> Value {
    let event = |(status, at): (String, Timestamp)| json!({"fileTransferStatus": status, "fileTransferStatusText": status, "fileTransferStatusChanged": at});
    transfer.so_far(world.scan()).into_iter().map(event).collect()
}

/// `POST /broker/api/v1/filetransfer/{id}/upload`
pub(in crate::simulator) async fn upload(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let fault = struck(&world, Call::TransferUpload).await;
    let is_before = fault.filter(|fault| !fault.is_after() && !matches!(fault, Fault::CutOff(_)));
    let early = match is_before {
        _ if !world.issued().accepts(&headers) => Some(StatusCode::UNAUTHORIZED.into_response()),
        Some(fault) => Some(answered(fault, &line)),
        None => started(&world, &headers, id).err().map(Refusal::into_response),
    };
    if let Some(answer) = early {
        // The whole request is read first: an answer in the middle of it might not reach the sender.
        receive(body, None).await;
        return answer;
    }
    let mut uploading = Uploading { world: &world, id, is_over: false };
    let most = if let Some(Fault::CutOff(bytes)) = fault { Some(bytes) } else { None };
    let received = receive(body, most).await;
    let Some(sums) = received.filter(|_| most.is_none()) else {
        line.cut();
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    uploading.is_over = true;
    world.record(
        "POST /broker/api/v1/filetransfer/{fileTransferId}/upload",
        || json!({"Content-Type": headers.get("content-type").and_then(|value| value.to_str().ok())}),
    );
    let taken = world.desk().take(id, sums.finish());
    world.tell_step(id);
    match (taken, fault) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(()), Some(fault)) => answered(fault, &line),
        (Ok(()), None) => Json(json!({"fileTransferId": id})).into_response(),
    }
}

/// An upload has begun, unless it is refused.
fn started(world: &World, headers: &HeaderMap, id: Uuid) -> Result<(), Refusal> {
    let (scan, mut desk) = (world.scan(), world.desk());
    let transfer = desk.transfers.get_mut(&id).ok_or(problem(404, 1))?;
    if transfer.status(scan).0 != "Initialized" || transfer.resumable.is_some() {
        return Err(problem(409, 4));
    }
    match headers.get("content-length") {
        None => return Err(problem(411, 0)),
        Some(length) if length == "0" => return Err(problem(400, 3)),
        Some(_) => {}
    }
    transfer.enter("UploadStarted");
    Ok(())
}

/// An upload in one piece. However it is cut off, it has failed.
struct Uploading<'a> {
    world: &'a World,
    id: Uuid,
    is_over: bool,
}

impl Drop for Uploading<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.world.desk().cut_off(self.id, true);
            self.world.tell_step(self.id);
        }
    }
}

/// Reads a body, or its beginning; `None` when it breaks off.
async fn receive(body: Body, most: Option<u64>) -> Option<Sums> {
    let (mut sums, mut stream) = (Sums::new(), body.into_data_stream());
    while let Some(chunk) = stream.next().await {
        sums.push(&chunk.ok()?);
        if most.is_some_and(|most| sums.size_bytes() >= most) {
            break;
        }
    }
    Some(sums)
}

/// `POST /broker/api/v1/filetransfer/{id}/confirmdownload`, for whoever it is for.
pub(in crate::simulator) async fn confirm(
    State(world): State<Arc<World>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let status = world.desk().transfers.get(&id).map(|transfer| transfer.status(world.scan()).0);
    match status.as_deref() {
        None => problem(404, 1).into_response(),
        Some("Published") => {
            world.set_transfer_status(id, "DownloadConfirmed");
            StatusCode::NO_CONTENT.into_response()
        }
        Some(_) => problem(400, 10).into_response(),
    }
}

/// `PUT /simulator/transfers/{id}/status`
pub(in crate::simulator) async fn set_status(
    State(world): State<Arc<World>>,
    Path(id): Path<Uuid>,
    status: String,
) -> StatusCode {
    if world.set_transfer_status(id, status.trim()) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// A list has no more.
const MOST_IDS: usize = 100;
