//! The page of a receipt: one HTML file without scripts or anything from elsewhere, to open, read and print.
//!
//! It shows what a clerk acts on: the outcome, what to do, equal errors together, and the items in trouble. What would
//! make it too large for a browser it leaves to the document beside it, and says so.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::catalogue::{self as texts, Text};
use super::document::{hex, instant};
use super::markup::{close, escape, open};
use super::{Account, Rendering, codes_of, item_code, item_status};
use crate::codes;
use crate::model::{
    Code, Finding, FindingGroup, Item, ItemState, Language, News, ReceiptKind, ReceiptStatus, Spot, VerdictKind,
};

/// The page.
#[derive(Debug)]
pub struct Page {
    language: Language,
    account: Account,
    section: Section,
    groups: u64,
    grouped: u64,
    items: u64,
    is_cut: bool,
}

/// Which part of the page is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Head,
    Groups,
    Items,
    News,
}

impl Page {
    /// Nothing is written yet.
    pub fn new(language: Language, account: Account) -> Self {
        Self { language, account, section: Section::Head, groups: 0, grouped: 0, items: 0, is_cut: false }
    }

    fn text(&self, text: Text) -> &'static str {
        text.of(self.language)
    }

    fn heading(&self) -> Text {
        let Account { kind, shipment, tally, .. } = &self.account;
        let is_refused = shipment.verdict.as_ref().is_some_and(|verdict| verdict.kind == VerdictKind::Refuse);
        texts::heading(texts::Outcome {
            kind: *kind,
            status: self.account.overall().0,
            is_refused,
            preflight: shipment.preflight,
            delivered: tally.delivered,
        })
    }

    fn head(&self, out: &mut Vec<u8>) {
        let account = &self.account;
        let name = match account.kind {
            ReceiptKind::Supplement(_) => self.text(texts::SUPPLEMENT),
            ReceiptKind::Accepted | ReceiptKind::Final | ReceiptKind::Rest => self.text(texts::RECEIPT),
        };
        push(out, "<!DOCTYPE html>\n<html lang=\"");
        push(out, self.language.as_str());
        push(out, "\">\n<head>\n<meta charset=\"utf-8\">\n");
        push(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
        escape(out, &format!("{name}: {}", account.shipment.path.name));
        push(out, "</title>\n<style>\n");
        push(out, STYLE);
        push(out, "</style>\n</head>\n<body>\n<main>\n<header class=\"");
        push(out, tone(account.overall().0));
        push(out, "\">\n");
        let number = if account.kind.number() > 0 { format!(" {}", account.kind.number()) } else { String::new() };
        tagged(out, "p", &format!("{name}{number}"));
        tagged(out, "h1", self.text(self.heading()));
        if account.shipment.preflight {
            tagged(out, "p", self.text(texts::REHEARSAL));
        }
        push(out, "</header>\n");
    }

    /// Why the whole is as it is, and what the sender does about it.
    fn advice(&self, out: &mut Vec<u8>) {
        let (status, code) = self.account.overall();
        if let Some(code) = code {
            push(out, "<p>");
            self.code(out, code);
            push(out, " ");
            escape(out, texts::title(code, self.language));
            push(out, "</p>\n");
        }
        let rest = self.account.rest_file.as_deref();
        let code = code.filter(|_| status != ReceiptStatus::Ok || self.account.shipment.preflight);
        if code.is_none() && rest.is_none() {
            return;
        }
        push(out, "<section class=\"advice\">\n");
        tagged(out, "h2", self.text(texts::WHAT_TO_DO));
        if let Some(code) = code {
            tagged(out, "p", texts::action(code, self.language));
        }
        if let Some(rest) = rest {
            push(out, "<p>");
            escape(out, self.text(texts::MEND_REST));
            push(out, " <code>");
            escape(out, rest);
            push(out, "</code></p>\n");
        }
        push(out, "</section>\n");
    }

    fn about(&self, out: &mut Vec<u8>) {
        let shipment = &self.account.shipment;
        push(out, "<section>\n");
        tagged(out, "h2", self.text(texts::THE_FILE));
        push(out, "<dl>\n");
        self.term(out, texts::FILE_NAME, &shipment.path.name);
        self.term(out, texts::DIRECTORY, &format!("/{}", shipment.path.dir));
        let size = format!("{} {}", self.number(shipment.size_bytes), self.text(texts::BYTES));
        self.term(out, texts::SIZE, &size);
        self.time(out, texts::RECEIVED, shipment.claimed_at);
        self.time(out, texts::WRITTEN, self.account.now);
        let verdict = shipment.verdict.as_ref();
        for part in verdict.and_then(|verdict| verdict.envelope.as_ref()).iter().flat_map(|envelope| &envelope.parts) {
            let reference = format!("{} ({})", part.reference, part.kind.as_str());
            self.term(out, texts::REFERENCE, &reference);
        }
        self.term(out, texts::SHIPMENT_ID, &shipment.id.to_string());
        if let Some(digest) = verdict.and_then(|verdict| verdict.sha256) {
            self.term(out, texts::SHA256, &hex(&digest));
        }
        push(out, "</dl>\n</section>\n");
    }

    fn counts(&self, out: &mut Vec<u8>) {
        let (tally, preflight) = (&self.account.tally, self.account.shipment.preflight);
        let delivered = if preflight { texts::WOULD_BE_SENT } else { texts::DELIVERED };
        push(out, "<section>\n");
        tagged(out, "h2", self.text(texts::COUNTS));
        push(out, "<dl class=\"counts\">\n");
        let rows = [
            (texts::ITEMS, tally.total()),
            (delivered, tally.delivered),
            (texts::REFUSED_ITEMS, tally.refused),
            (texts::FAILED, tally.failed + tally.open()),
            (texts::IGNORED, tally.ignored),
            (texts::FINDINGS, self.account.findings_total()),
        ];
        for (name, count) in rows {
            self.term(out, name, &self.number(count));
        }
        push(out, "</dl>\n</section>\n");
    }

    /// What each of several receivers has.
    fn receivers(&self, out: &mut Vec<u8>) {
        if self.account.receivers.is_empty() {
            return;
        }
        push(out, "<section>\n");
        tagged(out, "h2", self.text(texts::RECEIVERS));
        self.table(out, &[texts::RECEIVER, texts::DELIVERED, texts::FAILED]);
        for count in &self.account.receivers {
            push(out, "<tr><td>");
            escape(out, &count.receiver);
            for number in [count.delivered, count.failed] {
                push(out, "</td><td class=\"n\">");
                push(out, &self.number(number));
            }
            push(out, "</td></tr>\n");
        }
        push(out, "</tbody></table></section>\n");
    }

    /// What the items came to, by code; codes of all parts together.
    fn outcomes(&self, out: &mut Vec<u8>) {
        let mut rows: Vec<(ItemState, Option<Code>, u64)> = Vec::new();
        for same in &self.account.outcomes {
            let code = same.code.or_else(|| super::implied(same.state));
            match rows.iter_mut().find(|row| row.0 == same.state && row.1 == code) {
                Some(row) => row.2 += same.items,
                None => rows.push((same.state, code, same.items)),
            }
        }
        if rows.is_empty() {
            return;
        }
        push(out, "<section>\n");
        tagged(out, "h2", self.text(texts::OUTCOMES));
        self.table(out, &[texts::NUMBER_OF, texts::STATUS, texts::CODE, texts::MEANING, texts::WHAT_TO_DO]);
        for (state, code, count) in rows {
            push(out, "<tr><td class=\"n\">");
            push(out, &self.number(count));
            push(out, "</td><td>");
            self.status(out, super::status_of(state, code));
            push(out, "</td><td>");
            self.code_cells(out, code);
            push(out, "</td></tr>\n");
        }
        push(out, "</tbody></table></section>\n");
    }

    /// Code, meaning and advice.
    fn code_cells(&self, out: &mut Vec<u8>, code: Option<Code>) {
        if let Some(code) = code {
            self.code(out, code);
            push(out, "</td><td>");
            escape(out, texts::title(code, self.language));
            push(out, "</td><td>");
            escape(out, texts::action(code, self.language));
        } else {
            push(out, "</td><td></td><td>");
        }
    }

    fn enter(&mut self, section: Section, out: &mut Vec<u8>) {
        if self.section == section {
            return;
        }
        match self.section {
            Section::Head => {}
            Section::Groups => self.end_groups(out),
            Section::Items | Section::News => push(out, "</tbody></table>\n</section>\n"),
        }
        self.section = section;
        match section {
            Section::Head => {}
            Section::Groups => {
                push(out, "<section>\n");
                tagged(out, "h2", self.text(texts::ERRORS));
            }
            Section::Items => {
                push(out, "<section>\n");
                let heading = if self.lists_all() { texts::ITEM_LIST } else { texts::TROUBLED_LIST };
                tagged(out, "h2", self.text(heading));
                let columns =
                    [texts::NUMBER, texts::REFERENCE, texts::STATUS, texts::CODE, texts::LINE, texts::RECEIVERS_ID];
                self.table(out, &columns);
            }
            Section::News => {
                push(out, "<section>\n");
                tagged(out, "h2", self.text(texts::NEWS));
                let columns =
                    [texts::NUMBER, texts::REFERENCE, texts::WHEN, texts::CODE, texts::MEANING, texts::WHAT_TO_DO];
                self.table(out, &columns);
            }
        }
    }

    fn end_groups(&self, out: &mut Vec<u8>) {
        let others = self.account.findings_total().saturating_sub(self.grouped);
        if others > 0 {
            push(out, "<p>");
            escape(out, self.text(texts::OTHER_ERRORS));
            push(out, &format!(" {}</p>\n", self.number(others)));
        }
        push(out, "</section>\n");
    }

    /// Whether items that went well are listed too.
    fn lists_all(&self) -> bool {
        self.account.tally.total() <= ITEMS
    }

    fn table(&self, out: &mut Vec<u8>, columns: &[Text]) {
        push(out, "<table><thead><tr>");
        for column in columns {
            push(out, "<th scope=\"col\">");
            escape(out, self.text(*column));
            close(out, "th");
        }
        push(out, "</tr></thead><tbody>\n");
    }

    fn places(&self, out: &mut Vec<u8>, group: &FindingGroup) {
        if group.places.is_empty() {
            return;
        }
        let name = if group.count > group.places.len() as u64 { texts::FIRST_PLACES } else { texts::PLACES };
        push(out, "<div><dt>");
        escape(out, self.text(name));
        push(out, "</dt><dd class=\"places\">");
        for Spot { line, column, .. } in &group.places {
            push(out, &format!("<span>{line}:{column}</span> "));
        }
        push(out, "</dd></div>\n");
    }

    fn code(&self, out: &mut Vec<u8>, code: Code) {
        push(out, "<code>");
        escape(out, code.0);
        push(out, "</code>");
    }

    /// A status as a word with a mark, for colour alone tells nothing on paper.
    fn status(&self, out: &mut Vec<u8>, status: ReceiptStatus) {
        push(out, "<span class=\"");
        push(out, tone(status));
        push(out, "\">");
        escape(out, self.text(texts::status(status)));
        push(out, "</span>");
    }

    fn term(&self, out: &mut Vec<u8>, name: Text, value: &str) {
        push(out, "<div>");
        open(out, "dt");
        escape(out, self.text(name));
        push(out, "</dt><dd>");
        escape(out, value);
        push(out, "</dd></div>\n");
    }

    fn time(&self, out: &mut Vec<u8>, name: Text, time: Timestamp) {
        push(out, "<div><dt>");
        escape(out, self.text(name));
        push(out, "</dt><dd>");
        self.clock(out, time);
        push(out, "</dd></div>\n");
    }

    /// A time as on the clocks in Norway, where the receivers are.
    fn clock(&self, out: &mut Vec<u8>, time: Timestamp) {
        let zoned = time.to_zoned(TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC));
        let form = match self.language {
            Language::Nb | Language::Nn => "%-d.%-m.%Y kl. %H.%M.%S (%Z)",
            Language::En => "%-d %B %Y %H:%M:%S (%Z)",
        };
        push(out, &format!("<time datetime=\"{}\">{}</time>", instant(time), zoned.strftime(form)));
    }

    /// A number with its thousands apart.
    fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let gap = if self.language == Language::En { ',' } else { '\u{a0}' };
        let mut text = String::with_capacity(digits.len() * 2);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(gap);
            }
            text.push(digit);
        }
        text
    }
}

impl Rendering for Page {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.head(out);
        self.advice(out);
        if self.account.kind == ReceiptKind::Final {
            self.counts(out);
            self.receivers(out);
            self.outcomes(out);
        }
        self.about(out);
    }

    fn group(&mut self, group: &FindingGroup, out: &mut Vec<u8>) {
        self.enter(Section::Groups, out);
        if self.groups >= GROUPS {
            return;
        }
        self.groups += 1;
        self.grouped += group.count;
        push(out, "<article>\n<h3>");
        self.code(out, group.code);
        push(out, " ");
        escape(out, texts::title(group.code, self.language));
        push(out, "</h3>\n<p class=\"count\">");
        let times = if group.count == 1 {
            self.text(texts::ONCE).to_owned()
        } else {
            format!("{} {}", self.number(group.count), self.text(texts::TIMES))
        };
        escape(out, &times);
        push(out, "</p>\n");
        tagged(out, "p", texts::action(group.code, self.language));
        push(out, "<dl>\n");
        if !group.text.is_empty() && group.text != codes_of(group.code).title {
            push(out, "<div><dt>");
            escape(out, self.text(texts::DETAIL));
            // The engine speaks English.
            push(out, "</dt><dd lang=\"en\">");
            escape(out, &group.text);
            push(out, "</dd></div>\n");
        }
        for (name, value) in [(texts::PATH, &group.path), (texts::RULE, &group.rule)] {
            if !value.is_empty() {
                self.term(out, name, value);
            }
        }
        self.places(out, group);
        push(out, "</dl>\n</article>\n");
    }

    fn finding(&mut self, _finding: &Finding, _out: &mut Vec<u8>) {}

    fn item(&mut self, item: &Item, _findings: &[Finding], out: &mut Vec<u8>) {
        let status = item_status(item);
        if status == ReceiptStatus::Ok && !self.lists_all() {
            return;
        }
        self.enter(Section::Items, out);
        if self.items >= ITEMS {
            self.is_cut = true;
            return;
        }
        self.items += 1;
        push(out, &format!("<tr><td class=\"n\">{}</td><td>", item.found.number));
        escape(out, &item.found.senders_reference);
        push(out, "</td><td>");
        self.status(out, status);
        push(out, "</td><td>");
        if let Some(code) = item_code(item) {
            self.code(out, code);
        }
        push(out, &format!("</td><td class=\"n\">{}</td><td class=\"id\">", item.found.line));
        if item.fates.is_empty() {
            escape(out, &item.receivers_reference);
        }
        let given = item.fates.iter().filter(|fate| !fate.receivers_reference.is_empty());
        for (index, fate) in given.enumerate() {
            push(out, if index > 0 { "<br>" } else { "" });
            escape(out, &format!("{}: {}", fate.receiver, fate.receivers_reference));
        }
        push(out, "</td></tr>\n");
    }

    fn news(&mut self, item: &Item, news: &News, out: &mut Vec<u8>) {
        self.enter(Section::News, out);
        if self.items >= ITEMS {
            self.is_cut = true;
            return;
        }
        self.items += 1;
        push(out, &format!("<tr><td class=\"n\">{}</td><td>", item.found.number));
        escape(out, &item.found.senders_reference);
        push(out, "</td><td>");
        self.clock(out, news.at);
        push(out, "</td><td>");
        self.code_cells(out, Some(codes::late(news.event)));
        push(out, "</td></tr>\n");
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.enter(Section::Head, out);
        let leaves_out = !self.lists_all() && self.account.tally.delivered > 0 && self.items > 0;
        if self.is_cut || leaves_out {
            tagged(out, "p", self.text(texts::MORE_ITEMS));
        }
        push(out, "<footer>");
        tagged(out, "p", self.text(texts::CAN_PRINT));
        push(out, "</footer>\n</main>\n</body>\n</html>\n");
    }
}

fn tone(status: ReceiptStatus) -> &'static str {
    match status {
        ReceiptStatus::Ok => "ok",
        ReceiptStatus::ValidationFailed | ReceiptStatus::Rejected => "bad",
        ReceiptStatus::UnExpectedError => "ill",
    }
}

fn tagged(out: &mut Vec<u8>, tag: &str, text: &str) {
    open(out, tag);
    escape(out, text);
    close(out, tag);
    out.push(b'\n');
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Most items on a page.
const ITEMS: u64 = 1_000;
/// Most groups of errors on a page.
const GROUPS: u64 = 200;

/// Readable on a screen of any size and on paper; contrast is at least 7:1.
const STYLE: &str = include_str!("page.css");
