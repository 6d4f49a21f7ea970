//! The receipt in our own format: everything there is to say, in the words of the old platform's receipts.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::markup::{attribute, close, element, escape, line, open};
use super::{Account, ReceiverCount, Rendering, codes_of, item_code, item_status};
use crate::codes;
use crate::model::{
    Code, Finding, FindingGroup, Item, ItemKind, News, Place, ReceiptKind, ReceiptStatus, Shipment, Spot, Tally,
};

/// Namespace of receipts.
pub const NAMESPACE: &str = "urn:sluse:receipt:1.0";

/// The schema of receipts, as published to partners.
pub const SCHEMA: &str = include_str!("../../schemas/receipt/sluse-receipt-1.0.xsd");

/// The document of a receipt of any kind, written piece by piece.
#[derive(Debug)]
pub struct Document {
    account: Account,
    section: Section,
    /// Findings in the groups written.
    grouped: u64,
}

/// Which list the document is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Head,
    Groups,
    Findings,
    SubReceipts,
}

impl Document {
    /// Nothing is written yet.
    pub fn new(account: Account) -> Self {
        Self { account, section: Section::Head, grouped: 0 }
    }

    /// Closes the list the document is in and opens another, if they differ; `Head` is outside of all.
    fn enter(&mut self, section: Section, out: &mut Vec<u8>) {
        if self.section == section {
            return;
        }
        if self.section == Section::Groups {
            self.end_groups(out);
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

    /// Says how many findings are in no group.
    fn end_groups(&self, out: &mut Vec<u8>) {
        let others = self.account.findings_total().saturating_sub(self.grouped);
        if others > 0 {
            line(out, 2);
            out.extend_from_slice(b"<OtherFindings");
            attribute(out, "count", &others.to_string());
            out.extend_from_slice(b"/>");
        }
    }
}

impl Rendering for Document {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let account = &self.account;
        begin(out, account.kind, &account.shipment, account.now);
        let (status, code) = account.overall();
        standing(out, 1, status, code);
        if let Some(code) = code {
            element(out, 1, "Advice", codes_of(code).action);
        }
        about(out, &account.shipment, account.kind);
        if account.kind == ReceiptKind::Final {
            counts(out, &account.tally, account.findings_total());
            receivers(out, &account.receivers);
        }
    }

    fn group(&mut self, group: &FindingGroup, out: &mut Vec<u8>) {
        self.enter(Section::Groups, out);
        self.grouped += group.count;
        write_group(out, group);
    }

    fn finding(&mut self, finding: &Finding, out: &mut Vec<u8>) {
        self.enter(Section::Findings, out);
        write_finding(out, 2, finding);
    }

    fn item(&mut self, item: &Item, findings: &[Finding], out: &mut Vec<u8>) {
        self.enter(Section::SubReceipts, out);
        let batch = self.account.batch_reference(item).unwrap_or_default();
        sub_receipt(out, (item, &batch), (item_status(item), item_code(item)), None, findings);
    }

    fn news(&mut self, item: &Item, news: &News, out: &mut Vec<u8>) {
        self.enter(Section::SubReceipts, out);
        let code = codes::late(news.event);
        let batch = self.account.batch_reference(item).unwrap_or_default();
        sub_receipt(out, (item, &batch), (codes::status(code), Some(code)), Some(news.at), &[]);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.enter(Section::Head, out);
        if let Some(name) = &self.account.rest_file {
            element(out, 1, "RestFile", name);
        }
        out.extend_from_slice(b"\n</Receipt>\n");
    }
}

impl Section {
    fn element(self) -> Option<&'static str> {
        match self {
            Self::Head => None,
            Self::Groups => Some("FindingGroups"),
            Self::Findings => Some("Findings"),
            Self::SubReceipts => Some("SubReceipts"),
        }
    }
}

fn begin(out: &mut Vec<u8>, kind: ReceiptKind, shipment: &Shipment, now: Timestamp) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Receipt");
    attribute(out, "xmlns", NAMESPACE);
    attribute(out, "kind", kind.as_str());
    if kind.number() > 0 {
        attribute(out, "number", &kind.number().to_string());
    }
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
        element(out, depth, "ReceiptText", codes_of(code).title);
    }
}

/// Types, references, file and times.
fn about(out: &mut Vec<u8>, shipment: &Shipment, kind: ReceiptKind) {
    let verdict = shipment.verdict.as_ref();
    let parts = verdict.and_then(|verdict| verdict.envelope.as_ref()).map_or(&[][..], |envelope| &envelope.parts);
    for part in parts {
        element(out, 1, "ReceiptType", part.kind.as_str());
    }
    if !parts.is_empty() {
        line(out, 1);
        open(out, "References");
        for part in parts {
            let of = ("part", part.kind.as_str());
            reference(out, 2, "ExternalShipmentReference", Some(of), &part.reference);
        }
        line(out, 1);
        close(out, "References");
    }
    line(out, 1);
    open(out, "File");
    element(out, 2, "Directory", &shipment.path.dir);
    element(out, 2, "Name", &shipment.path.name);
    element(out, 2, "SizeBytes", &shipment.size_bytes.to_string());
    if let Some(digest) = verdict.and_then(|verdict| verdict.sha256).filter(|_| kind != ReceiptKind::Accepted) {
        element(out, 2, "Sha256", &hex(&digest));
    }
    element(out, 2, "Received", &instant(shipment.claimed_at));
    line(out, 1);
    close(out, "File");
}

fn counts(out: &mut Vec<u8>, tally: &Tally, findings_total: u64) {
    line(out, 1);
    out.extend_from_slice(b"<Counts");
    attribute(out, "items", &tally.total().to_string());
    attribute(out, "delivered", &tally.delivered.to_string());
    attribute(out, "refused", &tally.refused.to_string());
    attribute(out, "ignored", &tally.ignored.to_string());
    attribute(out, "failed", &tally.failed.to_string());
    attribute(out, "findings", &findings_total.to_string());
    out.extend_from_slice(b"/>");
}

/// What each of several receivers has.
fn receivers(out: &mut Vec<u8>, receivers: &[ReceiverCount]) {
    if receivers.is_empty() {
        return;
    }
    line(out, 1);
    open(out, "Receivers");
    for count in receivers {
        line(out, 2);
        out.extend_from_slice(b"<Receiver");
        attribute(out, "name", &count.receiver);
        attribute(out, "delivered", &count.delivered.to_string());
        attribute(out, "failed", &count.failed.to_string());
        out.extend_from_slice(b"/>");
    }
    line(out, 1);
    close(out, "Receivers");
}

fn write_group(out: &mut Vec<u8>, group: &FindingGroup) {
    line(out, 2);
    out.extend_from_slice(b"<FindingGroup");
    attribute(out, "code", group.code.0);
    attribute(out, "status", codes::status(group.code).as_str());
    if !group.rule.is_empty() {
        attribute(out, "rule", &group.rule);
    }
    if !group.path.is_empty() {
        attribute(out, "path", &group.path);
    }
    attribute(out, "count", &group.count.to_string());
    out.push(b'>');
    element(out, 3, "Text", &codes::explain(group.code, &group.text));
    for Spot { line: at_line, column, offset, item } in &group.places {
        line(out, 3);
        out.extend_from_slice(b"<Place");
        attribute(out, "line", &at_line.to_string());
        attribute(out, "column", &column.to_string());
        attribute(out, "offset", &offset.to_string());
        if let Some(item) = item {
            attribute(out, "item", &item.to_string());
        }
        out.extend_from_slice(b"/>");
    }
    line(out, 2);
    close(out, "FindingGroup");
}

fn sub_receipt(
    out: &mut Vec<u8>,
    (item, batch): (&Item, &str),
    (status, code): (ReceiptStatus, Option<Code>),
    time: Option<Timestamp>,
    findings: &[Finding],
) {
    let found = &item.found;
    line(out, 2);
    out.extend_from_slice(b"<SubReceipt");
    attribute(out, "number", &found.number.to_string());
    attribute(out, "kind", kind_word(found.kind));
    attribute(out, "line", &found.line.to_string());
    attribute(out, "column", &found.column.to_string());
    attribute(out, "offset", &found.range.start.to_string());
    out.push(b'>');
    standing(out, 3, status, code);
    if let Some(time) = time {
        element(out, 3, "Time", &instant(time));
    }
    identity(out, item, batch);
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

/// References and service.
fn identity(out: &mut Vec<u8>, item: &Item, batch: &str) {
    let found = &item.found;
    let at_receivers = item.fates.iter().any(|fate| !fate.receivers_reference.is_empty());
    let own = [&found.senders_reference, &item.receivers_reference, batch];
    if at_receivers || own.iter().any(|reference| !reference.is_empty()) {
        line(out, 3);
        open(out, "References");
        reference(out, 4, "SendersReference", None, &found.senders_reference);
        if item.fates.is_empty() {
            reference(out, 4, "ReceiversReference", None, &item.receivers_reference);
        }
        for fate in &item.fates {
            let at = ("receiver", fate.receiver.as_str());
            reference(out, 4, "ReceiversReference", Some(at), &fate.receivers_reference);
        }
        reference(out, 4, "BatchReference", None, batch);
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
}

/// A reference, with the attribute that tells whose it is, where there is one.
fn reference(out: &mut Vec<u8>, depth: usize, kind: &str, whose: Option<(&str, &str)>, value: &str) {
    if value.is_empty() {
        return;
    }
    line(out, depth);
    out.extend_from_slice(b"<Reference");
    attribute(out, "type", kind);
    if let Some((name, whose)) = whose {
        attribute(out, name, whose);
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

/// An item's kind, as its element is called.
pub(super) fn kind_word(kind: ItemKind) -> &'static str {
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
        ItemKind::Recipient => "Recipient",
        ItemKind::Item => "Item",
    }
}

/// A time as receipts write it.
pub(super) fn instant(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
