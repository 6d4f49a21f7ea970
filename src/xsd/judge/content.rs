//! Elements against content models.

use super::frame::{Frame, Mode};
use super::{Deferred, Judging};
use crate::xml::{Locator, Tag, shown};
use crate::xsd::finding::{Finding, Kind};
use crate::xsd::plan::{DOCUMENT, NOWHERE};
use crate::xsd::tables::{Child, Content, Edge, ElementId, NO_SLOT, NameId, State, TypeId};
use crate::xsd::validator::Observer;

/// The type of what has no declaration.
const ANY_TYPE: TypeId = 0;

/// An element about to be opened.
pub(super) struct Opening {
    pub(super) name: Option<NameId>,
    pub(super) element: Option<ElementId>,
    pub(super) ordinal: u64,
    pub(super) node: u32,
}

impl<O: Observer> Judging<'_, '_, O> {
    /// An element begins.
    #[inline]
    pub(super) fn element(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let Some(parent) = self.judge.frames.last().copied() else { return self.root(tag, locator) };
        match parent.mode {
            Mode::Model { .. } => match self.step(&parent, tag) {
                Some((name, element, ordinal)) => {
                    let node = self.judge.plan.child(parent.node, name);
                    self.open(tag, &Opening { name: Some(name), element: Some(element), ordinal, node }, locator);
                }
                None => self.unexpected(&parent, tag, locator),
            },
            Mode::Loose { .. } => {
                if parent.waits {
                    self.settle_deferred(tag);
                }
                self.recognised(&parent, tag, locator);
            }
            Mode::Any => self.lax(tag, locator),
            Mode::Skip => self.skip(tag),
            Mode::Simple | Mode::Empty | Mode::Nil => self.childless(parent.mode, tag, locator),
        }
    }

    /// Takes the edge of the content model that the tag asks for.
    #[inline]
    fn step(&mut self, parent: &Frame, tag: &Tag<'_>) -> Option<(NameId, ElementId, u64)> {
        let judge = &mut *self.judge;
        let schema = judge.schema();
        let (edges, state) = schema.edges_of(parent.state);
        let state = state?;
        let guessed = judge.guess.and_then(|index| schema.edges.get(index as usize));
        // A guess is by name only; of two edges of one name the second may be the one.
        let edge = guessed
            .filter(|edge| edge.namespace == tag.namespace && allowed(edge, state, parent.count))
            .or_else(|| edges.iter().find(|edge| is_for(edge, tag) && allowed(edge, state, parent.count)))?;
        let frame = judge.frames.last_mut()?;
        if edge.again {
            frame.count += 1;
        } else {
            frame.state = edge.target;
            frame.count = 1;
        }
        let ordinal = judge.count(parent.counters, edge.slot);
        Some((edge.name, edge.element, ordinal))
    }

    fn root(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let name = schema.name_id(tag.namespace, tag.local);
        let element = name.and_then(|name| schema.global_elements.get(&name).copied());
        if let (Some(name), Some(element)) = (name, element) {
            let node = self.judge.plan.child(DOCUMENT, name);
            return self.open(tag, &Opening { name: Some(name), element: Some(element), ordinal: 0, node }, locator);
        }
        let mut roots: Vec<_> = schema.global_elements.keys().copied().collect();
        roots.sort_unstable();
        let expected = self.names(roots.into_iter(), tag);
        let at = locator.position(tag.offset);
        let path = format!("/{}", shown(tag.local));
        let text = format!("expected {expected} as the root element, found {}", self.found(tag));
        self.report(Finding { kind: Kind::UnknownRoot, rule: "cvc-elt.1", at, path, text });
        self.skip(tag);
        self.mark_unsound();
    }

    /// An element that may not come here.
    fn unexpected(&mut self, parent: &Frame, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let (edges, state) = schema.edges_of(parent.state);
        let may: Vec<&Edge> =
            edges.iter().filter(|edge| state.is_some_and(|state| allowed(edge, state, parent.count))).collect();
        let complete = state.is_some_and(|state| state.accepting && parent.count >= state.min);
        let expected = self.names(may.iter().map(|edge| edge.name), tag);
        let (rule, text) = match may.is_empty() {
            true => ("cvc-complex-type.2.4.d", format!("expected no more elements, found {}", self.found(tag))),
            false => ("cvc-complex-type.2.4.a", format!("expected {expected}, found {}", self.found(tag))),
        };
        let known = self.child_of(parent, tag);
        let ordinal = known.map_or(0, |child| self.judge.next(parent, child.slot));
        let mut path = format!("{}/{}", self.judge.path(), shown(tag.local));
        if ordinal > 0 {
            path.push_str(&format!("[{ordinal}]"));
        }
        let at = locator.position(tag.offset);
        let finding = Finding { kind: Kind::UnexpectedElement, rule, at, path, text };
        // Whether what should have come is missing or only late shows when the parent goes on.
        let waits = known.is_some() && !complete && !may.is_empty();
        self.leave_model(waits);
        if waits {
            let depth = self.judge.frames.len();
            self.judge.deferred.push(Deferred { depth, state: parent.state, finding });
        } else {
            self.report(finding);
        }
        self.recognised(parent, tag, locator);
    }

    /// From here on the order of the parent's children says nothing.
    fn leave_model(&mut self, waits: bool) {
        if let Some(frame) = self.judge.frames.last_mut() {
            if let Mode::Model { mixed } = frame.mode {
                frame.mode = Mode::Loose { mixed };
            }
            frame.waits = waits;
            frame.unsound = true;
        }
    }

    /// A child among others in no order.
    fn recognised(&mut self, parent: &Frame, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let Some(child) = self.child_of(parent, tag) else { return self.skip(tag) };
        let ordinal = self.judge.count(parent.counters, child.slot);
        let node = self.judge.plan.child(parent.node, child.name);
        let opening = Opening { name: Some(child.name), element: Some(child.element), ordinal, node };
        self.open(tag, &opening, locator);
    }

    fn child_of(&self, parent: &Frame, tag: &Tag<'_>) -> Option<Child> {
        let schema = self.judge.schema();
        let name = schema.name_id(tag.namespace, tag.local)?;
        schema.type_of(parent.type_id)?.children.iter().find(|child| child.name == name).copied()
    }

    /// Settles a finding that waited to see whether what it missed comes after all.
    fn settle_deferred(&mut self, tag: &Tag<'_>) {
        let depth = self.judge.frames.len();
        let schema = self.judge.schema();
        let came = |deferred: &Deferred| {
            deferred.depth == depth && schema.edges_of(deferred.state).0.iter().any(|edge| is_for(edge, tag))
        };
        if self.judge.deferred.last().is_some_and(came) {
            self.report_deferred(Kind::UnexpectedElement);
        }
    }

    /// Reports the last finding that waited.
    pub(super) fn report_deferred(&mut self, kind: Kind) {
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.waits = false;
        }
        if let Some(deferred) = self.judge.deferred.pop() {
            self.report(Finding { kind, ..deferred.finding });
        }
    }

    /// An element where anything may stand: judged if the schema knows it.
    fn lax(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let name = schema.name_id(tag.namespace, tag.local);
        let element = name.and_then(|name| schema.global_elements.get(&name).copied());
        self.open(tag, &Opening { name, element, ordinal: 0, node: NOWHERE }, locator);
    }

    /// An element inside one that may have none.
    fn childless(&mut self, mode: Mode, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let (kind, rule, what) = match mode {
            Mode::Nil => (Kind::BadNil, "cvc-elt.3.2.1", "an element that is nil"),
            Mode::Empty => (Kind::UnexpectedElement, "cvc-complex-type.2.1", "an element that must be empty"),
            Mode::Simple | Mode::Model { .. } | Mode::Loose { .. } | Mode::Any | Mode::Skip => {
                (Kind::UnexpectedElement, "cvc-complex-type.2.2", "an element that holds a value only")
            }
        };
        // Asked for later, when its bytes may be gone.
        self.judge.value_position(locator);
        let at = locator.position(tag.offset);
        let text = format!("found {} inside {what}", self.found(tag));
        let path = format!("{}/{}", self.judge.path(), shown(tag.local));
        self.report(Finding { kind, rule, at, path, text });
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.mode = Mode::Skip;
        }
        self.skip(tag);
    }

    /// Opens an element of which nothing is known.
    fn skip(&mut self, tag: &Tag<'_>) {
        let blank = self.judge.blank(tag.offset);
        self.judge.frames.push(blank);
    }

    /// Opens an element by its declaration.
    #[inline]
    pub(super) fn open(&mut self, tag: &Tag<'_>, opening: &Opening, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let element = opening.element.and_then(|element| schema.element(element));
        let declared = element.map_or(ANY_TYPE, |element| element.type_id);
        let blank = self.judge.blank(tag.offset);
        let Opening { name, element: element_id, ordinal, node } = *opening;
        self.judge.frames.push(Frame { name, element: element_id, ordinal, node, type_id: declared, ..blank });
        self.opened(opening.node, tag.offset, locator);
        let (type_id, nil) = match tag.is_plain() {
            true => (declared, false),
            false => self.instance_attributes(tag, element, declared, locator),
        };
        let Some(found) = schema.type_of(type_id) else { return };
        if found.required > 0 || !tag.is_plain() {
            self.attributes(tag, found, locator);
        }
        let judge = &mut *self.judge;
        if found.slots > 0 {
            judge.counters.resize(judge.counters.len() + usize::from(found.slots), 0);
        }
        let Some(frame) = judge.frames.last_mut() else { return };
        frame.type_id = type_id;
        frame.mode = match found.content {
            _ if nil => Mode::Nil,
            Content::Empty => Mode::Empty,
            Content::Any => Mode::Any,
            Content::Elements { start, mixed } => {
                frame.state = start;
                Mode::Model { mixed }
            }
            Content::Simple(simple) => {
                if let Some(simple) = schema.simple(simple) {
                    judge.value.begin(simple, element.is_some_and(|element| element.fixed.is_some()));
                }
                Mode::Simple
            }
        };
        judge.value_place = if tag.empty { tag.offset } else { tag.end };
        judge.value_at = None;
    }

    /// Text where none may stand, white space perhaps excepted.
    pub(super) fn stray_text(&mut self, text: &[u8], is_reference: bool, offset: u64, locator: &mut Locator<'_>) {
        let Some(frame) = self.judge.frames.last_mut() else { return };
        let (kind, rule, what) = match frame.mode {
            Mode::Model { mixed: false } | Mode::Loose { mixed: false } => {
                (Kind::UnexpectedText, "cvc-complex-type.2.3", "text stands where only elements may")
            }
            Mode::Empty => {
                (Kind::UnexpectedText, "cvc-complex-type.2.1", "text stands in an element that must be empty")
            }
            Mode::Nil => (Kind::BadNil, "cvc-elt.3.2.1", "text stands in an element that is nil"),
            Mode::Model { .. } | Mode::Loose { .. } | Mode::Simple | Mode::Any | Mode::Skip => return,
        };
        let blank_allowed = matches!(frame.mode, Mode::Model { .. } | Mode::Loose { .. });
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

    fn mark_unsound(&mut self) {
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.unsound = true;
        }
    }

    /// The name of an element found, told apart from one of the same name elsewhere.
    fn found(&self, tag: &Tag<'_>) -> String {
        shown(tag.local)
    }

    /// A list of names that could have come.
    pub(super) fn names(&self, names: impl Iterator<Item = NameId>, tag: &Tag<'_>) -> String {
        const MOST: usize = 5;
        let mut listed: Vec<String> = Vec::new();
        let mut alike = false;
        for name in names {
            alike |= self.judge.schema().local_name(name) == tag.local;
            let name = self.judge.shown(name);
            if !listed.contains(&name) {
                listed.push(name);
            }
        }
        let more = listed.len() > MOST;
        listed.truncate(MOST);
        let mut text = listed.join(" or ");
        if more {
            text.push_str(" or others");
        }
        if alike {
            text.push_str(" of another namespace");
        }
        text
    }
}

impl super::Judge<'_> {
    /// The frame of an element of which nothing is known.
    #[inline]
    pub(super) fn blank(&self, from: u64) -> Frame {
        Frame {
            mode: Mode::Skip,
            type_id: ANY_TYPE,
            state: 0,
            count: 0,
            name: None,
            ordinal: 0,
            counters: self.counters.len() as u32,
            node: NOWHERE,
            element: None,
            from,
            unsound: false,
            has_text: false,
            text_reported: false,
            waits: false,
        }
    }

    /// Counts one more of a name that may repeat; 0 for one that may not.
    #[inline]
    pub(super) fn count(&mut self, counters: u32, slot: u16) -> u64 {
        if slot == NO_SLOT {
            return 0;
        }
        let counter = self.counters.get_mut(counters as usize + usize::from(slot));
        counter.map_or(0, |counter| {
            *counter += 1;
            *counter
        })
    }

    /// What the next count will be.
    fn next(&self, parent: &Frame, slot: u16) -> u64 {
        if slot == NO_SLOT {
            return 0;
        }
        self.counters.get(parent.counters as usize + usize::from(slot)).map_or(0, |counter| counter + 1)
    }
}

fn is_for(edge: &Edge, tag: &Tag<'_>) -> bool {
    edge.namespace == tag.namespace && *edge.local == *tag.local
}

/// Tells whether the count so far allows a step.
#[inline]
fn allowed(edge: &Edge, state: &State, count: u32) -> bool {
    if edge.again { count < state.max } else { count >= state.min }
}
