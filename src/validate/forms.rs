//! Form data inside an item, judged by the side while the batch is.

use super::around::Rules;
use super::collector::Collector;

use super::kinds;
use crate::codes;
use crate::formats::{FormData, FormFault};
use crate::model::{Code, Strictness};
use crate::xsd::{Position, Spot};

/// The form data being judged.
pub(super) struct OpenForm {
    data: FormData,
    at: Position,
}

impl Collector<'_> {
    /// Form data begins; it is judged where the route asks for that and nothing is said against the item yet.
    pub(super) fn open_form(&mut self, mut at: Spot<'_, '_>) {
        let rules = self.rules();
        let item = self.item.open().filter(|item| item.has_forms_judged(rules));
        self.form = item.map(|item| OpenForm { data: FormData::new(item.form_schema()), at: at.position() });
    }

    /// Form data ends.
    pub(super) fn close_form(&mut self, watch: usize) {
        let Some(OpenForm { data, at }) = self.form.take() else { return };
        let rules = self.rules();
        if let (Some(item), Some(fault)) = (self.item.open(), data.finish()) {
            item.see_form_fault(fault, (watch, at), rules);
        }
    }
}

impl OpenForm {
    /// Judges the next piece of its text.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.data.push(piece);
    }
}

/// How much form data that is wrong weighs; nothing where no route says so.
pub(super) fn strictness(rules: Rules<'_>) -> Strictness {
    rules.route.map_or(Strictness::Off, |route| route.rules.form_data)
}

/// The code of a fault, and what is said of it: the rule's name and that of the sort, never a value.
pub(super) fn said(fault: FormFault) -> (Code, String) {
    let code = if fault.kind.is_fatal() { codes::FORM_DATA_NOT_XML } else { codes::FORM_DATA_BREAKS_SCHEMA };
    let inner = kinds::code(fault.kind);
    let title = codes::row(inner).map_or("", |row| row.title);
    (code, format!("inside the form's data: {inner}, {title}"))
}
