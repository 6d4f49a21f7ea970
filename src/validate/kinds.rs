//! What the validator finds, as codes of receipts.

use crate::codes;
use crate::model::Code;
use crate::xsd::Kind;

/// The code of a kind of finding, and whether the document cannot be read past it, so that it concerns the shipment
/// wherever it lies.
pub(super) fn code(kind: Kind) -> (Code, bool) {
    match kind {
        Kind::NotXml => (codes::NOT_XML, true),
        Kind::NotWellFormed => (codes::NOT_WELL_FORMED, true),
        Kind::Truncated => (codes::TRUNCATED, true),
        Kind::BadEncoding => (codes::BAD_ENCODING, true),
        Kind::UnsupportedEncoding => (codes::UNSUPPORTED_ENCODING, true),
        Kind::Dtd => (codes::DTD_REFUSED, true),
        Kind::UndeclaredPrefix => (codes::UNDECLARED_PREFIX, true),
        Kind::TooDeep => (codes::TOO_DEEP, true),
        Kind::TooLong => (codes::TOO_LONG, true),
        Kind::TooMany => (codes::TOO_MANY, true),
        Kind::UnknownRoot => (codes::UNKNOWN_ROOT, true),
        Kind::UnexpectedElement => (codes::UNEXPECTED_ELEMENT, false),
        Kind::MissingElement => (codes::MISSING_ELEMENT, false),
        Kind::UnexpectedAttribute => (codes::UNEXPECTED_ATTRIBUTE, false),
        Kind::MissingAttribute => (codes::MISSING_ATTRIBUTE, false),
        Kind::UnexpectedText => (codes::UNEXPECTED_TEXT, false),
        Kind::BadValue => (codes::BAD_VALUE, false),
        Kind::BadLength => (codes::BAD_LENGTH, false),
        Kind::NotInList => (codes::NOT_IN_LIST, false),
        Kind::OutOfRange => (codes::OUT_OF_RANGE, false),
        Kind::BadPattern => (codes::BAD_PATTERN, false),
        Kind::BadNil => (codes::BAD_NIL, false),
        Kind::Other => (codes::SCHEMA_OTHER, false),
    }
}
