//! The built-in types, each with its base and what it adds (XSD 1.0 part 2, chapter 3).

use std::borrow::Cow;
use std::sync::Arc;

use super::Space;
use super::facet::{Facet, FacetKind, FacetSource};
use super::lexical::{Form, Prefixes, Primitive};
use super::moment::Shape;
use super::restrict::add_known;
use super::simple::SimpleType;
use super::value::Role;

/// Where no prefix is declared.
pub(super) struct NoPrefixes;

impl Prefixes for NoPrefixes {
    fn namespace(&self, _prefix: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// The primitive types.
const PRIMITIVES: [(&str, Primitive); 19] = [
    ("string", Primitive::String),
    ("boolean", Primitive::Boolean),
    ("decimal", Primitive::Decimal),
    ("float", Primitive::Float),
    ("double", Primitive::Double),
    ("duration", Primitive::Duration),
    ("dateTime", Primitive::Moment(Shape::DateTime)),
    ("time", Primitive::Moment(Shape::Time)),
    ("date", Primitive::Moment(Shape::Date)),
    ("gYearMonth", Primitive::Moment(Shape::YearMonth)),
    ("gYear", Primitive::Moment(Shape::Year)),
    ("gMonthDay", Primitive::Moment(Shape::MonthDay)),
    ("gDay", Primitive::Moment(Shape::Day)),
    ("gMonth", Primitive::Moment(Shape::Month)),
    ("hexBinary", Primitive::Hex),
    ("base64Binary", Primitive::Base64),
    ("anyURI", Primitive::AnyUri),
    ("QName", Primitive::QName),
    ("NOTATION", Primitive::Notation),
];

/// The text types: name, base, white space, texts, and what they say about the document.
const TEXTS: [(&str, &str, Space, Form, Option<Role>); 9] = [
    ("normalizedString", "string", Space::Replace, Form::All, None),
    ("token", "normalizedString", Space::Collapse, Form::All, None),
    ("language", "token", Space::Collapse, Form::Language, None),
    ("NMTOKEN", "token", Space::Collapse, Form::NmToken, None),
    ("Name", "token", Space::Collapse, Form::Name, None),
    ("NCName", "Name", Space::Collapse, Form::NcName, None),
    ("ID", "NCName", Space::Collapse, Form::NcName, Some(Role::Id)),
    ("IDREF", "NCName", Space::Collapse, Form::NcName, Some(Role::IdRef)),
    ("ENTITY", "NCName", Space::Collapse, Form::NcName, Some(Role::Entity)),
];

/// The integer types: name, base, least and most.
const INTEGERS: [(&str, &str, Option<&str>, Option<&str>); 13] = [
    ("integer", "decimal", None, None),
    ("nonPositiveInteger", "integer", None, Some("0")),
    ("negativeInteger", "nonPositiveInteger", None, Some("-1")),
    ("long", "integer", Some("-9223372036854775808"), Some("9223372036854775807")),
    ("int", "long", Some("-2147483648"), Some("2147483647")),
    ("short", "int", Some("-32768"), Some("32767")),
    ("byte", "short", Some("-128"), Some("127")),
    ("nonNegativeInteger", "integer", Some("0"), None),
    ("unsignedLong", "nonNegativeInteger", None, Some("18446744073709551615")),
    ("unsignedInt", "unsignedLong", None, Some("4294967295")),
    ("unsignedShort", "unsignedInt", None, Some("65535")),
    ("unsignedByte", "unsignedShort", None, Some("255")),
    ("positiveInteger", "nonNegativeInteger", Some("1"), None),
];

/// The list types: name and item type.
const LISTS: [(&str, &str); 3] = [("NMTOKENS", "NMTOKEN"), ("IDREFS", "IDREF"), ("ENTITIES", "ENTITY")];

/// A built-in type: its name, its base's, and itself.
pub(in crate::xsd) type Builtin = (&'static str, Option<&'static str>, Arc<SimpleType>);

/// All built-in types, bases before those derived of them; anySimpleType is the first.
pub(super) fn builtins() -> Vec<Builtin> {
    let mut all = vec![("anySimpleType", None, Arc::new(SimpleType::any()))];
    let root = named(&all, "anySimpleType");
    for (name, primitive) in PRIMITIVES {
        all.push((name, Some("anySimpleType"), Arc::new(SimpleType::primitive(&root, name, primitive))));
    }
    for (name, base, space, form, role) in TEXTS {
        let mut derived = SimpleType::known(&named(&all, base), name, form);
        derived.space = space;
        derived.role = role;
        all.push((name, Some(base), Arc::new(derived.ready())));
    }
    for (name, base, least, most) in INTEGERS {
        let mut derived = SimpleType::known(&named(&all, base), name, Form::Integer);
        derived.facets.fraction_digits = Some(Facet { value: 0, fixed: true });
        let ends = [(FacetKind::MinInclusive, least), (FacetKind::MaxInclusive, most)];
        let ends = ends.into_iter().filter_map(|(kind, value)| Some(FacetSource { kind, value: value?, fixed: false }));
        add_known(&mut derived, &ends.collect::<Vec<_>>());
        all.push((name, Some(base), Arc::new(derived.ready())));
    }
    for (name, item) in LISTS {
        let mut list = SimpleType::list(&named(&all, item), name).expect("the items are atomic");
        list.facets.min_length = Some(Facet { value: 1, fixed: false });
        all.push((name, Some("anySimpleType"), Arc::new(list.ready())));
    }
    all
}

fn named(all: &[Builtin], name: &str) -> Arc<SimpleType> {
    let found = all.iter().find(|(known, ..)| *known == name);
    found.map(|(.., simple)| simple.clone()).expect("bases stand before those derived of them")
}
