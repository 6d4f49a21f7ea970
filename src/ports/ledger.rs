//! The ledger: append-only history of stages; the truth after a crash.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Told;
use crate::model::{
    Batch, BlobId, Finding, FindingGroup, HeldUp, Item, ItemState, NewAttachment, NewItem, News, Note, Orders, Outcome,
    OutcomeCount, PartKind, PartnerId, ReceiptForm, ReceiptKind, RouteName, ScratchId, Share, Shipment, ShipmentId,
    Stage, Tally, Verdict, WorkerId,
};

/// Shipments, items, deliveries, receipts and history. Every change is on disk before the call returns,
/// and every call may be repeated after a crash.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Takes the lease on the shipment of a stage that has been due for longest and is not leased by a living worker;
    /// among equals the oldest. Those of partners of whom none is leased come before all others.
    async fn lease(
        &self,
        stage: Stage,
        worker: WorkerId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Shipment>, LedgerError>;

    /// Extends a lease; `false` when another worker has taken it.
    async fn renew(&self, id: ShipmentId, worker: WorkerId, until: Timestamp) -> Result<bool, LedgerError>;

    /// Gives a lease back; the shipment is not due again before `wake`.
    async fn release(&self, id: ShipmentId, worker: WorkerId, wake: Timestamp) -> Result<(), LedgerError>;

    /// Gives back every lease but one worker's, and makes all the work they leave due at once: for a start, when whoever
    /// held them is gone and a clock set back since then would let it wait for ever.
    async fn release_all(&self, except: Option<WorkerId>) -> Result<(), LedgerError>;

    /// One shipment.
    async fn shipment(&self, id: ShipmentId) -> Result<Option<Shipment>, LedgerError>;

    /// Forgets items and findings of an earlier judging that did not reach its verdict.
    async fn restart_judging(&self, id: ShipmentId) -> Result<(), LedgerError>;

    /// Adds items found by judging.
    async fn add_items(&self, id: ShipmentId, items: Vec<NewItem>) -> Result<(), LedgerError>;

    /// Adds attachments that stand behind all items, after those that were added before.
    async fn add_attachments(&self, id: ShipmentId, attachments: Vec<NewAttachment>) -> Result<(), LedgerError>;

    /// The attachments with an item's reference and their numbers, in order, after a given number.
    async fn attachments_of(
        &self,
        id: ShipmentId,
        reference: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, NewAttachment)>, LedgerError>;

    /// The first attachments that belong to no item.
    async fn loose_attachments(&self, id: ShipmentId, limit: u32) -> Result<Vec<NewAttachment>, LedgerError>;

    /// Adds findings.
    async fn add_findings(&self, id: ShipmentId, findings: Vec<Finding>) -> Result<(), LedgerError>;

    /// Adds groups of findings.
    async fn add_finding_groups(&self, id: ShipmentId, groups: Vec<FindingGroup>) -> Result<(), LedgerError>;

    /// Refuses every item whose key an earlier item of the shipment has, with the given code; returns how many.
    async fn refuse_repeats(&self, id: ShipmentId, code: crate::model::Code) -> Result<u64, LedgerError>;

    /// Records the verdict and takes its references and numbers, in one transaction. When another shipment of the partner
    /// holds one of them nothing is recorded and that use is returned; a rehearsal or a refused batch looks and takes none. On
    /// `Refuse`, ready items become refused, with the code that says so.
    async fn record_verdict(
        &self,
        id: ShipmentId,
        verdict: &Verdict,
        taking: &Taking,
        now: Timestamp,
    ) -> Result<RecordedVerdict, LedgerError>;

    /// Makes the keys of a shipment's items, which is not judged yet, its own alone: to be called once after it is restarted.
    async fn own_keys(&self, id: ShipmentId) -> Result<(), LedgerError>;

    /// The next number of each scope in which the partner's batches are counted, in order of the scopes, some at most.
    async fn next_numbers(&self, partner: &PartnerId) -> Result<Vec<NextNumber>, LedgerError>;

    /// How a shipment's sequence number stands to those that are taken.
    async fn sequence_stand(&self, id: ShipmentId, wanted: &SequenceUse) -> Result<SequenceStand, LedgerError>;

    /// Holds a shipment that is not judged until the number before its own is taken, or the time has come. Taking that
    /// number makes the shipment due at once.
    async fn hold(&self, id: ShipmentId, wanted: &SequenceUse, until: Timestamp) -> Result<(), LedgerError>;

    /// Until when a shipment is held; `None` when it is not, or no longer needs to be.
    async fn held_until(&self, id: ShipmentId, now: Timestamp) -> Result<Option<Timestamp>, LedgerError>;

    /// Gives a share all of its shipment's items that go anywhere, each ready to be sent; goes on where it ended before.
    async fn fill_share(&self, id: ShipmentId) -> Result<(), LedgerError>;

    /// Ends a share none of whose items is open, and makes its shipment due at once.
    async fn end_share(&self, id: ShipmentId, now: Timestamp) -> Result<(), LedgerError>;

    /// How many shares of a shipment are not at their end.
    async fn open_shares(&self, id: ShipmentId) -> Result<u64, LedgerError>;

    /// A shipment's shares, in the order of its receivers.
    async fn shares(&self, id: ShipmentId) -> Result<Vec<Share>, LedgerError>;

    /// What operators have said of a shipment; of a share what was said of its shipment.
    async fn orders(&self, id: ShipmentId) -> Result<Orders, LedgerError>;

    /// Items that were sent again after the final receipt and not told of since, in order of number, after a given number.
    async fn replayed_items(&self, id: ShipmentId, after: u64, limit: u32) -> Result<Vec<Item>, LedgerError>;

    /// Ends a shipment anew whose replay, or whose receipt's, is done.
    async fn end_replay(&self, id: ShipmentId, now: Timestamp) -> Result<(), LedgerError>;

    /// Places the final receipt again: its files as they are now, under their names. Returns the bytes of those that were
    /// there, for removal.
    async fn replace_receipt(&self, receipt: &PlacedReceipt) -> Result<Vec<BlobId>, LedgerError>;

    /// Tells whether a shipment claimed earlier in the same directory is still to be judged, and not held itself.
    async fn has_earlier_unjudged(&self, id: ShipmentId) -> Result<bool, LedgerError>;

    /// Items of a shipment in order of number, after a given number; `states` empty means all.
    async fn items(
        &self,
        id: ShipmentId,
        states: &[ItemState],
        after: u64,
        limit: u32,
    ) -> Result<Vec<Item>, LedgerError>;

    /// Open items that go alone and whose wait is over, in order of number, after a given number.
    async fn due_items(&self, id: ShipmentId, now: Timestamp, after: u64, limit: u32)
    -> Result<Vec<Item>, LedgerError>;

    /// When the next open item is due; `None` when no item is open.
    async fn next_due(&self, id: ShipmentId) -> Result<Option<Timestamp>, LedgerError>;

    /// Records that an attempt is about to happen; nothing may be sent before this returns.
    async fn intend(&self, intent: Intent) -> Result<(), LedgerError>;

    /// Records what became of an attempt (or of a look-up).
    async fn conclude(&self, id: ShipmentId, number: u64, outcome: Outcome, now: Timestamp) -> Result<(), LedgerError>;

    /// The same with what is told of it beyond its code, in one transaction; notes of an earlier outcome are forgotten. An item
    /// that a replay opened has none.
    async fn conclude_with(
        &self,
        id: ShipmentId,
        number: u64,
        outcome: Outcome,
        told: Told,
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Notes on the items from one to another, in order.
    async fn notes(&self, id: ShipmentId, first: u64, last: u64) -> Result<Vec<(u64, Note)>, LedgerError>;

    /// Adds batches, each of the ready items between its first and its last that are in no other; those that are there
    /// stay as they are. From now on their items go together.
    async fn add_batches(&self, id: ShipmentId, batches: Vec<Batch>) -> Result<(), LedgerError>;

    /// The batch with the highest number.
    async fn last_batch(&self, id: ShipmentId) -> Result<Option<Batch>, LedgerError>;

    /// Open batches whose wait is over, in order of number, after a given number; each with its first item, whose state
    /// is that of all of them.
    async fn due_batches(
        &self,
        id: ShipmentId,
        now: Timestamp,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(Batch, Item)>, LedgerError>;

    /// Open batches whose receivers said that they are down: each goes before all others of its receiver.
    async fn held_up(&self) -> Result<Vec<HeldUp>, LedgerError>;

    /// Records that an attempt at a batch is about to happen, for all of its items.
    async fn intend_batch(&self, intent: Intent) -> Result<(), LedgerError>;

    /// Records what became of an attempt at a batch (or of a look-up), for all of its items.
    async fn conclude_batch(
        &self,
        id: ShipmentId,
        number: u64,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Settles every open item without sending: a rehearsal's items become delivered with the given code.
    async fn settle_preflight(&self, id: ShipmentId, code: crate::model::Code) -> Result<(), LedgerError>;

    /// Fails every item in the given open state, with the given code; nobody may be sending them.
    async fn fail_open(&self, id: ShipmentId, state: ItemState, code: crate::model::Code) -> Result<(), LedgerError>;

    /// Items by state.
    async fn tally(&self, id: ShipmentId) -> Result<Tally, LedgerError>;

    /// Items by part, state and code.
    async fn outcomes(&self, id: ShipmentId) -> Result<Vec<OutcomeCount>, LedgerError>;

    /// Findings in document order, after a given count.
    async fn findings(&self, id: ShipmentId, skip: u64, limit: u32) -> Result<Vec<Finding>, LedgerError>;

    /// Groups of findings in the order of their first ones, after a given count.
    async fn finding_groups(&self, id: ShipmentId, skip: u64, limit: u32) -> Result<Vec<FindingGroup>, LedgerError>;

    /// Tells whether the receipt has been placed.
    async fn has_receipt(&self, id: ShipmentId, kind: ReceiptKind) -> Result<bool, LedgerError>;

    /// Places a receipt in the partner's area: all of its files. The final one also ends the shipment and takes the
    /// claimed file out of the tree, in the same transaction; a second one of a kind changes nothing, and neither does a
    /// supplement with news that were told before.
    async fn place_receipt(&self, receipt: &PlacedReceipt) -> Result<Placing, LedgerError>;

    /// The number of a shipment's last supplement; 0 when there is none.
    async fn last_supplement(&self, id: ShipmentId) -> Result<u32, LedgerError>;

    /// What was told of the given items in supplements.
    async fn told(&self, id: ShipmentId, items: &[u64]) -> Result<Vec<News>, LedgerError>;

    /// The files of receipts with the given SHA-256 that were placed.
    async fn receipts_of(&self, sha256: [u8; 32]) -> Result<Vec<KnownReceipt>, LedgerError>;

    /// History of a shipment, oldest first.
    async fn events(&self, id: ShipmentId) -> Result<Vec<Event>, LedgerError>;

    /// Adds to a named counter of a partner and returns the new value.
    async fn count_up(&self, partner: &PartnerId, name: &str, by: i64) -> Result<i64, LedgerError>;

    /// Shipments by stage and items by state over all, for the log and the console.
    async fn counts(&self) -> Result<Counts, LedgerError>;

    /// Shipments without a final receipt that were claimed before the given time, without those of some routes: the
    /// watchdog's question.
    async fn overdue(
        &self,
        claimed_before: Timestamp,
        without: &[RouteName],
        limit: u32,
    ) -> Result<Vec<Shipment>, LedgerError>;

    /// Stops referring to the bytes of shipments whose final receipt was placed before the given time, some at once, and
    /// returns those bytes for removal. What the ledger itself says of the shipments stays.
    async fn expire(&self, receipted_before: Timestamp, now: Timestamp, limit: u32)
    -> Result<Vec<BlobId>, LedgerError>;

    /// The blobs and scratch files anything still refers to, among those given.
    async fn referenced(
        &self,
        blobs: &[BlobId],
        scratches: &[ScratchId],
    ) -> Result<(Vec<BlobId>, Vec<ScratchId>), LedgerError>;
}

/// An attempt about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Intent {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// Which item, or which batch.
    pub number: u64,
    /// When.
    pub now: Timestamp,
    /// An attempt before it may have had its effect, and no look-up could tell.
    pub is_doubtful: bool,
}

/// A shipment reference a verdict takes for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceUse {
    /// Which part it names.
    pub part: PartKind,
    /// The sender's name in the header; references are unique per sender and part.
    pub sender_name: String,
    /// ExternalShipmentReference.
    pub reference: String,
}

/// What a verdict takes for itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taking {
    /// Shipment references.
    pub references: Vec<ReferenceUse>,
    /// References used by shipments claimed before that are free again; `None` for never.
    pub free_before: Option<Timestamp>,
    /// The keys of the shipment's items are its own alone, so that it may take references that were another's.
    pub has_own_keys: bool,
    /// Sequence numbers.
    pub numbers: Vec<SequenceUse>,
    /// The receivers its items go to, where there are several: each gets all of them. The first is the shipment's own.
    pub receivers: Vec<String>,
}

impl Taking {
    /// References only, which are never free again.
    pub fn references(references: &[ReferenceUse]) -> Self {
        Self { references: references.to_vec(), ..Self::default() }
    }
}

/// A sequence number within a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceUse {
    /// Among which batches of the partner the number counts.
    pub scope: String,
    /// The number.
    pub number: u64,
    /// Another shipment may have it, too.
    pub may_repeat: bool,
}

/// How a sequence number stands to those that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SequenceStand {
    /// It is the next, or the first that is seen.
    Next,
    /// One or more before it have not come.
    Gap {
        /// The next number.
        expected: u64,
    },
    /// It is lower than the last, and was passed over.
    Late {
        /// The next number.
        expected: u64,
    },
    /// Another shipment has it.
    Repeated {
        /// The next number.
        expected: u64,
    },
}

/// What recording a verdict came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedVerdict {
    /// It stands.
    Recorded,
    /// Nothing was recorded: another shipment holds this reference.
    ReferenceTaken(ReferenceUse),
    /// Nothing was recorded: a reference is free again, and items of the shipment that had it may have the keys of this one's.
    ReferenceFreed,
    /// Nothing was recorded: another shipment has this number.
    NumberTaken(SequenceUse),
}

/// A receipt whose bytes are sealed, to be placed.
#[derive(Debug, Clone)]
pub struct PlacedReceipt {
    /// Whose.
    pub shipment: ShipmentId,
    /// Which.
    pub kind: ReceiptKind,
    /// Whose area.
    pub partner: PartnerId,
    /// The receipts directory.
    pub dir: String,
    /// Its files, each of another form; the document first.
    pub files: Vec<ReceiptFile>,
    /// The list of numbers, where one is to be placed beside it.
    pub numbers: Option<NumbersFile>,
    /// What a supplement tells.
    pub news: Vec<News>,
    /// When.
    pub now: Timestamp,
}

/// What placing a receipt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// It is placed; to the blob of the list of numbers before, where there was one, nothing refers any more.
    Placed(Option<BlobId>),
    /// The ledger has it, or told its news before.
    Known,
    /// Nothing was placed: the list of numbers is not the ledger's any more.
    Outdated,
}

impl Placing {
    /// Tells whether it was placed.
    pub fn is_placed(self) -> bool {
        matches!(self, Self::Placed(_))
    }
}

/// A number that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextNumber {
    /// Among which batches of the partner it counts.
    pub scope: String,
    /// One more than the highest that was taken.
    pub number: u64,
}

/// The list of numbers that are expected next: a sealed file that takes the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumbersFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub blob: BlobId,
    /// Its size.
    pub size_bytes: u64,
    /// What it tells.
    pub numbers: Vec<NextNumber>,
}

/// A file of a receipt whose bytes are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptFile {
    /// Which.
    pub form: ReceiptForm,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub blob: BlobId,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// A file of a receipt, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownReceipt {
    /// Whose.
    pub shipment: ShipmentId,
    /// Which.
    pub kind: ReceiptKind,
    /// Which of its files.
    pub form: ReceiptForm,
    /// Its name.
    pub name: String,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// One line of a shipment's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What, as one word: `claimed`, `judged`, `receipt-accepted`, `receipt-final`.
    pub what: String,
    /// More, without personal data.
    pub detail: String,
}

/// Totals over the whole ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Shipments not judged.
    pub claimed: u64,
    /// Shipments judged and not receipted.
    pub judged: u64,
    /// Shipments with a final receipt.
    pub receipted: u64,
}

/// The ledger could not do it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database is busy, full or gone; the same call may succeed later.
    #[error("the ledger cannot be reached: {0}")]
    Unavailable(String),
    /// A row says what no row may say.
    #[error("the ledger holds something it should not: {0}")]
    Corrupt(String),
}
