//! Renders the answers to the sender: `accepted` at claim, `final` when every item is settled, `supplement` for late news.
//!
//! The document is our own (`document`, schema in `schemas/receipt/`), or in one of two other formats (`online`,
//! `summary`); beside it there can be a page for people (`page`, with texts from `catalogue`), a list for spreadsheets
//! (`list`) and a signature (`signature`). Each is written piece by piece into a buffer the caller empties, so a million
//! items need no memory.
//! A receipt never holds a reportee's id or any value of the batch except the references the sender chose.

pub mod catalogue;
mod document;
mod list;
mod markup;
mod online;
mod page;
mod signature;
mod summary;

use jiff::Timestamp;

use crate::codes::{self, CodeRow, Effect};
use crate::model::{
    Batch, Code, Finding, FindingGroup, Item, ItemState, Language, News, OutcomeCount, ReceiptFormat, ReceiptKind,
    ReceiptStatus, Shipment, Tally, VerdictKind,
};

pub use document::{Document, NAMESPACE, SCHEMA};
pub use list::{List, next_expected};
pub use online::Online;
pub use page::Page;
pub use signature::{BadKey, BadSignature, PublicKey, Signer};
pub use summary::{SUMMARY_NAMESPACE, SUMMARY_SCHEMA, Summary};

/// What a receipt tells of the shipment as a whole.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which receipt.
    pub kind: ReceiptKind,
    /// Of which shipment, with its verdict where there is one.
    pub shipment: Shipment,
    /// Its items by state.
    pub tally: Tally,
    /// Its items by part, state and code.
    pub outcomes: Vec<OutcomeCount>,
    /// What it came to at each receiver, where the items go to several.
    pub receivers: Vec<ReceiverCount>,
    /// The worst status of what a supplement tells.
    pub worst_news: ReceiptStatus,
    /// Name of the file with the refused items, if there is one.
    pub rest_file: Option<String>,
    /// When it is written.
    pub now: Timestamp,
}

/// Items at one of several receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverCount {
    /// Its name.
    pub receiver: String,
    /// Items it has.
    pub delivered: u64,
    /// Items it does not have and should.
    pub failed: u64,
}

/// A receipt in some form, written piece by piece: `begin`, then groups, findings and items or news as they come, then
/// `finish`. What a form does not show it leaves out.
pub trait Rendering: Send {
    /// Writes the head.
    fn begin(&mut self, out: &mut Vec<u8>);

    /// Writes equal findings.
    fn group(&mut self, group: &FindingGroup, out: &mut Vec<u8>);

    /// Writes a finding about the shipment.
    fn finding(&mut self, finding: &Finding, out: &mut Vec<u8>);

    /// Writes what became of an item, with the findings of that item; items come in order of number.
    fn item(&mut self, item: &Item, findings: &[Finding], out: &mut Vec<u8>);

    /// Writes late news of an item.
    fn news(&mut self, item: &Item, news: &News, out: &mut Vec<u8>);

    /// Ends it.
    fn finish(&mut self, out: &mut Vec<u8>);
}

impl Account {
    /// Of a shipment that nothing is known of but that it is here.
    pub fn accepted(shipment: Shipment, now: Timestamp) -> Self {
        Self {
            kind: ReceiptKind::Accepted,
            shipment,
            tally: Tally::default(),
            outcomes: Vec::new(),
            receivers: Vec::new(),
            worst_news: ReceiptStatus::Ok,
            rest_file: None,
            now,
        }
    }

    /// Everything found wrong, also what is not listed.
    pub fn findings_total(&self) -> u64 {
        self.shipment.verdict.as_ref().map_or(0, |verdict| verdict.findings_total)
    }

    /// Status and code of the whole: of the refusal, else of the worst item.
    pub fn overall(&self) -> (ReceiptStatus, Option<Code>) {
        match self.kind {
            ReceiptKind::Accepted => return (ReceiptStatus::Ok, Some(codes::RECEIVED)),
            ReceiptKind::Supplement(_) => return (self.worst_news, None),
            ReceiptKind::Final | ReceiptKind::Rest => {}
        }
        let refusal = self.shipment.verdict.as_ref().filter(|verdict| verdict.kind == VerdictKind::Refuse);
        if let Some(verdict) = refusal {
            let status = verdict.code.map_or(ReceiptStatus::UnExpectedError, codes::status);
            return (status, verdict.code);
        }
        let all_well = self.tally.refused + self.tally.failed + self.tally.open() == 0;
        match (all_well, self.worst()) {
            (true, _) => {
                let code = if self.shipment.preflight { codes::PREFLIGHT } else { codes::DELIVERED };
                (ReceiptStatus::Ok, Some(code))
            }
            (false, ReceiptStatus::Ok) => (ReceiptStatus::UnExpectedError, None),
            (false, status) => (status, None),
        }
    }

    /// How the receiver knows the batch an item went in: its reference, or its number where the format has none.
    fn batch_reference(&self, item: &Item) -> Option<String> {
        let number = item.batch?;
        let envelope = self.shipment.verdict.as_ref().and_then(|verdict| verdict.envelope.as_ref());
        let part = envelope.and_then(|envelope| envelope.parts.get(usize::try_from(item.found.part).ok()?));
        let reference = part.map(|part| Batch::reference(&part.reference, number)).unwrap_or_default();
        Some(if reference.is_empty() { number.to_string() } else { reference })
    }

    fn worst(&self) -> ReceiptStatus {
        self.outcomes.iter().map(|same| status_of(same.state, same.code)).fold(ReceiptStatus::Ok, worse)
    }
}

/// The document of a receipt in a format. A supplement is always in our own: the others have no room for news.
pub fn document(format: ReceiptFormat, account: Account) -> Box<dyn Rendering> {
    match (account.kind, format) {
        (ReceiptKind::Supplement(_), _) | (_, ReceiptFormat::Sluse) => Box::new(Document::new(account)),
        (_, ReceiptFormat::OnlineBatchReceipt) => Box::new(Online::new(account)),
        (_, ReceiptFormat::Summary) => Box::new(Summary::new(account)),
    }
}

/// The page of a receipt.
pub fn page(language: Language, account: Account) -> Box<dyn Rendering> {
    Box::new(Page::new(language, account))
}

/// The status of an item's sub-receipt.
pub fn item_status(item: &Item) -> ReceiptStatus {
    status_of(item.state, item.code.or(item.found.refused.filter(|_| item.state == ItemState::Refused)))
}

fn status_of(state: ItemState, code: Option<Code>) -> ReceiptStatus {
    match state {
        ItemState::Delivered | ItemState::Ignored => ReceiptStatus::Ok,
        // An open item has no place in a final receipt; should it get there, it must not look delivered.
        ItemState::Ready | ItemState::Sending => ReceiptStatus::UnExpectedError,
        ItemState::Refused | ItemState::Failed => match code.map(codes::status) {
            None | Some(ReceiptStatus::Ok) => ReceiptStatus::UnExpectedError,
            Some(status) => status,
        },
    }
}

/// The worse of two statuses: OK, ValidationFailed, Rejected, UnExpectedError.
pub fn worse(one: ReceiptStatus, other: ReceiptStatus) -> ReceiptStatus {
    if severity(other) > severity(one) { other } else { one }
}

fn severity(status: ReceiptStatus) -> u8 {
    match status {
        ReceiptStatus::Ok => 0,
        ReceiptStatus::ValidationFailed => 1,
        ReceiptStatus::Rejected => 2,
        ReceiptStatus::UnExpectedError => 3,
    }
}

fn item_code(item: &Item) -> Option<Code> {
    let refused = item.found.refused.filter(|_| item.state == ItemState::Refused);
    item.code.or(refused).or_else(|| implied(item.state))
}

/// The code of a state that needs none of its own.
fn implied(state: ItemState) -> Option<Code> {
    match state {
        ItemState::Delivered => Some(codes::DELIVERED),
        ItemState::Ignored => Some(codes::IGNORED_SERVICE),
        ItemState::Refused | ItemState::Failed | ItemState::Ready | ItemState::Sending => None,
    }
}

/// A code's row; an empty one for a code that is not in the table, which none is.
fn codes_of(code: Code) -> CodeRow {
    let none = CodeRow { code, status: ReceiptStatus::UnExpectedError, title: "", action: "", effect: Effect::Perhaps };
    codes::row(code).copied().unwrap_or(none)
}

#[cfg(test)]
mod tests;
