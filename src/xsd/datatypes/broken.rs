//! What is wrong with a value.

use crate::xsd::finding::Kind;

/// What is wrong with a value, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xsd) struct Broken {
    pub(in crate::xsd) kind: Kind,
    pub(in crate::xsd) rule: &'static str,
    pub(in crate::xsd) text: String,
}

impl Broken {
    pub(in crate::xsd) fn new(kind: Kind, rule: &'static str, text: impl Into<String>) -> Self {
        Self { kind, rule, text: text.into() }
    }

    /// The text is none of an atomic type's.
    pub(super) fn of(label: &str) -> Self {
        Self::new(Kind::BadValue, "cvc-datatype-valid.1.2.1", format!("the value is not of type {label}"))
    }
}
