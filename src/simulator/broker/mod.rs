//! Broker: transfers, what is uploaded to them in one piece or in several, what becomes of them, and how often each item
//! took effect.

mod asked;
mod told;
mod transfers;
mod tus;

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

pub(super) use transfers::{begin, confirm, details, list, overview, set_status, upload};
pub(super) use tus::{append, create, offset, terminate};

use self::asked::Initialize;
use super::World;
use super::control::{answer_fault, struck};
use super::effects::owner_hash;
use super::faults::{Call, Fault};
use super::sums::{Summed, Sums};
use super::tcp::Line;

/// Totals of transfers since the start or the last reset. An item is what one sender sends under one reference to one list
/// of recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferCounts {
    /// Transfers begun.
    pub begun: u64,
    /// Items they were begun for.
    pub begun_items: u64,
    /// Files taken whole.
    pub uploaded: u64,
    /// Items they were of.
    pub uploaded_items: u64,
    /// Requests to begin one, whatever became of them.
    pub calls: u64,
    /// Requests to list them.
    pub look_ups: u64,
    /// Requests to see one.
    pub overviews: u64,
    /// Pieces of uploads that were taken.
    pub parts: u64,
    /// Uploads, and pieces of them, that were cut off.
    pub breaks: u64,
}

/// What is kept about a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferFacts {
    /// Its id.
    pub id: Uuid,
    /// The resource.
    pub resource_id: String,
    /// The sender's reference.
    pub reference: String,
    /// Name of the file.
    pub file_name: String,
    /// Its properties.
    pub properties: Vec<(String, String)>,
    /// Its status.
    pub status: String,
    /// Size of the file, when it was taken.
    pub size_bytes: Option<u64>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
}

/// A transfer.
struct Transfer {
    asked: Initialize,
    created: Timestamp,
    history: Vec<(&'static str, Timestamp)>,
    stored: Option<Summed>,
    resumable: Option<Resumable>,
    confirmed: Option<Timestamp>,
    set: Option<(String, Timestamp)>,
}

/// An upload in several pieces, as far as it has come.
struct Resumable {
    length: u64,
    sums: Sums,
}

/// All transfers.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) counts: TransferCounts,
    transfers: HashMap<Uuid, Transfer>,
    order: Vec<Uuid>,
    begun: HashMap<u64, u32>,
    uploaded: HashMap<u64, u32>,
}

impl Desk {
    /// Facts about all of them, oldest first.
    pub(super) fn facts(&self, scan: Duration) -> Vec<TransferFacts> {
        let found = self.order.iter().filter_map(|id| Some((id, self.transfers.get(id)?)));
        found.map(|(id, transfer)| transfer.facts(*id, scan)).collect()
    }

    /// Sets what has become of one; `false` when there is none.
    pub(super) fn set_status(&mut self, id: Uuid, status: &str) -> bool {
        let Some(transfer) = self.transfers.get_mut(&id) else { return false };
        let now = Timestamp::now();
        match status {
            "DownloadConfirmed" => transfer.confirmed = Some(now),
            other => transfer.set = Some((other.to_owned(), now)),
        }
        true
    }

    /// Forgets how far an upload in pieces has come; `false` when there is none.
    pub(super) fn forget_upload(&mut self, id: Uuid) -> bool {
        self.transfers.get_mut(&id).and_then(|transfer| transfer.resumable.take()).is_some()
    }

    fn add(&mut self, asked: Initialize) -> Uuid {
        let (id, created) = (Uuid::new_v4(), Timestamp::now());
        let times = self.begun.entry(asked.item()).or_insert(0);
        *times += 1;
        self.counts.begun += 1;
        self.counts.begun_items += u64::from(*times == 1);
        let history = vec![("Initialized", created)];
        let (stored, resumable, confirmed, set) = (None, None, None, None);
        self.transfers.insert(id, Transfer { asked, created, history, stored, resumable, confirmed, set });
        self.order.push(id);
        id
    }

    /// Takes a whole file, if it is what was announced.
    fn take(&mut self, id: Uuid, summed: Summed) -> Result<(), Refusal> {
        let transfer = self.transfers.get_mut(&id).ok_or(problem(404, 1))?;
        let announced = transfer.asked.checksum.as_deref().filter(|checksum| !checksum.is_empty());
        if announced.is_some_and(|checksum| checksum != summed.md5) {
            transfer.enter("Failed");
            return Err(problem(400, 9));
        }
        transfer.stored = Some(summed);
        transfer.enter("UploadProcessing");
        let times = self.uploaded.entry(transfer.asked.item()).or_insert(0);
        *times += 1;
        self.counts.uploaded += 1;
        self.counts.uploaded_items += u64::from(*times == 1);
        Ok(())
    }

    /// An upload that was cut off; one in one piece cannot be gone on with.
    fn cut_off(&mut self, id: Uuid, is_whole: bool) {
        self.counts.breaks += 1;
        if let Some(transfer) = self.transfers.get_mut(&id).filter(|_| is_whole) {
            transfer.enter("Failed");
        }
    }
}

impl Transfer {
    fn enter(&mut self, status: &'static str) {
        self.history.push((status, Timestamp::now()));
    }

    /// What it has gone through by now, when a scan takes so long.
    fn so_far(&self, scan: Duration) -> Vec<(String, Timestamp)> {
        let mut so_far: Vec<_> = self.history.iter().map(|(status, at)| ((*status).to_owned(), *at)).collect();
        let processed = self.history.last().filter(|(status, _)| *status == "UploadProcessing");
        let scanned = processed.and_then(|(_, at)| at.checked_add(scan).ok()).filter(|at| *at <= Timestamp::now());
        if let Some((at, stored)) = scanned.zip(self.stored.as_ref()) {
            so_far.push((if stored.has_malware { "Failed" } else { "Published" }.to_owned(), at));
        }
        if let Some(at) = self.confirmed {
            so_far.push(("AllConfirmedDownloaded".to_owned(), at));
        }
        so_far.extend(self.set.clone());
        so_far
    }

    fn status(&self, scan: Duration) -> (String, Timestamp) {
        self.so_far(scan).pop().unwrap_or(("Initialized".to_owned(), self.created))
    }

    fn facts(&self, id: Uuid, scan: Duration) -> TransferFacts {
        TransferFacts {
            id,
            resource_id: self.asked.resource_id.clone(),
            reference: self.asked.senders_file_transfer_reference.clone(),
            file_name: self.asked.file_name.clone(),
            properties: self.asked.property_list.clone().into_iter().collect(),
            status: self.status(scan).0,
            size_bytes: self.stored.as_ref().map(|stored| stored.size_bytes),
            sha256: self.stored.as_ref().map(|stored| stored.sha256.clone()),
        }
    }
}

impl Initialize {
    /// What tells its item from others.
    fn item(&self) -> u64 {
        let recipients = self.recipients.join(" ");
        let fields = [&self.resource_id, &self.sender, &self.senders_file_transfer_reference, &recipients];
        owner_hash(&fields.map(String::as_str).join("\n"))
    }
}

/// An error by its status and number.
#[derive(Debug, Clone, Copy)]
struct Refusal(u16, u32);

fn problem(status: u16, code: u32) -> Refusal {
    Refusal(status, code)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code) = self;
        let body = json!({
            "type": "about:blank", "title": "Error", "status": status, "detail": "The stand-in refuses it",
            "code": format!("BRO-{code:05}"), "traceId": "00-0-0-00"
        });
        (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body)).into_response()
    }
}

/// What a call meets before it has its effect; a fault that is left comes after it.
async fn met(world: &World, line: &Line, headers: &HeaderMap, call: Call) -> Result<Option<Fault>, Response> {
    let fault = struck(world, call).await;
    if !world.issued().accepts(headers) {
        return Err(StatusCode::UNAUTHORIZED.into_response());
    }
    match fault {
        Some(fault) if !fault.is_after() => Err(answered(fault, line)),
        Some(_) | None => Ok(fault),
    }
}

/// The answer to a call that goes wrong.
fn answered(fault: Fault, line: &Line) -> Response {
    if let Fault::Problem(status, code) = fault {
        return problem(status, code).into_response();
    }
    answer_fault(fault, line)
}

impl World {
    fn scan(&self) -> Duration {
        Duration::from_millis(self.options.scan_ms)
    }
}
