//! Receivers: where items go.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Message, Parcel, Stand};
use crate::codes;
use crate::model::{
    Alarm, Code, Deadlines, ItemKey, ItemKind, Note, Prefilled, Reportee, ReporteeKind, Service, ShipmentId,
};

/// Brings one item, or one batch of items, to one receiver.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// Has the effect. An error tells whether it may have happened.
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError>;

    /// Looks whether an earlier attempt took effect; `None` when it surely did not. Where there is no way to tell
    /// ([`DeliveryError::Unclear`]) the item may be sent again, and is doubtful from then on.
    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError>;

    /// Tells whether it wants the attachments of a batch that stand behind all items beside the batch, not in it.
    fn takes_attachments_apart(&self) -> bool {
        false
    }

    /// Tells whether it wants the messages that an item carries, read.
    fn takes_messages(&self) -> bool {
        false
    }

    /// Tells whether it wants to know what an archive says and holds beyond its recipient.
    fn takes_parcels(&self) -> bool {
        false
    }

    /// Looks after what it needs to send at all, such as addresses, keys and the clock; what its operator should know of now.
    async fn concerns(&self, _now: Timestamp) -> Vec<Concern> {
        Vec::new()
    }

    /// Tells what has become of a delivered item, asked after it so many times before; only asked where the delivery said so.
    async fn stand(&self, _receivers_reference: &str, _looks: u32) -> Result<Stand, DeliveryError> {
        Ok(Stand { events: Vec::new(), is_over: true })
    }

    /// How long to wait before asking again, after so many times.
    fn wait_for_news(&self, _looks: u32) -> Duration {
        Duration::MAX
    }

    /// Puts an item where an earlier one has become this, unless somebody has touched that; the same again is no second effect.
    async fn put(&self, _item: &Consignment, _receivers_reference: &str) -> Result<Changed, DeliveryError> {
        Err(DeliveryError::Refused { code: codes::NO_RECEIVER_FOR_KIND })
    }

    /// Removes what an item has become, unless somebody has touched it.
    async fn remove(&self, _item: &Consignment, _receivers_reference: &str) -> Result<Changed, DeliveryError> {
        Err(DeliveryError::Refused { code: codes::NO_RECEIVER_FOR_KIND })
    }

    /// Tells whether it is removed.
    async fn is_removed(&self, _item: &Consignment, _receivers_reference: &str) -> Result<bool, DeliveryError> {
        Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN })
    }

    /// The same for a batch; a receiver that takes single items only refuses it.
    async fn deliver_batch(&self, _batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        Err(DeliveryError::Refused { code: codes::NO_RECEIVER_FOR_KIND })
    }

    /// The same for a batch; a receiver that takes single items only cannot tell.
    async fn look_up_batch(&self, _batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN })
    }
}

/// What became of a change to something that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is changed; with what was made of it.
    Done(Vec<Note>),
    /// Somebody has touched it, or it is gone: it is left alone.
    Touched,
    /// Some of the change is made, and no more can be: for what was said, or because somebody has touched it meanwhile.
    Partly(Option<Code>),
}

/// Something about a receiver that its operator should know of until it is over. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What it is about, in a word.
    pub about: &'static str,
    /// What there is to say.
    pub alarm: Alarm,
}

/// Items that go together, ready for a receiver.
#[derive(Clone)]
pub struct BatchConsignment {
    /// Which shipment, for logs.
    pub shipment: ShipmentId,
    /// Which batch of it, from 1.
    pub number: u64,
    /// Its identity.
    pub key: ItemKey,
    /// How many items it has.
    pub items: u64,
    /// Its reference: the shipment's, with a suffix of its own.
    pub reference: String,
    /// The number the sender gave the whole file; `None` where there is none.
    pub sequence_number: Option<i64>,
    /// The batch, valid in the input's format and envelope.
    pub content: Content,
    /// Its attachments, whose elements in the batch are empty then; only for receivers that want them so.
    pub attachments: Vec<NamedContent>,
    /// An earlier attempt may have had its effect, though no clear answer came.
    pub is_repeat: bool,
}

/// A content with a name of its own, unique among those it goes with.
#[derive(Clone)]
pub struct NamedContent {
    /// The name: neither empty nor a path.
    pub name: String,
    /// Its bytes.
    pub content: Content,
}

/// One item, ready for a receiver. Contents are streams over the staged bytes and can be opened again.
#[derive(Clone)]
pub struct Consignment {
    /// Which shipment, for logs.
    pub shipment: ShipmentId,
    /// Which item of it, from 1.
    pub number: u64,
    /// Its identity.
    pub key: ItemKey,
    /// What it is.
    pub kind: ItemKind,
    /// Whom it concerns, where the format tells.
    pub reportee: Option<Reportee>,
    /// The service it is for, if the format tells.
    pub service: Option<Service>,
    /// ExternalShipmentReference.
    pub shipment_reference: String,
    /// SendersReference.
    pub senders_reference: String,
    /// ReceiversReference as the sender gave it.
    pub receivers_reference: String,
    /// ValidFrom, where the format has one: not to be shown to the reportee before that day begins in Norway.
    pub valid_from: Option<Date>,
    /// Identifying fields, in order.
    pub identifying_fields: Vec<String>,
    /// What prefill says besides.
    pub prefilled: Prefilled,
    /// Forms and attachments.
    pub parts: Vec<ContentPart>,
    /// The messages it carries, each to a recipient; only for receivers that take them.
    pub messages: Vec<Message>,
    /// What its archive says and holds; only for receivers that take those.
    pub parcel: Option<Parcel>,
    /// The item as a valid batch of its own, in the input's format and envelope.
    pub batch: Content,
    /// When the first attempt's intent was written.
    pub first_intent: Timestamp,
}

impl Consignment {
    /// The number of whom it concerns, where that is an organisation: no secret, as a person's number is.
    pub fn organisation(&self) -> Option<&str> {
        let organisation = self.reportee.as_ref().filter(|reportee| reportee.kind() == ReporteeKind::Organisation);
        organisation.map(Reportee::expose)
    }

    /// The same as a form set, for an instance whose time has come.
    #[must_use]
    pub fn on(mut self, occasion: Deadlines) -> Self {
        self.kind = ItemKind::FormTask;
        self.prefilled.occasion = Some(occasion);
        self
    }
}

/// A form or an attachment of an item.
#[derive(Clone)]
pub struct ContentPart {
    /// What it is.
    pub meta: PartMeta,
    /// Its bytes, unescaped or decoded.
    pub content: Content,
    /// It is no larger than this.
    pub most_bytes: u64,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartMeta {
    /// A form's XML, in UTF-8.
    Form {
        /// DataFormatId.
        format_id: String,
        /// DataFormatVersion.
        format_version: String,
    },
    /// An attachment's bytes.
    Attachment {
        /// FileName.
        file_name: String,
        /// AttachmentType, a word of the old platform's list such as `application_pdf`.
        attachment_type: String,
    },
}

/// Bytes that can be streamed as often as needed; memory stays one chunk.
#[derive(Clone)]
pub struct Content {
    open: Arc<dyn Fn() -> BoxStream<'static, io::Result<Bytes>> + Send + Sync>,
}

impl Content {
    /// Makes a content of what opens it.
    pub fn new(open: impl Fn() -> BoxStream<'static, io::Result<Bytes>> + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open) }
    }

    /// A content held in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::new(move || {
            let bytes = bytes.clone();
            Box::pin(futures::stream::once(async move { Ok(bytes) }))
        })
    }

    /// Streams it from the beginning.
    pub fn stream(&self) -> BoxStream<'static, io::Result<Bytes>> {
        (self.open)()
    }
}

/// An item the receiver has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The receiver's id for it.
    pub receivers_reference: String,
    /// What it made of it.
    pub notes: Vec<Note>,
    /// For how long it will have more to tell of it; `None` when it has told all.
    pub news_for: Option<Duration>,
}

impl Delivered {
    /// Delivered as it is, and nothing more to come.
    pub fn of(receivers_reference: impl Into<String>) -> Self {
        Self { receivers_reference: receivers_reference.into(), notes: Vec::new(), news_for: None }
    }
}

/// Why an item was not delivered, or why nobody knows. Texts carry no personal data.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The receiver refused the item; the same item will be refused again.
    #[error("the receiver refused the item ({code})")]
    Refused {
        /// Which refusal.
        code: Code,
    },
    /// The same, and it said why.
    #[error("the receiver refused the item ({code})")]
    RefusedFor {
        /// Which refusal.
        code: Code,
        /// Why.
        notes: Vec<Note>,
    },
    /// The receiver asks for patience, or is not there: nothing happened.
    #[error("the receiver cannot take the item now ({code})")]
    Later {
        /// Which.
        code: Code,
        /// The receiver's own wish (Retry-After).
        after: Option<Duration>,
    },
    /// Our credentials or rights are not accepted: nothing happened, and every item will meet the same.
    #[error("{} ({code})", codes::row(*code).map_or("the receiver takes nothing from us", |row| row.title.trim_end_matches('.')))]
    Credentials {
        /// Which.
        code: Code,
    },
    /// The request went out and no clear answer came back: it may have happened.
    #[error("the outcome is unknown ({code})")]
    Unknown {
        /// Which.
        code: Code,
    },
    /// There is nothing to look at, or only some of it is there: sending the same again under its key is the only way on.
    #[error("the receiver cannot tell whether it has the item")]
    Unclear,
    /// Our own staged bytes could not be read.
    #[error("the staged file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing more; the item has failed.
    GiveUp,
    /// Try again, not before the receiver's own wish.
    Retry(Option<Duration>),
    /// Try again, and send nothing else there before it.
    HoldUp,
    /// Look first.
    LookUp,
    /// Try again at a slow pace and tell the operator.
    AskOperator,
}

impl DeliveryError {
    /// The code for the receipt, and what to do next.
    pub fn outcome(&self) -> (Code, Next) {
        match self {
            Self::Refused { code } | Self::RefusedFor { code, .. } => (*code, Next::GiveUp),
            // It said so of itself: nothing else may be sent there before.
            Self::Later { code: codes::RECEIVER_DOWN, .. } => (codes::RECEIVER_DOWN, Next::HoldUp),
            Self::Later { code, after } => (*code, Next::Retry(*after)),
            Self::Credentials { code } => (*code, Next::AskOperator),
            Self::Unknown { code } => (*code, Next::LookUp),
            Self::Unclear => (codes::OUTCOME_UNKNOWN, Next::LookUp),
            // Bytes that are not what they were stay so; whatever else is wrong with the disk may be put right.
            Self::Unreadable(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                (codes::STAGED_UNREADABLE, Next::GiveUp)
            }
            Self::Unreadable(_) => (codes::STAGED_UNREADABLE, Next::AskOperator),
        }
    }

    /// What the receiver said beyond the code.
    pub fn into_notes(self) -> Vec<Note> {
        match self {
            Self::RefusedFor { notes, .. } => notes,
            Self::Refused { .. }
            | Self::Later { .. }
            | Self::Credentials { .. }
            | Self::Unknown { .. }
            | Self::Unclear
            | Self::Unreadable(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_reads_is_what_the_code_means() {
        let told = |code| DeliveryError::Credentials { code }.to_string();
        assert_eq!(told(codes::NOT_PERMITTED), "The receiver does not let us do this (FW-402)");
        assert_eq!(told(codes::CREDENTIALS_REFUSED), "The receiver does not accept our credentials (FW-401)");
    }

    #[test]
    fn damaged_bytes_are_one_items_trouble_and_a_failing_disk_is_the_operators() {
        let next = |kind| DeliveryError::Unreadable(io::Error::from(kind)).outcome().1;
        for kind in [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof] {
            assert_eq!(next(kind), Next::GiveUp, "{kind}");
        }
        for kind in [io::ErrorKind::Other, io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied] {
            assert_eq!(next(kind), Next::AskOperator, "{kind}");
        }
    }
}
