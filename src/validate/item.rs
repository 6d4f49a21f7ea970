//! One item while it is judged: what has been seen of it, and what the rules say of that.

use std::borrow::Cow;
use std::sync::Arc;

use crate::codes;
use crate::formats::{self, Day, Identity, ItemKeys, MOST_PARTS, MOST_TEXT_BYTES, Mark, Role};
use crate::model::{AppTarget, ByteRange, Code, Finding, FormatRules, ItemKind, KeyFields, Route, Service, Strictness};
use crate::xsd::{Position, Spot};

use super::family::Family;
use super::index::{Entry, Index};
use super::place::{self, Enclosing};
use super::route;

/// A text that was watched. Like all of what holds texts of a batch here it has no `Debug`: they are never logged.
pub(super) struct Seen<'a, 'l, 'b> {
    /// The element's index among the format's marks.
    pub(super) watch: usize,
    /// Its text, or as much of it as is kept.
    pub(super) text: &'a str,
    /// All of the text is there.
    pub(super) complete: bool,
    /// How much there is of it in the file.
    pub(super) raw_bytes: u64,
    /// Where the element begins.
    pub(super) at: Spot<'l, 'b>,
}

/// An item whose end has not been reached; between items, the memory of the last for the next.
pub(super) struct OpenItem {
    is_open: bool,
    /// What it is.
    pub(super) kind: ItemKind,
    /// Where it begins.
    pub(super) at: Position,
    /// Its mark, and its position among the items of its kind in the group.
    own: Enclosing,
    /// What the schema says against it.
    findings: Vec<Finding>,
    code: Kept,
    edition: Kept,
    reference: String,
    has_reference: bool,
    /// What tells it apart within its part.
    identity: KeyFields,
    identity_bytes: usize,
    valid_from: Option<Day>,
    format_id: String,
    /// Forms and attachments.
    parts: u64,
    /// Forms, in formats that count them.
    forms: u32,
    family: Family,
    /// Bytes of text in the file, that of the reportee's id included.
    text_bytes: u64,
    /// What our own rules say against it, in document order.
    broken: Vec<Broken>,
}

/// By what an item is judged, besides itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The format's elements.
    pub(super) marks: &'static [Mark],
    /// The route, where one is known.
    pub(super) route: Option<&'a Route>,
}

/// What an item came to.
pub(super) struct Closed {
    /// How many forms it holds.
    pub(super) forms: u32,
    /// Why it is refused, if it is.
    pub(super) refused: Option<Code>,
    /// Every finding about it.
    pub(super) findings: Vec<Finding>,
}

/// What surrounds an item that ends.
pub(super) struct Around<'a> {
    /// Its position among the shipment's items, from 1.
    pub(super) number: u64,
    /// Its bytes.
    pub(super) range: ByteRange,
    /// Index of its part.
    pub(super) part: u32,
    /// The group it lies in, where there are groups.
    pub(super) group: Option<&'a Group>,
}

/// The items of one reportee.
pub(super) struct Group {
    /// Its mark, and its position in the part.
    pub(super) own: Enclosing,
    /// Where it begins.
    pub(super) at: Position,
    /// Its head; empty until the reportee's id has ended.
    pub(super) head: ByteRange,
    /// The reportee's id, as far as it was read.
    pub(super) reportee: String,
    /// Bytes of the reportee's id in the file.
    pub(super) text_bytes: u64,
    /// What is wrong with the reportee's id, and whether that only warns.
    pub(super) fault: Option<(Finding, bool)>,
}

/// A text that is kept to the item's end.
#[derive(Default)]
struct Kept {
    /// The item has it.
    is_there: bool,
    text: String,
    complete: bool,
    watch: usize,
    /// Where its element's content begins.
    offset: u64,
    /// The same, where somebody may ask for line and column.
    at: Option<Position>,
}

/// A rule that was broken, at an element of the item.
struct Broken {
    code: Code,
    watch: usize,
    at: Position,
    text: String,
    /// It is told and refuses nothing.
    is_warning: bool,
}

impl Rules<'_> {
    /// How much a rule weighs.
    fn of(&self, rule: impl Fn(&FormatRules) -> Strictness) -> Strictness {
        self.route.map_or(Strictness::Refuse, |route| rule(&route.rules))
    }
}

impl OpenItem {
    /// None yet.
    pub(super) fn none() -> Self {
        Self {
            is_open: false,
            kind: ItemKind::FormTask,
            at: Position::START,
            own: Enclosing { watch: 0, nth: 0 },
            findings: Vec::new(),
            code: Kept::default(),
            edition: Kept::default(),
            reference: String::new(),
            has_reference: false,
            identity: KeyFields::default(),
            identity_bytes: 0,
            valid_from: None,
            format_id: String::new(),
            parts: 0,
            forms: 0,
            family: Family::default(),
            text_bytes: 0,
            broken: Vec::new(),
        }
    }

    /// An item begins.
    pub(super) fn begin(&mut self, kind: ItemKind, at: Position, own: Enclosing) {
        (self.is_open, self.kind, self.at, self.own) = (true, kind, at, own);
        self.findings.clear();
        (self.code.is_there, self.edition.is_there) = (false, false);
        self.reference.clear();
        self.has_reference = false;
        self.identity.clear();
        self.identity_bytes = 0;
        self.valid_from = None;
        self.format_id.clear();
        (self.parts, self.forms, self.text_bytes) = (0, 0, 0);
        self.family.clear();
        self.broken.clear();
    }

    /// The item, if one is open.
    #[inline]
    pub(super) fn open(&mut self) -> Option<&mut Self> {
        if self.is_open { Some(self) } else { None }
    }

    /// Takes note of what the schema says against it.
    pub(super) fn refuse(&mut self, finding: Finding) {
        if self.findings.len() < BROKEN {
            self.findings.push(finding);
        }
    }

    /// What the schema says against it, when the item turns out to be none.
    pub(super) fn give_up(&mut self) -> Vec<Finding> {
        self.is_open = false;
        std::mem::take(&mut self.findings)
    }

    /// Takes note of a text within the item.
    pub(super) fn see(&mut self, role: Role, mut seen: Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.text_bytes = self.text_bytes.saturating_add(seen.raw_bytes);
        match role {
            Role::ServiceCode => self.code.keep(seen.text, &mut seen, rules),
            Role::ServiceEdition => self.edition.keep(seen.text, &mut seen, rules),
            Role::ServiceName => self.see_service_name(&mut seen, rules),
            Role::ItemReportee => self.see_reportee(&mut seen, rules),
            Role::ItemReference => {
                self.refer(seen.text);
                self.identify(&mut seen, rules);
            }
            Role::Form => self.forms = self.forms.saturating_add(1),
            Role::FormReference => self.family.add(seen.text),
            Role::ParentReference => self.family.refer(&mut seen),
            Role::ValidFrom => self.valid_from = Day::parse(seen.text),
            Role::ValidTo => self.see_last_day(&mut seen, rules),
            Role::SendersReference => {
                self.refuse_for(reference_fault(&seen, rules.marks), &mut seen);
                self.refer(seen.text);
            }
            Role::ReceiversReference => self.refuse_for(too_long(&seen, rules.marks, is_long(&seen)), &mut seen),
            Role::Identity => {
                self.refuse_for(empty(&seen, rules.marks), &mut seen);
                self.identify(&mut seen, rules);
            }
            Role::Index => self.identity.add(&plain_number(seen.text)),
            Role::IdentifyingField => self.identify(&mut seen, rules),
            Role::DataFormatId => {
                self.parts += 1;
                self.refuse_for(too_long(&seen, rules.marks, !seen.complete), &mut seen);
                seen.text.clone_into(&mut self.format_id);
            }
            Role::DataFormatVersion => self.see_data_format(&mut seen, rules),
            Role::Attachment => self.see_attachment(&mut seen, rules),
            Role::Root
            | Role::SenderName
            | Role::Part(_)
            | Role::SequenceNo
            | Role::PreviousNo
            | Role::Count(_)
            | Role::Tail
            | Role::TailAttachment
            | Role::TailReference
            | Role::ShipmentReference
            | Role::Group
            | Role::Reportee
            | Role::Item(_)
            | Role::Text => {}
        }
    }

    /// Ends the item and enters it in the index.
    pub(super) fn close(
        &mut self,
        around: &Around<'_>,
        rules: Rules<'_>,
        index: &mut Index,
        keys: &Arc<ItemKeys>,
    ) -> Closed {
        self.is_open = false;
        self.check_parents(rules);
        self.write_identity(around, rules, index.fields());
        let (refused, findings) = self.judged(around, rules);
        let entry = Entry {
            number: around.number,
            part: around.part,
            kind: self.kind,
            range: around.range,
            group: around.group.map(|group| group.head).unwrap_or_default(),
            line: self.at.line,
            column: self.at.column,
            forms: self.forms,
            refused,
        };
        index.push(entry, &self.reference, self.service(), keys);
        Closed { forms: self.forms, refused, findings }
    }

    /// Why it is refused, if it is, and every finding about it.
    fn judged(&mut self, around: &Around<'_>, rules: Rules<'_>) -> (Option<Code>, Vec<Finding>) {
        if self.is_ignored(rules.route) {
            return (Some(codes::IGNORED_SERVICE), Vec::new());
        }
        let by_route = rules.route.and_then(|route| self.refused_by(route));
        let too_large = self.too_large(around);
        let of_reportee = around.group.and_then(|group| group.fault.as_ref());
        let is_sound = self.findings.is_empty() && self.broken.is_empty();
        // As nearly every item is.
        if is_sound && of_reportee.is_none() && by_route.is_none() && too_large.is_none() {
            return (None, Vec::new());
        }
        let finding = |broken: &Broken| self.finding(broken, around, rules);
        let own: Vec<(Finding, bool)> = of_reportee
            .into_iter()
            .cloned()
            .chain(too_large.iter().chain(&by_route).chain(&self.broken).map(finding))
            .collect();
        let by_rule = own.iter().find(|(_, is_warning)| !is_warning).map(|(finding, _)| finding.code);
        let by_schema = self.findings.first().map(|finding| finding.code);
        let mut findings: Vec<Finding> = own.into_iter().map(|(finding, _)| finding).collect();
        findings.append(&mut self.findings);
        findings.iter_mut().for_each(|finding| finding.item = Some(around.number));
        (by_rule.or(by_schema), findings)
    }

    /// What the format's rules or the route's say, and whether that only warns.
    fn finding(&self, broken: &Broken, around: &Around<'_>, rules: Rules<'_>) -> (Finding, bool) {
        let enclosing: Vec<_> = around.group.map(|group| group.own).into_iter().chain([self.own]).collect();
        let place = Some(place::place(rules.marks, broken.watch, broken.at, &enclosing));
        let text = broken.text.clone();
        (Finding { code: broken.code, place, item: None, rule: String::new(), text }, broken.is_warning)
    }

    fn see_last_day(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        if Day::parse(seen.text).zip(self.valid_from).is_some_and(|(to, from)| to < from) {
            let fault = (codes::VALIDITY_REVERSED, "ValidTo lies before ValidFrom".to_owned());
            self.weigh(rules.of(|rules| rules.validity), Some(fault), seen);
        }
    }

    /// A service code and its edition behind the last underscore.
    fn see_service_name(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        let name = seen.text.trim();
        let (code, edition) = name.rsplit_once('_').unwrap_or((name, ""));
        self.code.keep(code, seen, rules);
        self.edition.keep(edition, seen, rules);
        self.identify(seen, rules);
    }

    fn refer(&mut self, text: &str) {
        self.reference.clear();
        self.reference.push_str(cut(text));
        self.has_reference = true;
    }

    fn see_reportee(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        let title = |code| codes::row(code).map(|row| row.title.to_owned()).unwrap_or_default();
        let fault = formats::reportee_kind(seen.text).err().map(|code| (code, title(code)));
        let strictness = match &fault {
            // Without the right form it is nobody's number.
            Some((code, _)) if *code == codes::BAD_REPORTEE_FORM => Strictness::Refuse,
            _ => rules.of(|rules| rules.check_digits),
        };
        self.weigh(strictness, fault, seen);
        self.identify(seen, rules);
    }

    /// Every parent is a form of this item.
    fn check_parents(&mut self, rules: Rules<'_>) {
        let strictness = rules.of(|rules| rules.parents);
        let orphan = self.family.take_orphan().filter(|_| strictness != Strictness::Off && self.broken.len() < BROKEN);
        self.broken.extend(orphan.map(|(watch, at)| Broken {
            code: codes::NO_PARENT,
            watch,
            at,
            text: format!("{} is the reference of no form", place::name(rules.marks, watch)),
            is_warning: strictness == Strictness::Warn,
        }));
    }

    /// Takes note of a broken rule, by how much it weighs on the route.
    fn weigh(&mut self, strictness: Strictness, fault: Option<(Code, String)>, seen: &mut Seen<'_, '_, '_>) {
        let told = self.broken.len();
        if strictness != Strictness::Off {
            self.refuse_for(fault, seen);
        }
        if strictness == Strictness::Warn {
            self.broken.iter_mut().skip(told).for_each(|broken| broken.is_warning = true);
        }
    }

    fn identify(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        // Also a field without text takes memory.
        self.identity_bytes = self.identity_bytes.saturating_add(seen.text.len() + FIELD_BYTES);
        let excess = !seen.complete || self.identity_bytes > IDENTITY_BYTES;
        if !excess {
            self.identity.add(seen.text);
        } else if self.broken.iter().all(|broken| broken.watch != seen.watch) {
            self.refuse_for(too_long(seen, rules.marks, excess), seen);
        }
    }

    fn see_data_format(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.refuse_for(too_long(seen, rules.marks, !seen.complete), seen);
        let told = self.broken.iter().any(|broken| broken.code == codes::UNKNOWN_DATA_FORMAT);
        let unknown = self.app(rules.route).is_some_and(|app| app.data_type(&self.format_id, seen.text).is_none());
        let text = "the route does not know this DataFormatId with this DataFormatVersion".to_owned();
        self.refuse_for((unknown && !told).then_some((codes::UNKNOWN_DATA_FORMAT, text)), seen);
    }

    fn see_attachment(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.parts += 1;
        let told = self.broken.iter().any(|broken| broken.code == codes::NO_ATTACHMENTS_TAKEN);
        let refuses = self.app(rules.route).is_some_and(|app| app.attachment_type.is_none());
        let fault = (codes::NO_ATTACHMENTS_TAKEN, "the service takes no attachments".to_owned());
        self.refuse_for((refuses && !told).then_some(fault), seen);
    }

    /// An item that forwarding could not read in the memory it has.
    #[inline]
    fn too_large(&self, around: &Around<'_>) -> Option<Broken> {
        let of_group = around.group.map_or(0, |group| group.text_bytes);
        let text = match self.text_bytes.saturating_add(of_group) {
            _ if self.parts > MOST_PARTS => format!("the item has more than {MOST_PARTS} forms and attachments"),
            MOST_TEXT_BYTES.. => format!("the item has more than {MOST_TEXT_BYTES} bytes of text outside its forms"),
            _ => return None,
        };
        Some(Broken { code: codes::ITEM_TOO_LARGE, watch: self.own.watch, at: self.at, text, is_warning: false })
    }

    #[inline]
    fn refuse_for(&mut self, fault: Option<(Code, String)>, seen: &mut Seen<'_, '_, '_>) {
        let Some((code, text)) = fault else { return };
        if self.broken.len() < BROKEN {
            self.broken.push(Broken { code, watch: seen.watch, at: seen.at.position(), text, is_warning: false });
        }
    }

    /// Code and edition of its service.
    fn service(&self) -> Option<(&str, &str)> {
        let edition = if self.edition.is_there { self.edition.text.as_str() } else { "" };
        self.code.is_there.then_some((self.code.text.as_str(), edition))
    }

    fn app<'a>(&self, route: Option<&'a Route>) -> Option<&'a AppTarget> {
        route?.services.row(&service_of(self.service()?))?.app.as_ref()
    }

    /// A service that the route ignores: whatever else our rules say of such an item is left unsaid. What breaks the
    /// schema is not, for then nobody knows whether the code was meant.
    fn is_ignored(&self, route: Option<&Route>) -> bool {
        let ignores = |route: &Route| self.service().is_some_and(|(code, _)| route.services.ignores(code));
        self.findings.is_empty() && route.is_some_and(ignores)
    }

    fn refused_by(&self, route: &Route) -> Option<Broken> {
        let cut = [&self.code, &self.edition].into_iter().any(|kept| kept.is_there && !kept.complete);
        let service = self.service().map(service_of);
        let (code, text) = route::refusal(route, self.kind, service.as_ref(), cut)?;
        let (text, is_warning) = (text.to_owned(), false);
        if code != codes::UNKNOWN_SERVICE {
            return Some(Broken { code, watch: self.own.watch, at: self.at, text, is_warning });
        }
        // A code that is not even one by the schema is not also unknown.
        let Kept { watch, at, .. } = Some(&self.code).filter(|kept| kept.is_there && !self.is_said_of(kept.offset))?;
        Some(Broken { code, watch: *watch, at: at.unwrap_or(self.at), text, is_warning })
    }

    fn is_said_of(&self, offset: u64) -> bool {
        let places = self.findings.iter().filter_map(|finding| finding.place.as_ref());
        places.into_iter().any(|place| place.offset == offset)
    }

    fn write_identity(&self, around: &Around<'_>, rules: Rules<'_>, to: &mut KeyFields) {
        let has_own = has_own_reference(self.kind);
        let reportee = around.group.map_or("", |group| &group.reportee);
        let (code, edition) = self.service().unwrap_or_default();
        let first = [reportee, code, edition];
        let (of_group, _) = first.split_at(1);
        let identity = match self.kind {
            _ if self.broken.iter().any(|broken| is_identity(rules.marks, broken.watch)) => {
                Identity::Number(around.number)
            }
            _ if has_own && self.has_reference => Identity::Reference(&self.reference),
            // Past a finding of the schema not all fields have been seen.
            _ if has_own || !self.findings.is_empty() => Identity::Number(around.number),
            ItemKind::OnlineResult => Identity::Number(around.number),
            ItemKind::Subscription => Identity::Fields(&first, &self.identity),
            _ => Identity::Fields(of_group, &self.identity),
        };
        identity.write(to);
    }
}

/// Whether items of the kind have a reference that no other item has.
pub(super) fn has_own_reference(kind: ItemKind) -> bool {
    match kind {
        ItemKind::FormTask | ItemKind::DataUnit | ItemKind::Correspondence => true,
        ItemKind::Field
        | ItemKind::Subscription
        | ItemKind::Confirmation
        | ItemKind::Usage
        | ItemKind::AltUtMessage
        | ItemKind::AltUtConfirmation
        | ItemKind::OnlineResult
        | ItemKind::Recipient => false,
    }
}

fn service_of((code, edition): (&str, &str)) -> Service {
    Service { code: code.to_owned(), edition: edition.to_owned() }
}

impl Kept {
    /// Keeps a text, or a part of it.
    fn keep(&mut self, text: &str, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.text.clear();
        self.text.push_str(text);
        (self.is_there, self.complete, self.watch, self.offset) = (true, seen.complete, seen.watch, seen.at.offset());
        // Only a route says anything against a service.
        self.at = rules.route.map(|_| seen.at.position());
    }
}

/// A number as it is compared: `1`, `+1` and `01` are one; what is none is as nothing.
fn plain_number(text: &str) -> Cow<'_, str> {
    match text.as_bytes() {
        [b'0'..=b'9'] => Cow::Borrowed(text),
        _ => text.trim().parse().map_or(Cow::Borrowed(""), |number: i64| Cow::Owned(number.to_string())),
    }
}

/// What is wrong with a required reference, if something is.
#[inline]
pub(super) fn reference_fault(seen: &Seen<'_, '_, '_>, marks: &'static [Mark]) -> Option<(Code, String)> {
    empty(seen, marks).or_else(|| too_long(seen, marks, is_long(seen)))
}

#[inline]
fn empty(seen: &Seen<'_, '_, '_>, marks: &'static [Mark]) -> Option<(Code, String)> {
    let text = || format!("{} is empty", place::name(marks, seen.watch));
    (seen.complete && seen.text.chars().all(char::is_whitespace)).then(|| (codes::NO_REFERENCE, text()))
}

#[inline]
fn too_long(seen: &Seen<'_, '_, '_>, marks: &'static [Mark], is_so: bool) -> Option<(Code, String)> {
    is_so.then(|| (codes::REFERENCE_TOO_LONG, format!("{} is too long", place::name(marks, seen.watch))))
}

fn is_long(seen: &Seen<'_, '_, '_>) -> bool {
    !seen.complete || cut(seen.text).len() < seen.text.len()
}

/// As much of a reference as is kept.
fn cut(text: &str) -> &str {
    // Most have fewer bytes than that, let alone characters.
    let end = text.len() > REFERENCE_CHARACTERS;
    let end = end.then(|| text.char_indices().nth(REFERENCE_CHARACTERS)).flatten();
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn is_identity(marks: &'static [Mark], watch: usize) -> bool {
    let role = marks.get(watch).map(|mark| mark.role);
    matches!(role, Some(Role::SendersReference | Role::Identity | Role::IdentifyingField))
}

/// What the ledger and every receipt hold of a reference.
const REFERENCE_CHARACTERS: usize = 256;
/// What the fields that identify one item may take together.
const IDENTITY_BYTES: usize = 64 * 1024;
/// What each of them takes besides its text.
const FIELD_BYTES: usize = 32;
/// Broken rules kept of one item; beyond it nothing new is said.
const BROKEN: usize = 32;
