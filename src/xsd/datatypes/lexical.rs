//! The texts of the atomic types, and what they mean (XSD 1.0 part 2, chapter 3).

use std::borrow::Cow;

use super::binary::{Base64, Hex};
use super::decimal::Decimal;
use super::duration::Duration;
use super::moment::{Moment, Shape};
use super::value::{Name, Role, Value};
use crate::xml::{is_name, is_nmtoken};

/// The primitive types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum Primitive {
    String,
    Boolean,
    Decimal,
    Float,
    Double,
    Duration,
    Moment(Shape),
    Hex,
    Base64,
    AnyUri,
    QName,
    Notation,
}

/// Which texts of its primitive type a built-in type and all below it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    All,
    Integer,
    Language,
    NmToken,
    Name,
    NcName,
}

/// What prefixes stand for where a text stands, and which notations the schema has.
pub(in crate::xsd) trait Prefixes {
    /// The namespace of a prefix, empty for the default one; `None` if it is not declared.
    fn namespace(&self, prefix: &str) -> Option<Cow<'_, str>>;

    /// Tells whether the schema declares a notation.
    fn is_notation(&self, _namespace: &str, _local: &str) -> bool {
        true
    }
}

impl Form {
    fn admits(self, text: &str) -> bool {
        match self {
            Self::All => true,
            Self::Integer => is_integer(text),
            Self::Language => is_language(text),
            Self::NmToken => is_nmtoken(text),
            Self::Name => is_name(text, true),
            Self::NcName => is_name(text, false),
        }
    }
}

impl Primitive {
    /// Tells whether ranges make sense.
    pub(super) fn is_ordered(self) -> bool {
        matches!(self, Self::Decimal | Self::Float | Self::Double | Self::Duration | Self::Moment(_))
    }

    /// The value of a text, its white space settled, if it is one of the type's.
    pub(super) fn value(self, form: Form, role: Option<Role>, text: &str, prefixes: &dyn Prefixes) -> Option<Value> {
        if !form.admits(text) {
            return None;
        }
        match self {
            Self::String => Some(match role {
                Some(role) => Value::Reference(role, text.to_owned()),
                None => Value::Text(text.to_owned()),
            }),
            Self::Boolean => {
                matches!(text, "true" | "1" | "false" | "0").then_some(Value::Boolean(matches!(text, "true" | "1")))
            }
            Self::Decimal => Decimal::parse(text).map(Value::Decimal),
            Self::Float => float(text).map(Value::Float),
            Self::Double => float(text).map(Value::Double),
            Self::Duration => Duration::parse(text).map(Value::Duration),
            Self::Moment(shape) => Moment::parse(shape, text).map(Value::Moment),
            Self::Hex => Hex::decode(text).map(Value::Hex),
            Self::Base64 => Base64::decode(text).map(Value::Base64),
            Self::AnyUri => is_uri(text).then(|| Value::Uri(text.to_owned())),
            Self::QName => name(text, prefixes).map(Value::QName),
            Self::Notation => {
                let name = name(text, prefixes)?;
                prefixes.is_notation(&name.namespace, &name.local).then_some(Value::Notation(name))
            }
        }
    }
}

/// Tells whether a text is `[+-]?[0-9]+`.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

// Rust reads more than the recommendation allows, and writes infinity otherwise.
fn float<F: std::str::FromStr + From<f32>>(text: &str) -> Option<F> {
    match text {
        "INF" => Some(f32::INFINITY.into()),
        "-INF" => Some(f32::NEG_INFINITY.into()),
        "NaN" => Some(f32::NAN.into()),
        _ => {
            let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
            let sound = Decimal::parse(mantissa).is_some() && is_integer(exponent);
            sound.then(|| text.parse().ok())?
        }
    }
}

fn name(text: &str, prefixes: &dyn Prefixes) -> Option<Name> {
    let (prefix, local) = text.split_once(':').unwrap_or(("", text));
    let sound = is_name(local, false)
        && (prefix.is_empty() != text.contains(':'))
        && (prefix.is_empty() || is_name(prefix, false));
    let namespace = match sound.then(|| prefixes.namespace(prefix))? {
        Some(namespace) => namespace.into_owned(),
        // Where no default namespace is declared, a name without a prefix has none.
        None if prefix.is_empty() => String::new(),
        None => return None,
    };
    Some(Name { namespace, local: local.to_owned() })
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let sized = |part: &str| (1..=8).contains(&part.len());
    let alphabetic = sized(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    alphabetic && parts.all(|part| sized(part) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_uri(_text: &str) -> bool {
    true
}
