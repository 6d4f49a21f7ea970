//! XSD 1.0: schemas compiled to tables, documents judged against them as they stream by.
//!
//! # What goes in and out
//!
//! | step | in | out |
//! |---|---|---|
//! | [`Schema::load`], [`Schema::compile`] | schema documents, any encoding of [`xml`](crate::xml) | a [`Schema`], or the first [`SchemaError`] with document, line, column and the rule's official name |
//! | [`Schema::faults`] | the same | what is wrong with it, component by component |
//! | [`Plan::new`] | a schema and paths of elements to hear of | a [`Plan`], shared by any number of validators |
//! | [`Validator`] | bytes of one document, in pieces of any size | calls of an [`Observer`], and an [`End`] |
//! | [`validate`] | a file that can be read from anywhere | the same, judged on several cores |
//! | [`differences`] | two schemas | where they accept different documents |
//!
//! A [`Finding`] has a [`Kind`], the recommendation's name of the rule (`cvc-…`), a path with positions, a text that names
//! elements and never holds a value of the document, and a [`Position`]: line and column from 1, columns in characters,
//! the offset in bytes of the sender's file from 0. How the bytes are cut changes nothing of what is told.
//!
//! ```
//! use std::ops::Range;
//! use std::sync::Arc;
//! use sluse::xsd::{Finding, Limits, Observer, Plan, Schema, SchemaDocument, Spot, Validator, Watch, WatchKind};
//!
//! struct Listing;
//!
//! impl Observer for Listing {
//!     fn open(&mut self, _watch: usize, mut at: Spot<'_, '_>) {
//!         println!("an item begins on line {}", at.position().line);
//!     }
//!     fn value(&mut self, _watch: usize, _text: &str, _complete: bool, _content: Range<u64>, _at: Spot<'_, '_>) {}
//!     fn close(&mut self, _watch: usize, end: u64, sound: bool) {
//!         println!("it ends before byte {end}, sound: {sound}");
//!     }
//!     fn finding(&mut self, finding: Finding) {
//!         println!("{}:{} {} {}", finding.at.line, finding.at.column, finding.rule, finding.text);
//!     }
//! }
//!
//! let bytes = br#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
//!   <xs:element name="Batch"><xs:complexType><xs:sequence>
//!     <xs:element name="Day" type="xs:date" maxOccurs="unbounded"/>
//!   </xs:sequence></xs:complexType></xs:element>
//! </xs:schema>"#;
//! let schema = Schema::compile(&[SchemaDocument { name: "batch.xsd", bytes }])?;
//! let watches = [Watch { path: "/Batch/Day", kind: WatchKind::Element }];
//! let plan = Plan::new(Arc::new(schema), &watches)?;
//! let mut validator = Validator::new(&plan, Limits::default());
//! for piece in [&b"<Batch><Day>2026-11-21</D"[..], b"ay><Day>2026-02-30</Day></Batch>"] {
//!     validator.feed(piece, &mut Listing);
//! }
//! let end = validator.finish(&mut Listing);
//! assert_eq!((end.sound, end.complete, end.findings), (false, true, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory and time
//!
//! Judging needs the depth of nesting, one value at most, and what [`Limits`] allow: keys of identity constraints and IDs
//! are the only things that grow with a document, up to a limit of their own. Nothing recurses on a document, and time is
//! linear in it: where constraints of nested elements lead many ways at once, the steps are counted, and so many are
//! allowed for each byte. A schema is held to [`SchemaLimits`].
//!
//! # After a finding
//!
//! A fault of XML ends the judging. After a fault of the schema it goes on: where the order of an element's children is
//! broken, the rest of them are recognised by name, in any order and without asking for what is missing, so that one
//! mistake is one finding and the items behind it, and the values beside it, are heard all the same. What should have
//! come and did not is told apart from what came late: such a finding waits for the end of the parent.
//!
//! # Where the recommendation is
//!
//! XML Schema 1.0, second edition, with its errata; part 1 is *Structures*, part 2 *Datatypes*. `docs/xsd-conformance.md`
//! says how this is checked and where the W3C's test suite and we differ.
//!
//! | room | what of it |
//! |---|---|
//! | `document` | part 1, 4.2 (include, import, redefine) and the schema for schemas (appendix A) |
//! | `build` | part 1, section 3: what each representation stands for, and the rules `src-…` |
//! | `components` | part 1, sections 2.2 and 3: the components themselves |
//! | `rules` | part 1, appendix C: the constraints on schema components (`cos-…`, `rcase-…`, `…-props-correct`) |
//! | `datatypes` | part 2: values, white space, facets (4.3), regular expressions (appendix F) |
//! | `compile` | content models as deterministic automata with counters |
//! | `judge` | the validation rules `cvc-…`: 3.3.4, 3.4.4, 3.10.4, 3.11.4, 3.14.4, 3.15.5 |

mod build;
mod compile;
mod components;
mod datatypes;
mod diff;
mod document;
mod error;
mod faults;
mod finding;
mod judge;
mod parallel;
mod path;
mod plan;
mod rails;
mod rules;
mod seam;
mod tables;
mod validator;
mod value;

pub use crate::xml::{Position, Spot};
pub use diff::{Difference, DifferenceKind, differences};
pub use document::{Documents, Files, SchemaLimits};
pub use error::{Place, PlanError, SchemaError};
pub use finding::{Finding, Kind};
pub use parallel::{ReadAt, Sharing, validate};
pub use path::PathStep;
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

    /// What is wrong with the schema of some root documents: at most one fault for each of its components, those that
    /// refer to one at fault left aside, and not more than so many. Nothing if it can be loaded.
    pub fn faults(roots: &[&str], documents: &dyn Documents, limits: &SchemaLimits, most: usize) -> Vec<SchemaError> {
        faults::faults(roots, documents, limits, most)
    }
}
