//! XSD 1.0: schemas compiled to tables, documents judged against them as they stream by.
//!
//! [`Schema::compile`] reads schema documents; what it cannot judge by is an error that names it, never left out.
//! A [`Plan`] says which elements somebody wants to hear of; a [`Validator`] takes a document's bytes in pieces of any
//! size and tells an [`Observer`] of them and of everything wrong, with its exact place. Its memory is the depth of
//! nesting, one value at most and the limits; nothing of a finding's text comes from a value of the document.
//!
//! A fault of XML ends the judging. After a fault of the schema it goes on: where the order of an element's children is
//! broken, the rest of them are recognised by name, in any order and without asking for what is missing, so that one
//! mistake is one finding and the items behind it, and the values beside it, are heard all the same. What should have
//! come and did not is told apart from what came late: such a finding waits for the end of the parent.

mod build;
mod compile;
mod components;
mod datatypes;
mod diff;
mod document;
mod error;
mod finding;
mod judge;
mod parallel;
mod plan;
mod rails;
mod rules;
mod seam;
mod tables;
mod validator;
mod value;

pub use crate::xml::Position;
pub use diff::{Difference, DifferenceKind, differences};
pub use document::{Documents, Files, SchemaLimits};
pub use error::{Place, PlanError, SchemaError};
pub use finding::{Finding, Kind};
pub use parallel::{ReadAt, Sharing, validate};
pub use plan::{Plan, Watch, WatchKind};
pub use tables::Schema;
pub use validator::{End, Limits, Observer, Progress, Validator};

/// A schema document.
#[derive(Debug, Clone, Copy)]
pub struct SchemaDocument<'a> {
    /// Its name, as other documents include it and errors show it.
    pub name: &'a str,
    /// Its bytes, in any encoding of the tokenizer.
    pub bytes: &'a [u8],
}

impl Schema {
    /// Compiles the documents of one schema; they need not be in any order, and may include each other by their names.
    pub fn compile(documents: &[SchemaDocument<'_>]) -> Result<Self, SchemaError> {
        let roots: Vec<&str> = documents.iter().map(|document| document.name).collect();
        Self::load(&roots, &document::Given(documents), &SchemaLimits::default())
    }

    /// Compiles the schema of some root documents and of all that they include, import and redefine. A root without a
    /// namespace that another document includes into its own is taken as that part only.
    pub fn load(roots: &[&str], documents: &dyn Documents, limits: &SchemaLimits) -> Result<Self, SchemaError> {
        let documents = document::load(roots, documents, limits)?;
        let components = build::build(&documents, limits)?;
        rules::check(&components)?;
        compile::tables(&components)
    }
}
