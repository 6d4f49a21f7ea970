//! The lane: elements the schema leads to expect, gone through in one loop over the raw bytes.
//!
//! It goes where it is certain: plain tags whose names follow from the content model, values whose text ends in the same
//! piece and is sound, white space between them. At anything else it stops before it, having changed nothing, and the
//! tokenizer and the judge go on in the usual way; so it finds nothing wrong by itself, and what it goes through they
//! would have gone through alike.

use super::frame::{Frame, Mode};
use super::habits::{HabitId, MOST_VALUE};
use super::{Judge, Judging};
use crate::xml::{Locator, Namespace, Nesting, Spot, is_plain, plain_value_len, skip_space, skip_text, text_len};
use crate::xsd::plan::{NOWHERE, NodeId, WatchKind};
use crate::xsd::rails::{Attribute, Kind, Step, Stop};
use crate::xsd::tables::{SimpleId, StateId};
use crate::xsd::validator::Observer;

/// The bytes at hand, and the rest of them that the lane has not gone through.
struct Place<'b> {
    bytes: &'b [u8],
    rest: &'b [u8],
    /// The offset of the bytes in the document.
    base: u64,
}

/// The innermost open element, while its children are gone through.
#[derive(Clone, Copy)]
struct Parent {
    state: StateId,
    count: u32,
    counters: u32,
    node: NodeId,
}

/// Why the children of one element are left.
enum Turn<'s, 'b> {
    /// For the children of a child.
    Down(&'s Step, Start<'b>),
    /// For a child of which only a part of the text is at hand; what follows that part.
    Into(&'s Step, Start<'b>, &'b [u8]),
    /// For its end tag.
    Up,
    /// For the usual way.
    Off,
}

/// A child whose start tag begins what is at hand.
struct Met<'s, 'b> {
    step: &'s Step,
    /// What follows its name.
    rest: &'b [u8],
    habit: HabitId,
}

/// A start tag.
#[derive(Clone, Copy)]
struct Start<'b> {
    /// The name as written.
    name: &'b [u8],
    /// What follows the tag.
    content: &'b [u8],
}

impl<'b> Place<'b> {
    /// The offset of what a part of the bytes begins with.
    #[inline]
    fn offset(&self, rest: &[u8]) -> u64 {
        self.base + (self.bytes.len() - rest.len()) as u64
    }

    /// The name of the tag at hand, given what follows it.
    #[inline(always)]
    fn name(&self, after: &[u8]) -> &'b [u8] {
        self.rest.get(1..self.rest.len() - after.len()).unwrap_or_default()
    }

    /// What stands between two places, of which the second is given by what follows it.
    #[inline]
    fn between(&self, from: &'b [u8], after: &[u8]) -> &'b [u8] {
        from.get(..from.len() - after.len()).unwrap_or_default()
    }
}

impl<'p, O: Observer> Judging<'_, 'p, O> {
    /// Goes through what is expected, as far as it comes.
    pub(super) fn lane(
        &mut self,
        bytes: &[u8],
        from: usize,
        base: u64,
        nesting: &mut Nesting,
        locator: &mut Locator<'_>,
    ) -> usize {
        let mut place = Place { bytes, rest: bytes.get(from..).unwrap_or_default(), base };
        self.judge.lane.refresh(nesting.scope());
        // The fields of a key may be anywhere, and are told by the judge.
        if !self.judge.lane.is_open() || self.judge.identity.is_active() {
            return from;
        }
        while let Some(frame) = self.judge.frames.last()
            && nesting.has_room()
        {
            let (state, count, counters, node) = (frame.state, frame.count, frame.counters, frame.node);
            let gone = match frame.mode {
                Mode::Model { mixed: false } => {
                    let mut parent = Parent { state, count, counters, node };
                    let turn = self.children(&mut place, &mut parent, locator);
                    if let Some(frame) = self.judge.frames.last_mut() {
                        (frame.state, frame.count) = (parent.state, parent.count);
                    }
                    match turn {
                        Turn::Down(step, start) => self.descend(&mut place, parent, step, start, nesting, locator),
                        Turn::Into(step, start, rest) => self.enter(&mut place, parent, step, (start, rest), nesting),
                        Turn::Up => self.ascend(&mut place, nesting, locator),
                        Turn::Off => false,
                    }
                }
                Mode::Simple if self.judge.takes_any_text() => self.text_goes_on(&mut place, nesting, locator),
                Mode::Model { .. }
                | Mode::Ways { .. }
                | Mode::Loose { .. }
                | Mode::Simple
                | Mode::Fixed
                | Mode::Empty
                | Mode::Nil
                | Mode::Any
                | Mode::Skip => false,
            };
            if !gone {
                break;
            }
        }
        bytes.len() - place.rest.len()
    }

    /// Goes through children that hold values.
    #[inline(always)]
    fn children<'b>(&mut self, place: &mut Place<'b>, parent: &mut Parent, locator: &mut Locator<'_>) -> Turn<'p, 'b> {
        let rails = &self.judge.plan.rails;
        loop {
            let Some(stop) = rails.stop(parent.state) else { return Turn::Off };
            let steps = rails.steps(stop);
            let met = match self.usual(place, steps, stop, parent) {
                Some(met) => met,
                None => match self.sought(place, steps, stop, parent) {
                    Ok(met) => met,
                    Err(turn) => return turn,
                },
            };
            let Met { step, rest, habit } = met;
            let Some((content, is_empty)) = self.past_start(rest, step, parent.node) else { return Turn::Off };
            let start = Start { name: place.name(rest), content };
            let end = match step.kind {
                Kind::Text(_) if is_empty => Some(0),
                Kind::Text(_) => Some(any_text(content)),
                Kind::Value(simple) if is_empty => self.takes(simple, b"").then_some(0),
                Kind::Value(simple) => self.sound_value(content, simple),
                Kind::Empty => Some(0),
                Kind::Branch { .. } if !is_empty => return Turn::Down(step, start),
                Kind::Branch { .. } | Kind::Other => return Turn::Off,
            };
            let Some(after) = end.and_then(|end| content.get(end..)) else { return Turn::Off };
            let past = if is_empty { Some(content) } else { self.past_end(habit, start.name, after) };
            let Some(past) = past else {
                let into = matches!(step.kind, Kind::Text(_)) && parent.node == NOWHERE;
                return if into { Turn::Into(step, start, after) } else { Turn::Off };
            };
            if parent.node != NOWHERE {
                let node = self.judge.plan.child(parent.node, step.name);
                if node != NOWHERE && (is_empty || !self.watched_value(node, place, (content, after, past), locator)) {
                    return Turn::Off;
                }
            }
            self.judge.advance(parent, step);
            place.rest = past;
        }
    }

    /// The child that came last in this state, if it comes again as it is used to be written.
    #[inline(always)]
    fn usual<'b>(&self, place: &mut Place<'b>, steps: &'p [Step], stop: &Stop, parent: &Parent) -> Option<Met<'p, 'b>> {
        let (id, habit) = self.judge.lane.usual(parent.state, place.rest)?;
        let step = steps.get(stop.place(habit.step)).filter(|step| stop.allows(step, parent.count))?;
        let rest = place.rest.get(habit.name_end as usize..)?;
        place.rest = place.rest.get(habit.tag as usize..)?;
        Some(Met { step, rest, habit: id })
    }

    /// The child of any other tag.
    #[inline(never)]
    fn sought<'b>(
        &mut self,
        place: &mut Place<'b>,
        steps: &'p [Step],
        stop: &Stop,
        parent: &Parent,
    ) -> Result<Met<'p, 'b>, Turn<'p, 'b>> {
        let from = place.rest;
        place.rest = self.judge.lane.skip_space(from, self.judge.frames.len()).ok_or(Turn::Off)?;
        let tag = match place.rest {
            [b'<', b'/', ..] => return Err(Turn::Up),
            [b'<', tag @ ..] => tag,
            _ => return Err(Turn::Off),
        };
        let (step, rest) = self.foreseen(steps, stop, parent.count, tag).ok_or(Turn::Off)?;
        let (at, name_end) = (from.len() - place.rest.len(), from.len() - rest.len());
        let habit = self.judge.lane.keep(parent.state, step, from, at, name_end);
        Ok(Met { step, rest, habit })
    }

    /// The step whose name a tag has, and what follows the name.
    #[inline(always)]
    fn foreseen<'b>(&self, steps: &'p [Step], stop: &Stop, count: u32, tag: &'b [u8]) -> Option<(&'p Step, &'b [u8])> {
        let head = u64::from_le_bytes(*tag.first_chunk()?);
        for step in steps {
            let prefix = self.judge.lane.of(step.namespace);
            if head & prefix.mask != prefix.word {
                continue;
            }
            let local = tag.get(prefix.len as usize..)?;
            let begins = if prefix.len == 0 { head } else { u64::from_le_bytes(*local.first_chunk()?) };
            if !step.begins_as(begins) {
                continue;
            }
            let Some(rest) = self.judge.plan.rails.name(step.name)?.strip(local) else { continue };
            // A longer name may begin with this one; of two steps of one name the second may be the one.
            let is_whole = rest.first().is_some_and(|byte| matches!(byte, b'>' | b'/' | b' ' | b'\n' | b'\r' | b'\t'));
            if is_whole && stop.allows(step, count) {
                return Some((step, rest));
            }
        }
        None
    }

    /// What follows the end tag of a child, if that is what the bytes begin with.
    #[inline(always)]
    fn past_end<'b>(&self, habit: HabitId, name: &[u8], bytes: &'b [u8]) -> Option<&'b [u8]> {
        if self.judge.lane.ends(habit, bytes) {
            return bytes.get(name.len() + END_EDGES..);
        }
        bytes.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")
    }

    /// What follows a start tag, given what follows its name; and whether it is the end, too.
    #[inline(always)]
    fn past_start<'b>(&mut self, rest: &'b [u8], step: &Step, parent: NodeId) -> Option<(&'b [u8], bool)> {
        match rest {
            [b'>', content @ ..] if step.required == 0 => Some((content, false)),
            [b'>', ..] => None,
            // Told by the judge.
            _ if parent != NOWHERE && self.watches_attributes(parent, step) => None,
            _ => self.attributes_of(rest, step),
        }
    }

    fn watches_attributes(&self, parent: NodeId, step: &Step) -> bool {
        let plan = self.judge.plan;
        !plan.attributes(plan.child(parent, step.name)).is_empty()
    }

    /// Goes through the attributes of a tag, all of which the type must know.
    #[inline(never)]
    fn attributes_of<'b>(&mut self, mut rest: &'b [u8], step: &Step) -> Option<(&'b [u8], bool)> {
        let attributes = self.judge.plan.rails.attributes(step);
        let (mut seen, mut next, from) = (0_u64, 0, rest.len());
        loop {
            let (spaced, is_spaced) = past_space(rest)?;
            rest = match spaced {
                [b'>', content @ ..] if seen & step.required == step.required => return Some((content, false)),
                [b'/', b'>', content @ ..] if seen & step.required == step.required => return Some((content, true)),
                _ if is_spaced => spaced,
                _ => return None,
            };
            let (known, value) = self.attribute_at(rest, attributes, next)?;
            let (quote, value) = value.split_first()?;
            let len = plain_value_len(value, *quote).filter(|_| matches!(quote, b'"' | b'\''))?;
            let text = value.get(..len)?;
            let sound = match attributes.get(known)?.kind {
                Kind::Text(_) => true,
                Kind::Value(simple) => self.takes(simple, text),
                Kind::Empty | Kind::Branch { .. } | Kind::Other => false,
            };
            rest = value.get(len + 1..)?;
            let bit = 1 << known;
            if !sound || seen & bit != 0 || !self.judge.lane.admits(attributes.len(), len, from - rest.len()) {
                return None;
            }
            (seen, next) = (seen | bit, known + 1);
        }
    }

    /// Which attribute a text begins with, first of all whether it is the next one; and what follows its `=`.
    #[inline(always)]
    fn attribute_at<'b>(&self, text: &'b [u8], attributes: &[Attribute], next: usize) -> Option<(usize, &'b [u8])> {
        let expected = attributes.get(next).and_then(|attribute| self.past_equals(text, attribute));
        if let Some(value) = expected {
            return Some((next, value));
        }
        let mut each = attributes.iter().enumerate();
        each.find_map(|(index, attribute)| Some((index, self.past_equals(text, attribute)?)))
    }

    /// What follows the name of an attribute and its `=`, if the text begins with them.
    #[inline(always)]
    fn past_equals<'b>(&self, text: &'b [u8], attribute: &Attribute) -> Option<&'b [u8]> {
        let is_bare = Some(attribute.name.namespace as usize) == Namespace::NONE.index();
        // No namespace has no prefix, whatever the default is.
        let local = if is_bare { text } else { self.judge.lane.of_attribute(attribute.name.namespace).strip(text)? };
        attribute.name.strip(local)?.strip_prefix(b"=")
    }

    /// Tells whether a type takes a text.
    #[inline]
    fn takes(&mut self, simple: SimpleId, raw: &[u8]) -> bool {
        let Some(simple) = self.judge.schema().simple(simple) else { return false };
        simple.surely(raw) || self.judge.value.takes(simple, raw)
    }

    /// Where a value ends that its type takes.
    #[inline]
    fn sound_value(&mut self, content: &[u8], simple: SimpleId) -> Option<usize> {
        let simple = self.judge.schema().simple(simple)?;
        // Guessed, so that nothing waits for the bytes to tell it.
        let usual = simple.usual_bytes();
        if usual > 0 && content.get(usual) == Some(&b'<') && content.get(..usual).is_some_and(|raw| simple.surely(raw))
        {
            return Some(usual);
        }
        let end = text_len(content)?;
        let raw = content.get(..end.min(MOST_VALUE))?;
        (end <= MOST_VALUE && (simple.surely(raw) || self.judge.value.takes(simple, raw))).then_some(end)
    }

    /// Tells of a value that somebody watches, if it is what it says.
    fn watched_value(
        &mut self,
        node: NodeId,
        place: &Place<'_>,
        (content, after, past): (&[u8], &[u8], &[u8]),
        locator: &mut Locator<'_>,
    ) -> bool {
        let watches = self.judge.plan.watches(node);
        if watches.iter().any(|(_, kind)| *kind == WatchKind::Text) {
            return false;
        }
        let raw = place.between(content, after);
        let (from, end) = (place.offset(content), place.offset(after));
        let plain = raw.len() <= self.judge.watched.most_bytes() && is_plain(raw);
        let text = if plain { locator.text(from..end) } else { None };
        let Some(text) = text else { return false };
        let value = |watch: usize, observer: &mut O, locator: &mut Locator<'_>| {
            let (told, end) = (locator.counted(from), locator.sent(end));
            let at = Spot::new(told, from, locator);
            let range = at.offset()..end;
            observer.value(watch, text, true, range, at);
        };
        // Nearly always; two loops cost more than all else here.
        if let [(watch, WatchKind::Value)] = watches {
            value(*watch, self.observer, locator);
            return true;
        }
        for (watch, _) in watches.iter().filter(|(_, kind)| *kind == WatchKind::Element) {
            self.observer.open(*watch, Spot::new(None, place.offset(place.rest), locator));
        }
        for (watch, kind) in watches.iter().rev() {
            match kind {
                WatchKind::Element => self.observer.close(*watch, locator.sent(place.offset(past)), true),
                WatchKind::Value => value(*watch, self.observer, locator),
                WatchKind::Text => {}
            }
        }
        true
    }

    /// Opens an element that holds elements.
    fn descend<'b>(
        &mut self,
        place: &mut Place<'b>,
        parent: Parent,
        step: &Step,
        start: Start<'b>,
        nesting: &mut Nesting,
        locator: &mut Locator<'_>,
    ) -> bool {
        let Kind::Branch { type_id, start: state, mixed, slots } = step.kind else { return false };
        let offset = place.offset(place.rest);
        let node = self.judge.plan.child(parent.node, step.name);
        let mode = Mode::Model { mixed };
        self.judge.push(parent, step, Frame { mode, type_id, state, node, ..self.judge.blank(offset) });
        self.opened(node, offset, locator);
        if slots > 0 {
            self.judge.counters.resize(self.judge.counters.len() + usize::from(slots), 0);
        }
        nesting.push(start.name);
        place.rest = start.content;
        true
    }

    /// Opens an element that holds any text, some of which has gone by.
    fn enter<'b>(
        &mut self,
        place: &mut Place<'b>,
        parent: Parent,
        step: &Step,
        (start, after): (Start<'b>, &'b [u8]),
        nesting: &mut Nesting,
    ) -> bool {
        let Kind::Text(simple) = step.kind else { return false };
        let schema = self.judge.schema();
        let blank = self.judge.blank(place.offset(place.rest));
        let type_id = schema.element(step.element).map_or(blank.type_id, |element| element.type_id);
        let (mode, has_text) = (Mode::Simple, after.len() < start.content.len());
        self.judge.push(parent, step, Frame { mode, type_id, has_text, ..blank });
        if let Some(simple) = schema.simple(simple) {
            self.judge.value.begin(simple, false);
        }
        let from = place.offset(start.content);
        (self.judge.value_place, self.judge.value_at) = (from, None);
        nesting.push(start.name);
        place.rest = after;
        true
    }

    /// More of a text of which nothing is asked.
    fn text_goes_on(&mut self, place: &mut Place<'_>, nesting: &mut Nesting, locator: &mut Locator<'_>) -> bool {
        let len = skip_text(place.rest);
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.has_text |= len > 0;
        }
        place.rest = place.rest.get(len..).unwrap_or_default();
        self.end_tag(place, nesting, locator)
    }

    /// Closes an element whose content is complete.
    fn ascend(&mut self, place: &mut Place<'_>, nesting: &mut Nesting, locator: &mut Locator<'_>) -> bool {
        let complete = self.judge.frames.last().is_some_and(|frame| {
            self.judge.plan.rails.stop(frame.state).is_some_and(|stop| stop.accepting && frame.count >= stop.min)
        });
        let Some(past) = past_end_tag(place.rest, nesting).filter(|_| complete) else { return false };
        let Some(frame) = self.judge.frames.pop() else { return false };
        self.closed(frame.node, !frame.unsound, place.offset(place.rest), place.offset(past), locator);
        self.judge.counters.truncate(frame.counters as usize);
        if let Some(parent) = self.judge.frames.last_mut() {
            parent.unsound |= frame.unsound;
        }
        nesting.pop();
        place.rest = past;
        true
    }

    /// Closes an element that holds any text.
    fn end_tag(&mut self, place: &mut Place<'_>, nesting: &mut Nesting, locator: &mut Locator<'_>) -> bool {
        let Some(past) = past_end_tag(place.rest, nesting) else { return false };
        self.close(place.offset(place.rest), place.offset(past), nesting.scope(), locator);
        nesting.pop();
        place.rest = past;
        true
    }
}

impl Judge<'_> {
    /// Tells whether the value in progress may be anything, and nobody listens.
    fn takes_any_text(&self) -> bool {
        self.value.takes_anything() && !self.watched.is_active()
    }

    /// Opens a child by a step.
    #[inline]
    fn push(&mut self, mut parent: Parent, step: &Step, frame: Frame) {
        let ordinal = self.advance(&mut parent, step);
        if let Some(frame) = self.frames.last_mut() {
            (frame.state, frame.count) = (parent.state, parent.count);
        }
        self.frames.push(Frame { name: Some(step.name), element: Some(step.element), ordinal, ..frame });
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

/// Where any text ends that is followed by an end tag, or where it must be looked at more closely.
#[inline(always)]
fn any_text(content: &[u8]) -> usize {
    let short = text_len(content).filter(|end| content.get(*end..).is_some_and(|rest| rest.starts_with(b"</")));
    short.unwrap_or_else(|| skip_text(content))
}

/// What follows the end tag of the innermost element, if nothing but the name stands in it.
#[inline(always)]
fn past_end_tag<'b>(bytes: &'b [u8], nesting: &Nesting) -> Option<&'b [u8]> {
    // The root's end is the document's.
    let (2.., Some(name)) = (nesting.depth(), nesting.name()) else { return None };
    bytes.strip_prefix(b"</")?.strip_prefix(name)?.strip_prefix(b">")
}

/// What follows the white space before an attribute or the end of a tag, and whether there is any.
#[inline(always)]
fn past_space(bytes: &[u8]) -> Option<(&[u8], bool)> {
    match bytes {
        [b' ', rest @ ..] if rest.first().is_some_and(|byte| *byte > b' ') => Some((rest, true)),
        [first, ..] if *first > b' ' => Some((bytes, false)),
        _ => skip_space(bytes).map(|rest| (rest, true)),
    }
}

/// `</` and `>`.
const END_EDGES: usize = 3;
