//! Why a schema cannot be compiled, or a watch not be set.

use std::fmt;

use crate::xml::{Fault, Position};

/// A place in a schema document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The document's name.
    pub document: String,
    /// Where in it.
    pub at: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.document, self.at.line, self.at.column)
    }
}

/// Why a schema cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A document is no XML.
    #[error("{document}: {fault}")]
    NotXml {
        /// The document's name.
        document: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The schema breaks a rule of the recommendation.
    #[error("{place}: {rule}: {problem}")]
    Invalid {
        /// Where.
        place: Place,
        /// The rule by its official name, like `src-resolve` or `s4s-att-not-allowed`.
        rule: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A document that is needed cannot be read.
    #[error("{place}: the document {location} cannot be read")]
    Missing {
        /// Where it is asked for; for a root, the beginning of the root.
        place: Place,
        /// Its location as written.
        location: String,
    },
    /// The schema passes a limit.
    #[error("{place}: {problem}")]
    TooLarge {
        /// Where.
        place: Place,
        /// What there is too much of.
        problem: String,
    },
    /// There is nothing to compile.
    #[error("no schema document was given")]
    Empty,
}

impl SchemaError {
    /// A broken rule.
    pub(super) fn invalid(place: Place, rule: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { place, rule, problem: problem.into() }
    }
}

/// Why a watch cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The schema has no element at the path.
    #[error("the schema has no element at {path}: {step} is unknown")]
    NoSuchPath {
        /// The path asked for.
        path: String,
        /// Its first step that leads nowhere.
        step: String,
    },
    /// The value of an element with child elements is asked for.
    #[error("the element at {path} has no simple value")]
    NoValue {
        /// The path asked for.
        path: String,
    },
}
