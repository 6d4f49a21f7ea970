//! Elements as they begin: declaration, type, attributes; and text where none may stand.

use super::Judging;
use super::frame::{Frame, Mode};
use crate::xml::{Locator, Tag};
use crate::xsd::finding::Kind;
use crate::xsd::plan::{NOWHERE, NodeId};
use crate::xsd::tables::{ANY_TYPE, Content, Element, ElementId, NameId, Type};
use crate::xsd::validator::Observer;

/// An element about to be opened.
pub(super) struct Opening {
    pub(super) name: Option<NameId>,
    pub(super) element: Option<ElementId>,
    pub(super) ordinal: u64,
    pub(super) node: NodeId,
}

impl<O: Observer> Judging<'_, '_, O> {
    /// Opens an element by its declaration.
    #[inline]
    pub(super) fn open(&mut self, tag: &Tag<'_>, opening: &Opening, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let element = opening.element.and_then(|element| schema.element(element));
        let declared = element.map_or(ANY_TYPE, |element| element.type_id);
        let blank = self.judge.blank(tag.offset);
        let Opening { name, element: element_id, ordinal, node } = *opening;
        self.judge.frames.push(Frame { name, element: element_id, ordinal, node, type_id: declared, ..blank });
        self.judge.value_place = if tag.empty { tag.offset } else { tag.end };
        self.judge.value_at = None;
        self.opened(opening.node, tag.offset, locator);
        if element.is_some_and(|element| element.is_abstract) {
            let text = "the element is abstract: one of its substitution group must stand here";
            self.find(Kind::UnexpectedElement, "cvc-elt.2", locator.position(tag.offset), text);
        }
        let (type_id, nil) = match tag.is_plain() {
            true => (declared, false),
            false => self.instance_attributes(tag, element, declared, locator),
        };
        let Some(found) = schema.type_of(type_id) else { return };
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.type_id = type_id;
        }
        if found.is_abstract {
            let text = "the type of the element is abstract: xsi:type must name one derived from it";
            return self.find(Kind::Other, "cvc-type.2", locator.position(tag.offset), text);
        }
        if found.required > 0 || found.gives_attributes || !tag.is_plain() {
            self.attributes(tag, found, locator);
        }
        if opening.node != NOWHERE && !tag.is_plain() {
            self.watched_attributes(opening.node, tag, locator);
        }
        let is_key = self.enter_constraints(tag, element, found, locator);
        self.begin_content(element, found, nil, is_key);
    }

    /// Decides by what the content is judged.
    #[inline]
    fn begin_content(&mut self, element: Option<&Element>, found: &Type, nil: bool, is_key: bool) {
        let judge = &mut *self.judge;
        let schema = judge.schema();
        if found.slots > 0 {
            judge.counters.resize(judge.counters.len() + usize::from(found.slots), 0);
        }
        let given = element.and_then(|element| element.value.as_ref());
        let is_fixed = given.is_some_and(|given| given.is_fixed);
        let mut state = 0;
        let mode = match found.content {
            _ if nil => Mode::Nil,
            Content::Empty => Mode::Empty,
            Content::Elements { mixed: true, .. } | Content::Any if is_fixed => {
                judge.value.begin_text();
                Mode::Fixed
            }
            Content::Any => Mode::Any,
            Content::Elements { start, mixed } if found.many_ways => {
                judge.follow(start, found.groups);
                Mode::Ways { mixed }
            }
            Content::Elements { start, mixed } => {
                state = start;
                Mode::Model { mixed }
            }
            Content::Simple(simple) => {
                if let Some(simple) = schema.simple(simple) {
                    judge.value.begin(simple, is_fixed || is_key);
                }
                Mode::Simple
            }
        };
        if let Some(frame) = judge.frames.last_mut() {
            (frame.mode, frame.state) = (mode, state);
        }
    }

    /// Text where none may stand, white space perhaps excepted.
    pub(super) fn stray_text(&mut self, text: &[u8], is_reference: bool, offset: u64, locator: &mut Locator<'_>) {
        let Some(frame) = self.judge.frames.last_mut() else { return };
        let (kind, rule, what) = match frame.mode {
            Mode::Model { mixed: false } | Mode::Ways { mixed: false } | Mode::Loose { mixed: false } => {
                (Kind::UnexpectedText, "cvc-complex-type.2.3", "text stands where only elements may")
            }
            Mode::Empty => {
                (Kind::UnexpectedText, "cvc-complex-type.2.1", "text stands in an element that must be empty")
            }
            Mode::Nil => (Kind::BadNil, "cvc-elt.3.2.1", "text stands in an element that is nil"),
            Mode::Model { .. }
            | Mode::Ways { .. }
            | Mode::Loose { .. }
            | Mode::Simple
            | Mode::Fixed
            | Mode::Any
            | Mode::Skip => return,
        };
        let blank_allowed = !matches!(frame.mode, Mode::Empty | Mode::Nil);
        let stray = match blank_allowed {
            // Of the characters up to the blank, XML allows white space only.
            true => text.iter().position(|byte| *byte > b' '),
            false => Some(0),
        };
        let Some(stray) = stray.filter(|_| !frame.text_reported) else { return };
        frame.text_reported = true;
        let at = locator.position(offset + if is_reference { 0 } else { stray as u64 });
        self.find(kind, rule, at, what);
    }
}
