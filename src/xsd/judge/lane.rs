//! The lane: elements the schema leads to expect, gone through in one loop over the raw bytes.
//!
//! It goes where it is certain: plain tags whose names follow from the content model, values whose text ends in the same
//! piece and is sound, white space between them. At anything else it stops before it, having changed nothing, and the
//! tokenizer and the judge go on in the usual way; so it finds nothing wrong by itself, and what it goes through they
//! would have gone through alike.

use super::frame::{Frame, Mode};
use super::{Judge, Judging};
use crate::xml::{Locator, Namespace, Nesting, Scope, Tag, skip_space, skip_text, text_end, word};
use crate::xsd::plan::{NOWHERE, NodeId, WatchKind};
use crate::xsd::rails::{Kind, Step, Stop};
use crate::xsd::tables::{Check, SimpleId, SimpleType, StateId};
use crate::xsd::validator::Observer;

/// How the document at hand writes the namespaces of the schema.
#[derive(Debug)]
pub(super) struct Prefixes {
    /// By the number of the namespace.
    known: Vec<Prefix>,
    /// The declarations they are true for.
    generation: u64,
}

/// A prefix with its colon in a word; one that is not known is like no word at all.
#[derive(Debug, Clone, Copy)]
struct Prefix {
    word: u64,
    mask: u64,
    len: u32,
}

/// The bytes at hand, and where the lane stands in them.
struct Place<'a> {
    bytes: &'a [u8],
    /// The offset of the bytes in the document.
    base: u64,
    at: usize,
}

/// The innermost open element, while its children are gone through.
struct Parent {
    state: StateId,
    count: u32,
    counters: u32,
    node: NodeId,
}

/// Why the children of one element are left.
enum Turn<'s> {
    /// For the children of a child, whose name ends at a place.
    Down(&'s Step, usize),
    /// For a child of which only a part of the text is at hand: where its name ends, and that part.
    Into(&'s Step, usize, usize),
    /// For its end tag.
    Up,
    /// For the usual way.
    Off,
}

impl Prefix {
    const UNKNOWN: Self = Self { word: u64::MAX, mask: 0, len: 0 };
    const NONE: Self = Self { word: 0, mask: 0, len: 0 };
    const LONGEST: usize = 8;

    fn of(raw: &[u8]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        if raw.is_empty() {
            return Self::NONE;
        }
        match bytes.get_mut(..raw.len()) {
            None => Self::UNKNOWN,
            Some(start) => {
                start.copy_from_slice(raw);
                let mask = u64::MAX >> (64 - 8 * raw.len());
                Self { word: u64::from_le_bytes(bytes), mask, len: raw.len() as u32 }
            }
        }
    }

    #[inline(always)]
    fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        word(bytes, at).is_some_and(|found| found & self.mask == self.word)
    }

    fn resolves(&self, scope: &Scope, number: usize) -> bool {
        let bytes = self.word.to_le_bytes();
        let prefix = bytes.get(..(self.len as usize).saturating_sub(1)).unwrap_or_default();
        let namespace = match self.len {
            0 => Some(scope.default_namespace()),
            _ => scope.lookup(prefix).map(|(namespace, _)| namespace),
        };
        namespace.and_then(Namespace::index) == Some(number)
    }
}

impl Prefixes {
    pub(super) fn new(namespaces: usize) -> Self {
        Self { known: vec![Prefix::UNKNOWN; namespaces], generation: u64::MAX }
    }

    /// Learns from a tag how the namespace of its name is written here.
    #[inline]
    pub(super) fn learn(&mut self, tag: &Tag<'_>) {
        let Some(known) = tag.namespace.index().and_then(|number| self.known.get_mut(number)) else { return };
        let raw = tag.name.get(..tag.name.len() - tag.local.len()).unwrap_or_default();
        let same =
            known.len as usize == raw.len() && known.word != u64::MAX && *raw == known.word.to_le_bytes()[..raw.len()];
        if !same {
            *known = Prefix::of(raw);
        }
    }

    /// Forgets what the declarations in force no longer bear out.
    #[inline]
    fn refresh(&mut self, scope: &Scope) {
        if self.generation == scope.generation() {
            return;
        }
        self.generation = scope.generation();
        for (number, prefix) in self.known.iter_mut().enumerate() {
            if prefix.word != u64::MAX && !prefix.resolves(scope, number) {
                *prefix = Prefix::UNKNOWN;
            }
        }
    }

    #[inline(always)]
    fn of(&self, namespace: u32) -> Prefix {
        self.known.get(namespace as usize).copied().unwrap_or(Prefix::UNKNOWN)
    }
}

impl<O: Observer> Judging<'_, '_, O> {
    /// Goes through what is expected, as far as it comes.
    pub(super) fn lane(
        &mut self,
        bytes: &[u8],
        from: usize,
        base: u64,
        nesting: &mut Nesting,
        locator: &mut Locator<'_>,
    ) -> usize {
        let mut place = Place { bytes, base, at: from };
        while let Some(frame) = self.judge.frames.last() {
            let mut parent =
                Parent { state: frame.state, count: frame.count, counters: frame.counters, node: frame.node };
            match frame.mode {
                Mode::Model { mixed: false } => {}
                Mode::Simple if self.judge.takes_any_text() => {
                    if self.text_goes_on(&mut place, nesting, locator) {
                        continue;
                    }
                    break;
                }
                _ => break,
            }
            self.judge.prefixes.refresh(nesting.scope());
            let turn = self.children(&mut place, &mut parent, nesting.has_room(), locator);
            if let Some(frame) = self.judge.frames.last_mut() {
                (frame.state, frame.count) = (parent.state, parent.count);
            }
            let gone = match turn {
                Turn::Down(step, end) => self.descend(&mut place, &parent, step, end, nesting, locator),
                Turn::Up => self.ascend(&mut place, nesting, locator),
                Turn::Into(step, end, to) => {
                    self.enter(&mut place, &parent, step, (end, to), nesting);
                    true
                }
                Turn::Off => false,
            };
            if !gone {
                break;
            }
        }
        place.at
    }

    /// Goes through children that hold values.
    #[inline(always)]
    fn children<'s>(
        &mut self,
        place: &mut Place<'_>,
        parent: &mut Parent,
        has_room: bool,
        locator: &mut Locator<'_>,
    ) -> Turn<'s>
    where
        Self: 's,
    {
        let rails = &self.judge.plan.rails;
        loop {
            let Some(at) = skip_space(place.bytes, place.at) else { return Turn::Off };
            place.at = at;
            match word(place.bytes, at).map(u64::to_le_bytes) {
                Some([b'<', b'/', ..]) => return Turn::Up,
                Some([b'<', ..]) => {}
                _ => return Turn::Off,
            }
            let Some(stop) = rails.stop(parent.state) else { return Turn::Off };
            let Some((step, prefix, end)) = self.expected(rails.steps(stop), stop, parent.count, place) else {
                return Turn::Off;
            };
            let past = match step.kind {
                Kind::Text(_) => Some(skip_text(place.bytes, end + 1)),
                Kind::Value(simple) => self.sound_value(place.bytes, end + 1, simple),
                Kind::Branch { .. } if has_room => return Turn::Down(step, end),
                Kind::Branch { .. } | Kind::Other => return Turn::Off,
            };
            let Some(past) = past else { return Turn::Off };
            let node = self.judge.plan.child(parent.node, step.name);
            if !closes(place.bytes, past, step, prefix) {
                let into = matches!(step.kind, Kind::Text(_)) && node == NOWHERE && has_room;
                return if into { Turn::Into(step, end, past) } else { Turn::Off };
            }
            let close = past + 3 + prefix.len as usize + step.len();
            if node != NOWHERE && !self.watched_value(node, place, (end + 1, past, close), locator) {
                return Turn::Off;
            }
            self.judge.advance(parent, step);
            place.at = close;
        }
    }

    /// The step whose name stands behind the `<` at hand, in a tag without anything else; and where the name ends.
    #[inline(always)]
    fn expected<'s>(
        &self,
        steps: &'s [Step],
        stop: &Stop,
        count: u32,
        place: &Place<'_>,
    ) -> Option<(&'s Step, Prefix, usize)> {
        let at = place.at + 1;
        steps.iter().find_map(|step| {
            let prefix = self.judge.prefixes.of(step.namespace);
            let local = at + prefix.len as usize;
            let end = local + step.len();
            let here = prefix.stands_at(place.bytes, at) && step.stands_at(place.bytes, local);
            let allowed = if step.again { count < stop.max } else { count >= stop.min };
            (here && allowed && place.bytes.get(end) == Some(&b'>')).then_some((step, prefix, end))
        })
    }

    /// Where a value ends that its type takes.
    #[inline]
    fn sound_value(&mut self, bytes: &[u8], from: usize, simple: SimpleId) -> Option<usize> {
        let end = text_end(bytes, from)?;
        let raw = bytes.get(from..end)?;
        let simple = self.judge.schema().simple(simple)?;
        (surely(simple, raw) || self.judge.value.judge_raw(simple, raw)).then_some(end)
    }

    /// Tells of a value that somebody watches, if it is what it says.
    fn watched_value(
        &mut self,
        node: NodeId,
        place: &Place<'_>,
        (from, to, close): (usize, usize, usize),
        locator: &mut Locator<'_>,
    ) -> bool {
        let raw = place.bytes.get(from..to).unwrap_or_default();
        let plain =
            raw.len() <= self.judge.watched.most_bytes() && !raw.iter().any(|byte| matches!(byte, b'\r' | b'&' | b'<'));
        let (true, Ok(text)) = (plain, std::str::from_utf8(raw)) else { return false };
        let offset = |at: usize| place.base + at as u64;
        let watches = self.judge.plan.watches(node);
        let at = locator.position(offset(place.at));
        watches.iter().for_each(|(watch, _)| self.observer.open(*watch, at));
        for (watch, kind) in watches.iter().rev() {
            if *kind == WatchKind::Value {
                let at = locator.position(offset(from));
                self.observer.value(*watch, text, true, at.offset..locator.sent(offset(to)), at);
            }
            self.observer.close(*watch, locator.sent(offset(close)), true);
        }
        true
    }

    /// Opens an element that holds elements.
    fn descend(
        &mut self,
        place: &mut Place<'_>,
        parent: &Parent,
        step: &Step,
        end: usize,
        nesting: &mut Nesting,
        locator: &mut Locator<'_>,
    ) -> bool {
        let Kind::Branch { type_id, start, mixed, slots } = step.kind else { return false };
        let offset = place.base + place.at as u64;
        let ordinal = self.judge.step_over(parent, step);
        let blank = self.judge.blank(offset);
        let node = self.judge.plan.child(parent.node, step.name);
        self.judge.frames.push(Frame {
            mode: Mode::Model { mixed },
            type_id,
            state: start,
            name: Some(step.name),
            ordinal,
            node,
            element: Some(step.element),
            ..blank
        });
        self.opened(node, offset, locator);
        self.judge.counters.resize(self.judge.counters.len() + usize::from(slots), 0);
        nesting.push(place.bytes.get(place.at + 1..end).unwrap_or_default());
        place.at = end + 1;
        true
    }

    /// Opens an element that holds any text, some of which has gone by.
    fn enter(
        &mut self,
        place: &mut Place<'_>,
        parent: &Parent,
        step: &Step,
        (end, to): (usize, usize),
        nesting: &mut Nesting,
    ) {
        let Kind::Text(simple) = step.kind else { return };
        let schema = self.judge.schema();
        let offset = place.base + place.at as u64;
        let ordinal = self.judge.step_over(parent, step);
        let blank = self.judge.blank(offset);
        let type_id = schema.element(step.element).map_or(blank.type_id, |element| element.type_id);
        let has_text = to > end + 1;
        let (name, element) = (Some(step.name), Some(step.element));
        self.judge.frames.push(Frame { mode: Mode::Simple, type_id, name, element, ordinal, has_text, ..blank });
        if let Some(simple) = schema.simple(simple) {
            self.judge.value.begin(simple, false);
        }
        let from = place.base + end as u64 + 1;
        (self.judge.value_place, self.judge.value_at) = (from, None);
        nesting.push(place.bytes.get(place.at + 1..end).unwrap_or_default());
        place.at = to;
    }

    /// More of a text of which nothing is asked.
    fn text_goes_on(&mut self, place: &mut Place<'_>, nesting: &mut Nesting, locator: &mut Locator<'_>) -> bool {
        let to = skip_text(place.bytes, place.at);
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.has_text |= to > place.at;
        }
        place.at = to;
        self.end_tag(place, nesting, locator)
    }

    /// Closes an element whose content is complete.
    fn ascend(&mut self, place: &mut Place<'_>, nesting: &mut Nesting, locator: &mut Locator<'_>) -> bool {
        let complete = self.judge.frames.last().is_some_and(|frame| {
            self.judge.plan.rails.stop(frame.state).is_some_and(|stop| stop.accepting && frame.count >= stop.min)
        });
        complete && self.end_tag(place, nesting, locator)
    }

    /// Closes the innermost element if nothing but its name stands in the end tag at hand.
    fn end_tag(&mut self, place: &mut Place<'_>, nesting: &mut Nesting, locator: &mut Locator<'_>) -> bool {
        // The root's end is the document's.
        let (2.., Some(name)) = (nesting.depth(), nesting.name()) else { return false };
        let rest = place.bytes.get(place.at..).unwrap_or_default();
        let after = rest.strip_prefix(b"</").and_then(|rest| rest.strip_prefix(name));
        if after.and_then(<[u8]>::first) != Some(&b'>') {
            return false;
        }
        let name_end = place.at + 2 + name.len();
        let [from, to] = [place.at, name_end + 1].map(|at| place.base + at as u64);
        self.close(from, to, nesting.scope(), locator);
        nesting.pop();
        place.at = name_end + 1;
        true
    }
}

impl Judge<'_> {
    /// Tells whether the value in progress may be anything, and nobody listens.
    fn takes_any_text(&self) -> bool {
        self.value.takes_anything() && !self.watched.is_active()
    }

    /// Takes a step from an open element; which of its kind the child is.
    fn step_over(&mut self, parent: &Parent, step: &Step) -> u64 {
        let mut after = Parent { ..*parent };
        let ordinal = self.advance(&mut after, step);
        if let Some(frame) = self.frames.last_mut() {
            (frame.state, frame.count) = (after.state, after.count);
        }
        ordinal
    }

    /// Takes a step; which of its kind the child is.
    #[inline(always)]
    fn advance(&mut self, parent: &mut Parent, step: &Step) -> u64 {
        if step.again {
            parent.count += 1;
        } else {
            (parent.state, parent.count) = (step.target, 1);
        }
        self.count(parent.counters, step.slot)
    }
}

/// Tells whether the end tag of a step's element stands at a place.
#[inline(always)]
fn closes(bytes: &[u8], at: usize, step: &Step, prefix: Prefix) -> bool {
    let local = at + 2 + prefix.len as usize;
    matches!(word(bytes, at).map(u64::to_le_bytes), Some([b'<', b'/', ..]))
        && prefix.stands_at(bytes, at + 2)
        && step.stands_at(bytes, local)
        && bytes.get(local + step.len()) == Some(&b'>')
}

/// Cheap and certain: a text its type takes. Where it says no, the type must be asked.
#[inline]
fn surely(simple: &SimpleType, raw: &[u8]) -> bool {
    use crate::xsd::datatypes::{Builtin, Space};
    if simple.check == Check::Length {
        return simple.space == Space::Preserve
            && !raw.contains(&b'\r')
            && simple.facets.judge_length(crate::xml::characters(raw)).is_ok();
    }
    if !simple.facets.only_length() || simple.facets.has_length() {
        return false;
    }
    match (simple.builtin, raw) {
        (Builtin::Boolean, b"true" | b"false" | b"0" | b"1") => true,
        (Builtin::Date, &[a, b, c, d, b'-', e, f, b'-', g, h]) => {
            let digits = [a, b, c, d, e, f, g, h];
            let month = u32::from(e.wrapping_sub(b'0')) * 10 + u32::from(f.wrapping_sub(b'0'));
            let day = u32::from(g.wrapping_sub(b'0')) * 10 + u32::from(h.wrapping_sub(b'0'));
            let days = match month {
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            digits.iter().all(u8::is_ascii_digit)
                && (1..=12).contains(&month)
                && (1..=days).contains(&day)
                && [a, b, c, d] != *b"0000"
        }
        (Builtin::Integer(_, least, most), digits) if (1..10).contains(&digits.len()) => {
            let number = digits.iter().fold(0_i128, |number, digit| number * 10 + i128::from(digit.wrapping_sub(b'0')));
            digits.iter().all(u8::is_ascii_digit)
                && least.is_none_or(|least| number >= least)
                && most.is_none_or(|most| number <= most)
        }
        _ => false,
    }
}
