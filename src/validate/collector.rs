//! What the validator sees, put together into envelope, items and findings.

mod collected;
mod header;
mod heads;
mod hearing;
mod items;

use std::sync::Arc;

use crate::codes;
use crate::formats::{Format, ItemKeys, Role};
use crate::model::{
    Code, Envelope, Finding, FormatRules, ItemKind, NewAttachment, Part, Place, Route, Strictness, Totals,
};
use crate::ports::ReferenceUse;
use crate::xsd::Position;

use super::around::{Group, Rules, Seen};
use super::forms::OpenForm;
use super::grouping::Grouping;
use super::item::OpenItem;
use super::kinds::Weight;
use super::place::{self, Enclosing};
use super::{Judgement, Judging, route};

pub(super) use collected::Collected;

/// Gathers what is found. Between two pieces of input it is taken away, so it is one piece's.
pub(super) struct Collector<'a> {
    judging: &'a Judging<'a>,
    format: &'static Format,
    route: Option<&'a Route>,
    envelope: Option<Envelope>,
    references: Vec<ReferenceUse>,
    /// Position of the last group in its part.
    groups: u64,
    group: Option<Group>,
    /// Items in the group, of every kind but fields, and fields: the two that stand side by side.
    in_group: [u64; 2],
    pub(super) item: OpenItem,
    pub(super) form: Option<OpenForm>,
    /// The keys of the kind of items seen last, until its scope changes.
    keys: Option<(ItemKind, Arc<ItemKeys>)>,
    attachment: Option<NewAttachment>,
    found: Collected,
    grouping: Grouping,
    refusal: Option<(Weight, Code)>,
    findings_total: u64,
    findings_kept: u64,
    totals: Totals,
    items_total: u64,
    items_refused: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(judging: &'a Judging<'a>, format: &'static Format) -> Self {
        Self {
            judging,
            format,
            // Until the sender's name is known.
            route: judging.routes.iter().find(|route| format.is_of(route)),
            envelope: None,
            references: Vec::new(),
            groups: 0,
            group: None,
            in_group: [0; 2],
            item: OpenItem::none(),
            form: None,
            keys: None,
            attachment: None,
            found: Collected::default(),
            grouping: Grouping::new(judging.limits.max_findings),
            refusal: None,
            findings_total: 0,
            findings_kept: 0,
            totals: Totals::default(),
            items_total: 0,
            items_refused: 0,
        }
    }

    /// Refuses the shipment for what concerns the file as a whole.
    pub(super) fn refuse_whole(&mut self, code: Code, text: impl Into<String>) {
        self.refuse(Finding::whole(code, text), Weight::Rule);
    }

    /// Judges what only the end of the file can tell.
    pub(super) fn conclude(&mut self, size_bytes: u64) {
        // An item that never ended is none, and what was said of it concerns the shipment.
        self.item.give_up().into_iter().for_each(|finding| self.refuse(finding, Weight::Rule));
        let oversize = self.route.and_then(|route| route::too_large(size_bytes, route.max_file_bytes));
        if let Some((code, text)) = oversize {
            self.refuse_whole(code, text);
        }
        if self.refusal.is_none() && self.envelope.is_none() {
            self.refuse_whole(codes::UNKNOWN_ROOT, format!("the root element is not {}", self.format.root));
        }
        if self.refusal.is_none() && self.items_total == 0 && !self.format.may_be_empty {
            self.refuse_whole(codes::NO_ITEMS, "there is no item in any part");
        }
        self.compare_counts();
    }

    /// What has been found since the last call.
    pub(super) fn take_found(&mut self) -> Collected {
        self.found.take()
    }

    pub(super) fn judgement(self, sha256: Option<[u8; 32]>) -> Judgement {
        Judgement {
            refusal: self.refusal.map(|(_, code)| code),
            format: self.envelope.as_ref().map(|_| self.format.name),
            route: self.envelope.as_ref().and(self.route).map(|route| route.name.clone()),
            sha256,
            envelope: self.envelope,
            references: self.references,
            findings_total: self.findings_total,
            groups: self.grouping.into_groups(),
            items_total: self.items_total,
            items_refused: self.items_refused,
        }
    }

    /// A rule is broken that concerns the file as a whole; the route says how much that weighs.
    pub(super) fn break_rule(&mut self, rule: impl Fn(&FormatRules) -> Strictness, code: Code, text: String) {
        match self.route.map_or(Strictness::Refuse, |route| rule(&route.rules)) {
            Strictness::Refuse => self.refuse_whole(code, text),
            Strictness::Warn => self.record(Finding::whole(code, text), false),
            Strictness::Off => {}
        }
    }

    fn role(&self, watch: usize) -> Option<Role> {
        self.format.marks.get(watch).map(|mark| mark.role)
    }

    pub(super) fn rules(&self) -> Rules<'a> {
        Rules { marks: self.format.marks, route: self.route }
    }

    /// A finding outside of items: the shipment is refused.
    fn refuse(&mut self, finding: Finding, weight: Weight) {
        let is_why = self.refusal.is_none_or(|(other, _)| weight > other);
        if is_why {
            self.refusal = Some((weight, finding.code));
        }
        self.record(finding, is_why);
    }

    fn refuse_at(&mut self, fault: Option<(Code, String)>, seen: &mut Seen<'_, '_, '_>) {
        let Some((code, text)) = fault else { return };
        let place = Some(self.place(seen.watch, seen.at.position()));
        self.refuse(Finding { code, place, item: None, rule: String::new(), text }, Weight::Rule);
    }

    /// Counts a finding, and keeps it within the limit; one that must be shown is kept beyond it.
    fn record(&mut self, finding: Finding, must_show: bool) {
        self.findings_total += 1;
        self.grouping.add(&finding);
        if must_show || self.findings_kept < self.judging.limits.max_findings {
            self.findings_kept += 1;
            self.found.findings.push(finding);
        }
    }

    fn place(&self, watch: usize, at: Position) -> Place {
        let enclosing: Vec<Enclosing> = self.group.iter().map(|group| group.own).collect();
        place::place(self.format.marks, watch, at, &enclosing)
    }

    fn part(&mut self) -> Option<&mut Part> {
        self.envelope.as_mut()?.parts.last_mut()
    }
}

/// Parts and references kept of one batch.
const PARTS: usize = 16;
