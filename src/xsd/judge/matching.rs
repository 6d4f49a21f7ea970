//! The paths of identity constraints, matched as elements open (section 3.11.6).

use super::keys::{Field, Identity, Level, Node, Scope};
use crate::xml::{Namespace, Tag};
use crate::xsd::tables::{ConstraintId, Path, Schema};

/// A path that the open elements have followed some way, or that may begin at any of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thread {
    whose: Whose,
    /// Which of the alternatives.
    path: usize,
    /// Steps taken.
    taken: usize,
}

/// Whose path it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The selector of a scope.
    Selector(usize),
    /// A field of a node.
    Field(usize, usize),
}

/// A field that the element just opened answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    pub(super) node: usize,
    pub(super) field: usize,
    /// The alternative it was by; one with an attribute is answered by the element's attributes.
    pub(super) path: usize,
}

/// The element just opened, and how far paths have come with it.
struct Arriving<'s> {
    schema: &'s Schema,
    namespace: Namespace,
    local: &'s [u8],
    selected: Vec<usize>,
    answered: Vec<Answer>,
}

impl Identity {
    /// Goes on with all paths at an element that opens; the fields it answers, in order. Whatever it begins lies behind
    /// the marks of its level.
    pub(super) fn advance(
        &mut self,
        schema: &Schema,
        depth: usize,
        tag: &Tag<'_>,
        own: &[ConstraintId],
        begun: impl FnOnce() -> crate::xml::Position,
    ) -> Vec<Answer> {
        let before = self.levels.last().filter(|level| level.depth + 1 == depth).map(|level| level.threads);
        let level = Level {
            depth,
            threads: self.threads.len(),
            roaming: self.roaming.len(),
            nodes: self.nodes.len(),
            fields: self.fields.len(),
            captures: self.captures.len(),
            scopes: self.scopes.len(),
            passed: self.passed.len(),
        };
        self.levels.push(level);
        let (namespace, local) = (tag.namespace, tag.local);
        let mut arriving = Arriving { schema, namespace, local, selected: Vec::new(), answered: Vec::new() };
        let under_way = before.unwrap_or(level.threads)..level.threads;
        let roaming = if before.is_some() { level.roaming } else { 0 };
        self.spend(under_way.len() + roaming);
        for index in 0..roaming {
            if let Some(thread) = self.roaming.get(index).copied() {
                self.step(thread, &mut arriving);
            }
        }
        for index in under_way {
            if let Some(thread) = self.threads.get(index).copied() {
                self.step(thread, &mut arriving);
            }
        }
        for constraint in own {
            let Some(found) = schema.constraint(*constraint) else { continue };
            self.scopes.push(Scope::new(*constraint, found.sort));
            let scope = self.scopes.len() - 1;
            self.begin(Whose::Selector(scope), &found.selector, &mut arriving);
        }
        self.begin_nodes(&mut arriving, begun);
        self.spend(arriving.answered.len());
        // They come in runs that are in order already.
        arriving.answered.sort();
        arriving.answered
    }

    /// The selected element is a node of each constraint that selected it, and its fields are sought from here.
    fn begin_nodes(&mut self, arriving: &mut Arriving<'_>, begun: impl FnOnce() -> crate::xml::Position) {
        if arriving.selected.is_empty() {
            return;
        }
        let at = begun();
        let mut selected = std::mem::take(&mut arriving.selected);
        selected.sort_unstable();
        selected.dedup();
        self.spend(selected.len());
        for scope in selected {
            let constraint = self.scopes.get(scope).and_then(|scope| arriving.schema.constraint(scope.constraint));
            let Some(constraint) = constraint else { continue };
            let first = self.fields.len();
            self.fields.resize(first + constraint.fields.len(), Field::Absent);
            self.nodes.push(Node { scope, first, fields: constraint.fields.len(), at });
            let node = self.nodes.len() - 1;
            for (field, paths) in constraint.fields.iter().enumerate() {
                self.begin(Whose::Field(node, field), paths, arriving);
            }
        }
    }

    /// Begins paths at the element just opened.
    fn begin(&mut self, whose: Whose, paths: &[Path], arriving: &mut Arriving<'_>) {
        for (index, path) in paths.iter().enumerate() {
            let thread = Thread { whose, path: index, taken: 0 };
            if path.steps.is_empty() {
                arriving.take(thread);
            }
            match path.anywhere {
                true => self.roaming.push(thread),
                false if path.steps.is_empty() => {}
                false => self.threads.push(thread),
            }
        }
    }

    /// Takes a path from the parent of the element just opened to it.
    fn step(&mut self, thread: Thread, arriving: &mut Arriving<'_>) {
        let Some(path) = self.path(arriving.schema, thread) else { return };
        if path.steps.is_empty() {
            return arriving.take(thread);
        }
        let test = path.steps.get(thread.taken);
        if !test.is_some_and(|test| test.fits(arriving.namespace, arriving.local)) {
            return;
        }
        let thread = Thread { taken: thread.taken + 1, ..thread };
        if thread.taken == path.steps.len() {
            arriving.take(thread);
        } else {
            self.threads.push(thread);
        }
    }

    fn path<'s>(&self, schema: &'s Schema, thread: Thread) -> Option<&'s Path> {
        let scope = match thread.whose {
            Whose::Selector(scope) => scope,
            Whose::Field(node, _) => self.nodes.get(node)?.scope,
        };
        let constraint = schema.constraint(self.scopes.get(scope)?.constraint)?;
        match thread.whose {
            Whose::Selector(_) => constraint.selector.get(thread.path),
            Whose::Field(_, field) => constraint.fields.get(field)?.get(thread.path),
        }
    }
}

impl Arriving<'_> {
    /// Takes note that a path ends at the element. One path does so once, since it has so many steps; that others of the
    /// same selector or field do, too, is seen to when all are known.
    fn take(&mut self, thread: Thread) {
        match thread.whose {
            Whose::Selector(scope) => self.selected.push(scope),
            Whose::Field(node, field) => self.answered.push(Answer { node, field, path: thread.path }),
        }
    }
}
