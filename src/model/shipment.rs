//! Shipments: one received file as one unit, from claim to final receipt.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ArchiveContents, AreaPath, BlobId, ByteRange, Code, ItemState, NewItem, PartnerId, RouteName, ShipmentId};

/// How far a shipment has come, as recorded; everything finer is computed from its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Durable and ours; not judged.
    Claimed,
    /// A verdict is recorded; its good items are being delivered.
    Judged,
    /// Its final receipt lies with the sender.
    Receipted,
}

/// What an operator has said of a shipment that has no final receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    /// Nothing: it goes its way.
    #[default]
    Free,
    /// Nothing more is to be sent until it is released.
    Held,
    /// What is not sent yet never is.
    Cancelled,
}

/// What operators have said of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orders {
    /// How it stands.
    pub standing: Standing,
    /// When failed items were last told to be sent again.
    pub replayed_at: Option<Timestamp>,
    /// When it was last released from a hold.
    pub released_at: Option<Timestamp>,
    /// Its final receipt is to be placed again.
    pub reprint: bool,
}

impl Orders {
    /// When an operator last had it go on.
    pub fn last_sent_on(&self) -> Option<Timestamp> {
        self.replayed_at.max(self.released_at)
    }
}

/// What a rest file's shipment references end with: it is another shipment than the one it comes from.
pub const REST_SUFFIX: &str = "-R1";

/// One received file.
#[derive(Debug, Clone, PartialEq)]
pub struct Shipment {
    /// Its identity.
    pub id: ShipmentId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Where the sender put it.
    pub path: AreaPath,
    /// Its bytes.
    pub blob: BlobId,
    /// Size of the file.
    pub size_bytes: u64,
    /// Dropped in a test directory: judged and receipted, nothing is sent.
    pub preflight: bool,
    /// When the sender's CLOSE (or rename) was answered.
    pub claimed_at: Timestamp,
    /// How far it has come.
    pub stage: Stage,
    /// Set when judged.
    pub verdict: Option<Verdict>,
    /// The receiver that its items go to, where its route leads to several.
    pub receiver: Option<String>,
    /// The shipment of which this is a share: what of it goes to a further receiver.
    pub share_of: Option<ShipmentId>,
}

/// What of a shipment goes to one of its further receivers: its items once more, with states of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// What its items are filed under.
    pub id: ShipmentId,
    /// The receiver's name.
    pub receiver: String,
}

/// Whether a batch goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictKind {
    /// Its good items go on.
    Pass,
    /// Refused as a whole; nothing is sent.
    Refuse,
}

/// What judging a batch found, as recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Pass or refuse.
    pub kind: VerdictKind,
    /// The code of a refusal.
    pub code: Option<Code>,
    /// The route that took it; `None` when none fits.
    pub route: Option<RouteName>,
    /// SHA-256 of the file as received; `None` when it could not be read to its end.
    pub sha256: Option<[u8; 32]>,
    /// Where the headers lie and which references they carry; `None` when the root was not recognised.
    pub envelope: Option<Envelope>,
    /// Findings seen, also those past the limit of what is kept.
    pub findings_total: u64,
}

/// Where a batch's headers lie, so that a valid smaller batch can be cut out of the bytes.
///
/// A head is a range from `<` of a start tag to the first part, group or item in it; the end tags to write are read
/// from the start tags that it leaves open. Bytes before `root.start` are the prolog.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Envelope {
    /// Head of the document's root.
    pub root: ByteRange,
    /// Name of the sender as the header gives it (ServiceOwnerName).
    pub sender_name: String,
    /// The parts, in document order.
    pub parts: Vec<Part>,
    /// Head of what stands behind all items: the element that holds their attachments.
    #[serde(default)]
    pub tail: Option<ByteRange>,
    /// Control counts in the head of the root.
    #[serde(default)]
    pub counts: Vec<Count>,
    /// Where an archive's control files lie; `None` in XML. An archive has no heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveContents>,
}

/// A control count in a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What it counts.
    pub of: Counted,
    /// The text of the number: a smaller batch writes its own here.
    pub text: ByteRange,
    /// What the sender counted; `None` when it is no number.
    pub declared: Option<u64>,
}

/// What a control count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Counted {
    /// Every item.
    Items,
    /// Items that hold forms.
    FormTasks,
    /// Forms.
    Forms,
}

/// How much a batch holds: its control counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Items.
    pub items: u64,
    /// Items that hold forms.
    pub form_tasks: u64,
    /// Forms.
    pub forms: u64,
}

impl Totals {
    /// Counts an item.
    pub fn add(&mut self, item: &NewItem) {
        self.count(item.forms);
    }

    /// Counts an item that holds so many forms.
    pub fn count(&mut self, forms: u32) {
        self.items += 1;
        self.form_tasks += u64::from(forms > 0);
        self.forms += u64::from(forms);
    }

    /// One of the counts.
    pub fn of(&self, what: Counted) -> u64 {
        match what {
            Counted::Items => self.items,
            Counted::FormTasks => self.form_tasks,
            Counted::Forms => self.forms,
        }
    }
}

/// Which part of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PartKind {
    /// `/ServiceOwner/Prefill`.
    Prefill,
    /// `/ServiceOwner/Subscription`.
    Subscription,
    /// All of a batch that has one header: the root's.
    Batch,
}

impl PartKind {
    /// The element's local name, also the receipt's type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prefill => "Prefill",
            Self::Subscription => "Subscription",
            Self::Batch => "Batch",
        }
    }
}

/// One part of a batch with a header of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub kind: PartKind,
    /// Its head; empty where the root's head is its own.
    pub head: ByteRange,
    /// The shipment's reference (ExternalShipmentReference, ShipmentReference); empty where the format has none.
    pub reference: String,
    /// Offset just past the reference's text: a suffix is spliced in here.
    pub reference_end: u64,
    /// SequenceNo, where given.
    pub sequence_no: Option<String>,
    /// The number of the batch before, where given.
    #[serde(default)]
    pub previous_no: Option<String>,
}

/// Items of a shipment by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// May be sent.
    pub ready: u64,
    /// Intent without outcome.
    pub sending: u64,
    /// The receiver has them.
    pub delivered: u64,
    /// Wrong in the batch.
    pub refused: u64,
    /// Left out on purpose.
    pub ignored: u64,
    /// Could not be delivered.
    pub failed: u64,
}

impl Tally {
    /// Adds items of one state.
    pub fn add(&mut self, state: ItemState, count: u64) {
        let field = match state {
            ItemState::Ready => &mut self.ready,
            ItemState::Sending => &mut self.sending,
            ItemState::Delivered => &mut self.delivered,
            ItemState::Refused => &mut self.refused,
            ItemState::Ignored => &mut self.ignored,
            ItemState::Failed => &mut self.failed,
        };
        *field += count;
    }

    /// Items in all.
    pub fn total(&self) -> u64 {
        self.open() + self.delivered + self.refused + self.ignored + self.failed
    }

    /// Items with no final outcome.
    pub fn open(&self) -> u64 {
        self.ready + self.sending
    }
}
