//! What a receipt says, in the words of the old platform's receipts.

use jiff::Timestamp;

use super::ReceiptNames;

/// Which of a shipment's answers a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReceiptKind {
    /// Received and kept; written at claim.
    Accepted,
    /// Every item is settled; exactly one per shipment.
    Final,
    /// The refused items in the input's envelope, to mend and drop again.
    Rest,
    /// Late news of items, after the final receipt; numbered from 1.
    Supplement(u32),
}

impl ReceiptKind {
    /// The word used in the ledger and in file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Final => "final",
            Self::Rest => "rest",
            Self::Supplement(_) => "supplement",
        }
    }

    /// Which of several of its kind; 0 where there is only one.
    pub fn number(self) -> u32 {
        match self {
            Self::Supplement(number) => number,
            Self::Accepted | Self::Final | Self::Rest => 0,
        }
    }
}

/// Which of the files of one receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReceiptForm {
    /// The document that counts, in the route's format.
    Document,
    /// The same for people to read and print.
    Page,
    /// The list of items for a spreadsheet.
    List,
    /// The signature of the document.
    Signature,
}

/// The format of a receipt's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReceiptFormat {
    /// Our own, with everything in it.
    #[default]
    Sluse,
    /// The old platform's answer to online delivery: one result and a line of text.
    OnlineBatchReceipt,
    /// Counts and deviations by part and item.
    Summary,
}

impl ReceiptFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Sluse, Self::OnlineBatchReceipt, Self::Summary];

    /// The word used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sluse => "sluse",
            Self::OnlineBatchReceipt => "online-batch-receipt",
            Self::Summary => "summary",
        }
    }
}

/// A language of what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Bokmål.
    Nb,
    /// Nynorsk.
    Nn,
    /// English.
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::Nb, Self::Nn, Self::En];

    /// Its tag, in configuration and in pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nb => "nb",
            Self::Nn => "nn",
            Self::En => "en",
        }
    }
}

/// What a route's receipts are like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptRules {
    /// The document's format.
    pub format: ReceiptFormat,
    /// The language of a page beside each final receipt and supplement; `None` for no page.
    pub page: Option<Language>,
    /// A list of the items beside the final receipt.
    pub list: bool,
    /// A list of the sequence numbers that are expected next, renewed with each final receipt.
    pub next_expected: bool,
    /// What the files are called.
    pub names: ReceiptNames,
}

/// Something that happens to an item after the final receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LateEvent {
    /// The receiver could not make it visible to its reportee.
    PublishFailed,
    /// The receiver found malware in it.
    MalwareFound,
    /// It was read.
    Read,
    /// Its reading was confirmed.
    Confirmed,
    /// It was downloaded.
    Downloaded,
    /// It was sent again on the operator's word, and arrived.
    Delivered,
    /// Its reportee can see it.
    Published,
    /// Its reportee takes nothing in digital form.
    Reserved,
    /// It was removed before it was downloaded.
    Expired,
    /// It was kept, and became an instance.
    Instantiated,
    /// It was kept, and could not become an instance.
    NotInstantiated,
    /// It was kept, and a later one took its place.
    Replaced,
    /// It was kept, and its last day is past.
    Lapsed,
    /// A later one has been put into its instance.
    Overwritten,
    /// Its last day is past, and its instance was deleted: nobody had touched it.
    Deleted,
    /// Its last day is past, and its instance could not be deleted.
    NotDeleted,
}

impl LateEvent {
    /// Every event.
    pub const ALL: [Self; 16] = [
        Self::PublishFailed,
        Self::MalwareFound,
        Self::Read,
        Self::Confirmed,
        Self::Downloaded,
        Self::Delivered,
        Self::Published,
        Self::Reserved,
        Self::Expired,
        Self::Instantiated,
        Self::NotInstantiated,
        Self::Replaced,
        Self::Lapsed,
        Self::Overwritten,
        Self::Deleted,
        Self::NotDeleted,
    ];

    /// The word used in receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublishFailed => "publish-failed",
            Self::MalwareFound => "malware-found",
            Self::Read => "read",
            Self::Confirmed => "confirmed",
            Self::Downloaded => "downloaded",
            Self::Delivered => "delivered",
            Self::Published => "published",
            Self::Reserved => "reserved",
            Self::Expired => "expired",
            Self::Instantiated => "instantiated",
            Self::NotInstantiated => "not-instantiated",
            Self::Replaced => "replaced",
            Self::Lapsed => "lapsed",
            Self::Overwritten => "overwritten",
            Self::Deleted => "deleted",
            Self::NotDeleted => "not-deleted",
        }
    }

    /// Tells whether it may happen to an item more than once, each at its own time: a subscription comes round.
    pub fn repeats(self) -> bool {
        match self {
            Self::Instantiated | Self::NotInstantiated => true,
            Self::PublishFailed
            | Self::MalwareFound
            | Self::Read
            | Self::Confirmed
            | Self::Downloaded
            | Self::Delivered
            | Self::Published
            | Self::Reserved
            | Self::Replaced
            | Self::Lapsed
            | Self::Overwritten
            | Self::Deleted
            | Self::NotDeleted
            | Self::Expired => false,
        }
    }
}

/// Late news of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// The item's number.
    pub item: u64,
    /// What happened.
    pub event: LateEvent,
    /// When.
    pub at: Timestamp,
}

impl News {
    /// Tells whether it is the same as another that was told.
    pub fn is(&self, told: &Self) -> bool {
        (self.item, self.event) == (told.item, told.event) && (!self.event.repeats() || self.at == told.at)
    }
}

/// Status of a receipt or a sub-receipt, with the names of the old platform's Receipt service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptStatus {
    /// Everything was delivered (or left out on purpose).
    Ok,
    /// Refused by a rule or by the receiver.
    Rejected,
    /// Refused because the content is not valid.
    ValidationFailed,
    /// Could not be delivered.
    UnExpectedError,
}

impl ReceiptStatus {
    /// The literal in a receipt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Rejected => "Rejected",
            Self::ValidationFailed => "ValidationFailed",
            Self::UnExpectedError => "UnExpectedError",
        }
    }
}
