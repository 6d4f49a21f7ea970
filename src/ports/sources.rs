//! Sources in the ledger: what each look showed, which files are ours, and which receipts are on their way back.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::LedgerError;
use crate::model::{
    AreaPath, BlobId, Code, PartnerId, ScratchId, ShipmentId, Sighting, Stamp, TakeOrder, Tried, Wait, WorkerId,
};

/// What the conductor remembers of sources. Every change is on disk before the call returns, and may be made again.
#[async_trait]
pub trait Sources: Send + Sync {
    /// Takes a source for a worker, or keeps it; `false` while another works there.
    async fn lease_source(
        &self,
        source: &str,
        worker: WorkerId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, LedgerError>;

    /// How a source stands.
    async fn source(&self, source: &str) -> Result<SourceStand, LedgerError>;

    /// Begins a look; returns its number. One that does not end is due from now on.
    async fn begin_look(&self, source: &str, now: Timestamp) -> Result<u64, LedgerError>;

    /// Has the next look come at a time, or before.
    async fn look_by(&self, source: &str, at: Timestamp) -> Result<(), LedgerError>;

    /// Records how a look ended.
    async fn end_look(&self, source: &str, end: &LookEnd) -> Result<(), LedgerError>;

    /// Notes files that a look shows: each is new, changed, or as it was.
    async fn see(&self, source: &str, look: u64, now: Timestamp, seen: Vec<Seen>) -> Result<(), LedgerError>;

    /// Forgets files that a whole look did not show; those that were taken only when they are gone for long.
    async fn forget_unseen(&self, source: &str, look: u64, now: Timestamp) -> Result<(), LedgerError>;

    /// Files that wait for anything but their turn, in order of path, after a given one.
    async fn unready(&self, source: &str, after: &str, limit: u32) -> Result<Vec<Sighting>, LedgerError>;

    /// Size and time of files that a look showed.
    async fn stamps(&self, source: &str, look: u64, paths: Vec<String>) -> Result<HashMap<String, Stamp>, LedgerError>;

    /// Records what files wait for.
    async fn set_waits(&self, source: &str, waits: Vec<(String, Wait)>) -> Result<(), LedgerError>;

    /// The next files whose turn it is.
    async fn turns(&self, source: &str, order: TakeOrder, limit: u32) -> Result<Vec<Sighting>, LedgerError>;

    /// Begins to take a file; `None` when it is being taken, or when the source is another worker's by now.
    async fn begin_take(
        &self,
        source: &str,
        worker: WorkerId,
        file: &Sighting,
        now: Timestamp,
    ) -> Result<Option<Take>, LedgerError>;

    /// Takes that are not done with and due, or put off for longer than [`LONGEST_DELAY`]; those first that are due for
    /// longest.
    async fn open_takes(&self, source: &str, now: Timestamp, limit: u32) -> Result<Vec<Take>, LedgerError>;

    /// Records where the bytes go and how many of them are on disk.
    async fn fetched(&self, take: u64, scratch: ScratchId, bytes: u64) -> Result<(), LedgerError>;

    /// A file that was seen.
    async fn sighting(&self, source: &str, path: &str) -> Result<Option<Sighting>, LedgerError>;

    /// Takes nothing: the file waits again, from this look on where nothing was tried. Returns where its bytes are, to
    /// be thrown away.
    async fn put_back(
        &self,
        take: &Take,
        look: u64,
        tried: Option<Tried>,
        now: Timestamp,
    ) -> Result<Option<ScratchId>, LedgerError>;

    /// Takes nothing: it is the file that was taken before. Returns where its bytes are, to be thrown away.
    async fn same_again(&self, take: &Take) -> Result<Option<ScratchId>, LedgerError>;

    /// Makes the sealed bytes a shipment, all in one change; returns where it lies. A change that was made before is not
    /// made again.
    async fn claim_take(&self, claim: &TakeClaim) -> Result<AreaPath, LedgerError>;

    /// Records that a take could not go on, and when it is tried again.
    async fn delay_take(&self, take: u64, until: Timestamp) -> Result<(), LedgerError>;

    /// Tells whether other files with this path but for their extension are still to be taken.
    async fn others_wait(&self, take: &Take, stem: &str) -> Result<bool, LedgerError>;

    /// Ends a take; `is_gone`: the file is not there any more, and one that comes under its name is another.
    async fn end_take(&self, take: &Take, is_gone: bool, now: Timestamp) -> Result<(), LedgerError>;

    /// Receipts to be written back that are due, or put off for longer than [`LONGEST_DELAY`]; oldest first.
    async fn due_receipts(&self, source: &str, now: Timestamp, limit: u32) -> Result<Vec<DueReceipt>, LedgerError>;

    /// Records what became of writing a receipt back; nothing, where it was placed anew meanwhile and is due again.
    async fn conclude_receipt(&self, receipt: &DueReceipt, end: ReceiptEnd) -> Result<(), LedgerError>;

    /// The code with which a shipment is refused before it is read, because of how its file was found.
    async fn foreseen(&self, shipment: ShipmentId) -> Result<Option<Code>, LedgerError>;
}

/// A take or a receipt is put off for no longer: where it seems to be, a clock was far ahead and has been set back since.
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// How a source stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceStand {
    /// Looks begun.
    pub look: u64,
    /// When the last one ended.
    pub looked_at: Option<Timestamp>,
    /// When the next is due.
    pub next_at: Option<Timestamp>,
    /// Looks that failed, one after the other.
    pub failures: u32,
    /// How the last one ended, in words.
    pub note: String,
    /// Looks that were asked for by hand.
    pub asked: u64,
    /// Those of them that were done.
    pub answered: u64,
    /// When a take or a receipt is due.
    pub due_at: Option<Timestamp>,
}

/// How a look ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookEnd {
    /// When.
    pub now: Timestamp,
    /// When the next is due.
    pub next_at: Option<Timestamp>,
    /// Looks that failed, one after the other, with this one.
    pub failures: u32,
    /// In words.
    pub note: String,
    /// Looks asked for by hand that this one answers.
    pub answered: u64,
}

/// A file as a look shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where.
    pub path: String,
    /// Its size and time.
    pub stamp: Stamp,
    /// It is there for another's sake.
    pub is_beside: bool,
}

/// A file that is being taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Its number.
    pub id: u64,
    /// From which source.
    pub source: String,
    /// Where it lies there.
    pub path: String,
    /// What it was like when it was begun to be taken.
    pub stamp: Stamp,
    /// How far it has come.
    pub stage: TakeStage,
    /// Where its bytes go.
    pub scratch: Option<ScratchId>,
    /// How many of them are on disk.
    pub fetched_bytes: u64,
    /// How often it could not go on.
    pub attempts: u32,
    /// The hash of what was taken, when it is a shipment.
    pub sha256: Option<[u8; 32]>,
}

/// How far a take has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeStage {
    /// Its bytes are fetched and looked at.
    Fetching,
    /// It is a shipment; what is left is to tidy up in the source.
    Claimed,
    /// It is done with.
    Done,
}

/// A fetched file that becomes a shipment.
#[derive(Debug, Clone)]
pub struct TakeClaim {
    /// Which.
    pub take: Take,
    /// Who took it; the source must still be theirs.
    pub worker: WorkerId,
    /// In whose area.
    pub partner: PartnerId,
    /// In which directory.
    pub dir: String,
    /// Names for it, the best first; the first that is free is taken.
    pub names: Vec<String>,
    /// Its sealed bytes.
    pub blob: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// Their hash.
    pub sha256: [u8; 32],
    /// The shipment.
    pub shipment: ShipmentId,
    /// It is a rehearsal.
    pub preflight: bool,
    /// It is refused with this code before it is read.
    pub refusal: Option<Code>,
    /// Its receipts go back to the source.
    pub answers: bool,
    /// When.
    pub now: Timestamp,
}

/// A receipt on its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReceipt {
    /// Its number.
    pub id: u64,
    /// Its file name.
    pub name: String,
    /// Its bytes.
    pub blob: BlobId,
    /// It takes the place of one that is there.
    pub replaces: bool,
    /// How often writing it was tried.
    pub attempts: u32,
}

/// What became of writing a receipt back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptEnd {
    /// It is there.
    Written,
    /// It is tried again at this time.
    Again(Timestamp),
    /// It is given up: our copy is gone, since the partner has taken it already.
    GivenUp,
}
