//! The built-in types by name, their texts and their values.
#![expect(clippy::wildcard_enum_match_arm, reason = "the many types not named in a match are alike in it")]

use std::cmp;

use super::Space;
use super::decimal::Decimal;
use super::moment::{Moment, Shape};
use crate::xml::{is_name, is_nmtoken};

/// A built-in simple type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::xsd) enum Builtin {
    AnySimple,
    String,
    NormalizedString,
    Token,
    Language,
    NmToken,
    Name,
    NcName,
    QName,
    AnyUri,
    Boolean,
    Decimal,
    /// An integer type, by its bounds.
    Integer(&'static str, Option<i128>, Option<i128>),
    Float,
    Double,
    Base64,
    Hex,
    DateTime,
    Date,
    Time,
    Year,
    YearMonth,
    Month,
    MonthDay,
    Day,
    Duration,
}

/// Whether range facets make sense for a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum Ordering {
    None,
    Total,
    /// Ordered by the recommendation, but we do not compare its values.
    Unsupported,
}

/// A value where it must be compared.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::xsd) enum Value {
    Text(String),
    Flag(bool),
    Number(Decimal),
    Float(f64),
    Moment(Moment),
}

impl Value {
    /// How two values of one type compare.
    pub(in crate::xsd) fn order(&self, other: &Self) -> Option<cmp::Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => Some(one.cmp(two)),
            (Self::Float(one), Self::Float(two)) if one.is_nan() && two.is_nan() => Some(cmp::Ordering::Equal),
            (Self::Float(one), Self::Float(two)) => one.partial_cmp(two),
            (Self::Moment(one), Self::Moment(two)) => one.order(two),
            (Self::Text(one), Self::Text(two)) => (one == two).then_some(cmp::Ordering::Equal),
            (Self::Flag(one), Self::Flag(two)) => (one == two).then_some(cmp::Ordering::Equal),
            _ => None,
        }
    }

    /// Tells whether two values are the same.
    pub(in crate::xsd) fn same(&self, other: &Self) -> bool {
        self.order(other) == Some(cmp::Ordering::Equal)
    }
}

impl Builtin {
    /// Every name.
    pub(in crate::xsd) const NAMES: &'static [&'static str] = &[
        "anySimpleType",
        "string",
        "normalizedString",
        "token",
        "language",
        "NMTOKEN",
        "Name",
        "NCName",
        "QName",
        "anyURI",
        "boolean",
        "decimal",
        "integer",
        "long",
        "int",
        "short",
        "byte",
        "nonNegativeInteger",
        "positiveInteger",
        "nonPositiveInteger",
        "negativeInteger",
        "unsignedLong",
        "unsignedInt",
        "unsignedShort",
        "unsignedByte",
        "float",
        "double",
        "base64Binary",
        "hexBinary",
        "dateTime",
        "date",
        "time",
        "gYear",
        "gYearMonth",
        "gMonth",
        "gMonthDay",
        "gDay",
        "duration",
    ];

    /// The type of a name in the namespace of XML Schema.
    pub(in crate::xsd) fn by_name(name: &str) -> Option<Self> {
        let integer = |name, least, most| Some(Self::Integer(name, least, most));
        match name {
            "anySimpleType" => Some(Self::AnySimple),
            "string" => Some(Self::String),
            "normalizedString" => Some(Self::NormalizedString),
            "token" => Some(Self::Token),
            "language" => Some(Self::Language),
            "NMTOKEN" => Some(Self::NmToken),
            "Name" => Some(Self::Name),
            "NCName" => Some(Self::NcName),
            "QName" => Some(Self::QName),
            "anyURI" => Some(Self::AnyUri),
            "boolean" => Some(Self::Boolean),
            "decimal" => Some(Self::Decimal),
            "integer" => integer("integer", None, None),
            "long" => integer("long", Some(i64::MIN.into()), Some(i64::MAX.into())),
            "int" => integer("int", Some(i32::MIN.into()), Some(i32::MAX.into())),
            "short" => integer("short", Some(i16::MIN.into()), Some(i16::MAX.into())),
            "byte" => integer("byte", Some(i8::MIN.into()), Some(i8::MAX.into())),
            "nonNegativeInteger" => integer("nonNegativeInteger", Some(0), None),
            "positiveInteger" => integer("positiveInteger", Some(1), None),
            "nonPositiveInteger" => integer("nonPositiveInteger", None, Some(0)),
            "negativeInteger" => integer("negativeInteger", None, Some(-1)),
            "unsignedLong" => integer("unsignedLong", Some(0), Some(u64::MAX.into())),
            "unsignedInt" => integer("unsignedInt", Some(0), Some(u32::MAX.into())),
            "unsignedShort" => integer("unsignedShort", Some(0), Some(u16::MAX.into())),
            "unsignedByte" => integer("unsignedByte", Some(0), Some(u8::MAX.into())),
            "float" => Some(Self::Float),
            "double" => Some(Self::Double),
            "base64Binary" => Some(Self::Base64),
            "hexBinary" => Some(Self::Hex),
            "dateTime" => Some(Self::DateTime),
            "date" => Some(Self::Date),
            "time" => Some(Self::Time),
            "gYear" => Some(Self::Year),
            "gYearMonth" => Some(Self::YearMonth),
            "gMonth" => Some(Self::Month),
            "gMonthDay" => Some(Self::MonthDay),
            "gDay" => Some(Self::Day),
            "duration" => Some(Self::Duration),
            _ => None,
        }
    }

    /// The name in the namespace of XML Schema.
    pub(in crate::xsd) fn name(self) -> &'static str {
        match self {
            Self::AnySimple => "anySimpleType",
            Self::String => "string",
            Self::NormalizedString => "normalizedString",
            Self::Token => "token",
            Self::Language => "language",
            Self::NmToken => "NMTOKEN",
            Self::Name => "Name",
            Self::NcName => "NCName",
            Self::QName => "QName",
            Self::AnyUri => "anyURI",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer(name, _, _) => name,
            Self::Float => "float",
            Self::Double => "double",
            Self::Base64 => "base64Binary",
            Self::Hex => "hexBinary",
            Self::DateTime => "dateTime",
            Self::Date => "date",
            Self::Time => "time",
            Self::Year => "gYear",
            Self::YearMonth => "gYearMonth",
            Self::Month => "gMonth",
            Self::MonthDay => "gMonthDay",
            Self::Day => "gDay",
            Self::Duration => "duration",
        }
    }

    /// What becomes of white space.
    pub(in crate::xsd) fn space(self) -> Space {
        match self {
            Self::AnySimple | Self::String => Space::Preserve,
            Self::NormalizedString => Space::Replace,
            _ => Space::Collapse,
        }
    }

    /// Tells whether any text at all is one of its texts.
    pub(in crate::xsd) fn takes_all(self) -> bool {
        matches!(self, Self::AnySimple | Self::String | Self::NormalizedString | Self::Token | Self::AnyUri)
    }

    /// Tells whether the length facets count characters of it.
    pub(in crate::xsd) fn is_text(self) -> bool {
        self.takes_all() || matches!(self, Self::Language | Self::NmToken | Self::Name | Self::NcName)
    }

    /// Tells whether digits can be counted.
    pub(in crate::xsd) fn is_number(self) -> bool {
        matches!(self, Self::Decimal | Self::Integer(..))
    }

    /// Whether its values have an order.
    pub(in crate::xsd) fn ordering(self) -> Ordering {
        match self {
            Self::Duration => Ordering::Unsupported,
            Self::Boolean | Self::Base64 | Self::Hex | Self::QName => Ordering::None,
            _ if self.is_text() => Ordering::None,
            _ => Ordering::Total,
        }
    }

    fn shape(self) -> Option<Shape> {
        match self {
            Self::DateTime => Some(Shape::DateTime),
            Self::Date => Some(Shape::Date),
            Self::Time => Some(Shape::Time),
            Self::Year => Some(Shape::Year),
            Self::YearMonth => Some(Shape::YearMonth),
            Self::Month => Some(Shape::Month),
            Self::MonthDay => Some(Shape::MonthDay),
            Self::Day => Some(Shape::Day),
            _ => None,
        }
    }

    /// Tells whether a text, its white space settled, is one of its texts.
    pub(in crate::xsd) fn accepts(self, text: &str) -> bool {
        if let Some(shape) = self.shape() {
            return Moment::parse(shape, text).is_some();
        }
        match self {
            Self::Language => is_language(text),
            Self::NmToken => is_nmtoken(text),
            Self::Name => is_name(text, true),
            Self::NcName => is_name(text, false),
            Self::QName => text
                .split_once(':')
                .map_or(is_name(text, false), |(prefix, local)| is_name(prefix, false) && is_name(local, false)),
            Self::Boolean => matches!(text, "true" | "false" | "1" | "0"),
            Self::Integer(_, least, most) => is_integer(text, least, most),
            Self::Duration => is_duration(text),
            _ if self.takes_all() => true,
            _ => self.value(text).is_some(),
        }
    }

    /// The value of a text, its white space settled.
    pub(in crate::xsd) fn value(self, text: &str) -> Option<Value> {
        if let Some(shape) = self.shape() {
            return Moment::parse(shape, text).map(Value::Moment);
        }
        match self {
            Self::Boolean => self.accepts(text).then_some(Value::Flag(matches!(text, "true" | "1"))),
            Self::Decimal => Decimal::parse(text).map(Value::Number),
            Self::Integer(..) => self.accepts(text).then(|| Decimal::parse(text).map(Value::Number))?,
            Self::Float => float(text, |number| number.parse::<f32>().ok().map(f64::from)),
            Self::Double => float(text, |number| number.parse().ok()),
            _ => self.accepts(text).then(|| Value::Text(text.to_owned())),
        }
    }
}

fn is_integer(text: &str, least: Option<i128>, most: Option<i128>) -> bool {
    // Every bound has fewer digits than an i128 holds.
    const ALWAYS_FITS: usize = 38;
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = digits.get(zeros..).unwrap_or_default();
    if digits.len() > ALWAYS_FITS {
        return if negative { least.is_none() } else { most.is_none() };
    }
    let size = digits.iter().fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
    let number = if negative { -size } else { size };
    least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
}

fn float(text: &str, parse: impl Fn(&str) -> Option<f64>) -> Option<Value> {
    let number = match text {
        "INF" => f64::INFINITY,
        "-INF" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => {
            let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
            let sound = Decimal::parse(mantissa).is_some() && is_integer(exponent, None, None);
            parse(text).filter(|_| sound)?
        }
    };
    Some(Value::Float(number))
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let sized = |part: &str| (1..=8).contains(&part.len());
    let alphabetic = sized(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    alphabetic && parts.all(|part| sized(part) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Tells whether a text is `-?PnYnMnDTnHnMnS`, with one part at least and one behind a `T`.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('-').unwrap_or(text).strip_prefix('P') else { return false };
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let fits = |text: &str, units: &[char]| {
        let mut units = units.iter();
        let mut parts = text.split_inclusive(|c: char| !c.is_ascii_digit() && c != '.');
        parts.all(|part| {
            let Some(unit) = part.chars().next_back() else { return false };
            let number = part.strip_suffix(unit).unwrap_or_default();
            let sound = match number.split_once('.') {
                Some((whole, fraction)) => {
                    unit == 'S' && !whole.is_empty() && !fraction.is_empty() && !fraction.contains('.')
                }
                None => !number.is_empty(),
            };
            sound && units.any(|next| *next == unit)
        })
    };
    let some = !date.is_empty() || time.is_some();
    some && fits(date, &['Y', 'M', 'D']) && time.is_none_or(|time| !time.is_empty() && fits(time, &['H', 'M', 'S']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_their_type() {
        for (name, good, bad) in [
            ("int", &["0", "-2147483648", "+2147483647", "007"][..], &["2147483648", "1.0", "", "-", "1e3"][..]),
            ("unsignedLong", &["18446744073709551615", "-0"], &["18446744073709551616", "-1"]),
            ("integer", &["99999999999999999999999999999999999999999999"], &["0x1"]),
            ("negativeInteger", &["-1", "-99999999999999999999999999999999999999999"], &["0", "1"]),
            ("byte", &["-128", "127"], &["128"]),
            ("boolean", &["true", "0"], &["TRUE", "yes", ""]),
            ("double", &["1", "1.5e-3", "INF", "NaN", "-.5E+2"], &["inf", "nan", "+INF", "1e", "1e1.5", ""]),
            ("language", &["nb", "nn-NO", "x-abcdefg1-2"], &["", "n_", "norwegians", "1"]),
            ("NCName", &["a-1", "_", "å"], &["1a", "a:b", "a b", ""]),
            ("QName", &["a", "a:b"], &["a:", ":b", "a:b:c", ""]),
            ("NMTOKEN", &["1:a", "-"], &["a b", ""]),
            (
                "duration",
                &["P1Y", "-P1Y2M3DT4H5M6.7S", "PT1M"],
                &["P", "PT", "P1", "P1S", "P1YT", "PT1.5H", "P1D2M", "1Y"],
            ),
        ] {
            let builtin = Builtin::by_name(name).unwrap();
            for text in good {
                assert!(builtin.accepts(text), "{name} {text}");
            }
            for text in bad {
                assert!(!builtin.accepts(text), "{name} {text}");
            }
        }
    }
}
