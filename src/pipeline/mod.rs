//! The conductor: reads the stage from the ledger, calls the next room, records the outcome.
//!
//! A shipment is worked on under a lease with an expiry, never under an open transaction; whatever dies, the lease runs
//! out and the next worker goes on from what the ledger says. Every step is safe to repeat.

mod ahead;
mod alarm;
mod dispatch;
mod drive;
mod forecast;
mod jobs;
mod judging;
mod news;
mod prefill;
mod reading;
mod receipts;
mod retention;
mod sequence;
mod setback;
mod sources;
mod sweep;
mod timetable;
mod watchdog;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub use ahead::Ahead;
pub use dispatch::Pipeline;
pub use drive::rehearse;
pub use forecast::{Forecaster, RouteDeadline, forecast};
pub use jobs::{Report, Retention};
pub use news::{follow, follow_all};
pub use prefill::{Prefilling, Wakened};
pub use receipts::{Signers, issue_supplement};
pub use retention::retain;
pub use setback::Setbacks;
pub(crate) use setback::survived;
pub use sources::{Source, Taker};
pub use sweep::sweep;
pub use timetable::{Expected, Schedule, Timekeeper};
pub use watchdog::{Watchdog, measure, watch};

use jiff::Timestamp;

use crate::blocking::{Blocking, Lost};
use crate::codes;
use crate::forward::{Patience, Queue};
use crate::intake::Routes;
use crate::model::{BatchLimits, Code, RouteName, Shipment, ShipmentId, WorkerId};
use crate::ports::{Blobs, Clock, Ledger, LedgerError, Receiver, Sources};
use crate::schedule::Windows;
use crate::validate::ArchiveRules;

/// What the pipeline works with.
#[derive(Clone)]
pub struct House {
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// What is known of sources.
    pub sources: Arc<dyn Sources>,
    /// The bytes.
    pub blobs: Arc<dyn Blobs>,
    /// The rules.
    pub routes: Arc<Routes>,
    /// Where each route's items go.
    pub receivers: Arc<HashMap<RouteName, Destination>>,
    /// When routes may forward; a route that is not among them always may.
    pub windows: Arc<HashMap<RouteName, Windows>>,
    /// The rules for broker ZIPs.
    pub archives: Arc<ArchiveRules>,
    /// The keys that sign receipts.
    pub signers: Arc<Signers>,
    /// What is judged while it arrives.
    pub ahead: Ahead,
    /// The door to work that fills a core: judging.
    pub cores: Blocking,
    /// The door to short reads and writes.
    pub disk: Blocking,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When this process began.
    pub started: Timestamp,
    /// This process as a holder of leases.
    pub worker: WorkerId,
    /// How the work is paced.
    pub pace: Pace,
}

impl House {
    /// When a route may forward again; `None` when it may now.
    fn shut_until(&self, route: &RouteName) -> Option<Timestamp> {
        let (now, windows) = (self.clock.now(), self.windows.get(route)?);
        // One that never opens is refused by the configuration; what it holds is not lost.
        let open = windows.next_open(now).unwrap_or(Timestamp::MAX);
        (open > now).then_some(open)
    }
}

/// A receiver, with its troubles so far; and the others that the same items go to.
#[derive(Clone)]
pub struct Destination {
    name: String,
    further: Vec<Destination>,
    receiver: Arc<dyn Receiver>,
    batches: Option<BatchLimits>,
    queue: Option<Arc<Queue>>,
    patience: Arc<Patience>,
}

impl Destination {
    /// A receiver of single items. Those that are one to the world outside share their patience.
    pub fn new(receiver: Arc<dyn Receiver>, patience: Arc<Patience>) -> Self {
        Self { name: String::new(), further: Vec::new(), receiver, batches: None, queue: None, patience }
    }

    /// The same receiver under its name: what goes there is recorded by it.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same receiver with another beside it: every item goes to both.
    pub fn beside(mut self, other: Self) -> Self {
        self.further.push(other);
        self
    }

    /// It and those beside it.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.further)
    }

    /// The names of all of them, where there are several.
    fn names(&self) -> Vec<String> {
        if self.further.is_empty() {
            return Vec::new();
        }
        self.all().map(|destination| destination.name.clone()).collect()
    }

    /// Where a shipment's items go, or a share's: to the one whose name was recorded, without one to the first.
    fn of(&self, shipment: &Shipment) -> Option<&Self> {
        let Some(receiver) = &shipment.receiver else { return Some(self) };
        self.all().find(|destination| destination.name == *receiver)
    }

    /// The same receiver, which takes batches.
    pub fn in_batches(self, limits: BatchLimits) -> Self {
        Self { batches: Some(limits), ..self }
    }

    /// The receiver itself.
    pub fn receiver(&self) -> &Arc<dyn Receiver> {
        &self.receiver
    }

    /// The same receiver, which takes one thing after the other.
    pub fn in_order(self, queue: Arc<Queue>) -> Self {
        Self { queue: Some(queue), ..self }
    }
}

/// How the work is paced.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Shipments judged at once, and as many others forwarded at once.
    pub shipments: usize,
    /// A shipment gives its place to the next after forwarding for so long.
    pub turn: Duration,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// How often the ledger is asked for work when nothing rings.
    pub look: Duration,
    /// After so long without a final receipt the watchdog alarms.
    pub overdue: Duration,
    /// How long the bytes of a shipment are kept after its final receipt.
    pub keep: Duration,
}

/// A step could not be done; the shipment is taken up again later.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The disk did not.
    #[error("the store of bytes failed: {0}")]
    Storage(#[from] io::Error),
    /// A batch could not be judged.
    #[error("judging failed: {0}")]
    Judging(String),
    /// A thread died at its work.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A step panicked.
    #[error("a step panicked")]
    Panicked,
    /// A route in the ledger is no longer in the configuration.
    #[error("the route `{0}` is no longer configured; put it back to finish its shipments")]
    RouteGone(RouteName),
    /// A route in the ledger no longer leads to a receiver that it led to.
    #[error("the route `{0}` no longer leads to the receiver `{1}`; put it back to finish its shipments")]
    ReceiverGone(RouteName, String),
    /// Items are open and due, and none of them was attempted.
    #[error("items are due that cannot be attempted, such as some of a batch and not all")]
    Stuck,
    /// Late news of a shipment that has no final receipt yet.
    #[error("shipment {0} has no final receipt yet")]
    NotReceipted(ShipmentId),
}

/// What to do after a step that could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Try again: it passes by itself.
    Again,
    /// Try again and tell the operator; when nobody helps for too long, end the shipment with this code.
    AskOperator(Code),
}

impl StepError {
    fn next(&self) -> Next {
        match self {
            Self::Ledger(LedgerError::Unavailable(_)) | Self::Lost(_) | Self::NotReceipted(_) => Next::Again,
            // A copy that is gone or damaged does not come back by itself; other troubles of the disk pass.
            Self::Storage(error) if is_damage(error) => Next::AskOperator(codes::STAGED_UNREADABLE),
            Self::Storage(_) => Next::Again,
            // Whether they were sent before nobody can say.
            Self::Stuck => Next::AskOperator(codes::OUTCOME_UNKNOWN),
            Self::Ledger(LedgerError::Corrupt(_)) | Self::Judging(_) | Self::Panicked => {
                Next::AskOperator(codes::STAGED_UNREADABLE)
            }
            Self::RouteGone(_) | Self::ReceiverGone(..) => Next::AskOperator(codes::NO_ROUTE),
        }
    }
}

/// Tells whether a file is gone, cut short or not what it was.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
