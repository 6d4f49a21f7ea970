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
mod error;
mod excerpt;
pub(crate) mod fragment;
mod online_receipt;
mod prefill;
mod redeclare;
mod role;
mod text;
mod usagedata;

use std::sync::Arc;

use crate::model::FormatName;
use crate::xsd::{Plan, Schema, SchemaDocument, Watch};

pub use crate::xml::Encoding;

pub use check_digits::{organisation_check_digit, person_control_digits, reportee, reportee_kind};
pub use day::Day;
pub use decoder::{Coding, Decoder};
pub use details::{Details, MOST_PARTS, MOST_TEXT_BYTES, Span, details};
pub use detect::{Detection, detect};
pub use error::ReadItemError;
pub use excerpt::{Excerpt, preamble};
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
    plan: fn() -> &'static Plan,
}

impl Format {
    /// Schema and watches, compiled at first use.
    pub fn plan(&self) -> &'static Plan {
        (self.plan)()
    }
}

/// Every format of documents, those of one name after each other.
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

/// The format of a name; of several the newest. A broker ZIP is no document: see [`broker`].
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
        FormatName::Broker => return None,
    })
}

/// Compiles a format's own schema with the watches of its marks.
fn compiled(name: &str, schema: &[u8], marks: &[Mark]) -> Plan {
    let document = SchemaDocument { name, bytes: schema };
    let schema = Schema::compile(&[document]).expect("the schema is part of the program and compiled by its tests");
    let watches: Vec<Watch> = marks.iter().map(|mark| mark.watch).collect();
    Plan::new(Arc::new(schema), &watches).expect("every path is an element of the schema, as the tests check")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles_and_has_every_path() {
        for format in ALL {
            let _ = format.plan();
            assert!(ALL.iter().any(|known| std::ptr::eq(*known, by_name(format.name).unwrap())));
        }
        assert!(FormatName::ALL.into_iter().all(|name| by_name(name).is_none_or(|format| format.name == name)));
        assert!(by_name(FormatName::Broker).is_none());
    }
}
