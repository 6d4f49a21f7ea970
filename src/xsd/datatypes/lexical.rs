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

    /// What they stand for at one of the facets of a restriction, where that may differ.
    fn at_facet(&self, _index: usize) -> Option<&dyn Prefixes> {
        None
    }
}

impl Form {
    /// Tells whether a text, its white space settled, is one of them.
    pub(super) fn admits(self, text: &str) -> bool {
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

/// Tells whether a text is a tag for a language (RFC 3066).
pub(in crate::xsd) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let sized = |part: &str| (1..=8).contains(&part.len());
    let alphabetic = sized(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    alphabetic && parts.all(|part| sized(part) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Tells whether a text, what may not stand in a URI escaped, is a reference to one (RFC 2396, RFC 2732).
pub(in crate::xsd) fn is_uri(text: &str) -> bool {
    let escapes_are_whole = text.split('%').skip(1).all(|rest| {
        let digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    });
    let before = text.split(['/', '?', '#']).next().unwrap_or_default();
    // A relative path has no colon in its first part: what stands before it is a scheme.
    let scheme_is_sound = before.split_once(':').is_none_or(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    });
    escapes_are_whole && scheme_is_sound && text.matches('#').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_uris_may_hold_almost_anything() {
        for text in
            ["", "a b", "http://å.no/<x>?\"y\"^`{}|\\#z", "mailto:a@b", "a/b:c", "%41", "..", "#", "urn:x:y", "?a:b"]
        {
            assert!(is_uri(text), "{text}");
        }
        for text in ["%", "a%4", "%4g", "%å", ":a", "1a:b", "a b:c", "a#b#c"] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn floats_are_rounded_to_their_size() {
        assert_eq!(float::<f32>("16777217"), Some(16_777_216.0));
        assert_eq!(float::<f64>("16777217"), Some(16_777_217.0));
        assert_eq!(float::<f32>("1e-60"), Some(0.0));
        for text in ["+1.", ".5", "-1E+05", "1e007", "-INF", "INF"] {
            assert!(float::<f64>(text).is_some(), "{text}");
        }
        for text in
            ["", ".", "e5", "1e", "1e+", "1e1.5", "+INF", "inf", "Infinity", "nan", "+NaN", "0x1", "1 ", "1_0", "1d"]
        {
            assert!(float::<f64>(text).is_none(), "{text}");
        }
    }
}
