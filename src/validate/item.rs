//! One item while it is judged: what has been seen of it, and what the rules say of that.

mod closing;
mod texts;

use crate::codes;
use crate::formats::{self, Day, FormFault, Role};
use crate::model::{Code, Finding, ItemKind, KeyFields, Strictness};
use crate::xsd::{Plan, Position};

use super::around::{Rules, Seen};
use super::family::Family;
use super::forms;
use super::place::{self, Enclosing};
use texts::{cut, empty, is_long, plain_number, too_long};

pub(super) use closing::has_own_reference;
pub(super) use texts::reference_fault;

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
    /// The rule of a schema within form data.
    rule: &'static str,
    text: String,
    /// It is told and refuses nothing.
    is_warning: bool,
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
            schema: None,
            is_encrypted: false,
            parts: 0,
            forms: 0,
            family: Family::default(),
            text_bytes: 0,
            broken: Vec::new(),
        }
    }

    /// An item begins.
    #[inline]
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
        (self.schema, self.is_encrypted) = (None, false);
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
    pub(super) fn see(&mut self, role: Role, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        self.text_bytes = self.text_bytes.saturating_add(seen.raw_bytes);
        match role {
            Role::ServiceCode => self.code.keep(seen.text, seen, rules),
            Role::ServiceEdition => self.edition.keep(seen.text, seen, rules),
            Role::ServiceName => self.see_service_name(seen, rules),
            Role::ItemReportee => self.see_reportee(seen, rules),
            Role::ItemReference => {
                self.refer(seen.text);
                self.identify(seen, rules);
            }
            Role::FormDataKey => self.is_encrypted = true,
            Role::Form => self.forms = self.forms.saturating_add(1),
            Role::FormReference => self.family.add(seen.text),
            Role::ParentReference => self.family.refer(seen),
            Role::ValidFrom => self.valid_from = Day::parse(seen.text),
            Role::ValidTo => self.see_last_day(seen, rules),
            Role::Moment => self.see_moment(seen, rules),
            Role::SendersReference => {
                self.refuse_for(reference_fault(seen, rules.marks), seen);
                self.refer(seen.text);
            }
            Role::ReceiversReference => self.refuse_for(too_long(seen, rules.marks, is_long(seen)), seen),
            Role::Identity => {
                self.refuse_for(empty(seen, rules.marks), seen);
                self.identify(seen, rules);
            }
            Role::Index => self.identity.add(&plain_number(seen.text)),
            Role::IdentifyingField => self.identify(seen, rules),
            Role::DataFormatId => {
                self.parts += 1;
                self.refuse_for(too_long(seen, rules.marks, !seen.complete), seen);
                seen.text.clone_into(&mut self.format_id);
            }
            Role::DataFormatVersion => self.see_data_format(seen, rules),
            Role::Attachment => self.see_attachment(seen, rules),
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

    fn see_last_day(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        if Day::parse(seen.text).zip(self.valid_from).is_some_and(|(to, from)| to < from) {
            let fault = (codes::VALIDITY_REVERSED, "ValidTo lies before ValidFrom".to_owned());
            self.weigh(rules.of(|rules| rules.validity), Some(fault), seen);
        }
    }

    /// A time that goes into a message; where the item goes elsewhere it stays as it is.
    fn see_moment(&mut self, seen: &mut Seen<'_, '_, '_>, rules: Rules<'_>) {
        if seen.complete
            && !formats::is_time(seen.text)
            && self.row(rules.route).is_some_and(|row| row.message.is_some())
        {
            let text = format!("{} is none between the years 1 and 9999", place::name(rules.marks, seen.watch));
            self.break_rule((codes::MESSAGE_TIME, text), seen);
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
        let schema = self.row(rules.route).and_then(|row| row.form_schema(&self.format_id, seen.text));
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

    #[inline]
    fn refuse_for(&mut self, fault: Option<(Code, String)>, seen: &mut Seen<'_, '_, '_>) {
        if let Some(fault) = fault {
            self.break_rule(fault, seen);
        }
    }

    #[cold]
    fn break_rule(&mut self, (code, text): (Code, String), seen: &mut Seen<'_, '_, '_>) {
        if self.broken.len() < BROKEN {
            let at = seen.at.position();
            self.broken.push(Broken { code, watch: seen.watch, at, rule: "", text, is_warning: false });
        }
    }
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

fn is_of_form_data(code: Code) -> bool {
    code == codes::FORM_DATA_NOT_XML || code == codes::FORM_DATA_BREAKS_SCHEMA
}

/// What the fields that identify one item may take together.
const IDENTITY_BYTES: usize = 64 * 1024;
/// What each of them takes besides its text.
const FIELD_BYTES: usize = 32;
/// Broken rules kept of one item; beyond it nothing new is said.
const BROKEN: usize = 32;
