//! Items: the smallest part forwarded and receipted alone. An item is a byte range of the staged file, never a copy.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Code, ItemKey};

/// A half-open range of bytes in the staged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ByteRange {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl ByteRange {
    /// Bytes in the range.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Tells whether it holds no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What an item is in its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// Prefill of one form set: `/ServiceOwner/Prefill/Reportee/FormTask`.
    FormTask,
    /// Prefill of one field: `/ServiceOwner/Prefill/Reportee/Field`.
    Field,
    /// A subscription: `/ServiceOwner/Subscription/Reportee/FormTask`.
    Subscription,
    /// A submitted form set with its attachments: `/DataBatch/DataUnits/DataUnit`.
    DataUnit,
    /// A message: `/Correspondences/Correspondence`.
    Correspondence,
    /// That a message was read or confirmed: `/CorrespondenceConfirmations/Confirmation`.
    Confirmation,
    /// What became of a message: `/CorrespondenceUsageData/…/Correspondence`.
    Usage,
    /// A message of the platform before: `/GovOrgan/AltUt/Message`.
    AltUtMessage,
    /// That such a message was read or confirmed: `/AltUtConfirmationBatch/AltUtConfirmations/Confirmation`.
    AltUtConfirmation,
    /// An agency's answer: `/OnlineBatchReceipt/Result`.
    OnlineResult,
    /// Who gets a broker ZIP: `/BrokerServiceRecipientList/Recipient`.
    Recipient,
    /// What the configuration's path names, in a format it describes.
    Item,
}

impl ItemKind {
    /// Tells whether an Altinn 3 app has a place for it: form sets become instances, fields and subscriptions part of them.
    pub fn is_for_apps(self) -> bool {
        match self {
            Self::FormTask | Self::Field | Self::Subscription => true,
            Self::DataUnit
            | Self::Correspondence
            | Self::Confirmation
            | Self::Usage
            | Self::AltUtMessage
            | Self::AltUtConfirmation
            | Self::OnlineResult
            | Self::Recipient
            | Self::Item => false,
        }
    }

    /// The word in item keys and lists. Never change one: every receiver would see old items as new.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FormTask => "form-task",
            Self::Field => "field",
            Self::Subscription => "subscription",
            Self::DataUnit => "data-unit",
            Self::Correspondence => "correspondence",
            Self::Confirmation => "confirmation",
            Self::Usage => "usage",
            Self::AltUtMessage => "altut-message",
            Self::AltUtConfirmation => "altut-confirmation",
            Self::OnlineResult => "online-result",
            Self::Recipient => "recipient",
            Self::Item => "item",
        }
    }
}

/// A service code with its edition, as the old platform numbered services.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Service {
    /// ExternalServiceCode, 1 to 7 characters.
    pub code: String,
    /// ExternalServiceEditionCode; empty where the format lets it be missing.
    pub edition: String,
}

/// An item as the split finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Position among the shipment's items, from 1.
    pub number: u64,
    /// Index of its part in [`super::Envelope::parts`].
    pub part: u32,
    /// What it is.
    pub kind: ItemKind,
    /// Its deterministic identity.
    pub key: ItemKey,
    /// Its bytes, from `<` of its start tag to past `>` of its end tag.
    pub range: ByteRange,
    /// The enclosing group's head (a Reportee): from `<` of the start tag to its first item; empty where items stand in
    /// no group.
    pub group: ByteRange,
    /// Line of its start tag, from 1.
    pub line: u64,
    /// Column of its start tag, from 1.
    pub column: u64,
    /// The sender's own reference; empty where the format has none.
    pub senders_reference: String,
    /// The service it is for, where the format tells.
    pub service: Option<Service>,
    /// How many forms it holds, in formats that count them; none otherwise.
    pub forms: u32,
    /// Why it is refused; `None` when it may go on.
    pub refused: Option<Code>,
}

/// An attachment that stands behind all items, as the split finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// The sender's reference of the item it belongs to.
    pub reference: String,
    /// Its bytes, from `<` of its start tag to past `>` of its end tag.
    pub range: ByteRange,
    /// Line of its start tag, from 1.
    pub line: u64,
    /// Column of its start tag, from 1.
    pub column: u64,
}

/// How far an item has come. Terminal states are `Delivered`, `Refused`, `Ignored`, `Failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemState {
    /// May be sent as soon as its wait is over.
    Ready,
    /// An intent is written and no outcome yet: the effect may or may not have happened.
    Sending,
    /// The receiver has it.
    Delivered,
    /// Wrong in the batch; never sent.
    Refused,
    /// Right, but the route says to leave it.
    Ignored,
    /// Could not be delivered.
    Failed,
}

impl ItemState {
    /// Every state, in the order of life.
    pub const ALL: [Self; 6] =
        [Self::Ready, Self::Sending, Self::Delivered, Self::Refused, Self::Ignored, Self::Failed];

    /// The state in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }

    /// Tells whether nothing more happens to the item.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Ready | Self::Sending => false,
            Self::Delivered | Self::Refused | Self::Ignored | Self::Failed => true,
        }
    }
}

/// An item as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What the split found; `refused` is the code of a refusal.
    pub found: NewItem,
    /// How far it has come.
    pub state: ItemState,
    /// Code of the last outcome, if any.
    pub code: Option<Code>,
    /// The receiver's id for it; empty until delivered.
    pub receivers_reference: String,
    /// Attempts begun.
    pub attempts: u32,
    /// When the first attempt's intent was written: a look-up searches from here.
    pub first_intent: Option<Timestamp>,
    /// When the latest attempt's intent was written.
    pub last_intent: Option<Timestamp>,
    /// An earlier attempt may have had its effect: no clear answer came, and no look-up has said since that it had not.
    pub is_doubtful: bool,
    /// Number of the batch it goes to the receiver in; `None` when it goes alone.
    pub batch: Option<u64>,
    /// What became of it at each of several receivers, for who tells of them all; the rest is what they come to together.
    pub fates: Vec<Fate>,
}

/// What became of an item at one of several receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The receiver's name.
    pub receiver: String,
    /// How far it has come there.
    pub state: ItemState,
    /// Code of the last outcome, if any.
    pub code: Option<Code>,
    /// The receiver's id for it; empty until delivered.
    pub receivers_reference: String,
    /// An attempt may have had its effect there all the same.
    pub is_doubtful: bool,
}

impl Item {
    /// What became of it at a receiver.
    pub fn fate(&self, receiver: &str) -> Fate {
        let (state, code, receivers_reference) = (self.state, self.code, self.receivers_reference.clone());
        Fate { receiver: receiver.to_owned(), state, code, receivers_reference, is_doubtful: self.is_doubtful }
    }

    /// Takes what became of it at each of its receivers: it has failed where one did not get it, and is delivered when all
    /// have it. What the others say is the first one's.
    pub fn join(&mut self, fates: Vec<Fate>) {
        let of = |state: ItemState| fates.iter().find(|fate| fate.state == state);
        let telling = of(ItemState::Sending).or_else(|| of(ItemState::Ready)).or_else(|| of(ItemState::Failed));
        if let Some(fate) = telling {
            (self.state, self.code) = (fate.state, fate.code);
        }
        self.fates = fates;
    }
}

/// How many items of one part of a shipment came to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutcomeCount {
    /// Index of the part in the envelope.
    pub part: u32,
    /// How far they have come.
    pub state: ItemState,
    /// Code of the last outcome, if any.
    pub code: Option<Code>,
    /// How many.
    pub items: u64,
    /// How many of them have findings of their own, among those kept.
    pub with_findings: u64,
}

/// What became of one attempt, as the ledger records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect; the text is the receiver's id, carried as ReceiversReference.
    Delivered(String),
    /// It had no effect and may be tried again at the given time.
    Retry {
        /// Why.
        code: Code,
        /// When to try again.
        at: Timestamp,
    },
    /// Its receiver says that it is down: it is tried again at the given time, and nothing goes there before it.
    Down {
        /// Why.
        code: Code,
        /// When to try again.
        at: Timestamp,
    },
    /// Nobody knows: look before sending again, not before the given time.
    Unknown {
        /// Why.
        code: Code,
        /// When to look.
        at: Timestamp,
    },
    /// It is given up; whether attempts before the last one had their effect is as it was.
    Failed(Code),
    /// It is given up, and the receiver said that it has nothing of it.
    NotThere(Code),
    /// It is given up, and may have had its effect.
    Doubtful(Code),
}

/// Whether a reportee is a person or an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReporteeKind {
    /// Eleven digits.
    Person,
    /// Nine digits.
    Organisation,
}

/// The person or organisation an item concerns. Never logged: `Debug` shows only the kind.
#[derive(Clone, PartialEq, Eq)]
pub struct Reportee {
    kind: ReporteeKind,
    id: String,
}

impl Reportee {
    /// Takes an id whose form and check digits were verified.
    pub fn new(kind: ReporteeKind, id: String) -> Self {
        Self { kind, id }
    }

    /// Person or organisation.
    pub fn kind(&self) -> ReporteeKind {
        self.kind
    }

    /// The digits, for the receiver's request only.
    pub fn expose(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Reportee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reportee({:?})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(state: ItemState) -> Item {
        Item {
            found: NewItem {
                number: 1,
                part: 0,
                kind: ItemKind::FormTask,
                key: ItemKey::derive(&["x"]),
                range: ByteRange::default(),
                group: ByteRange::default(),
                line: 1,
                column: 1,
                senders_reference: String::new(),
                service: None,
                forms: 0,
                refused: None,
            },
            state,
            code: Some(Code("FW-000")),
            receivers_reference: "first".into(),
            attempts: 1,
            first_intent: None,
            last_intent: None,
            is_doubtful: false,
            batch: None,
            fates: Vec::new(),
        }
    }

    #[test]
    fn an_item_is_delivered_when_all_receivers_have_it_and_has_failed_when_one_has_not() {
        use ItemState::{Delivered, Failed, Ready, Sending};
        let joined = |states: [ItemState; 3]| {
            let mut joined = item(states[0]);
            let fate = |(name, state): (&str, ItemState)| {
                let code = (state == Failed).then_some(Code(if name == "b" { "FW-201" } else { "FW-301" }));
                Fate { receiver: name.into(), state, code, receivers_reference: name.into(), is_doubtful: false }
            };
            joined.join(["a", "b", "c"].into_iter().zip(states).map(fate).collect());
            (joined.state, joined.code.map(|code| code.0), joined.receivers_reference)
        };
        let first = "first".to_owned();
        assert_eq!(joined([Delivered; 3]), (Delivered, Some("FW-000"), first.clone()));
        assert_eq!(joined([Delivered, Failed, Failed]), (Failed, Some("FW-201"), first.clone()));
        assert_eq!(joined([Failed, Failed, Delivered]), (Failed, Some("FW-301"), first.clone()));
        assert_eq!(joined([Delivered, Failed, Ready]).0, Ready, "nothing is said before all is settled");
        assert_eq!(joined([Ready, Sending, Failed]).0, Sending);
    }

    #[test]
    fn debug_of_a_reportee_shows_no_digit() {
        let shown = format!("{:?}", Reportee::new(ReporteeKind::Organisation, "910000000".into()));
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
    }
}
