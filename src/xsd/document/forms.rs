//! The forms of the attributes of schema documents.

use std::str::FromStr as _;

use super::tree::trimmed;
use crate::xml;
use crate::xsd::datatypes::{is_language, is_uri};

/// What an attribute's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Anything; what it means is judged where it is used.
    Text,
    Uri,
    /// Unique in its document.
    Id,
    NcName,
    /// Of `xml:lang`.
    Language,
    QName,
    QNames,
    Boolean,
    Count,
    CountOrUnbounded,
    Positive,
    ZeroOrOne,
    One,
    /// `qualified` or `unqualified`.
    Qualification,
    Use,
    Process,
    /// Of a wildcard.
    Namespaces,
    WhiteSpace,
    /// `block` of elements.
    Block,
    /// `final` of elements, `final` and `block` of complex types.
    Derivations,
    /// `final` of simple types.
    SimpleFinal,
    FinalDefault,
}

impl Form {
    /// Tells whether a value, as written, is of this form.
    pub(super) fn admits(self, written: &str) -> bool {
        let value = trimmed(written);
        match self {
            Self::Text => true,
            Self::Uri => is_uri(value),
            Self::Id | Self::NcName => xml::is_name(value, false),
            Self::Language => is_language(value),
            Self::QName => is_qname(value),
            Self::QNames => words(value).all(is_qname),
            Self::Boolean => matches!(value, "true" | "false" | "1" | "0"),
            Self::Count => is_count(value),
            Self::CountOrUnbounded => value == "unbounded" || is_count(value),
            Self::Positive => is_count(value) && count(value) != Some(0),
            Self::ZeroOrOne => is_count(value) && count(value).is_some_and(|count| count <= 1),
            Self::One => is_count(value) && count(value) == Some(1),
            Self::Qualification => matches!(value, "qualified" | "unqualified"),
            Self::Use => matches!(value, "optional" | "prohibited" | "required"),
            Self::Process => matches!(value, "lax" | "skip" | "strict"),
            Self::Namespaces => {
                let is_listed = |word: &str| match word.starts_with("##") {
                    true => matches!(word, "##targetNamespace" | "##local"),
                    false => is_uri(word),
                };
                matches!(value, "##any" | "##other") || words(value).all(is_listed)
            }
            Self::WhiteSpace => matches!(value, "preserve" | "replace" | "collapse"),
            Self::Block => is_set(value, &["extension", "restriction", "substitution"]),
            Self::Derivations => is_set(value, &["extension", "restriction"]),
            Self::SimpleFinal => is_set(value, &["list", "union", "restriction"]),
            Self::FinalDefault => is_set(value, &["extension", "restriction", "list", "union"]),
        }
    }

    /// What is said of a value that is not of this form.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Uri => "a URI",
            Self::Id => "an ID",
            Self::NcName => "a name without a colon",
            Self::Language => "a language",
            Self::QName => "a qualified name",
            Self::QNames => "a list of qualified names",
            Self::Boolean => "true or false",
            Self::Count => "a number from 0 on",
            Self::CountOrUnbounded => "a number from 0 on, or unbounded",
            Self::Positive => "a number from 1 on",
            Self::ZeroOrOne => "0 or 1",
            Self::One => "1",
            Self::Qualification => "qualified or unqualified",
            Self::Use => "optional, prohibited or required",
            Self::Process => "lax, skip or strict",
            Self::Namespaces => "##any, ##other, or a list of URIs, ##targetNamespace and ##local",
            Self::WhiteSpace => "preserve, replace or collapse",
            Self::Block => "#all, or a list of extension, restriction and substitution",
            Self::Derivations => "#all, or a list of extension and restriction",
            Self::SimpleFinal => "#all, or a list of list, union and restriction",
            Self::FinalDefault => "#all, or a list of extension, restriction, list and union",
        }
    }
}

/// The words of a list.
pub(in crate::xsd) fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty())
}

/// A number from 0 on; one too large for us is as large as there is. `None` for anything else.
pub(in crate::xsd) fn count(value: &str) -> Option<u32> {
    let digits = trimmed(value);
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    is_count(trimmed(value)).then(|| u32::from_str(digits).unwrap_or(u32::MAX))
}

fn is_count(value: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match value.strip_prefix('-') {
        Some(rest) => is_digits(rest) && rest.bytes().all(|byte| byte == b'0'),
        None => is_digits(value.strip_prefix('+').unwrap_or(value)),
    }
}

fn is_qname(value: &str) -> bool {
    match value.split_once(':') {
        Some((prefix, local)) => xml::is_name(prefix, false) && xml::is_name(local, false),
        None => xml::is_name(value, false),
    }
}

fn is_set(value: &str, members: &[&str]) -> bool {
    value == "#all" || words(value).all(|word| members.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_of_their_form_or_not() {
        let cases: &[(Form, &[&str], &[&str])] = &[
            (Form::NcName, &["a", " å-1 "], &["", "a:b", "1a", "a b"]),
            (Form::QName, &["a", "a:b"], &["", ":a", "a:", "a:b:c"]),
            (Form::QNames, &["", "a b:c"], &["a 1"]),
            (Form::Count, &["0", "+1", "007", "-0", "99999999999999999999"], &["-1", "", "1.0", "x", "+-1"]),
            (Form::CountOrUnbounded, &["unbounded", "3"], &["Unbounded"]),
            (Form::Language, &["nb", "en-GB-x1"], &["", "a1", "languages1", "en-"]),
            (Form::ZeroOrOne, &["0", "1", "01"], &["2", "unbounded"]),
            (Form::Positive, &["1"], &["0", "+0"]),
            (Form::Namespaces, &["##any", "", "##local urn:a"], &["##any urn:a", "##other ##local", "##none"]),
            (Form::Block, &["", "#all", "extension substitution"], &["#all extension", "list"]),
            (Form::Uri, &["", "a b", "urn:a#b", "%20"], &["%2", "a#b#c", "%zz", ":a", "1a:b"]),
        ];
        for (form, good, bad) in cases {
            assert!(good.iter().all(|value| form.admits(value)), "{form:?} {good:?}");
            assert!(bad.iter().all(|value| !form.admits(value)), "{form:?} {bad:?}");
        }
        assert_eq!(
            (count("99999999999"), count(" +7 "), count("-0"), count("-1")),
            (Some(u32::MAX), Some(7), Some(0), None)
        );
    }
}
