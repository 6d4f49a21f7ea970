//! Texts that are valid at a glance: what judging does most.

use super::Space;
use super::builtins::NoPrefixes;
use super::facet::{Bound, Facet, Facets};
use super::lexical::{Form, Primitive};
use super::moment::Shape;
use super::simple::{SimpleType, Variety};
use super::value::Value;

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
    /// Digits that make a number within bounds.
    Integer {
        least: i64,
        most: i64,
    },
    Decimal,
    Boolean,
    Date,
    DateTime,
    /// One of these texts, sorted.
    Listed(Box<[Box<[u8]>]>),
}

/// So many digits always fit an `i64`.
const SAFE_DIGITS: usize = 18;

impl Quick {
    /// What is told at a glance about a type.
    pub(super) fn of(simple: &SimpleType) -> Self {
        let (Variety::Atomic, Some(primitive)) = (&simple.variety, simple.primitive) else {
            return if matches!(simple.variety, Variety::Any) { Self::Always } else { Self::Never };
        };
        let facets = &simple.facets;
        if simple.role.is_some() {
            return Self::Never;
        }
        if facets.enumeration.is_some() {
            return Self::listed(simple, primitive);
        }
        if !facets.patterns.is_empty() {
            return Self::Never;
        }
        match primitive {
            Primitive::String if simple.form == Form::All => Self::text(simple),
            Primitive::Decimal if simple.form == Form::Integer => Self::integer(facets),
            Primitive::Decimal if !facets.bounds_or_digits() => Self::Decimal,
            Primitive::Boolean => Self::Boolean,
            Primitive::Moment(Shape::Date) if !facets.bounds_or_digits() => Self::Date,
            Primitive::Moment(Shape::DateTime) if !facets.bounds_or_digits() => Self::DateTime,
            _ => Self::Never,
        }
    }

    fn text(simple: &SimpleType) -> Self {
        let facets = &simple.facets;
        let bound = |facet: &Option<Facet<u64>>| facet.as_ref().map(|facet| facet.value);
        let exact = bound(&facets.length);
        let least = bound(&facets.min_length).max(exact).unwrap_or(0);
        let most = bound(&facets.max_length).unwrap_or(u64::MAX).min(exact.unwrap_or(u64::MAX));
        match (least, most) {
            (0, u64::MAX) => Self::Always,
            // The white space that collapses makes a text shorter.
            _ if simple.space == Space::Collapse && least > 0 => Self::Never,
            _ => Self::Text { least, most },
        }
    }

    fn integer(facets: &Facets) -> Self {
        // Bounds of whole numbers are whole; where they are not, or too large for us, the value is asked in full.
        if facets.total_digits.is_some() {
            return Self::Never;
        }
        let number = |bound: &Option<Facet<Bound>>, beyond: i64| match bound.as_ref() {
            None => Some(beyond),
            Some(bound) => match &bound.value.value {
                Value::Decimal(number) => Some(number.to_i64()),
                _ => None,
            },
        };
        let least = number(&facets.min_inclusive, i64::MIN);
        let above = number(&facets.min_exclusive, i64::MIN).map(|above| above.saturating_add(1));
        let most = number(&facets.max_inclusive, i64::MAX);
        let below = number(&facets.max_exclusive, i64::MAX).map(|below| below.saturating_sub(1));
        match (least.max(above), most.min(below)) {
            (Some(least), Some(most)) => Self::Integer { least, most },
            _ => Self::Never,
        }
    }

    fn listed(simple: &SimpleType, primitive: Primitive) -> Self {
        let facets = &simple.facets;
        if matches!(primitive, Primitive::QName | Primitive::Notation) {
            return Self::Never;
        }
        let texts = facets.enumeration.iter().flat_map(|listed| &listed.texts);
        // A later step may have ruled some out.
        let texts = texts.filter(|text| simple.value(text, &NoPrefixes).is_ok());
        let mut texts: Vec<Box<[u8]>> = texts.map(|text| text.as_bytes().into()).collect();
        texts.sort();
        texts.dedup();
        Self::Listed(texts.into())
    }

    /// Tells whether a text is valid; `false` says nothing.
    #[inline]
    pub(super) fn admits(&self, raw: &[u8]) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Text { least, most } => {
                let len = raw.len() as u64;
                len <= *most && (*least == 0 || len / 4 >= *least || (len >= *least && raw.is_ascii()))
            }
            Self::Integer { least, most } => integer(raw).is_some_and(|number| (*least..=*most).contains(&number)),
            Self::Decimal => is_decimal(raw),
            Self::Boolean => matches!(raw, b"true" | b"false" | b"1" | b"0"),
            Self::Date => is_date(raw),
            Self::DateTime => is_date_time(raw),
            Self::Listed(texts) => texts.binary_search_by(|text| text.as_ref().cmp(raw)).is_ok(),
        }
    }
}

impl SimpleType {
    /// Tells at a glance whether a text, its white space as it is, is valid; `false` asks for [`SimpleType::value`].
    #[inline]
    pub(in crate::xsd) fn surely(&self, raw: &[u8]) -> bool {
        self.quick.admits(raw)
    }
}

fn integer(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > SAFE_DIGITS {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        number = number * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    Some(if negative { -number } else { number })
}

fn is_decimal(raw: &[u8]) -> bool {
    let digits = raw.strip_prefix(b"-").unwrap_or(raw);
    let points = digits.iter().filter(|byte| **byte == b'.').count();
    let other = digits.iter().any(|byte| !byte.is_ascii_digit() && *byte != b'.');
    digits.len() > points && points <= 1 && !other
}

fn is_date(raw: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = raw else { return false };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
    // Every month has 28 days; the year 0000 is none.
    digits.iter().all(|byte| byte.is_ascii_digit())
        && *y1 != b'0'
        && matches!((m1, m2), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
        && matches!((d1, d2), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'9') | (b'2', b'0'..=b'8'))
}

fn is_date_time(raw: &[u8]) -> bool {
    let Some((date, rest)) = raw.split_at_checked(10) else { return false };
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, zone @ ..] = rest else { return false };
    let digits = [h2, m2, s2].iter().all(|byte| byte.is_ascii_digit());
    let sixty = |tens: &u8| matches!(tens, b'0'..=b'5');
    let hour = matches!((h1, h2), (b'0' | b'1', _) | (b'2', b'0'..=b'3'));
    is_date(date) && digits && hour && sixty(m1) && sixty(s1) && is_zone(zone)
}

/// A fraction of a second and a time zone, both optional.
fn is_zone(rest: &[u8]) -> bool {
    let zone = match rest {
        [b'.', rest @ ..] => {
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            match rest.split_at_checked(len) {
                Some((_, zone)) if len > 0 => zone,
                _ => return false,
            }
        }
        zone => zone,
    };
    match zone {
        [] | [b'Z'] => true,
        [b'+' | b'-', b'0', hour, b':', b'0'..=b'5', minute] => hour.is_ascii_digit() && minute.is_ascii_digit(),
        _ => false,
    }
}
