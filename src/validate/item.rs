//! One item while it is judged: what has been seen of it, and what the rules say of that.

use crate::codes;
use crate::formats::{self, Day, FormFault, Identity, MOST_PARTS, MOST_TEXT_BYTES, Mark, Role};
use crate::model::{
    AppTarget, ByteRange, Code, Finding, FormatRules, ItemKey, ItemKind, KeyFields, NewItem, Route, Service, Strictness,
};
use crate::xsd::{Plan, Position, Spot};

use super::family::Family;
use super::forms;
use super::place::{self, Enclosing};
use super::route;
use super::texts::Texts;

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

/// An item whose end has not been reached.
pub(super) struct OpenItem {
    /// What it is.
    pub(super) kind: ItemKind,
    /// Where it begins.
    pub(super) at: Position,
    /// Its mark, and its position among the items of its kind in the group.
    pub(super) own: Enclosing,
    /// What the schema says against it.
    findings: Vec<Finding>,
    code: Option<Kept>,
    edition: Option<Kept>,
    reference: Option<String>,
    /// What tells it apart within its part.
    identity: Texts,
    identity_bytes: usize,
    valid_from: Option<Day>,
    format_id: String,
    /// The schema of the form at hand.
    schema: Option<&'static Plan>,
    /// Its forms' data is encrypted.
    is_encrypted: bool,
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

#[derive(Clone)]
struct Kept {
    text: String,
    complete: bool,
    watch: usize,
    at: Position,
}

/// A rule that was broken, at an element of the item.
struct Broken {
    code: Code,
    watch: usize,
    at: Position,
    /// The rule of a schema within form data.
    rule: &'static str,
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
    /// An item that begins; `memory` is what an earlier one left.
    pub(super) fn new(kind: ItemKind, at: Position, own: Enclosing, memory: Texts) -> Self {
        Self {
            kind,
            at,
            own,
            findings: Vec::new(),
            code: None,
            edition: None,
            reference: None,
            identity: memory.cleared(),
            identity_bytes: 0,
            valid_from: None,
            format_id: String::new(),
            schema: None,
            is_encrypted: false,
            parts: 0,
            forms: 0,
            family: Family::default(),
            text_bytes: 0,
            broken: Vec::new(),
        }
    }

    /// Takes note of what the schema says against it.
    pub(super) fn refuse(&mut self, finding: Finding) {
        if self.findings.len() < BROKEN {
            self.findings.push(finding);
        }
    }

    /// What the schema says against it, when the item turns out to be none.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Takes note of a text within the item.
    pub(super) fn see(&mut self, role: Role, mut seen: Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.text_bytes = self.text_bytes.saturating_add(seen.raw_bytes);
        match role {
            Role::ServiceCode => self.code = Some(Kept::new(&mut seen)),
            Role::ServiceEdition => self.edition = Some(Kept::new(&mut seen)),
            Role::ServiceName => self.see_service_name(&mut seen, rules),
            Role::ItemReportee => self.see_reportee(&mut seen, rules),
            Role::ItemReference => {
                self.reference = Some(cut(seen.text).to_owned());
                self.identify(&mut seen, rules);
            }
            Role::FormDataKey => self.is_encrypted = true,
            Role::Form => self.forms = self.forms.saturating_add(1),
            Role::FormReference => self.family.add(seen.text),
            Role::ParentReference => self.family.refer(&mut seen),
            Role::ValidFrom => self.valid_from = Day::parse(seen.text),
            Role::ValidTo => self.see_last_day(&mut seen, rules),
            Role::SendersReference => {
                self.refuse_for(reference_fault(&seen, rules.marks), &mut seen);
                self.reference = Some(cut(seen.text).to_owned());
            }
            Role::ReceiversReference => self.refuse_for(too_long(&seen, rules.marks, is_long(&seen)), &mut seen),
            Role::Identity => {
                self.refuse_for(empty(&seen, rules.marks), &mut seen);
                self.identify(&mut seen, rules);
            }
            // `1`, `+1` and `01` are one number.
            Role::Index => {
                let number: Result<i64, _> = seen.text.trim().parse();
                match number {
                    Ok(number) => self.identity.push_number(number),
                    Err(_) => self.identity.push(""),
                }
            }
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
            | Role::FixedReference
            | Role::Group
            | Role::Reportee
            | Role::Item(_)
            | Role::FormData
            | Role::Text => {}
        }
    }

    /// The memory it leaves to the next item.
    pub(super) fn take_memory(&mut self) -> Texts {
        std::mem::take(&mut self.identity)
    }

    /// Ends the item: as it goes on but for its key, of what that is to be made, and every finding about it.
    pub(super) fn close(
        &mut self,
        around: &Around<'_>,
        rules: Rules<'_>,
        key: &mut KeyFields,
    ) -> (NewItem, Vec<Finding>) {
        self.check_parents(rules);
        self.check_reference(rules);
        self.identity(around, rules).write(key);
        let ignored = self.is_ignored(rules.route);
        let mut findings = if ignored { Vec::new() } else { self.own_findings(around, rules) };
        let by_schema = self.findings.first().map(|finding| finding.code);
        let refused = findings.iter().find(|(_, is_warning)| !is_warning).map(|(finding, _)| finding.code);
        let mut findings: Vec<Finding> = findings.drain(..).map(|(finding, _)| finding).collect();
        findings.append(&mut self.findings);
        findings.iter_mut().for_each(|finding| finding.item = Some(around.number));
        let refused = refused.or(by_schema).or(ignored.then_some(codes::IGNORED_SERVICE));
        let item = NewItem {
            number: around.number,
            part: around.part,
            kind: self.kind,
            key: ItemKey::NONE,
            range: around.range,
            group: around.group.map(|group| group.head).unwrap_or_default(),
            line: self.at.line,
            column: self.at.column,
            service: self.code.take().map(|code| service_of(code.text, self.edition.take())),
            senders_reference: self.reference.take().unwrap_or_default(),
            forms: self.forms,
            refused,
        };
        (item, findings)
    }

    fn see_last_day(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        let reversed = Day::parse(seen.text).zip(self.valid_from).is_some_and(|(to, from)| to < from);
        let fault = (codes::VALIDITY_REVERSED, "ValidTo lies before ValidFrom".to_owned());
        self.weigh(rules.of(|rules| rules.validity), reversed.then_some(fault), seen);
    }

    /// A service code and its edition behind the last underscore.
    fn see_service_name(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        let name = seen.text.trim();
        let (code, edition) = name.rsplit_once('_').unwrap_or((name, ""));
        let (at, complete, watch) = (seen.at.position(), seen.complete, seen.watch);
        self.code = Some(Kept { text: code.to_owned(), complete, watch, at });
        self.edition = Some(Kept { text: edition.to_owned(), complete, watch, at });
        self.identify(seen, rules);
    }

    fn see_reportee(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        let title = |code| codes::row(code).map(|row| row.title.to_owned()).unwrap_or_default();
        let fault = formats::reportee(seen.text).err().map(|code| (code, title(code)));
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
            rule: "",
            text: format!("{} is the reference of no form", place::name(rules.marks, watch)),
            is_warning: strictness == Strictness::Warn,
        }));
    }

    /// A reference that a description names and the schema lets be missing: nothing would tell the item from the rest.
    fn check_reference(&mut self, rules: Rules<'_>) {
        if self.kind != ItemKind::Item || !self.findings.is_empty() || self.reference.is_some() {
            return;
        }
        let Some(watch) = rules.marks.iter().position(|mark| mark.role == Role::SendersReference) else { return };
        let text = format!("{} is missing", place::name(rules.marks, watch));
        let (watch, at) = (self.own.watch, self.at);
        self.broken.push(Broken { code: codes::NO_REFERENCE, watch, at, rule: "", text, is_warning: false });
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
            self.identity.push(seen.text);
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
        let row = rules.route.and_then(|route| route.services.row(&self.service()?));
        let schema = row.and_then(|row| row.form_schema(&self.format_id, seen.text));
        self.schema = schema.and_then(formats::form_schema);
    }

    /// Whether there is a point in judging form data: one finding about it is told of an item, and none of an item that
    /// is not looked at.
    pub(super) fn has_forms_judged(&self, rules: Rules<'_>) -> bool {
        forms::strictness(rules) != Strictness::Off
            && self.findings.is_empty()
            && !self.is_ignored(rules.route)
            && self.broken.iter().all(|broken| !is_of_form_data(broken.code))
    }

    /// The schema of the form at hand. Encrypted fields are not what it says of them.
    pub(super) fn form_schema(&self) -> Option<&'static Plan> {
        self.schema.filter(|_| !self.is_encrypted)
    }

    /// Takes note of what is wrong with a form's data.
    pub(super) fn see_form_fault(&mut self, fault: FormFault, (watch, at): (usize, Position), rules: Rules<'_>) {
        let (code, text) = forms::said(fault);
        let is_warning = forms::strictness(rules) == Strictness::Warn;
        if self.findings.is_empty() && self.broken.len() < BROKEN {
            self.broken.push(Broken { code, watch, at, rule: fault.rule, text, is_warning });
        }
    }

    fn see_attachment(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.parts += 1;
        let told = self.broken.iter().any(|broken| broken.code == codes::NO_ATTACHMENTS_TAKEN);
        let refuses = self.app(rules.route).is_some_and(|app| app.attachment_type.is_none());
        let fault = (codes::NO_ATTACHMENTS_TAKEN, "the service takes no attachments".to_owned());
        self.refuse_for((refuses && !told).then_some(fault), seen);
    }

    /// An item that forwarding could not read in the memory it has.
    fn too_large(&self, around: &Around<'_>) -> Option<Broken> {
        let of_group = around.group.map_or(0, |group| group.text_bytes);
        let text = match self.text_bytes.saturating_add(of_group) {
            _ if self.parts > MOST_PARTS => format!("the item has more than {MOST_PARTS} forms and attachments"),
            MOST_TEXT_BYTES.. => format!("the item has more than {MOST_TEXT_BYTES} bytes of text outside its forms"),
            _ => return None,
        };
        Some(self.broken_at_start(codes::ITEM_TOO_LARGE, text))
    }

    fn broken_at_start(&self, code: Code, text: String) -> Broken {
        Broken { code, watch: self.own.watch, at: self.at, rule: "", text, is_warning: false }
    }

    fn refuse_for(&mut self, fault: Option<(Code, String)>, seen: &mut Seen<'_, '_, '_>) {
        let fault = fault.filter(|_| self.broken.len() < BROKEN);
        self.broken.extend(fault.map(|(code, text)| Broken {
            code,
            watch: seen.watch,
            at: seen.at.position(),
            rule: "",
            text,
            is_warning: false,
        }));
    }

    fn service(&self) -> Option<Service> {
        self.code.as_ref().map(|code| service_of(code.text.clone(), self.edition.clone()))
    }

    fn app<'a>(&self, route: Option<&'a Route>) -> Option<&'a AppTarget> {
        route?.services.row(&self.service()?)?.app.as_ref()
    }

    /// A service that the route ignores: whatever else our rules say of such an item is left unsaid. What breaks the
    /// schema is not, for then nobody knows whether the code was meant.
    fn is_ignored(&self, route: Option<&Route>) -> bool {
        let ignores = |route: &Route| self.code.as_ref().is_some_and(|code| route.services.ignores(&code.text));
        self.findings.is_empty() && route.is_some_and(ignores)
    }

    /// What the format's rules and the route's say, in document order, and whether that only warns.
    fn own_findings(&self, around: &Around<'_>, rules: Rules<'_>) -> Vec<(Finding, bool)> {
        let finding = |broken: &Broken| {
            let enclosing: Vec<_> = around.group.map(|group| group.own).into_iter().chain([self.own]).collect();
            let place = Some(place::place(rules.marks, broken.watch, broken.at, &enclosing));
            let text = broken.text.clone();
            (Finding { code: broken.code, place, item: None, rule: broken.rule.to_owned(), text }, broken.is_warning)
        };
        let by_route = rules.route.and_then(|route| self.refused_by(route, self.service().as_ref()));
        let too_large = self.too_large(around);
        let of_reportee = around.group.and_then(|group| group.fault.clone()).into_iter();
        of_reportee
            .chain(too_large.iter().map(finding))
            .chain(by_route.iter().map(finding))
            .chain(self.broken.iter().map(finding))
            .collect()
    }

    fn refused_by(&self, route: &Route, service: Option<&Service>) -> Option<Broken> {
        let cut = [&self.code, &self.edition].into_iter().flatten().any(|kept| !kept.complete);
        let (code, text) = route::refusal(route, self.kind, service, cut)?;
        if code != codes::UNKNOWN_SERVICE {
            return Some(self.broken_at_start(code, text.to_owned()));
        }
        // A code that is not even one by the schema is not also unknown.
        let of_code = self.code.as_ref().filter(|code| !self.is_said_of(code.at))?;
        let (watch, at, text) = (of_code.watch, of_code.at, text.to_owned());
        Some(Broken { code, watch, at, rule: "", text, is_warning: false })
    }

    fn is_said_of(&self, at: Position) -> bool {
        let places = self.findings.iter().filter_map(|finding| finding.place.as_ref());
        places.into_iter().any(|place| place.offset == at.offset)
    }

    fn identity<'a>(&'a self, around: &Around<'a>, rules: Rules<'_>) -> Identity<'a, impl Iterator<Item = &'a str>> {
        if self.broken.iter().any(|broken| is_identity(rules.marks, broken.watch)) {
            return Identity::Number(around.number);
        }
        match (has_own_reference(self.kind), &self.reference) {
            (true, Some(reference)) => Identity::Reference(reference),
            // Past a finding of the schema not all fields have been seen.
            (false, _) if self.findings.is_empty() && self.kind != ItemKind::OnlineResult => {
                Identity::Fields(self.fields(around))
            }
            _ => Identity::Number(around.number),
        }
    }

    fn fields<'a>(&'a self, around: &Around<'a>) -> impl Iterator<Item = &'a str> {
        let text = |kept: &'a Option<Kept>| kept.as_ref().map_or("", |kept| &kept.text);
        let edition = if self.code.is_some() { text(&self.edition) } else { "" };
        let of_service = (self.kind == ItemKind::Subscription).then(|| [text(&self.code), edition]);
        let reportee = around.group.map_or("", |group| group.reportee.as_str());
        [reportee].into_iter().chain(of_service.into_iter().flatten()).chain(self.identity.iter())
    }
}

/// Whether items of the kind have a reference that no other item has.
pub(super) fn has_own_reference(kind: ItemKind) -> bool {
    match kind {
        ItemKind::FormTask | ItemKind::DataUnit | ItemKind::Correspondence | ItemKind::Item => true,
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

fn service_of(code: String, edition: Option<Kept>) -> Service {
    Service { code, edition: edition.map(|edition| edition.text).unwrap_or_default() }
}

impl Kept {
    fn new(seen: &mut Seen<'_, '_, '_>) -> Self {
        Self { text: seen.text.to_owned(), complete: seen.complete, watch: seen.watch, at: seen.at.position() }
    }
}

/// What is wrong with a required reference, if something is.
pub(super) fn reference_fault(seen: &Seen<'_, '_, '_>, marks: &'static [Mark]) -> Option<(Code, String)> {
    empty(seen, marks).or_else(|| too_long(seen, marks, is_long(seen)))
}

fn empty(seen: &Seen<'_, '_, '_>, marks: &'static [Mark]) -> Option<(Code, String)> {
    let text = || format!("{} is empty", place::name(marks, seen.watch));
    (seen.complete && seen.text.trim().is_empty()).then(|| (codes::NO_REFERENCE, text()))
}

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

fn is_of_form_data(code: Code) -> bool {
    code == codes::FORM_DATA_NOT_XML || code == codes::FORM_DATA_BREAKS_SCHEMA
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
