//! Renders the answers to the sender: the `accepted` receipt at claim, the `final` one when every item is settled.
//!
//! The document is our own (`schemas/receipt/sluse-receipt-1.0.xsd`), in the words of the old platform's receipts. It is
//! written piece by piece into a buffer the caller empties, so a million sub-receipts need no memory.
//! A receipt never holds a reportee's id or any value of the batch except the references the sender chose.

mod markup;

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::codes;
use crate::model::{
    Code, Finding, Item, ItemKind, ItemState, Place, ReceiptKind, ReceiptStatus, Shipment, Tally, VerdictKind,
};
use markup::{attribute, close, element, escape, line, open};

/// Namespace of receipts.
pub const NAMESPACE: &str = "urn:sluse:receipt:1.0";

/// The schema of receipts, as published to partners.
pub const SCHEMA: &str = include_str!("../../schemas/receipt/sluse-receipt-1.0.xsd");

/// Renders the receipt that says a file is received and kept.
pub fn accepted(shipment: &Shipment, now: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    begin(&mut out, ReceiptKind::Accepted, shipment, now);
    standing(&mut out, 1, ReceiptStatus::Ok, Some(codes::RECEIVED));
    advice(&mut out, codes::RECEIVED);
    about(&mut out, shipment);
    out.extend_from_slice(b"\n</Receipt>\n");
    out
}

/// The final receipt, written piece by piece: `begin`, then findings and items as they come, then `finish`.
#[derive(Debug)]
pub struct Final {
    section: Section,
}

/// Which list the document is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Head,
    Findings,
    SubReceipts,
}

impl Final {
    /// Writes the head: status, references, file and counts. `worst` is the worst [`item_status`] of all items.
    pub fn begin(shipment: &Shipment, tally: &Tally, worst: ReceiptStatus, now: Timestamp, out: &mut Vec<u8>) -> Self {
        begin(out, ReceiptKind::Final, shipment, now);
        let (status, code) = overall(shipment, tally, worst);
        standing(out, 1, status, code);
        if let Some(code) = code {
            advice(out, code);
        }
        about(out, shipment);
        counts(out, shipment, tally);
        Self { section: Section::Head }
    }

    /// Writes a finding about the shipment.
    pub fn finding(&mut self, finding: &Finding, out: &mut Vec<u8>) {
        self.enter(Section::Findings, out);
        write_finding(out, 2, finding);
    }

    /// Writes an item's sub-receipt with the findings of that item.
    pub fn item(&mut self, item: &Item, findings: &[Finding], out: &mut Vec<u8>) {
        self.enter(Section::SubReceipts, out);
        sub_receipt(out, item, findings);
    }

    /// Closes the document; `rest_file` names the file with the refused items, if there is one.
    pub fn finish(mut self, rest_file: Option<&str>, out: &mut Vec<u8>) {
        self.enter(Section::Head, out);
        if let Some(name) = rest_file {
            element(out, 1, "RestFile", name);
        }
        out.extend_from_slice(b"\n</Receipt>\n");
    }

    /// Closes the list the document is in and opens another, if they differ; `Head` is outside both.
    fn enter(&mut self, section: Section, out: &mut Vec<u8>) {
        if self.section == section {
            return;
        }
        if let Some(name) = self.section.element() {
            line(out, 1);
            close(out, name);
        }
        if let Some(name) = section.element() {
            line(out, 1);
            open(out, name);
        }
        self.section = section;
    }
}

impl Section {
    fn element(self) -> Option<&'static str> {
        match self {
            Self::Head => None,
            Self::Findings => Some("Findings"),
            Self::SubReceipts => Some("SubReceipts"),
        }
    }
}

/// The status of an item's sub-receipt.
pub fn item_status(item: &Item) -> ReceiptStatus {
    match item.state {
        ItemState::Delivered | ItemState::Ignored => ReceiptStatus::Ok,
        // An open item has no place in a final receipt; should it get there, it must not look delivered.
        ItemState::Ready | ItemState::Sending => ReceiptStatus::UnExpectedError,
        ItemState::Refused | ItemState::Failed => match item_code(item).map(codes::status) {
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

/// Status and code of the whole: of the refusal, else of the worst item.
fn overall(shipment: &Shipment, tally: &Tally, worst: ReceiptStatus) -> (ReceiptStatus, Option<Code>) {
    let refusal = shipment.verdict.as_ref().filter(|verdict| verdict.kind == VerdictKind::Refuse);
    if let Some(verdict) = refusal {
        let status = verdict.code.map_or(ReceiptStatus::UnExpectedError, codes::status);
        return (status, verdict.code);
    }
    let all_well = tally.refused + tally.failed + tally.open() == 0;
    match (all_well, worst) {
        (true, _) => (ReceiptStatus::Ok, Some(if shipment.preflight { codes::PREFLIGHT } else { codes::DELIVERED })),
        (false, ReceiptStatus::Ok) => (ReceiptStatus::UnExpectedError, None),
        (false, status) => (status, None),
    }
}

fn begin(out: &mut Vec<u8>, kind: ReceiptKind, shipment: &Shipment, now: Timestamp) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Receipt");
    attribute(out, "xmlns", NAMESPACE);
    attribute(out, "kind", kind.as_str());
    attribute(out, "preflight", if shipment.preflight { "true" } else { "false" });
    out.push(b'>');
    element(out, 1, "ShipmentId", &shipment.id.to_string());
    element(out, 1, "LastChanged", &instant(now));
}

/// Status, code and the code's title, alike in receipts and sub-receipts.
fn standing(out: &mut Vec<u8>, depth: usize, status: ReceiptStatus, code: Option<Code>) {
    element(out, depth, "ReceiptStatus", status.as_str());
    if let Some(code) = code {
        element(out, depth, "ReceiptCode", code.0);
        element(out, depth, "ReceiptText", codes::row(code).map_or("", |row| row.title));
    }
}

fn advice(out: &mut Vec<u8>, code: Code) {
    element(out, 1, "Advice", codes::row(code).map_or("", |row| row.action));
}

/// Types, references, file and times.
fn about(out: &mut Vec<u8>, shipment: &Shipment) {
    let verdict = shipment.verdict.as_ref();
    let parts = verdict.and_then(|verdict| verdict.envelope.as_ref()).map_or(&[][..], |envelope| &envelope.parts);
    for part in parts {
        element(out, 1, "ReceiptType", part.kind.as_str());
    }
    if !parts.is_empty() {
        line(out, 1);
        open(out, "References");
        for part in parts {
            reference(out, 2, "ExternalShipmentReference", Some(part.kind.as_str()), &part.reference);
        }
        line(out, 1);
        close(out, "References");
    }
    line(out, 1);
    open(out, "File");
    element(out, 2, "Directory", &shipment.path.dir);
    element(out, 2, "Name", &shipment.path.name);
    element(out, 2, "SizeBytes", &shipment.size_bytes.to_string());
    if let Some(digest) = verdict.and_then(|verdict| verdict.sha256) {
        element(out, 2, "Sha256", &hex(&digest));
    }
    element(out, 2, "Received", &instant(shipment.claimed_at));
    line(out, 1);
    close(out, "File");
}

fn counts(out: &mut Vec<u8>, shipment: &Shipment, tally: &Tally) {
    line(out, 1);
    out.extend_from_slice(b"<Counts");
    attribute(out, "items", &tally.total().to_string());
    attribute(out, "delivered", &tally.delivered.to_string());
    attribute(out, "refused", &tally.refused.to_string());
    attribute(out, "ignored", &tally.ignored.to_string());
    attribute(out, "failed", &tally.failed.to_string());
    let findings = shipment.verdict.as_ref().map_or(0, |verdict| verdict.findings_total);
    attribute(out, "findings", &findings.to_string());
    out.extend_from_slice(b"/>");
}

fn sub_receipt(out: &mut Vec<u8>, item: &Item, findings: &[Finding]) {
    let found = &item.found;
    line(out, 2);
    out.extend_from_slice(b"<SubReceipt");
    attribute(out, "number", &found.number.to_string());
    attribute(out, "kind", kind_word(found.kind));
    attribute(out, "line", &found.line.to_string());
    attribute(out, "column", &found.column.to_string());
    attribute(out, "offset", &found.range.start.to_string());
    out.push(b'>');
    standing(out, 3, item_status(item), item_code(item));
    if !found.senders_reference.is_empty() || !item.receivers_reference.is_empty() {
        line(out, 3);
        open(out, "References");
        reference(out, 4, "SendersReference", None, &found.senders_reference);
        reference(out, 4, "ReceiversReference", None, &item.receivers_reference);
        line(out, 3);
        close(out, "References");
    }
    if let Some(service) = &found.service {
        line(out, 3);
        out.extend_from_slice(b"<Service");
        attribute(out, "code", &service.code);
        attribute(out, "edition", &service.edition);
        out.extend_from_slice(b"/>");
    }
    if !findings.is_empty() {
        line(out, 3);
        open(out, "Findings");
        for finding in findings {
            write_finding(out, 4, finding);
        }
        line(out, 3);
        close(out, "Findings");
    }
    line(out, 2);
    close(out, "SubReceipt");
}

fn reference(out: &mut Vec<u8>, depth: usize, kind: &str, part: Option<&str>, value: &str) {
    if value.is_empty() {
        return;
    }
    line(out, depth);
    out.extend_from_slice(b"<Reference");
    attribute(out, "type", kind);
    if let Some(part) = part {
        attribute(out, "part", part);
    }
    out.push(b'>');
    escape(out, value);
    close(out, "Reference");
}

fn write_finding(out: &mut Vec<u8>, depth: usize, finding: &Finding) {
    line(out, depth);
    out.extend_from_slice(b"<Finding");
    attribute(out, "code", finding.code.0);
    attribute(out, "status", codes::status(finding.code).as_str());
    if !finding.rule.is_empty() {
        attribute(out, "rule", &finding.rule);
    }
    if let Some(place) = &finding.place {
        write_place(out, place);
    }
    out.push(b'>');
    escape(out, &codes::explain(finding.code, &finding.text));
    close(out, "Finding");
}

fn write_place(out: &mut Vec<u8>, place: &Place) {
    attribute(out, "line", &place.line.to_string());
    attribute(out, "column", &place.column.to_string());
    attribute(out, "offset", &place.offset.to_string());
    if !place.path.is_empty() {
        attribute(out, "path", &place.path);
    }
}

fn item_code(item: &Item) -> Option<Code> {
    let implied = match item.state {
        ItemState::Delivered => Some(codes::DELIVERED),
        ItemState::Ignored => Some(codes::IGNORED_SERVICE),
        ItemState::Refused => item.found.refused,
        ItemState::Failed | ItemState::Ready | ItemState::Sending => None,
    };
    item.code.or(implied)
}

fn kind_word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::FormTask => "FormTask",
        ItemKind::Field => "Field",
        ItemKind::Subscription => "Subscription",
        ItemKind::DataUnit => "DataUnit",
        ItemKind::Correspondence => "Correspondence",
        ItemKind::Confirmation | ItemKind::AltUtConfirmation => "Confirmation",
        ItemKind::Usage => "Usage",
        ItemKind::AltUtMessage => "Message",
        ItemKind::OnlineResult => "Result",
    }
}

fn instant(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
