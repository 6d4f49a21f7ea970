//! What a restriction asks of a value beyond its built-in type.

use std::cmp::Ordering;

use super::Broken;
use super::builtin::{Builtin, Value};
use crate::xsd::finding::Kind;

/// The constraining facets of a simple type, those of its base types included.
#[derive(Debug, Clone, Default)]
pub(in crate::xsd) struct Facets {
    pub(in crate::xsd) length: Option<u64>,
    pub(in crate::xsd) min_length: Option<u64>,
    pub(in crate::xsd) max_length: Option<u64>,
    pub(in crate::xsd) total_digits: Option<usize>,
    pub(in crate::xsd) fraction_digits: Option<usize>,
    pub(in crate::xsd) bounds: Vec<Bound>,
    pub(in crate::xsd) enumeration: Option<Vec<Value>>,
}

/// One end of a range.
#[derive(Debug, Clone)]
pub(in crate::xsd) struct Bound {
    pub(in crate::xsd) side: Side,
    pub(in crate::xsd) value: Value,
    /// As the schema writes it.
    pub(in crate::xsd) shown: String,
}

/// Which end, and whether it belongs to the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum Side {
    MinInclusive,
    MinExclusive,
    MaxInclusive,
    MaxExclusive,
}

impl Broken {
    /// The text is none of its type's.
    pub(in crate::xsd) fn of_type(builtin: Builtin) -> Self {
        let text = format!("the value is not of type {}", builtin.name());
        Self::new(Kind::BadValue, "cvc-datatype-valid.1.2.1", text)
    }
}

impl Facets {
    /// Tells whether a length is all that is asked.
    pub(in crate::xsd) fn only_length(&self) -> bool {
        self.total_digits.is_none()
            && self.fraction_digits.is_none()
            && self.bounds.is_empty()
            && self.enumeration.is_none()
    }

    /// Tells whether a length is asked.
    pub(in crate::xsd) fn has_length(&self) -> bool {
        self.length.is_some() || self.min_length.is_some() || self.max_length.is_some()
    }

    /// Judges a length in characters or octets.
    pub(in crate::xsd) fn judge_length(&self, length: u64) -> Result<(), Broken> {
        let broken = |rule, text| Err(Broken::new(Kind::BadLength, rule, text));
        if let Some(asked) = self.length.filter(|asked| *asked != length) {
            return broken("cvc-length-valid", format!("the value's length is {length}, not {asked}"));
        }
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            return broken("cvc-minLength-valid", format!("the value's length is {length}, less than {least}"));
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            return broken("cvc-maxLength-valid", format!("the value's length is {length}, more than {most}"));
        }
        Ok(())
    }

    /// Judges everything but the length; the text is one of the built-in type's.
    pub(in crate::xsd) fn judge_value(&self, builtin: Builtin, text: &str) -> Result<(), Broken> {
        if self.only_length() {
            return Ok(());
        }
        let value = builtin.value(text).ok_or_else(|| Broken::of_type(builtin))?;
        if self.enumeration.as_ref().is_some_and(|list| !list.iter().any(|listed| listed.same(&value))) {
            let text = "the value is not one of those the schema lists";
            return Err(Broken::new(Kind::NotInList, "cvc-enumeration-valid", text));
        }
        if let Some(bound) = self.bounds.iter().find(|bound| !bound.admits(&value)) {
            return Err(bound.broken());
        }
        self.judge_digits(&value)
    }

    fn judge_digits(&self, value: &Value) -> Result<(), Broken> {
        let Value::Number(number) = value else { return Ok(()) };
        let broken = |rule, text| Err(Broken::new(Kind::OutOfRange, rule, text));
        if let Some(most) = self.total_digits.filter(|most| number.total_digits() > *most) {
            return broken("cvc-totalDigits-valid", format!("the number has more than {most} digits"));
        }
        if let Some(most) = self.fraction_digits.filter(|most| number.fraction_digits() > *most) {
            return broken("cvc-fractionDigits-valid", format!("the number has more than {most} decimals"));
        }
        Ok(())
    }
}

impl Bound {
    fn admits(&self, value: &Value) -> bool {
        // Values that do not compare lie on neither side.
        let Some(order) = value.order(&self.value) else { return false };
        match self.side {
            Side::MinInclusive => order != Ordering::Less,
            Side::MinExclusive => order == Ordering::Greater,
            Side::MaxInclusive => order != Ordering::Greater,
            Side::MaxExclusive => order == Ordering::Less,
        }
    }

    fn broken(&self) -> Broken {
        let (rule, relation) = match self.side {
            Side::MinInclusive => ("cvc-minInclusive-valid", "at least"),
            Side::MinExclusive => ("cvc-minExclusive-valid", "more than"),
            Side::MaxInclusive => ("cvc-maxInclusive-valid", "at most"),
            Side::MaxExclusive => ("cvc-maxExclusive-valid", "less than"),
        };
        Broken::new(Kind::OutOfRange, rule, format!("the value must be {relation} {}", self.shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_name_their_rule() {
        let int = Builtin::by_name("decimal").unwrap();
        let bound = Bound { side: Side::MaxExclusive, value: int.value("10").unwrap(), shown: "10".into() };
        let facets = Facets {
            bounds: vec![bound],
            fraction_digits: Some(1),
            enumeration: Some(["1", "9.25", "10", "2"].iter().map(|text| int.value(text).unwrap()).collect()),
            ..Facets::default()
        };
        let rule = |text| facets.judge_value(int, text).err().map(|broken| broken.rule);
        assert_eq!(rule("01.0"), None);
        assert_eq!(rule("3"), Some("cvc-enumeration-valid"));
        assert_eq!(rule("10.0"), Some("cvc-maxExclusive-valid"));
        assert_eq!(rule("9.25"), Some("cvc-fractionDigits-valid"));
        let lengths = Facets { min_length: Some(1), max_length: Some(3), ..Facets::default() };
        assert_eq!(lengths.judge_length(0).unwrap_err().rule, "cvc-minLength-valid");
        assert_eq!(lengths.judge_length(4).unwrap_err().rule, "cvc-maxLength-valid");
        assert!(lengths.judge_length(3).is_ok());
    }
}
