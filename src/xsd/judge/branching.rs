//! Judging parts of a document apart: a judge that stands where another one does, and what it found given back.

use super::Judge;
use super::frame::{Frame, Mode};
use crate::xsd::plan::Plan;
use crate::xsd::tables::{NO_COUNTING, NO_SLOT, Type, UNBOUNDED};
use crate::xsd::validator::Limits;

impl<'p> Judge<'p> {
    /// How deep the elements lie that come over and over again: children of an element that is open now, as many of one
    /// kind as one likes.
    pub(in crate::xsd) fn items_depth(&self) -> Option<usize> {
        let repeats = |frame: &Frame| {
            let counters = self.counters.get(frame.counters as usize..).unwrap_or_default();
            self.allows_any_number(frame) && counters.first().is_some_and(|count| *count > 0)
        };
        self.frames.iter().position(repeats).map(|parent| parent + 1)
    }

    /// Tells whether an open element may have any more of the child it had last, and what follows does not ask how many.
    fn allows_any_number(&self, frame: &Frame) -> bool {
        let schema = self.schema();
        let Some(found) = schema.type_of(frame.type_id) else { return false };
        let (edges, Some(state)) = schema.edges_of(frame.state) else { return false };
        let again = edges.iter().any(|edge| edge.again && edge.counting == NO_COUNTING);
        let enough = state.max == UNBOUNDED && frame.count >= state.min;
        matches!(frame.mode, Mode::Model { .. })
            && found.groups == 0
            && again
            && enough
            && has_distinct_children(self, found)
    }

    /// Another judge that stands as this one does between two children, and counts them from none; it is none where
    /// more than the open elements is remembered.
    pub(in crate::xsd) fn branch(&self, plan: &'p Plan, limits: &Limits) -> Option<Self> {
        let parent = self.frames.last().filter(|frame| self.allows_any_number(frame))?;
        if self.remembers() {
            return None;
        }
        let mut branch = Self::new(plan, limits);
        branch.frames = self.frames.iter().map(|frame| Frame { unsound: false, ..*frame }).collect();
        branch.counters.clone_from(&self.counters);
        branch.counters.iter_mut().skip(parent.counters as usize).for_each(|count| *count = 0);
        branch.lane = self.lane.clone();
        Some(branch)
    }

    /// Tells whether anything is remembered beside the open elements.
    fn remembers(&self) -> bool {
        !self.deferred.is_empty() || self.identity.is_active() || self.identity.refused || !self.references.is_empty()
    }

    /// Tells whether another judge stands as this one does, be it after more children or fewer.
    pub(in crate::xsd) fn is_like(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.frames.last(), other.frames.last()) else { return false };
        let alike = |(one, other): (&Frame, &Frame)| *one == Frame { unsound: one.unsound, ..*other };
        let counted = |judge: &Self| judge.counters.get(..own.counters as usize).map(<[u64]>::to_vec);
        let above = self.frames.len() - 1;
        self.frames.len() == other.frames.len()
            && self.frames.iter().zip(&other.frames).take(above).all(alike)
            && alike((own, &Frame { count: own.count, ..*others }))
            && self.allows_any_number(own)
            && other.allows_any_number(others)
            && counted(self) == counted(other)
            && !self.remembers()
            && !other.remembers()
    }

    /// Takes over how many children a branch has seen, and whether they were sound.
    pub(in crate::xsd) fn adopt(&mut self, branch: &Judge<'_>) {
        let from = self.frames.last().map_or(0, |parent| parent.counters as usize);
        for (count, more) in self.counters.iter_mut().zip(&branch.counters).skip(from) {
            *count += more;
        }
        for (frame, other) in self.frames.iter_mut().zip(&branch.frames) {
            frame.unsound |= other.unsound;
        }
    }

    /// How many children of a name the innermost open element has had, where they are counted.
    pub(in crate::xsd) fn count_of(&self, local: &str) -> u64 {
        let Some(parent) = self.frames.last() else { return 0 };
        let schema = self.schema();
        let mut children = schema.type_of(parent.type_id).map_or(&[][..], |found| &found.children).iter();
        let child = children.find(|child| schema.local_name(child.name) == local.as_bytes() && child.slot != NO_SLOT);
        let slot = child.map(|child| parent.counters as usize + usize::from(child.slot));
        slot.and_then(|slot| self.counters.get(slot)).copied().unwrap_or(0)
    }

    /// How many elements are open.
    pub(in crate::xsd) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// How many findings are told at most.
    pub(in crate::xsd) fn most_findings(&self) -> u64 {
        self.most_findings
    }
}

/// Tells whether the children of a type are told apart by their local names, as paths tell them.
fn has_distinct_children(judge: &Judge<'_>, found: &Type) -> bool {
    let mut names: Vec<&[u8]> = found.children.iter().map(|child| judge.schema().local_name(child.name)).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair.first() != pair.last())
}
