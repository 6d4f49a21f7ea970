//! Texts that are valid at a glance: what judging does most.

use std::sync::Arc;

use super::Space;
use super::builtins::NoPrefixes;
use super::facet::{Facet, Facets};
use super::glance::{integer, is_date, is_date_time, is_decimal, is_float, is_name};
use super::lexical::{Form, Primitive};
use super::moment::{Moment, Shape};
use super::pattern::Pattern;
use super::range::Side;
use super::simple::{SimpleType, Variety};
use super::value::Value;
use crate::xml::is_space;

/// How a type's common texts are told; the rest is asked in full.
#[derive(Debug, Clone)]
pub(super) enum Quick {
    Always,
    Never,
    /// Any text of so many characters.
    Text {
        least: u64,
        most: u64,
    },
    /// At most so many digits that make a number within bounds.
    Integer {
        digits: usize,
        least: i64,
        most: i64,
    },
    /// At most so many digits before the point and behind it.
    Decimal {
        whole: u64,
        fraction: u64,
        negative: bool,
    },
    Float,
    Boolean,
    Date,
    DateTime,
    Moment(Shape),
    /// A name of so many characters.
    Name {
        form: Form,
        least: u64,
        most: u64,
    },
    /// One of these texts, sorted.
    Listed(Box<[Box<[u8]>]>),
    /// One of these texts, which are few and short.
    Few(Box<[Short]>),
    /// Besides, patterns that see the text as it is.
    Fits(Box<Quick>, Space, Vec<Arc<Pattern>>),
    /// Any of these types has it.
    Any(Vec<Arc<SimpleType>>),
    /// So many words, each of this type.
    List {
        item: Arc<SimpleType>,
        least: u64,
        most: u64,
    },
}

/// So many digits always fit an `i64`.
const SAFE_DIGITS: u64 = 18;
/// So many texts are sooner gone through than searched.
const FEW: usize = 16;

impl Quick {
    /// What is told at a glance about a type.
    pub(super) fn of(simple: &SimpleType) -> Self {
        let facets = &simple.facets;
        match (&simple.variety, simple.primitive) {
            (Variety::Any, _) => Self::Always,
            // Their values are asked for, not only whether they have one.
            _ if simple.names() => Self::Never,
            (Variety::Union(members), _) if !facets.asks_anything() => Self::Any(members.clone()),
            (Variety::Atomic, Some(_)) if facets.enumeration.is_some() => Self::listed(simple),
            (Variety::Atomic, Some(primitive)) => {
                let quick = Self::without_patterns(simple, primitive);
                if facets.patterns.is_empty() || matches!(quick, Self::Never) {
                    return quick;
                }
                Self::Fits(Box::new(quick), simple.space, facets.patterns.clone())
            }
            (Variety::List(item), _) if facets.enumeration.is_none() && facets.patterns.is_empty() => {
                let (least, most) = lengths(facets);
                Self::List { item: Arc::clone(item), least, most }
            }
            _ => Self::Never,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "no other type has texts that are told at a glance")]
    fn without_patterns(simple: &SimpleType, primitive: Primitive) -> Self {
        let facets = &simple.facets;
        match primitive {
            Primitive::String => Self::text(simple),
            Primitive::Decimal if simple.form == Form::Integer => Self::integer(facets),
            Primitive::Decimal => Self::decimal(facets),
            Primitive::Boolean => Self::Boolean,
            _ if facets.bounds_or_digits() => Self::Never,
            Primitive::Float | Primitive::Double => Self::Float,
            Primitive::Moment(Shape::Date) => Self::Date,
            Primitive::Moment(Shape::DateTime) => Self::DateTime,
            Primitive::Moment(shape) => Self::Moment(shape),
            _ => Self::Never,
        }
    }

    fn text(simple: &SimpleType) -> Self {
        let facets = &simple.facets;
        let (least, most) = lengths(facets);
        match (least, most) {
            _ if simple.form != Form::All => Self::Name { form: simple.form, least, most },
            (0, u64::MAX) => Self::Always,
            // White space that collapses makes a text shorter.
            _ if simple.space == Space::Collapse && least > 0 => Self::Never,
            _ => Self::Text { least, most },
        }
    }

    fn integer(facets: &Facets) -> Self {
        let number = |side, beyond: i64| match facets.range.value(side) {
            Some(Value::Decimal(number)) => number.to_i64(),
            _ => beyond,
        };
        // Bounds of whole numbers are whole. No number of so few digits is at either end of an `i64`.
        let above = number(Side::MinExclusive, i64::MIN).saturating_add(1);
        let below = number(Side::MaxExclusive, i64::MAX).saturating_sub(1);
        let least = number(Side::MinInclusive, i64::MIN).max(above);
        let most = number(Side::MaxInclusive, i64::MAX).min(below);
        let digits = value(&facets.total_digits).unwrap_or(SAFE_DIGITS).min(SAFE_DIGITS);
        Self::Integer { digits: digits as usize, least, most }
    }

    fn decimal(facets: &Facets) -> Self {
        let number = |side| match facets.range.value(side) {
            Some(Value::Decimal(number)) => Some(number),
            _ => None,
        };
        let negative = match (number(Side::MinInclusive), number(Side::MinExclusive)) {
            (None, None) => true,
            (Some(number), None) if number.is_zero() => false,
            _ => return Self::Never,
        };
        // A number with fewer digits before the point than a bound above has is below it.
        let above = [Side::MaxInclusive, Side::MaxExclusive].into_iter().filter_map(number);
        let fewer = above.map(|bound| bound.whole_digits().checked_sub(1)).min().unwrap_or(Some(u64::MAX));
        let Some(fewer) = fewer.filter(|digits| *digits > 0) else { return Self::Never };
        let total = value(&facets.total_digits).unwrap_or(u64::MAX);
        let fraction = value(&facets.fraction_digits).unwrap_or(u64::MAX).min(total);
        // However many stand behind the point, so many before it are not too many.
        let whole = match (total, fraction) {
            (u64::MAX, _) => fewer,
            (total, fraction) => fewer.min(total - fraction),
        };
        Self::Decimal { whole, fraction, negative }
    }

    fn listed(simple: &SimpleType) -> Self {
        let texts = simple.facets.enumeration.iter().flat_map(|listed| &listed.texts);
        // A later step may have ruled some out.
        let texts = texts.filter(|text| simple.value(text, &NoPrefixes).is_ok());
        // In a document, a carriage return as it stands is a line feed.
        let texts = texts.filter(|text| !text.contains('\r'));
        let mut texts: Vec<Box<[u8]>> = texts.map(|text| text.as_bytes().into()).collect();
        texts.sort();
        texts.dedup();
        let short = || texts.iter().map(|text| Short::of(text)).collect::<Option<_>>();
        if texts.len() <= FEW
            && let Some(short) = short()
        {
            return Self::Few(short);
        }
        Self::Listed(texts.into())
    }

    /// Tells whether a text is valid; `false` says nothing.
    #[inline]
    pub(super) fn admits(&self, raw: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Text { least, most } => has_length(raw, *least, *most),
            // A name has no white space, so there is none to settle.
            Self::Name { form, least, most } => has_length(raw, *least, *most) && is_name(raw, *form),
            Self::Integer { digits, least, most } => {
                integer(raw, *digits).is_some_and(|number| (*least..=*most).contains(&number))
            }
            Self::Decimal { whole, fraction, negative } => is_decimal(raw, *whole, *fraction, *negative),
            Self::Float => is_float(raw),
            Self::Moment(shape) => std::str::from_utf8(raw).is_ok_and(|text| Moment::parse(*shape, text).is_some()),
            Self::Boolean => matches!(raw, b"true" | b"false" | b"1" | b"0"),
            Self::Date => is_date(raw),
            Self::DateTime => is_date_time(raw),
            Self::Few(texts) => Short::of(raw).is_some_and(|raw| texts.contains(&raw)),
            Self::Listed(texts) => texts.binary_search_by(|text| text.as_ref().cmp(raw)).is_ok(),
            Self::Fits(quick, space, patterns) => {
                space.keeps(raw) && quick.admits(raw) && patterns.iter().all(|pattern| pattern.fits_raw(raw))
            }
            Self::List { item, least, most } => {
                let mut words = raw.split(|byte| is_space(*byte)).filter(|word| !word.is_empty());
                let mut count = 0;
                words.all(|word| {
                    count += 1;
                    item.surely(word)
                }) && (*least..=*most).contains(&count)
            }
            Self::Any(members) => members.iter().any(|member| member.surely(raw)),
        }
    }
}

/// A text of at most sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    len: usize,
    begin: u64,
    end: u64,
}

impl Short {
    #[inline]
    fn of(raw: &[u8]) -> Option<Self> {
        const WORD: usize = 8;
        let len = raw.len();
        let (begin, end) = match (raw.first_chunk(), raw.last_chunk()) {
            (Some(begin), Some(end)) if len <= 2 * WORD => (u64::from_le_bytes(*begin), u64::from_le_bytes(*end)),
            (Some(_), _) => return None,
            _ => match (raw.first_chunk(), raw.last_chunk()) {
                (Some(begin), Some(end)) => (u32::from_le_bytes(*begin).into(), u32::from_le_bytes(*end).into()),
                _ => (raw.iter().fold(0, |all, byte| all << WORD | u64::from(*byte)), 0),
            },
        };
        Some(Self { len, begin, end })
    }
}

// A character has four bytes at most, and a line end two.
fn has_length(raw: &[u8], least: u64, most: u64) -> bool {
    let len = raw.len() as u64;
    let is_plain = || raw.iter().all(|byte| byte.is_ascii() && *byte != b'\r');
    len <= most && (least == 0 || len / 4 >= least || (len >= least && is_plain()))
}

/// The fewest and the most that the length facets allow.
fn lengths(facets: &Facets) -> (u64, u64) {
    let exact = value(&facets.length);
    let least = value(&facets.min_length).max(exact).unwrap_or(0);
    (least, value(&facets.max_length).unwrap_or(u64::MAX).min(exact.unwrap_or(u64::MAX)))
}

fn value(facet: &Option<Facet<u64>>) -> Option<u64> {
    facet.as_ref().map(|facet| facet.value)
}

impl SimpleType {
    /// How long most of the texts are that are valid at a glance; 0 where there is no telling.
    #[inline]
    pub(in crate::xsd) fn usual_bytes(&self) -> usize {
        if matches!(self.quick, Quick::Date) { "2024-02-29".len() } else { 0 }
    }

    /// Tells at a glance whether a text, its white space and its line ends as they are, is valid; `false` asks for
    /// [`SimpleType::value`].
    #[inline]
    pub(in crate::xsd) fn surely(&self, raw: &[u8]) -> bool {
        self.quick.admits(raw)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::xsd::datatypes::{FacetKind, FacetSource};

    static TYPES: LazyLock<Vec<Arc<SimpleType>>> = LazyLock::new(types);

    /// Every built-in type, and some with facets.
    fn types() -> Vec<Arc<SimpleType>> {
        let mut all: Vec<_> = SimpleType::builtins().into_iter().map(|(.., simple)| simple).collect();
        let steps = [
            ("string", FacetKind::MaxLength, "3"),
            ("string", FacetKind::MinLength, "2"),
            ("string", FacetKind::Length, "2"),
            ("token", FacetKind::MaxLength, "2"),
            ("token", FacetKind::MinLength, "1"),
            ("token", FacetKind::Length, "1"),
            ("NMTOKEN", FacetKind::MinLength, "3"),
            ("NCName", FacetKind::MaxLength, "2"),
            ("double", FacetKind::MinInclusive, "2"),
            ("gYear", FacetKind::MinInclusive, "2000"),
            ("int", FacetKind::MaxExclusive, "10"),
            ("integer", FacetKind::MinInclusive, "100000000000000000000"),
            ("integer", FacetKind::MaxInclusive, "-1"),
            ("integer", FacetKind::TotalDigits, "2"),
            ("decimal", FacetKind::FractionDigits, "1"),
            ("decimal", FacetKind::MinExclusive, "-0.5"),
            ("date", FacetKind::MaxInclusive, "2000-01-01"),
            ("string", FacetKind::Enumeration, " a"),
            ("int", FacetKind::Enumeration, " 12 "),
            ("boolean", FacetKind::Pattern, "[01]"),
            ("string", FacetKind::Pattern, "[0-9 ]{2}"),
            ("token", FacetKind::Pattern, "[a-z]+( [a-z]+)*"),
            ("token", FacetKind::Pattern, " .*|[^æ]*  .*"),
            ("normalizedString", FacetKind::Pattern, ".*\n.*"),
            ("integer", FacetKind::Pattern, "[0-9]{2}"),
            ("decimal", FacetKind::TotalDigits, "2"),
            ("decimal", FacetKind::MinInclusive, "0"),
            ("decimal", FacetKind::MinInclusive, "1"),
        ];
        for (base, kind, value) in steps {
            let base = all.iter().find(|simple| simple.label() == base).unwrap();
            let facet = FacetSource { kind, value, fixed: false };
            all.push(Arc::new(SimpleType::restrict(base, "own", &[facet], &NoPrefixes).unwrap()));
        }
        let parts =
            ["int", "date", "NMTOKEN"].map(|name| all.iter().find(|simple| simple.label() == name).unwrap().clone());
        all.push(Arc::new(SimpleType::union(parts.to_vec(), "either")));
        all
    }

    fn check(text: &str) {
        let sure = |simple: &&Arc<SimpleType>| simple.surely(text.as_bytes());
        let settled = text.replace("\r\n", "\n").replace('\r', "\n");
        for simple in TYPES.iter().filter(sure) {
            let value = simple.value(&settled, &NoPrefixes);
            assert!(value.is_ok(), "{text:?} is surely of {} but {value:?}", simple.label());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn what_is_sure_is_true(text in "\\PC{0,6}|[\r\n ab]{0,5}|[ \t\n]?[-+]?[0-9]{0,20}[.]?[0-9]{0,3}|[ a-zæ]{0,5}|true|[01]|[a-z]{0,9}-[a-z]{0,9}|-?[0-9.]{0,4}[eE][-+]?[0-9]{0,3}| ?12 ?") {
            check(&text);
        }

        #[test]
        fn what_is_surely_a_moment_is_one(
            text in "-?[0-2]?[0-9]{3,4}-[0-3][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,3})?)?(Z|[-+][01][0-9]:[0-6][0-9])?",
        ) {
            check(&text);
        }
    }

    #[test]
    fn common_texts_are_told_at_a_glance() {
        let types = SimpleType::builtins();
        for (name, texts) in [
            ("int", &["0", "-12", "2147483647"][..]),
            ("decimal", &["1.50", "-.5", "3"]),
            ("boolean", &["true", "0"]),
            ("date", &["2024-02-28", "1999-12-01"]),
            ("dateTime", &["2024-02-28T23:59:59", "2024-02-28T23:59:59.123Z", "2024-02-28T00:00:00+01:00"]),
            ("double", &["1.5e-3", "-2", "1E5"]),
            ("time", &["12:00:00Z"]),
            ("NMTOKEN", &["1å:"]),
            ("language", &["nb-NO"]),
            ("string", &["", " å\n"]),
            ("token", &[" å\n"]),
        ] {
            let simple = &types.iter().find(|(known, ..)| *known == name).unwrap().2;
            texts.iter().for_each(|text| assert!(simple.surely(text.as_bytes()), "{name} {text}"));
        }
    }
}
