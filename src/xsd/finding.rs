//! What is wrong in a document, as data.

use crate::xml::{Fault, FaultKind, Position};

/// Something wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which sort.
    pub kind: Kind,
    /// The recommendation's name of the rule (`cvc-…`); empty for faults of XML.
    pub rule: &'static str,
    /// Where.
    pub at: Position,
    /// Path with positions: `/ServiceOwner/Prefill/Reportee[17]/FormTask[1]/ValidFrom`.
    pub path: String,
    /// What was expected and found, by names; never a value.
    pub text: String,
}

/// The sorts of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It does not begin as XML does.
    NotXml,
    /// A rule of XML is broken.
    NotWellFormed,
    /// It ends before its root element does.
    Truncated,
    /// The bytes do not fit the encoding.
    BadEncoding,
    /// The declaration names another encoding than that of the bytes.
    EncodingContradicted,
    /// The encoding is none we read.
    UnsupportedEncoding,
    /// It has a DOCTYPE.
    Dtd,
    /// A prefix is not declared.
    UndeclaredPrefix,
    /// Elements are nested too deeply.
    TooDeep,
    /// A tag is longer than the limit.
    TagTooLong,
    /// A name is longer than the limit.
    NameTooLong,
    /// An attribute's value is longer than the limit.
    AttributeTooLong,
    /// The XML declaration is longer than the limit.
    DeclarationTooLong,
    /// A tag has more attributes than the limit.
    TooManyAttributes,
    /// There are more namespace declarations than the limit.
    TooManyNamespaces,
    /// The schema has no such root element.
    UnknownRoot,
    /// An element stands where it may not.
    UnexpectedElement,
    /// A required element is missing.
    MissingElement,
    /// An attribute is not allowed.
    UnexpectedAttribute,
    /// A required attribute is missing.
    MissingAttribute,
    /// Text stands where it may not.
    UnexpectedText,
    /// A value is not of its type.
    BadValue,
    /// A value is too short or too long.
    BadLength,
    /// A value is too long to be judged.
    ValueTooLong,
    /// A value is not one of those listed.
    NotInList,
    /// A value is outside its range.
    OutOfRange,
    /// A value does not fit its pattern.
    BadPattern,
    /// `xsi:nil` is used wrongly.
    BadNil,
    /// Values that must be unique stand twice, or a field of a key does.
    DuplicateKey,
    /// A part of a key is missing.
    MissingKey,
    /// A reference leads to nothing.
    UnknownKey,
    /// There are more keys or references than the limit; no more of them are judged.
    TooManyKeys,
    /// Another rule of the schema is broken.
    Other,
}

impl Kind {
    /// Tells whether it is of XML, not of the schema; judging ends with such a one.
    pub fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::NotXml
                | Self::NotWellFormed
                | Self::Truncated
                | Self::BadEncoding
                | Self::EncodingContradicted
                | Self::UnsupportedEncoding
                | Self::Dtd
                | Self::UndeclaredPrefix
                | Self::TooDeep
                | Self::TagTooLong
                | Self::NameTooLong
                | Self::AttributeTooLong
                | Self::DeclarationTooLong
                | Self::TooManyAttributes
                | Self::TooManyNamespaces
        )
    }
}

impl From<FaultKind> for Kind {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::NotXml => Self::NotXml,
            FaultKind::NotWellFormed => Self::NotWellFormed,
            FaultKind::Truncated => Self::Truncated,
            FaultKind::BadEncoding => Self::BadEncoding,
            FaultKind::EncodingContradicted => Self::EncodingContradicted,
            FaultKind::UnsupportedEncoding => Self::UnsupportedEncoding,
            FaultKind::Dtd => Self::Dtd,
            FaultKind::UndeclaredPrefix => Self::UndeclaredPrefix,
            FaultKind::TooDeep => Self::TooDeep,
            FaultKind::TagTooLong => Self::TagTooLong,
            FaultKind::NameTooLong => Self::NameTooLong,
            FaultKind::AttributeTooLong => Self::AttributeTooLong,
            FaultKind::DeclarationTooLong => Self::DeclarationTooLong,
            FaultKind::TooManyAttributes => Self::TooManyAttributes,
            FaultKind::TooManyNamespaces => Self::TooManyNamespaces,
        }
    }
}

impl Finding {
    pub(super) fn fault(fault: Fault, path: String) -> Self {
        Self { kind: fault.kind.into(), rule: "", at: fault.at, path, text: fault.text }
    }
}
