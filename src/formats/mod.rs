//! The standard formats: root, item paths, keys, references, rules beyond XSD.
//!
//! A format is data: a [`Format`] names its root and gives each element that means something to us a [`Role`]. Judging
//! and splitting know roles, not element names, so a new format is a folder here and a line in [`ALL`]. Nothing here
//! keeps an item in memory: what is read of one again is its short texts and where its contents lie.

pub mod broker;
mod check_digits;
mod day;
mod decoder;
mod details;
mod detect;
mod error;
mod excerpt;
pub(crate) mod fragment;
mod prefill;
mod redeclare;
mod role;
mod text;

use crate::model::FormatName;
use crate::xsd::Plan;

pub use crate::xml::Encoding;

pub use check_digits::{organisation_check_digit, person_control_digits, reportee};
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
    plan: fn() -> &'static Plan,
}

impl Format {
    /// Schema and watches, compiled at first use.
    pub fn plan(&self) -> &'static Plan {
        (self.plan)()
    }
}

/// Every format.
pub static ALL: [&Format; 1] = [&prefill::FORMAT];

/// The format of a name.
pub fn by_name(name: FormatName) -> &'static Format {
    match name {
        FormatName::Prefill => &prefill::FORMAT,
    }
}
