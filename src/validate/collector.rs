//! What the validator sees, put together into envelope, items and findings.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::codes;
use crate::formats::{self, Format, ItemKeys, Role, Scope};
use crate::model::{
    ByteRange, Code, Count, Envelope, Finding, FormatRules, ItemKind, NewAttachment, Part, PartKind, Place, Route,
    Strictness, Totals,
};
use crate::ports::ReferenceUse;
use crate::xsd::{self, Observer, Position, Spot};

use super::forms::OpenForm;
use super::grouping::Grouping;
use super::header;
use super::item::{Around, Group, OpenItem, Rules, Seen, has_own_reference, reference_fault};
use super::keying::Unkeyed;
use super::kinds::{self, Weight};
use super::place::{self, Enclosing};
use super::texts::Texts;
use super::{Found, Judgement, Judging, Keep, route};

/// What was found in a piece of input. Without `Debug`, since it may hold reportees' ids.
#[derive(Default)]
pub(super) struct Collected {
    items: Unkeyed,
    attachments: Vec<NewAttachment>,
    findings: Vec<Finding>,
}

impl Collected {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.attachments.is_empty() && self.findings.is_empty()
    }

    /// Hands it over: items first, then the findings about them.
    pub(super) fn hand_over(self, keep: &mut Keep<'_>) -> io::Result<()> {
        for_each_chunk(self.items.into_items(), &mut |items| keep(Found::Items(items)))?;
        for_each_chunk(self.attachments, &mut |attachments| keep(Found::Attachments(attachments)))?;
        for_each_chunk(self.findings, &mut |findings| keep(Found::Findings(findings)))
    }
}

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
    /// Items of each kind in the group, in the order of [`nth_index`].
    in_group: [u64; 2],
    pub(super) item: Option<OpenItem>,
    pub(super) form: Option<OpenForm>,
    /// Of the last item, for the next.
    memory: Texts,
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
            item: None,
            form: None,
            memory: Texts::default(),
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
    pub(super) fn conclude(&mut self) {
        // An item that never ended is none, and what was said of it concerns the shipment.
        if let Some(item) = self.item.take() {
            item.into_findings().into_iter().for_each(|finding| self.refuse(finding, Weight::Rule));
        }
        let size_bytes = self.judging.size_bytes;
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
        std::mem::take(&mut self.found)
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

    pub(super) fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn declared_counts(&self) -> Vec<Count> {
        self.envelope.as_ref().map(|envelope| envelope.counts.clone()).unwrap_or_default()
    }

    pub(super) fn envelope(&mut self) -> Option<&mut Envelope> {
        self.envelope.as_mut()
    }

    /// An attachment that stands behind all items begins.
    pub(super) fn attach(&mut self, attachment: NewAttachment) {
        self.attachment = Some(attachment);
    }

    fn close_attachment(&mut self, end: u64) {
        if let Some(mut attachment) = self.attachment.take() {
            attachment.range.end = end;
            self.found.attachments.push(attachment);
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

    fn open_root(&mut self, start: u64) {
        let root = ByteRange { start, end: start };
        self.envelope = Some(Envelope { root, ..Envelope::default() });
        // In a format without parts the root is the only one, and its head is the part's.
        if !self.format.marks.iter().any(|mark| matches!(mark.role, Role::Part(_))) {
            self.open_part(PartKind::Batch, start);
        }
        if self.route.is_none() && !self.judging.routes.is_empty() {
            self.refuse_whole(codes::NO_ROUTE, "no route of this directory takes the format");
        }
    }

    fn open_part(&mut self, kind: PartKind, start: u64) {
        self.groups = 0;
        self.keys = None;
        let head = ByteRange { start, end: start };
        let (reference, reference_end) = (String::new(), 0);
        let part = Part { kind, head, reference, reference_end, sequence_no: None, previous_no: None };
        // The schema allows one of each kind; in a file that has more the items are only listed, never cut out.
        if let Some(envelope) = self.envelope.as_mut().filter(|envelope| envelope.parts.len() < PARTS) {
            envelope.parts.push(part);
        }
    }

    fn open_group(&mut self, watch: usize, at: Position) {
        self.end_part_head(at.offset);
        self.groups += 1;
        self.in_group = [0; 2];
        self.group = Some(Group {
            own: Enclosing { watch, nth: self.groups },
            at,
            head: ByteRange { start: at.offset, end: at.offset },
            reportee: String::new(),
            text_bytes: 0,
            fault: None,
        });
    }

    fn open_item(&mut self, kind: ItemKind, watch: usize, at: Position) {
        self.end_part_head(at.offset);
        self.end_group_head(at.offset);
        let mut nth = 0;
        if let Some(count) = self.in_group.get_mut(nth_index(kind)) {
            *count += 1;
            nth = *count;
        }
        let memory = std::mem::take(&mut self.memory);
        self.item = Some(OpenItem::new(kind, at, Enclosing { watch, nth }, memory));
    }

    fn see_sender_name(&mut self, mut seen: Seen<'_, '_, '_>) {
        let name = seen.text.trim();
        self.keys = None;
        if let Some(envelope) = &mut self.envelope {
            name.clone_into(&mut envelope.sender_name);
        }
        self.refuse_at(
            reference_fault(&seen, self.format.marks).filter(|(code, _)| *code == codes::REFERENCE_TOO_LONG),
            &mut seen,
        );
        match route::choose(self.judging.routes, self.format, name) {
            Some(route) => self.route = Some(route),
            None if self.route.is_some() => {
                let text = format!("{} is not the route's", place::name(self.format.marks, seen.watch));
                self.refuse_at(Some((codes::WRONG_SENDER, text)), &mut seen);
            }
            None => {}
        }
    }

    /// Every item is sent with the heads it stands under, so a megabyte before the root would be one for each item.
    pub(super) fn check_head(&mut self, head: Option<ByteRange>, what: &str) {
        if head.is_some_and(is_too_large) && self.refusal.is_none_or(|(_, code)| code != codes::HEAD_TOO_LARGE) {
            self.refuse_whole(codes::HEAD_TOO_LARGE, format!("{what} takes more than {HEAD_BYTES} bytes"));
        }
    }

    /// Ends the root's head at the first part, group or item.
    fn end_root_head(&mut self, end: u64) {
        let Some(envelope) = self.envelope.as_mut().filter(|envelope| envelope.root.is_empty()) else { return };
        envelope.root.end = end;
        self.check_head(Some(ByteRange { start: 0, end }), "what stands before the items");
    }

    /// Ends a part's head at its first group or item.
    fn end_part_head(&mut self, end: u64) {
        self.end_root_head(end);
        let of_its_own = |part: &&mut Part| part.kind != PartKind::Batch && part.head.is_empty();
        let Some(part) = self.part().filter(of_its_own) else { return };
        part.head.end = end;
        let head = part.head;
        self.check_head(Some(head), "the head of a part");
    }

    /// Ends a group's head at its first item.
    fn end_group_head(&mut self, end: u64) {
        let Some(group) = self.group.as_mut().filter(|group| group.head.is_empty()) else { return };
        group.head.end = end;
        if !is_too_large(group.head) {
            return;
        }
        let (own, at) = (group.own, group.at);
        let text = format!("what stands before the items takes more than {HEAD_BYTES} bytes");
        let place = Some(self.place(own.watch, at));
        let fault = Finding { code: codes::ITEM_TOO_LARGE, place, item: None, rule: String::new(), text };
        if let Some(group) = &mut self.group {
            group.fault.get_or_insert((fault, false));
        }
    }

    fn see_shipment_reference(&mut self, mut seen: Seen<'_, '_, '_>, end: u64) {
        let sender_name = self.envelope.as_ref().map(|envelope| envelope.sender_name.clone()).unwrap_or_default();
        let fault = reference_fault(&seen, self.format.marks);
        self.keys = None;
        let Some(part) = self.part() else { return };
        part.reference_end = end;
        let used = ReferenceUse { part: part.kind, sender_name, reference: seen.text.to_owned() };
        if fault.is_none() {
            part.reference.clone_from(&used.reference);
            self.references.push(used);
            self.references.truncate(PARTS);
        }
        self.refuse_at(fault, &mut seen);
    }

    fn see_reportee(&mut self, mut seen: Seen<'_, '_, '_>) {
        let fault = formats::reportee(seen.text).err().and_then(|code| {
            let strictness = match code {
                codes::BAD_REPORTEE_FORM => Strictness::Refuse,
                _ => self.route.map_or(Strictness::Refuse, |route| route.rules.check_digits),
            };
            let place = Some(self.place(seen.watch, seen.at.position()));
            let text = codes::row(code).map(|row| row.title.to_owned()).unwrap_or_default();
            let finding = Finding { code, place, item: None, rule: String::new(), text };
            (strictness != Strictness::Off).then_some((finding, strictness == Strictness::Warn))
        });
        let Some(group) = &mut self.group else { return };
        seen.text.trim().clone_into(&mut group.reportee);
        group.text_bytes = seen.raw_bytes;
        group.fault = fault;
    }

    fn close_item(&mut self, end: u64) {
        self.end_item(end);
        if let Some(item) = &mut self.item {
            self.memory = item.take_memory();
        }
        self.item = None;
    }

    fn end_item(&mut self, end: u64) {
        let (Some(item), Some(envelope)) = (&mut self.item, &self.envelope) else { return };
        let Some((part, last)) = envelope.parts.len().checked_sub(1).zip(envelope.parts.last()) else { return };
        self.items_total += 1;
        // Left where they are from item to item: moving them would cost as much as all else here.
        if self.keys.as_ref().is_none_or(|(kind, _)| *kind != item.kind) {
            let scope = scope(self.judging, self.format, envelope, last, item.kind);
            self.keys = Some((item.kind, Arc::new(ItemKeys::new(&scope, item.kind))));
        }
        let Some((_, keys)) = &self.keys else { return };
        let around = Around {
            number: self.items_total,
            range: ByteRange { start: item.at.offset, end },
            part: u32::try_from(part).unwrap_or(u32::MAX),
            group: self.group.as_ref(),
        };
        let rules = Rules { marks: self.format.marks, route: self.route };
        let (item, findings) = item.close(&around, rules, self.found.items.fields());
        self.totals.add(&item);
        self.items_refused += u64::from(item.refused.is_some_and(|code| code != codes::IGNORED_SERVICE));
        self.found.items.push(item, keys);
        findings.into_iter().for_each(|finding| self.record(finding, false));
    }
}

fn scope<'a>(
    judging: &Judging<'a>,
    format: &'static Format,
    envelope: &'a Envelope,
    part: &'a Part,
    kind: ItemKind,
) -> Scope<'a> {
    let number = part.sequence_no.as_deref().filter(|number| !matches!(*number, "" | "0"));
    let is_told_apart = has_own_reference(kind) && !format.numbers_items();
    let reference = match number {
        _ if !part.reference.is_empty() || is_told_apart => &part.reference,
        // News of one message come in several batches, which only their number or the shipment tells apart.
        Some(number) => number,
        None => judging.shipment,
    };
    Scope {
        partner: judging.partner,
        format: format.word(),
        part: part.kind,
        sender_name: &envelope.sender_name,
        reference,
    }
}

impl Observer for Collector<'_> {
    fn open(&mut self, watch: usize, mut at: Spot<'_, '_>) {
        match self.role(watch) {
            Some(Role::Root) => self.open_root(at.offset()),
            Some(Role::Part(kind)) => {
                self.end_root_head(at.offset());
                self.open_part(kind, at.offset());
            }
            Some(Role::Tail) => self.open_tail(at.offset()),
            Some(Role::TailAttachment) => self.open_attachment(at.position()),
            Some(Role::Group) => self.open_group(watch, at.position()),
            Some(Role::Item(kind)) => self.open_item(kind, watch, at.position()),
            Some(Role::FormData) => self.open_form(at),
            Some(role @ (Role::Attachment | Role::Form | Role::FormDataKey)) => {
                let rules = self.rules();
                if let Some(item) = &mut self.item {
                    item.see(role, Seen { watch, text: "", complete: true, raw_bytes: 0, at }, rules);
                }
            }
            _ => {}
        }
    }

    fn hears(&mut self, _: usize) -> bool {
        self.form.is_some()
    }

    fn text(&mut self, _: usize, piece: &[u8]) {
        if let Some(form) = &mut self.form {
            form.push(piece);
        }
    }

    fn value(&mut self, watch: usize, text: &str, complete: bool, content: Range<u64>, at: Spot<'_, '_>) {
        let seen = Seen { watch, text, complete, raw_bytes: content.end - content.start, at };
        let rules = self.rules();
        match self.role(watch) {
            Some(Role::SenderName) => self.see_sender_name(seen),
            Some(Role::SequenceNo) => {
                if let Some(part) = self.part() {
                    part.sequence_no = Some(text.trim().to_owned());
                }
            }
            Some(Role::PreviousNo) => {
                if let Some(part) = self.part() {
                    part.previous_no = Some(text.trim().to_owned());
                }
            }
            Some(Role::Count(of)) => {
                if let Some(envelope) = &mut self.envelope {
                    envelope.counts.push(header::count(of, text, content));
                    envelope.counts.truncate(PARTS);
                }
            }
            Some(Role::TailReference) => {
                if let Some(attachment) = &mut self.attachment {
                    text.trim().clone_into(&mut attachment.reference);
                }
            }
            Some(Role::ShipmentReference) => self.see_shipment_reference(seen, content.end),
            // Zero: no place to write a suffix at.
            Some(Role::FixedReference) => self.see_shipment_reference(seen, 0),
            Some(Role::Reportee) => self.see_reportee(seen),
            Some(role) => {
                if let Some(item) = &mut self.item {
                    item.see(role, seen, rules);
                }
            }
            None => {}
        }
    }

    fn close(&mut self, watch: usize, end: u64, _sound: bool) {
        match self.role(watch) {
            Some(Role::Group) => self.group = None,
            Some(Role::TailAttachment) => self.close_attachment(end),
            Some(Role::FormData) => self.close_form(watch),
            Some(Role::Item(_)) => self.close_item(end),
            _ => {}
        }
    }

    fn finding(&mut self, finding: xsd::Finding) {
        let (code, weight) = kinds::row(finding.kind);
        let Position { line, column, offset } = finding.at;
        let place = Some(Place { line, column, offset, path: finding.path });
        let found = Finding { code, place, item: None, rule: finding.rule.to_owned(), text: finding.text };
        match &mut self.item {
            Some(item) if weight == Weight::Rule => item.refuse(found),
            _ => self.refuse(found, weight),
        }
    }
}

fn for_each_chunk<T>(all: Vec<T>, keep: &mut dyn FnMut(Vec<T>) -> io::Result<()>) -> io::Result<()> {
    if all.len() <= CHUNK {
        return if all.is_empty() { Ok(()) } else { keep(all) };
    }
    let mut rest = all.into_iter();
    loop {
        let chunk: Vec<T> = rest.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        keep(chunk)?;
    }
}

fn is_too_large(head: ByteRange) -> bool {
    head.end.saturating_sub(head.start) > HEAD_BYTES
}

fn nth_index(kind: ItemKind) -> usize {
    match kind {
        ItemKind::Field => 1,
        ItemKind::FormTask
        | ItemKind::Subscription
        | ItemKind::DataUnit
        | ItemKind::Correspondence
        | ItemKind::Confirmation
        | ItemKind::Usage
        | ItemKind::AltUtMessage
        | ItemKind::AltUtConfirmation
        | ItemKind::OnlineResult
        | ItemKind::Recipient
        | ItemKind::Item => 0,
    }
}

const CHUNK: usize = 1_024;
/// What one head may take; it is sent again with every item below it.
const HEAD_BYTES: u64 = 64 * 1024;
/// Parts and references kept of one batch.
const PARTS: usize = 16;
