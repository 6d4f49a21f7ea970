//! The built-in types: which texts are theirs, and how values compare.

mod alphabet;
mod binary;
mod blocks;
mod broken;
mod builtins;
mod classes;
mod decimal;
mod describe;
mod duration;
mod expression;
mod facet;
mod glance;
mod lexical;
mod machine;
mod moment;
mod pattern;
mod range;
mod restrict;
mod simple;
mod surely;
#[cfg(test)]
mod table;
mod value;
mod words;

pub(super) use binary::{Base64, Hex};
pub(super) use broken::Broken;
pub(super) use describe::Fact;
pub(super) use facet::{FacetError, FacetKind, FacetSource};
pub(super) use lexical::{Prefixes, is_language, is_uri};
pub(super) use simple::{SimpleType, Stream, Variety};
pub(super) use value::{Role, Value};
pub(super) use words::Words;

use std::borrow::Cow;

/// What becomes of white space before a value is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Preserve,
    Replace,
    Collapse,
}

impl Space {
    /// Tells whether a text stays as it is, its line ends too.
    fn keeps(self, text: &[u8]) -> bool {
        let any = |found: fn(&u8) -> bool| text.iter().fold(false, |any, byte| any | found(byte));
        match self {
            Self::Preserve => !any(|byte| *byte == b'\r'),
            // Of the characters up to the blank, XML allows white space only.
            Self::Replace => !any(|byte| *byte < b' '),
            Self::Collapse if !any(|byte| *byte <= b' ') => true,
            Self::Collapse => {
                let (mut last, mut stays) = (b' ', true);
                for byte in text {
                    stays &= *byte > b' ' || (*byte == b' ' && last != b' ');
                    last = *byte;
                }
                stays && last != b' '
            }
        }
    }

    /// The text as its type sees it.
    pub(super) fn apply(self, text: &str) -> Cow<'_, str> {
        let odd = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r');
        match self {
            Self::Preserve => Cow::Borrowed(text),
            Self::Replace if !text.bytes().any(odd) => Cow::Borrowed(text),
            Self::Replace => Cow::Owned(text.replace(['\t', '\n', '\r'], " ")),
            Self::Collapse => {
                let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
                if !trimmed.bytes().any(odd) && !trimmed.contains("  ") {
                    return Cow::Borrowed(trimmed);
                }
                let words = trimmed.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
                Cow::Owned(words.collect::<Vec<_>>().join(" "))
            }
        }
    }
}
