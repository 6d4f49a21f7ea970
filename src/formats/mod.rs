//! The standard formats: root, item paths, keys, references, rules beyond XSD.
//!
//! A format is data: a [`Format`] names its root and gives each element that means something to us a [`Role`]. Judging
//! and splitting know roles, not element names, so a new format is a folder here and a line in [`ALL`]. Nothing here
//! keeps an item in memory: what is read of one again is its short texts and where its contents lie.

mod altut;
mod altut_confirmations;
pub mod broker;
mod check_digits;
mod confirmations;
mod correspondence;
mod databatch;
mod day;
mod decoder;
mod details;
mod detect;
mod ending;
mod error;
mod excerpt;
mod filling;
mod form;
mod form_schema;
pub(crate) mod fragment;
mod generic;
mod message;
mod moment;
mod online_receipt;
mod prefill;
mod redeclare;
mod role;
mod text;
mod usagedata;

use std::sync::Arc;

use crate::model::{FormatName, GenericFormat, Route};
use crate::xsd::{Plan, Schema, SchemaDocument, Watch};

pub use crate::xml::Encoding;

pub(crate) use check_digits::number;
pub use check_digits::{organisation_check_digit, person_control_digits, reportee, reportee_kind};
pub use databatch::{AttachmentPlace, attachment_place};
pub use day::Day;
pub use decoder::{Coding, Decoder};
pub use details::{Details, MOST_PARTS, MOST_TEXT_BYTES, Span, details};
pub use detect::{Detection, detect};
pub use ending::Ending;
pub use error::ReadItemError;
pub use excerpt::{Excerpt, preamble};
pub use filling::{NoDocument, Placed, fill, form_of};
pub use form::{FormData, FormFault};
pub use form_schema::{form_schema, take_form_schema};
pub use generic::{DescriptionFault, describe, described};
pub use message::messages;
pub use moment::is_time;
pub use role::{Identity, ItemKeys, Mark, Role, Scope};

/// A format as data.
#[derive(Debug)]
pub struct Format {
    /// Its name in configuration.
    pub name: FormatName,
    /// Local name of the root element.
    pub root: &'static str,
    /// Namespace of the root element.
    pub namespace: &'static str,
    /// The elements that mean something to us; a mark's index is its watch's id in the plan.
    pub marks: &'static [Mark],
    /// A batch may be sent that holds no items, so that its number is not missed.
    pub may_be_empty: bool,
    source: Source,
}

/// What becomes of form data while a batch is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    /// It is text.
    PassedBy,
    /// It is judged as the document it is.
    Judged,
}

/// Where a format comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The program; its schema is compiled at first use.
    Own(fn(Forms) -> &'static Plan),
    /// The configuration.
    Described(&'static Plan, &'static GenericFormat),
}

impl Format {
    /// Schema and watches, compiled at first use; where the format has form data, with or without watching it.
    pub fn plan(&self, forms: Forms) -> &'static Plan {
        match self.source {
            Source::Own(plan) => plan(forms),
            Source::Described(plan, _) => plan,
        }
    }

    /// Tells whether a route takes it.
    pub fn is_of(&self, route: &Route) -> bool {
        match self.source {
            Source::Own(_) => route.format == self.name,
            Source::Described(_, format) => route.described.as_deref() == Some(format),
        }
    }

    /// Its name in item keys.
    pub fn word(&self) -> &'static str {
        match self.source {
            Source::Own(_) => self.name.as_str(),
            Source::Described(_, format) => &format.name,
        }
    }

    /// Tells whether it is described so that nothing in an item tells it from the others but its number.
    pub fn numbers_items(&self) -> bool {
        matches!(self.source, Source::Described(_, GenericFormat { reference: None, .. }))
    }
}

/// Every format of documents with a schema of its own, those of one name after each other.
pub static ALL: [&Format; 9] = [
    &prefill::FORMAT,
    &databatch::FORMAT,
    &correspondence::FORMAT,
    &confirmations::OF_2010,
    &confirmations::OF_2009,
    &usagedata::FORMAT,
    &altut::FORMAT,
    &altut_confirmations::FORMAT,
    &online_receipt::FORMAT,
];

/// The format that a document of an unknown root is judged by.
pub static FIRST: &Format = &prefill::FORMAT;

/// The format of a name; of several the newest. A broker ZIP is no document (see [`broker`]), and a described format is not
/// known by a name.
pub fn by_name(name: FormatName) -> Option<&'static Format> {
    Some(match name {
        FormatName::Prefill => &prefill::FORMAT,
        FormatName::DataBatch => &databatch::FORMAT,
        FormatName::Correspondence => &correspondence::FORMAT,
        FormatName::Confirmations => &confirmations::OF_2010,
        FormatName::UsageData => &usagedata::FORMAT,
        FormatName::AltUt => &altut::FORMAT,
        FormatName::AltUtConfirmations => &altut_confirmations::FORMAT,
        FormatName::OnlineReceipt => &online_receipt::FORMAT,
        FormatName::Broker | FormatName::Generic => return None,
    })
}

/// Compiles a format's own schema with the watches of its marks. Those of form data stand behind all others.
fn compiled(name: &str, schema: &[u8], marks: &[Mark], forms: Forms) -> Plan {
    let document = SchemaDocument { name, bytes: schema };
    let schema = Schema::compile(&[document]).expect("the schema is part of the program and compiled by its tests");
    let is_watched = |mark: &&Mark| forms == Forms::Judged || mark.role != Role::FormData;
    let watches: Vec<Watch> = marks.iter().take_while(is_watched).map(|mark| mark.watch).collect();
    Plan::new(Arc::new(schema), &watches).expect("every path is an element of the schema, as the tests check")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles_and_has_every_path() {
        for format in ALL {
            let _ = (format.plan(Forms::PassedBy), format.plan(Forms::Judged));
            assert!(ALL.iter().any(|known| std::ptr::eq(*known, by_name(format.name).unwrap())));
        }
        assert!(FormatName::ALL.into_iter().all(|name| by_name(name).is_none_or(|format| format.name == name)));
        assert!([FormatName::Broker, FormatName::Generic].into_iter().all(|name| by_name(name).is_none()));
    }
}
