//! Constraining facets, and what they ask of a value (XSD 1.0 part 2, section 4.3).

use std::collections::HashSet;
use std::sync::Arc;

use super::Broken;
use super::pattern::Pattern;
use super::range::Range;
use super::value::Value;
use crate::xsd::finding::Kind;

/// The twelve facets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum FacetKind {
    Length,
    MinLength,
    MaxLength,
    Pattern,
    Enumeration,
    WhiteSpace,
    MaxInclusive,
    MaxExclusive,
    MinExclusive,
    MinInclusive,
    TotalDigits,
    FractionDigits,
}

/// A facet as a schema document gives it.
#[derive(Debug, Clone, Copy)]
pub(in crate::xsd) struct FacetSource<'a> {
    pub(in crate::xsd) kind: FacetKind,
    /// As written, white space too.
    pub(in crate::xsd) value: &'a str,
    pub(in crate::xsd) fixed: bool,
}

/// Why a type cannot be derived so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xsd) struct FacetError {
    /// Of the facet at fault, where it is one.
    pub(in crate::xsd) index: Option<usize>,
    /// The recommendation's name of the rule.
    pub(in crate::xsd) rule: &'static str,
    pub(in crate::xsd) text: String,
}

/// The facets of a type, those of its base types included.
#[derive(Debug, Clone, Default)]
pub(super) struct Facets {
    pub(super) length: Option<Facet<u64>>,
    pub(super) min_length: Option<Facet<u64>>,
    pub(super) max_length: Option<Facet<u64>>,
    pub(super) total_digits: Option<Facet<u64>>,
    pub(super) fraction_digits: Option<Facet<u64>>,
    pub(super) range: Range,
    pub(super) space_fixed: bool,
    /// One for each step of derivation that has patterns; a text fits them all.
    pub(super) patterns: Vec<Arc<Pattern>>,
    /// Of the last step that has one; each step lists values of the one before.
    pub(super) enumeration: Option<Arc<Enumeration>>,
}

/// A facet's value, and whether types below may not change it.
#[derive(Debug, Clone)]
pub(super) struct Facet<T> {
    pub(super) value: T,
    pub(super) fixed: bool,
}

/// The values a type lists.
#[derive(Debug, Default)]
pub(super) struct Enumeration {
    keys: HashSet<Vec<u8>>,
    /// As the schema writes them, their white space settled.
    pub(super) texts: Vec<String>,
}

impl Enumeration {
    pub(super) fn add(&mut self, value: &Value, text: &str) {
        self.keys.insert(value.key());
        self.texts.push(text.to_owned());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Of each value what is equal for equal ones.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.keys.iter()
    }

    fn holds(&self, value: &Value) -> bool {
        self.keys.contains(&value.key())
    }
}

impl FacetKind {
    const NAMES: [(&'static str, Self); 12] = [
        ("length", Self::Length),
        ("minLength", Self::MinLength),
        ("maxLength", Self::MaxLength),
        ("pattern", Self::Pattern),
        ("enumeration", Self::Enumeration),
        ("whiteSpace", Self::WhiteSpace),
        ("maxInclusive", Self::MaxInclusive),
        ("maxExclusive", Self::MaxExclusive),
        ("minExclusive", Self::MinExclusive),
        ("minInclusive", Self::MinInclusive),
        ("totalDigits", Self::TotalDigits),
        ("fractionDigits", Self::FractionDigits),
    ];

    /// The facet that an element of a schema document names.
    pub(in crate::xsd) fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Its name in schema documents.
    pub(in crate::xsd) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl FacetError {
    pub(super) fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Self { index: None, rule, text: text.into() }
    }

    pub(super) fn at(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }
}

impl Facets {
    /// Tells whether a length is asked.
    pub(super) fn has_length(&self) -> bool {
        self.length.is_some() || self.min_length.is_some() || self.max_length.is_some()
    }

    /// Tells whether anything is asked.
    pub(super) fn asks_anything(&self) -> bool {
        self.has_length() || self.asks_values() || !self.patterns.is_empty()
    }

    /// Tells whether anything but patterns and lengths is asked.
    pub(super) fn asks_values(&self) -> bool {
        self.enumeration.is_some() || self.bounds_or_digits()
    }

    /// Tells whether a range or a number of digits is asked.
    pub(super) fn bounds_or_digits(&self) -> bool {
        !self.range.is_empty() || self.total_digits.is_some() || self.fraction_digits.is_some()
    }

    /// Judges a text, its white space settled.
    pub(super) fn judge_text(&self, text: &str) -> Result<(), Broken> {
        if self.patterns.iter().all(|pattern| pattern.fits(text)) {
            return Ok(());
        }
        let text = "the value does not fit the pattern of its type";
        Err(Broken::new(Kind::BadPattern, "cvc-pattern-valid", text))
    }

    /// Judges a length in characters, octets or items.
    pub(super) fn judge_length(&self, length: u64) -> Result<(), Broken> {
        let broken = |rule, text| Err(Broken::new(Kind::BadLength, rule, text));
        if let Some(Facet { value: asked, .. }) = self.length.as_ref().filter(|asked| asked.value != length) {
            return broken("cvc-length-valid", format!("the value's length is {length}, not {asked}"));
        }
        if let Some(Facet { value: least, .. }) = self.min_length.as_ref().filter(|least| length < least.value) {
            return broken("cvc-minLength-valid", format!("the value's length is {length}, less than {least}"));
        }
        if let Some(Facet { value: most, .. }) = self.max_length.as_ref().filter(|most| length > most.value) {
            return broken("cvc-maxLength-valid", format!("the value's length is {length}, more than {most}"));
        }
        Ok(())
    }

    /// Judges a value by all that is left.
    pub(super) fn judge_value(&self, value: &Value) -> Result<(), Broken> {
        if let Some(length) = value.length().filter(|_| self.has_length()) {
            self.judge_length(length)?;
        }
        if self.enumeration.as_ref().is_some_and(|listed| !listed.holds(value)) {
            let text = "the value is not one of those the schema lists";
            return Err(Broken::new(Kind::NotInList, "cvc-enumeration-valid", text));
        }
        self.range.judge(value)?;
        self.judge_digits(value)
    }

    fn judge_digits(&self, value: &Value) -> Result<(), Broken> {
        let Value::Decimal(number) = value else { return Ok(()) };
        let broken = |rule, text| Err(Broken::new(Kind::OutOfRange, rule, text));
        let more =
            |digits: usize, most: &Option<Facet<u64>>| most.as_ref().is_some_and(|most| digits as u64 > most.value);
        if more(number.total_digits(), &self.total_digits) {
            return broken("cvc-totalDigits-valid", "the number has more digits than allowed".to_owned());
        }
        if more(number.fraction_digits(), &self.fraction_digits) {
            return broken("cvc-fractionDigits-valid", "the number has more decimals than allowed".to_owned());
        }
        Ok(())
    }
}
