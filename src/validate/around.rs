//! What an item is judged by, besides what is in it.

use super::place::Enclosing;
use crate::formats::Mark;
use crate::model::{ByteRange, Finding, FormatRules, Route, Strictness};
use crate::xsd::{Position, Spot};

/// A text that was watched. Like all of what holds texts of a batch here it has no `Debug`: they are never logged.
pub(super) struct Seen<'a, 'l, 'b> {
    /// The element's index among the format's marks.
    pub(super) watch: usize,
    /// Its text, or as much of it as is kept.
    pub(super) text: &'a str,
    /// All of the text is there.
    pub(super) complete: bool,
    /// How much there is of it in the file.
    pub(super) raw_bytes: u64,
    /// Where the element begins.
    pub(super) at: Spot<'l, 'b>,
}

/// By what an item is judged, besides itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The format's elements.
    pub(super) marks: &'static [Mark],
    /// The route, where one is known.
    pub(super) route: Option<&'a Route>,
}

impl Rules<'_> {
    /// How much a rule weighs.
    pub(super) fn of(&self, rule: impl Fn(&FormatRules) -> Strictness) -> Strictness {
        self.route.map_or(Strictness::Refuse, |route| rule(&route.rules))
    }
}

/// What surrounds an item that ends.
pub(super) struct Around<'a> {
    /// Its position among the shipment's items, from 1.
    pub(super) number: u64,
    /// Its bytes.
    pub(super) range: ByteRange,
    /// Index of its part.
    pub(super) part: u32,
    /// The group it lies in, where there are groups.
    pub(super) group: Option<&'a Group>,
}

/// The items of one reportee.
pub(super) struct Group {
    /// Its mark, and its position in the part.
    pub(super) own: Enclosing,
    /// Where it begins.
    pub(super) at: Position,
    /// Its head; empty until the reportee's id has ended.
    pub(super) head: ByteRange,
    /// The reportee's id, as far as it was read.
    pub(super) reportee: String,
    /// Bytes of the reportee's id in the file.
    pub(super) text_bytes: u64,
    /// What is wrong with the reportee's id, and whether that only warns.
    pub(super) fault: Option<(Finding, bool)>,
}
