//! Uploads in several pieces (TUS 1.0.0): what arrives stays, and the next piece follows on it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::transfers::looked_at;
use super::{Refusal, Resumable, answered, met, problem};
use crate::simulator::World;
use crate::simulator::control::struck;
use crate::simulator::faults::{Call, Fault};
use crate::simulator::sums::Sums;
use crate::simulator::tcp::Line;

/// `POST /broker/api/v1/filetransfer/upload/tus/{id}`
pub(in crate::simulator) async fn create(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    let fault = match met(&world, &line, &headers, Call::TransferUpload).await {
        Ok(fault) => fault,
        Err(answer) => return answer,
    };
    record(&world, "POST /broker/api/v1/filetransfer/upload/tus/{fileTransferId}", &headers);
    match (created(&world, id, &headers), fault) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(()), Some(fault)) => answered(fault, &line),
        (Ok(()), None) => {
            let location = format!("{}/broker/api/v1/filetransfer/upload/tus/{id}", world.base_url);
            (StatusCode::CREATED, [("Tus-Resumable", VERSION.to_owned()), ("Location", location)]).into_response()
        }
    }
}

fn created(world: &World, id: Uuid, headers: &HeaderMap) -> Result<(), Refusal> {
    spoken(headers)?;
    let length = number(headers, "upload-length").ok_or(problem(400, 3))?;
    let (scan, mut desk) = (world.scan(), world.desk());
    let transfer = desk.transfers.get_mut(&id).ok_or(problem(404, 1))?;
    if transfer.status(scan).0 != "Initialized" || transfer.resumable.is_some() {
        return Err(problem(409, 4));
    }
    transfer.resumable = Some(Resumable { length, sums: Sums::new() });
    Ok(())
}

/// `HEAD /broker/api/v1/filetransfer/upload/tus/{id}`
pub(in crate::simulator) async fn offset(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    if let Err(answer) = looked_at(&world, &line, &headers, Call::TransferOffset).await {
        return answer;
    }
    record(&world, "HEAD /broker/api/v1/filetransfer/upload/tus/{fileTransferId}", &headers);
    let desk = world.desk();
    let upload = desk.transfers.get(&id).and_then(|transfer| transfer.resumable.as_ref());
    match (spoken(&headers), upload) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(()), None) => problem(404, 1).into_response(),
        (Ok(()), Some(upload)) => progress(StatusCode::OK, upload.sums.size_bytes()),
    }
}

/// `PATCH /broker/api/v1/filetransfer/upload/tus/{id}`
pub(in crate::simulator) async fn append(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let fault = struck(&world, Call::TransferPart).await;
    let most = if let Some(Fault::CutOff(bytes)) = fault { Some(bytes) } else { None };
    let is_before = fault.filter(|fault| !fault.is_after() && most.is_none());
    let is_known = world.issued().accepts(&headers);
    record(&world, "PATCH /broker/api/v1/filetransfer/upload/tus/{fileTransferId}", &headers);
    let mut at = spoken(&headers).and_then(|()| number(&headers, "upload-offset").ok_or(problem(400, 3)));
    let (mut stream, mut left) = (body.into_data_stream(), most.unwrap_or(u64::MAX));
    let mut is_cut = false;
    while let Some(chunk) = stream.next().await {
        let Ok(mut chunk) = chunk else {
            is_cut = true;
            break;
        };
        // What is refused is read to its end all the same.
        if !is_known || is_before.is_some() {
            continue;
        }
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= chunk.len() as u64;
        at = at.and_then(|at| appended(&world, id, at, &chunk));
        if left == 0 {
            is_cut = true;
            break;
        }
    }
    if !is_known {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(fault) = is_before {
        return answered(fault, &line);
    }
    if is_cut {
        world.desk().cut_off(id, false);
        line.cut();
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    match (at.and_then(|at| completed(&world, id, at)), fault) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(_), Some(fault)) => answered(fault, &line),
        (Ok(at), None) => progress(StatusCode::NO_CONTENT, at),
    }
}

/// `DELETE /broker/api/v1/filetransfer/upload/tus/{id}`
pub(in crate::simulator) async fn terminate(
    State(world): State<Arc<World>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Response {
    if !world.issued().accepts(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if world.desk().forget_upload(id) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        problem(404, 1).into_response()
    }
}

/// Adds bytes that follow on what is there; returns where the next ones do.
fn appended(world: &World, id: Uuid, at: u64, bytes: &[u8]) -> Result<u64, Refusal> {
    let (scan, mut desk) = (world.scan(), world.desk());
    let transfer = desk.transfers.get_mut(&id).ok_or(problem(404, 1))?;
    let is_first = transfer.status(scan).0 == "Initialized";
    let upload = transfer.resumable.as_mut().ok_or(problem(404, 1))?;
    let end = at + bytes.len() as u64;
    if upload.sums.size_bytes() != at || end > upload.length {
        return Err(problem(409, 4));
    }
    upload.sums.push(bytes);
    if is_first {
        transfer.enter("UploadStarted");
    }
    Ok(end)
}

/// Takes the file when all of it is there.
fn completed(world: &World, id: Uuid, at: u64) -> Result<u64, Refusal> {
    let mut desk = world.desk();
    desk.counts.parts += 1;
    let transfer = desk.transfers.get_mut(&id).ok_or(problem(404, 1))?;
    let Some(upload) = transfer.resumable.take_if(|upload| upload.sums.size_bytes() == upload.length) else {
        return Ok(at);
    };
    let taken = desk.take(id, upload.sums.finish());
    drop(desk);
    world.tell_step(id);
    taken.map(|()| at)
}

fn progress(status: StatusCode, offset: u64) -> Response {
    (status, [("Tus-Resumable", VERSION.to_owned()), ("Upload-Offset", offset.to_string())]).into_response()
}

/// The protocol's version must be said, and of a piece what it is.
fn spoken(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.get("tus-resumable").is_some_and(|version| version == VERSION) { Ok(()) } else { Err(problem(412, 0)) }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// Keeps the headers that the description of the call names; numbers as such.
fn record(world: &World, operation: &'static str, headers: &HeaderMap) {
    world.record(operation, || {
        let mut content = Map::new();
        for name in ["Tus-Resumable", "Upload-Length", "Upload-Offset", "Content-Type"] {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            let value = value.map(|text| text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from));
            content.extend(value.map(|value| (name.to_owned(), value)));
        }
        Value::Object(content)
    });
}

const VERSION: &str = "1.0.0";
