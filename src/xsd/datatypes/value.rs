//! Values: what texts mean, and how they compare (XSD 1.0 part 2, chapter 3).

use std::cmp::Ordering;

use super::decimal::Decimal;
use super::duration::Duration;
use super::moment::Moment;
use crate::xml::characters;

/// A value of a simple type; it knows its primitive type. Of a union it is the value of the member type.
#[derive(Debug, Clone)]
pub(in crate::xsd) enum Value {
    Text(String),
    /// A text that says something about the whole document.
    Reference(Role, String),
    Uri(String),
    Boolean(bool),
    Decimal(Decimal),
    Float(f32),
    Double(f64),
    Duration(Duration),
    Moment(Moment),
    Hex(Vec<u8>),
    Base64(Vec<u8>),
    QName(Name),
    Notation(Name),
    List(Vec<Value>),
}

/// A qualified name; an empty namespace is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xsd) struct Name {
    pub(in crate::xsd) namespace: String,
    pub(in crate::xsd) local: String,
}

/// What a text says about the whole document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum Role {
    Id,
    IdRef,
    Entity,
}

impl Value {
    /// Tells whether two values are the same; those of different primitive types never are.
    pub(in crate::xsd) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same(two))
            }
            // From each of the four moments 400 years are 146097 days, yet they are not the same.
            (Self::Duration(one), Self::Duration(two)) => one == two,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// How two values compare, as far as their primitive type has an order; equal ones always do.
    pub(in crate::xsd) fn order(&self, other: &Self) -> Option<Ordering> {
        let equal = |equal: bool| equal.then_some(Ordering::Equal);
        match (self, other) {
            (Self::Text(one) | Self::Reference(_, one), Self::Text(two) | Self::Reference(_, two))
            | (Self::Uri(one), Self::Uri(two)) => equal(one == two),
            (Self::Boolean(one), Self::Boolean(two)) => equal(one == two),
            (Self::Decimal(one), Self::Decimal(two)) => Some(one.cmp(two)),
            // The one value that is not a number equals itself and compares with nothing else.
            (Self::Float(one), Self::Float(two)) if one.is_nan() && two.is_nan() => Some(Ordering::Equal),
            (Self::Float(one), Self::Float(two)) => one.partial_cmp(two),
            (Self::Double(one), Self::Double(two)) if one.is_nan() && two.is_nan() => Some(Ordering::Equal),
            (Self::Double(one), Self::Double(two)) => one.partial_cmp(two),
            (Self::Duration(one), Self::Duration(two)) => one.order(two),
            (Self::Moment(one), Self::Moment(two)) => one.order(two),
            (Self::Hex(one), Self::Hex(two)) | (Self::Base64(one), Self::Base64(two)) => equal(one == two),
            (Self::QName(one), Self::QName(two)) | (Self::Notation(one), Self::Notation(two)) => equal(one == two),
            (Self::List(_), Self::List(_)) => equal(self.same(other)),
            _ => None,
        }
    }

    /// The length in characters, octets or items, as far as the type has one.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Text(text) | Self::Reference(_, text) | Self::Uri(text) => Some(characters(text.as_bytes())),
            Self::Hex(bytes) | Self::Base64(bytes) => Some(bytes.len() as u64),
            Self::List(items) => Some(items.len() as u64),
            // Names have facets of length, but every length will do: it would be that of the prefix too.
            Self::QName(_) | Self::Notation(_) => None,
            Self::Boolean(_) | Self::Decimal(_) | Self::Float(_) | Self::Double(_) => None,
            Self::Duration(_) | Self::Moment(_) => None,
        }
    }

    /// Bytes that are equal for equal values, and for those only.
    pub(in crate::xsd) fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        self.write_key(&mut key);
        key
    }

    fn write_key(&self, key: &mut Vec<u8>) {
        match self {
            Self::Text(text) | Self::Reference(_, text) => tagged(key, b's', text.as_bytes()),
            Self::Uri(text) => tagged(key, b'u', text.as_bytes()),
            Self::Boolean(flag) => tagged(key, b'b', &[u8::from(*flag)]),
            Self::Decimal(number) => tagged(key, b'd', number.canonical().as_bytes()),
            // Adding zero makes one zero of the two; there is one value that is not a number.
            Self::Float(number) if number.is_nan() => tagged(key, b'f', b"NaN"),
            Self::Float(number) => tagged(key, b'f', &(number + 0.0).to_be_bytes()),
            Self::Double(number) if number.is_nan() => tagged(key, b'F', b"NaN"),
            Self::Double(number) => tagged(key, b'F', &(number + 0.0).to_be_bytes()),
            Self::Duration(duration) => tagged(key, b'p', duration.canonical().as_bytes()),
            Self::Moment(moment) => tagged(key, b't', moment.canonical().as_bytes()),
            Self::Hex(bytes) => tagged(key, b'x', bytes),
            Self::Base64(bytes) => tagged(key, b'6', bytes),
            Self::QName(name) => name.write_key(b'q', key),
            Self::Notation(name) => name.write_key(b'n', key),
            Self::List(items) => {
                key.push(b'l');
                key.extend((items.len() as u64).to_be_bytes());
                items.iter().for_each(|item| item.write_key(key));
            }
        }
    }

    /// Shows every text that says something about the whole document.
    pub(in crate::xsd) fn each_reference(&self, see: &mut dyn FnMut(Role, &str)) {
        if let Self::Reference(role, text) = self {
            see(*role, text);
        } else if let Self::List(items) = self {
            items.iter().for_each(|item| item.each_reference(see));
        }
    }
}

impl Name {
    fn write_key(&self, tag: u8, key: &mut Vec<u8>) {
        tagged(key, tag, self.namespace.as_bytes());
        tagged(key, tag, self.local.as_bytes());
    }
}

// The length goes before, so that no value of a list runs into the next.
fn tagged(key: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    key.push(tag);
    key.extend((bytes.len() as u64).to_be_bytes());
    key.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_equal_for_equal_values_only() {
        let text = |text: &str| Value::Text(text.to_owned());
        let values = [
            text(""),
            text("1"),
            Value::Uri("1".to_owned()),
            Value::Boolean(true),
            Value::Decimal(Decimal::parse("1").unwrap()),
            Value::Float(1.0),
            Value::Float(0.0),
            Value::Float(f32::NAN),
            Value::Double(1.0),
            Value::Double(f64::INFINITY),
            Value::List(vec![text("a"), text("b")]),
            Value::List(vec![text("ab")]),
            Value::List(vec![]),
        ];
        for (at, one) in values.iter().enumerate() {
            for (other_at, other) in values.iter().enumerate() {
                assert_eq!(one.same(other), at == other_at, "{one:?} {other:?}");
                assert_eq!(one.key() == other.key(), at == other_at, "{one:?} {other:?}");
            }
        }
        assert!(Value::Float(-0.0).same(&Value::Float(0.0)));
        assert_eq!(Value::Float(-0.0).key(), Value::Float(0.0).key());
        let id = Value::Reference(Role::Id, "1".to_owned());
        assert!(id.same(&text("1")) && id.key() == text("1").key());
    }

    #[test]
    fn references_are_shown_in_lists_too() {
        let one = |role, text: &str| Value::Reference(role, text.to_owned());
        let list = Value::List(vec![one(Role::IdRef, "a"), Value::Text("b".to_owned()), one(Role::Entity, "c")]);
        let mut seen = Vec::new();
        list.each_reference(&mut |role, text| seen.push((role, text.to_owned())));
        assert_eq!(seen, [(Role::IdRef, "a".to_owned()), (Role::Entity, "c".to_owned())]);
    }
}
