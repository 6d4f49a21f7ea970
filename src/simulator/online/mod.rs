//! A service owner's receiver of batches over SOAP: `ReceiveOnlineBatchExternalAttachment` 1.1 and 1.2, with attachments
//! inside or in a part of their own. Each key is taken once, and each item in it is counted.

mod answers;
mod request;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::World;
use super::control::struck;
use super::effects::owner_hash;
use super::faults::Call;
use super::tcp::Line;

use self::answers::{answered, receipt};
use self::request::{Sent, sent, version};

/// Totals of batches since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCounts {
    /// Batches taken.
    pub total: u64,
    /// Items in them.
    pub items: u64,
    /// Different items among these.
    pub distinct: u64,
    /// Items that were taken more than once.
    pub repeated: u64,
    /// Archives of attachments that came with them.
    pub archives: u64,
    /// Requests to take a batch, whatever became of them.
    pub calls: u64,
    /// Requests with a key that was there.
    pub known_keys: u64,
    /// Questions whether a batch is there.
    pub look_ups: u64,
}

/// All batches.
#[derive(Default)]
pub(super) struct Online {
    pub(super) counts: BatchCounts,
    keys: HashSet<Uuid>,
    seen: HashMap<u64, u32>,
}

impl Online {
    fn take(&mut self, sent: &Sent) {
        self.keys.insert(sent.key);
        self.counts.total += 1;
        self.counts.archives += u64::from(sent.has_archive);
        for item in sent.items() {
            let times = self.seen.entry(owner_hash(item)).or_insert(0);
            *times += 1;
            self.counts.items += 1;
            self.counts.distinct += u64::from(*times == 1);
            self.counts.repeated += u64::from(*times == 2);
        }
    }
}

/// `POST /soap`
pub(super) async fn receive(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    world.online().counts.calls += 1;
    let fault = struck(&world, Call::Batch).await;
    let Some(version) = version(&headers) else { return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response() };
    if let Some(fault) = fault.filter(|fault| !fault.is_after()) {
        return answered(fault, version, &line);
    }
    let Some(sent) = sent(&headers, &body, version) else { return StatusCode::BAD_REQUEST.into_response() };
    let mut online = world.online();
    let is_known = online.keys.contains(&sent.key);
    if is_known {
        online.counts.known_keys += 1;
    } else {
        online.take(&sent);
    }
    drop(online);
    match fault {
        Some(fault) => answered(fault, version, &line),
        None if is_known && world.options.refuse_known_batches => receipt(version, "FAILED_DO_NOT_RETRY"),
        None => receipt(version, "OK"),
    }
}

/// `GET /soap/{key}`
pub(super) async fn status(State(world): State<Arc<World>>, Path(key): Path<Uuid>) -> StatusCode {
    let mut online = world.online();
    online.counts.look_ups += 1;
    if online.keys.contains(&key) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}
