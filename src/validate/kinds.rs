//! What the validator finds, as codes of receipts.

use crate::codes;
use crate::model::Code;
use crate::xsd::Kind;

/// How much a finding says about the file: of several, the first of the highest weight is why a shipment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Something in it is wrong; inside an item it concerns the item only.
    Rule,
    /// It is not what it should be, or cannot be read to its end.
    Document,
    /// It asks more of us than any batch may. That it is also no batch is the lesser news.
    Limit,
}

/// The code of a kind of finding.
pub fn code(kind: Kind) -> Code {
    row(kind).0
}

/// The code of a kind of finding and its weight.
pub(super) fn row(kind: Kind) -> (Code, Weight) {
    match kind {
        Kind::NotXml => (codes::NOT_XML, Weight::Document),
        Kind::NotWellFormed => (codes::NOT_WELL_FORMED, Weight::Document),
        Kind::Truncated => (codes::TRUNCATED, Weight::Document),
        Kind::BadEncoding => (codes::BAD_ENCODING, Weight::Document),
        Kind::EncodingContradicted => (codes::ENCODING_CONTRADICTED, Weight::Document),
        Kind::UnsupportedEncoding => (codes::UNSUPPORTED_ENCODING, Weight::Document),
        Kind::Dtd => (codes::DTD_REFUSED, Weight::Document),
        Kind::UndeclaredPrefix => (codes::UNDECLARED_PREFIX, Weight::Document),
        Kind::TooDeep => (codes::TOO_DEEP, Weight::Limit),
        Kind::TagTooLong => (codes::TAG_TOO_LONG, Weight::Limit),
        Kind::NameTooLong => (codes::NAME_TOO_LONG, Weight::Limit),
        Kind::AttributeTooLong => (codes::ATTRIBUTE_TOO_LONG, Weight::Limit),
        Kind::DeclarationTooLong => (codes::DECLARATION_TOO_LONG, Weight::Limit),
        Kind::TooManyAttributes => (codes::TOO_MANY_ATTRIBUTES, Weight::Limit),
        Kind::TooManyNamespaces => (codes::TOO_MANY_NAMESPACES, Weight::Limit),
        Kind::UnknownRoot => (codes::UNKNOWN_ROOT, Weight::Document),
        Kind::UnexpectedElement => (codes::UNEXPECTED_ELEMENT, Weight::Rule),
        Kind::MissingElement => (codes::MISSING_ELEMENT, Weight::Rule),
        Kind::UnexpectedAttribute => (codes::UNEXPECTED_ATTRIBUTE, Weight::Rule),
        Kind::MissingAttribute => (codes::MISSING_ATTRIBUTE, Weight::Rule),
        Kind::UnexpectedText => (codes::UNEXPECTED_TEXT, Weight::Rule),
        Kind::BadValue => (codes::BAD_VALUE, Weight::Rule),
        Kind::BadLength => (codes::BAD_LENGTH, Weight::Rule),
        // It is one value of one item, however large.
        Kind::ValueTooLong => (codes::VALUE_TOO_LONG, Weight::Rule),
        Kind::NotInList => (codes::NOT_IN_LIST, Weight::Rule),
        Kind::OutOfRange => (codes::OUT_OF_RANGE, Weight::Rule),
        Kind::BadPattern => (codes::BAD_PATTERN, Weight::Rule),
        Kind::BadNil => (codes::BAD_NIL, Weight::Rule),
        Kind::TooManyKeys => (codes::TOO_MANY_KEYS, Weight::Limit),
        Kind::DuplicateKey => (codes::DUPLICATE_KEY, Weight::Rule),
        Kind::MissingKey => (codes::MISSING_KEY, Weight::Rule),
        Kind::UnknownKey => (codes::UNKNOWN_KEY, Weight::Rule),
        Kind::Other => (codes::SCHEMA_OTHER, Weight::Rule),
    }
}
