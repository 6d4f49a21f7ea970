//! A summary by part and item: how many were approved, refused, approved with warnings, and each deviation.
//!
//! Its shape follows what Norwegian agencies know as feedback on deliveries; names and schema are our own.

use super::document::{hex, instant, kind_word};
use super::markup::{attribute, close, element, line, open};
use super::{Account, Rendering, codes_of, item_code, item_status, status_of};
use crate::codes;
use crate::model::{
    Code, Finding, FindingGroup, Item, ItemState, News, OutcomeCount, Part, ReceiptKind, ReceiptStatus,
};

/// Namespace of summaries.
pub const SUMMARY_NAMESPACE: &str = "urn:sluse:summary:1.0";

/// The schema of summaries, as published to partners.
pub const SUMMARY_SCHEMA: &str = include_str!("../../schemas/receipt/sluse-summary-1.0.xsd");

/// The document.
#[derive(Debug)]
pub struct Summary {
    account: Account,
    /// The part that is open.
    part: Option<u32>,
}

/// Items of one part, or of all.
#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    items: u64,
    approved: u64,
    with_warnings: u64,
    refused: u64,
    left_out: u64,
}

impl Sum {
    fn of<'a>(outcomes: impl Iterator<Item = &'a OutcomeCount>) -> Self {
        outcomes.fold(Self::default(), |mut sum, same| {
            sum.items += same.items;
            match (same.state, status_of(same.state, same.code)) {
                (ItemState::Ignored, _) => sum.left_out += same.items,
                (_, ReceiptStatus::Ok) => {
                    sum.approved += same.items;
                    sum.with_warnings += same.with_findings;
                }
                _ => sum.refused += same.items,
            }
            sum
        })
    }

    fn write(&self, depth: usize, out: &mut Vec<u8>) {
        line(out, depth);
        out.extend_from_slice(b"<Count");
        attribute(out, "items", &self.items.to_string());
        attribute(out, "approved", &self.approved.to_string());
        attribute(out, "withWarnings", &self.with_warnings.to_string());
        attribute(out, "refused", &self.refused.to_string());
        attribute(out, "leftOut", &self.left_out.to_string());
        out.extend_from_slice(b"/>");
    }
}

impl Summary {
    /// Nothing is written yet.
    pub fn new(account: Account) -> Self {
        Self { account, part: None }
    }

    fn outcome(&self) -> &'static str {
        if self.account.kind == ReceiptKind::Accepted {
            return "received";
        }
        match (self.account.overall().0, self.account.tally.delivered) {
            (ReceiptStatus::Ok, _) => "approved",
            (_, 0) => "refused",
            (_, _) => "partly-approved",
        }
    }

    fn submission(&self, out: &mut Vec<u8>) {
        let shipment = &self.account.shipment;
        line(out, 1);
        open(out, "Submission");
        element(out, 2, "ShipmentId", &shipment.id.to_string());
        element(out, 2, "Partner", shipment.partner.as_str());
        element(out, 2, "Directory", &shipment.path.dir);
        element(out, 2, "FileName", &shipment.path.name);
        element(out, 2, "SizeBytes", &shipment.size_bytes.to_string());
        if let Some(digest) = shipment.verdict.as_ref().and_then(|verdict| verdict.sha256) {
            element(out, 2, "Sha256", &hex(&digest));
        }
        element(out, 2, "Received", &instant(shipment.claimed_at));
        element(out, 2, "Written", &instant(self.account.now));
        line(out, 1);
        close(out, "Submission");
    }

    /// Opens a part, and ends the one before.
    fn enter(&mut self, part: Option<u32>, out: &mut Vec<u8>) {
        if self.part == part {
            return;
        }
        if self.part.is_some() {
            line(out, 1);
            close(out, "Delivery");
        }
        self.part = part;
        let Some(number) = part else { return };
        line(out, 1);
        out.extend_from_slice(b"<Delivery");
        if let Some(part) = self.named(number) {
            attribute(out, "type", part.kind.as_str());
            attribute(out, "reference", &part.reference);
        }
        out.push(b'>');
        Sum::of(self.account.outcomes.iter().filter(|same| same.part == number)).write(2, out);
    }

    fn named(&self, number: u32) -> Option<&Part> {
        let envelope = self.account.shipment.verdict.as_ref()?.envelope.as_ref()?;
        envelope.parts.get(usize::try_from(number).ok()?)
    }
}

impl Rendering for Summary {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Summary");
        attribute(out, "xmlns", SUMMARY_NAMESPACE);
        attribute(out, "outcome", self.outcome());
        attribute(out, "rehearsal", if self.account.shipment.preflight { "true" } else { "false" });
        out.push(b'>');
        self.submission(out);
        if self.account.kind != ReceiptKind::Accepted {
            Sum::of(self.account.outcomes.iter()).write(1, out);
        }
        let (status, code) = self.account.overall();
        if let Some(code) = code.filter(|_| status != ReceiptStatus::Ok) {
            deviation(out, 1, status, (code, ""), None);
        }
    }

    fn group(&mut self, _group: &FindingGroup, _out: &mut Vec<u8>) {}

    fn finding(&mut self, finding: &Finding, out: &mut Vec<u8>) {
        deviation(out, 1, self.account.overall().0, (finding.code, &finding.text), Some(finding));
    }

    fn item(&mut self, item: &Item, findings: &[Finding], out: &mut Vec<u8>) {
        self.enter(Some(item.found.part), out);
        let (status, code) = (item_status(item), item_code(item));
        line(out, 2);
        out.extend_from_slice(b"<Item");
        attribute(out, "number", &item.found.number.to_string());
        attribute(out, "type", kind_word(item.found.kind));
        attribute(out, "status", item_word(item.state, status));
        if !item.found.senders_reference.is_empty() {
            attribute(out, "reference", &item.found.senders_reference);
        }
        if !item.receivers_reference.is_empty() {
            attribute(out, "receiversReference", &item.receivers_reference);
        }
        if let Some(batch) = self.account.batch_reference(item) {
            attribute(out, "batchReference", &batch);
        }
        let own = code.filter(|code| status != ReceiptStatus::Ok && findings.iter().all(|found| found.code != *code));
        if own.is_none() && findings.is_empty() {
            return out.extend_from_slice(b"/>");
        }
        out.push(b'>');
        if let Some(code) = own {
            deviation(out, 3, status, (code, ""), None);
        }
        for finding in findings {
            deviation(out, 3, status, (finding.code, &finding.text), Some(finding));
        }
        line(out, 2);
        close(out, "Item");
    }

    fn news(&mut self, _item: &Item, _news: &News, _out: &mut Vec<u8>) {}

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.enter(None, out);
        if let Some(name) = &self.account.rest_file {
            element(out, 1, "RestFile", name);
        }
        out.extend_from_slice(b"\n</Summary>\n");
    }
}

fn item_word(state: ItemState, status: ReceiptStatus) -> &'static str {
    match (state, status) {
        (ItemState::Ignored, _) => "left-out",
        (_, ReceiptStatus::Ok) => "approved",
        _ => "refused",
    }
}

/// A deviation of what has the given status: of what is approved all the same it is a warning.
fn deviation(
    out: &mut Vec<u8>,
    depth: usize,
    status: ReceiptStatus,
    (code, text): (Code, &str),
    finding: Option<&Finding>,
) {
    let row = codes_of(code);
    line(out, depth);
    out.extend_from_slice(b"<Deviation");
    attribute(out, "code", code.0);
    attribute(out, "severity", if status == ReceiptStatus::Ok { "warning" } else { "refused" });
    if let Some(place) = finding.and_then(|finding| finding.place.as_ref()) {
        attribute(out, "line", &place.line.to_string());
        attribute(out, "column", &place.column.to_string());
        if !place.path.is_empty() {
            attribute(out, "path", &place.path);
        }
    }
    out.push(b'>');
    element(out, depth + 1, "Text", &codes::explain(code, text));
    element(out, depth + 1, "Guidance", row.action);
    line(out, depth);
    close(out, "Deviation");
}
