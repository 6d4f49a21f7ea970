//! Texts of an item that are references and the like: what is wrong with them, and what is kept of them.

use std::borrow::Cow;

use crate::codes;
use crate::formats::Mark;
use crate::model::Code;
use crate::validate::around::Seen;
use crate::validate::place;

/// What is wrong with a required reference, if something is.
#[inline]
pub(in crate::validate) fn reference_fault(seen: &Seen<'_, '_, '_>, marks: &'static [Mark]) -> Option<(Code, String)> {
    empty(seen, marks).or_else(|| too_long(seen, marks, is_long(seen)))
}

#[inline]
pub(super) fn empty(seen: &Seen<'_, '_, '_>, marks: &'static [Mark]) -> Option<(Code, String)> {
    let text = || format!("{} is empty", place::name(marks, seen.watch));
    (seen.complete && seen.text.chars().all(char::is_whitespace)).then(|| (codes::NO_REFERENCE, text()))
}

#[inline]
pub(super) fn too_long(seen: &Seen<'_, '_, '_>, marks: &'static [Mark], is_so: bool) -> Option<(Code, String)> {
    is_so.then(|| (codes::REFERENCE_TOO_LONG, format!("{} is too long", place::name(marks, seen.watch))))
}

pub(super) fn is_long(seen: &Seen<'_, '_, '_>) -> bool {
    !seen.complete || cut(seen.text).len() < seen.text.len()
}

/// As much of a reference as is kept.
pub(super) fn cut(text: &str) -> &str {
    // Most have fewer bytes than that, let alone characters.
    let end = text.len() > REFERENCE_CHARACTERS;
    let end = end.then(|| text.char_indices().nth(REFERENCE_CHARACTERS)).flatten();
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// A number as it is compared: `1`, `+1` and `01` are one; what is none is as nothing.
pub(super) fn plain_number(text: &str) -> Cow<'_, str> {
    match text.as_bytes() {
        [b'0'..=b'9'] => Cow::Borrowed(text),
        _ => text.trim().parse().map_or(Cow::Borrowed(""), |number: i64| Cow::Owned(number.to_string())),
    }
}

/// What the ledger and every receipt hold of a reference.
const REFERENCE_CHARACTERS: usize = 256;
