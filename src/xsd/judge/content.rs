//! Elements against content models.

use super::counting::{Step, Ways};
use super::frame::{Frame, Mode};
use super::opening::Opening;
use super::{Deferred, Judging};
use crate::xml::{Locator, Tag, shown};
use crate::xsd::components::Process;
use crate::xsd::finding::{Finding, Kind};
use crate::xsd::plan::{DOCUMENT, NOWHERE};
use crate::xsd::tables::{AnyEdge, Child, Edge, ElementId, NameId, State, WildcardId};
use crate::xsd::validator::Observer;

/// What a content model has for an element.
enum Place {
    Declared { name: NameId, element: ElementId, ordinal: u64 },
    Wild(WildcardId),
}

/// More edges than this are sought by the number of the name.
const FEW_EDGES: usize = 16;

impl<O: Observer> Judging<'_, '_, O> {
    /// An element begins.
    #[inline]
    pub(super) fn element(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let Some(parent) = self.judge.frames.last().copied() else { return self.root(tag, locator) };
        match parent.mode {
            Mode::Model { .. } | Mode::Ways { .. } => {
                let ways = matches!(parent.mode, Mode::Ways { .. });
                let place = if ways { self.step_ways(&parent, tag) } else { self.step(&parent, tag) };
                match place {
                    Some(Place::Declared { name, element, ordinal }) => {
                        let node = self.judge.plan.child(parent.node, name);
                        self.open(tag, &Opening { name: Some(name), element: Some(element), ordinal, node }, locator);
                    }
                    Some(Place::Wild(wildcard)) => self.wild(wildcard, tag, locator),
                    None => self.unexpected(&parent, tag, locator),
                }
            }
            Mode::Loose { .. } => {
                if parent.waits {
                    self.settle_deferred(tag);
                }
                self.recognised(&parent, tag, locator);
            }
            Mode::Any => self.lax(tag, locator),
            Mode::Skip => self.skip(tag),
            Mode::Simple | Mode::Fixed | Mode::Empty | Mode::Nil => self.childless(parent.mode, tag, locator),
        }
    }

    /// Takes the edge of the content model that the tag asks for.
    #[inline]
    fn step(&mut self, parent: &Frame, tag: &Tag<'_>) -> Option<Place> {
        let judge = &mut *self.judge;
        let schema = judge.schema();
        let (edges, state) = schema.edges_of(parent.state);
        let state = state?;
        let open = |edge: &Edge| allowed(edge, state, parent.count) && judge.counts_allow(parent, edge.counting);
        let guessed = judge.guess.and_then(|index| schema.edges.get(index as usize));
        // A guess is by name only; of two edges of one name the second may be the one.
        let guessed = guessed.filter(|edge| edge.namespace == tag.namespace && open(edge));
        let edge = match guessed {
            Some(edge) => Some(edge),
            None if edges.len() <= FEW_EDGES => edges.iter().find(|edge| is_for(edge, tag) && open(edge)),
            None => {
                let name = schema.name_id(tag.namespace, tag.local);
                name.and_then(|name| edges.iter().find(|edge| edge.name == name && open(edge)))
            }
        };
        let Some(edge) = edge else { return self.step_wild(parent, state, tag) };
        judge.take(parent, edge);
        let ordinal = judge.count(parent.counters, edge.slot);
        Some(Place::Declared { name: edge.name, element: edge.element, ordinal })
    }

    fn step_wild(&mut self, parent: &Frame, state: &State, tag: &Tag<'_>) -> Option<Place> {
        let judge = &mut *self.judge;
        let schema = judge.schema();
        let open = |edge: &&AnyEdge| {
            schema.wildcard(edge.wildcard).is_some_and(|wildcard| wildcard.admits(tag.namespace))
                && allowed(*edge, state, parent.count)
                && judge.counts_allow(parent, edge.counting)
        };
        let edge = schema.any_edges_of(state).iter().find(open)?;
        judge.take(parent, edge);
        Some(Place::Wild(edge.wildcard))
    }

    /// The same where all ways are followed.
    fn step_ways(&mut self, parent: &Frame, tag: &Tag<'_>) -> Option<Place> {
        let schema = self.judge.schema();
        let ways = self.judge.ways.last_mut()?;
        if let Some(edge) = ways.go(schema, |_, edges| edges, |edge| is_for(edge, tag)) {
            let ordinal = self.judge.count(parent.counters, edge.slot);
            return Some(Place::Declared { name: edge.name, element: edge.element, ordinal });
        }
        let admits = |edge: &AnyEdge| schema.wildcard(edge.wildcard).is_some_and(|any| any.admits(tag.namespace));
        ways.go(schema, |state, _| schema.any_edges_of(state), admits).map(|edge| Place::Wild(edge.wildcard))
    }

    fn root(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        let name = schema.name_id(tag.namespace, tag.local);
        let element = name.and_then(|name| schema.global_elements.get(&name).copied());
        if element.is_some() || self.names_type(tag) {
            let node = name.map_or(NOWHERE, |name| self.judge.plan.child(DOCUMENT, name));
            return self.open(tag, &Opening { name, element, ordinal: 0, node }, locator);
        }
        let mut roots: Vec<_> = schema.global_elements.keys().copied().collect();
        roots.sort_unstable();
        let expected = self.names(roots.into_iter(), tag);
        let at = locator.position(tag.offset);
        let path = format!("/{}", shown(tag.local));
        let text = format!("expected {expected} as the root element, found {}", shown(tag.local));
        self.report(Finding { kind: Kind::UnknownRoot, rule: "cvc-elt.1", at, path, text });
        self.skip(tag);
        self.mark_unsound();
    }

    /// An element that may not come here.
    fn unexpected(&mut self, parent: &Frame, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let may = self.open_steps(parent);
        let expected = self.expected(&may, tag);
        let found = shown(tag.local);
        let (rule, text) = match may.is_empty() {
            true => ("cvc-complex-type.2.4.d", format!("expected no more elements, found {found}")),
            false => ("cvc-complex-type.2.4.a", format!("expected {expected}, found {found}")),
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
        let waits = known.is_some() && !may.complete && !may.names.is_empty();
        self.leave_model(waits);
        if waits {
            let depth = self.judge.frames.len();
            self.judge.deferred.push(Deferred { depth, expected: may.names, finding });
        } else {
            self.report(finding);
        }
        self.recognised(parent, tag, locator);
    }

    /// What may come now in an open element.
    pub(super) fn open_steps(&self, parent: &Frame) -> OpenSteps {
        let judge = &*self.judge;
        let schema = judge.schema();
        if let Mode::Ways { .. } = parent.mode {
            let ways = judge.ways.last();
            let (named, any) = ways.map(|ways| ways.open(schema)).unwrap_or_default();
            let complete = ways.is_some_and(|ways| ways.may_end(schema));
            return OpenSteps { names: named.iter().map(|edge| edge.name).collect(), any: !any.is_empty(), complete };
        }
        let (edges, state) = schema.edges_of(parent.state);
        let Some(state) = state else { return OpenSteps::default() };
        let open = |edge: &&Edge| allowed(*edge, state, parent.count) && judge.counts_allow(parent, edge.counting);
        let open_any = |edge: &AnyEdge| allowed(edge, state, parent.count) && judge.counts_allow(parent, edge.counting);
        OpenSteps {
            names: edges.iter().filter(open).map(|edge| edge.name).collect(),
            any: schema.any_edges_of(state).iter().any(open_any),
            complete: judge.may_end(parent, state),
        }
    }

    /// From here on the order of the parent's children says nothing.
    fn leave_model(&mut self, waits: bool) {
        let Some(frame) = self.judge.frames.last_mut() else { return };
        if let Mode::Model { mixed } | Mode::Ways { mixed } = frame.mode {
            if let Mode::Ways { .. } = frame.mode {
                self.judge.ways.pop();
            }
            frame.mode = Mode::Loose { mixed };
        }
        frame.waits = waits;
        frame.unsound = true;
    }

    /// A child among others in no order.
    fn recognised(&mut self, parent: &Frame, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        if let Some(child) = self.child_of(parent, tag) {
            let ordinal = self.judge.count(parent.counters, child.slot);
            let node = self.judge.plan.child(parent.node, child.name);
            let opening = Opening { name: Some(child.name), element: Some(child.element), ordinal, node };
            return self.open(tag, &opening, locator);
        }
        let schema = self.judge.schema();
        let wildcards = schema.type_of(parent.type_id).map(|found| &found.wildcards[..]).unwrap_or_default();
        let admits = |id: &&WildcardId| schema.wildcard(**id).is_some_and(|wildcard| wildcard.admits(tag.namespace));
        match wildcards.iter().find(admits) {
            Some(wildcard) => self.wild(*wildcard, tag, locator),
            None => self.skip(tag),
        }
    }

    fn child_of(&self, parent: &Frame, tag: &Tag<'_>) -> Option<Child> {
        let schema = self.judge.schema();
        let name = schema.name_id(tag.namespace, tag.local)?;
        let children = &schema.type_of(parent.type_id)?.children;
        let index = children.binary_search_by_key(&name, |child| child.name).ok()?;
        children.get(index).copied()
    }

    /// Settles a finding that waited to see whether what it missed comes after all.
    fn settle_deferred(&mut self, tag: &Tag<'_>) {
        let depth = self.judge.frames.len();
        let Some(name) = self.judge.schema().name_id(tag.namespace, tag.local) else { return };
        let came = |deferred: &Deferred| deferred.depth == depth && deferred.expected.contains(&name);
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

    /// An element for a wildcard.
    fn wild(&mut self, wildcard: WildcardId, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let process = self.judge.schema().wildcard(wildcard).map_or(Process::Skip, |wildcard| wildcard.process);
        match process {
            Process::Skip => self.skip(tag),
            Process::Lax => self.lax(tag, locator),
            Process::Strict => {
                if self.declared(tag).1.is_some() || self.names_type(tag) {
                    return self.lax(tag, locator);
                }
                let path = format!("{}/{}", self.judge.path(), shown(tag.local));
                let text = format!("the schema has no element {} to judge by", shown(tag.local));
                let (kind, rule, at) =
                    (Kind::UnexpectedElement, "cvc-complex-type.2.4.c", locator.position(tag.offset));
                self.report(Finding { kind, rule, at, path, text });
                self.skip(tag);
            }
        }
    }

    /// An element where anything may stand: judged if the schema knows it.
    fn lax(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let (name, element) = self.declared(tag);
        self.open(tag, &Opening { name, element, ordinal: 0, node: NOWHERE }, locator);
    }

    /// The name and the global declaration of an element, as far as the schema has them.
    fn declared(&self, tag: &Tag<'_>) -> (Option<NameId>, Option<ElementId>) {
        let schema = self.judge.schema();
        let name = schema.name_id(tag.namespace, tag.local);
        (name, name.and_then(|name| schema.global_elements.get(&name).copied()))
    }

    /// An element inside one that may have none.
    fn childless(&mut self, mode: Mode, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let (kind, rule, what) = match mode {
            Mode::Nil => (Kind::BadNil, "cvc-elt.3.2.1", "an element that is nil"),
            Mode::Fixed => (Kind::UnexpectedElement, "cvc-elt.5.2.2.1", "an element of fixed content"),
            Mode::Simple if self.judge.in_simple_type() => {
                (Kind::UnexpectedElement, "cvc-type.3.1.2", "an element of simple type")
            }
            Mode::Simple => (Kind::UnexpectedElement, "cvc-complex-type.2.2", "an element of simple content"),
            Mode::Empty | Mode::Model { .. } | Mode::Ways { .. } | Mode::Loose { .. } | Mode::Any | Mode::Skip => {
                (Kind::UnexpectedElement, "cvc-complex-type.2.1", "an element that must be empty")
            }
        };
        let path = format!("{}/{}", self.judge.path(), shown(tag.local));
        let at = locator.position(tag.offset);
        let text = format!("found {} in {what}", shown(tag.local));
        self.report(Finding { kind, rule, at, path, text });
        self.skip(tag);
    }

    /// Opens an element of which nothing is known.
    fn skip(&mut self, tag: &Tag<'_>) {
        let blank = self.judge.blank(tag.offset);
        self.judge.frames.push(blank);
    }

    fn mark_unsound(&mut self) {
        if let Some(frame) = self.judge.frames.last_mut() {
            frame.unsound = true;
        }
    }

    /// Says what could have come.
    pub(super) fn expected(&self, may: &OpenSteps, tag: &Tag<'_>) -> String {
        let named = self.names(may.names.iter().copied(), tag);
        match (may.any, named.is_empty()) {
            (true, true) => "an element the wildcard admits".to_owned(),
            (true, false) => format!("{named} or an element the wildcard admits"),
            (false, _) => named,
        }
    }

    /// A list of names that could have come.
    fn names(&self, names: impl Iterator<Item = NameId>, tag: &Tag<'_>) -> String {
        let mut alike = false;
        let same = |name: &NameId| self.judge.schema().local_name(*name) == tag.local;
        let mut text = self.judge.listed(names.inspect(|name| alike |= same(name)));
        if alike {
            text.push_str(" of another namespace");
        }
        text
    }
}

/// What may come in an open element.
#[derive(Debug, Default)]
pub(super) struct OpenSteps {
    pub(super) names: Vec<NameId>,
    /// A wildcard, too.
    pub(super) any: bool,
    /// Nothing needs to come.
    pub(super) complete: bool,
}

impl OpenSteps {
    fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.any
    }
}

impl super::Judge<'_> {
    /// Takes a step of the innermost open element.
    #[inline]
    fn take<S: Step>(&mut self, parent: &Frame, step: &S) {
        self.count_groups(parent, step.counting());
        let Some(frame) = self.frames.last_mut() else { return };
        if step.again() {
            frame.count = frame.count.saturating_add(1);
        } else {
            frame.state = step.target();
            frame.count = 1;
        }
    }

    fn in_simple_type(&self) -> bool {
        let found = self.frames.last().and_then(|frame| self.schema().type_of(frame.type_id));
        found.is_some_and(|found| found.is_simple)
    }

    /// Names, the first few of them.
    pub(super) fn listed(&self, names: impl Iterator<Item = NameId>) -> String {
        const MOST: usize = 5;
        let mut listed: Vec<String> = Vec::new();
        let mut more = false;
        for name in names {
            let name = self.shown(name);
            if !listed.contains(&name) {
                more |= listed.len() == MOST;
                if !more {
                    listed.push(name);
                }
            }
        }
        let mut text = listed.join(" or ");
        if more {
            text.push_str(" or others");
        }
        text
    }

    /// Takes note that all ways through a content model are to be followed.
    pub(super) fn follow(&mut self, start: u32, groups: u16) {
        self.ways.push(Ways::at(start, groups));
    }
}

fn is_for(edge: &Edge, tag: &Tag<'_>) -> bool {
    edge.namespace == tag.namespace && *edge.local == *tag.local
}

/// Tells whether the count so far allows a step.
#[inline]
fn allowed<S: Step>(step: &S, state: &State, count: u32) -> bool {
    if step.again() { count < state.max } else { count >= state.min }
}
