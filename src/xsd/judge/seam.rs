//! Seams: states between two items that come again and again, from which a later part of a document can be judged.

use super::frame::{Frame, Mode};
use super::{Judge, Limits};
use crate::xsd::plan::Plan;
use crate::xsd::tables::{NO_COUNTING, Schema, UNBOUNDED};

impl<'p> Judge<'p> {
    /// The depth of the outermost open element whose children repeat and leave its content in one state, if what is
    /// judged inside depends on nothing else. The child that repeats is open too.
    pub(in crate::xsd) fn seam(&self) -> Option<usize> {
        let schema = self.schema();
        if !self.plan.is_unwatched() || !schema.constraints.is_empty() || !self.references.is_empty() {
            return None;
        }
        let pairs = self.frames.iter().zip(self.frames.iter().skip(1));
        let depth =
            pairs.take_while(|(frame, _)| is_regular(schema, frame)).position(|(_, child)| child.ordinal > 1)?;
        self.frames.get(depth).filter(|frame| is_steady(schema, frame))?;
        Some(depth + 1)
    }

    /// A judge that stands between two children of the innermost of so many open elements.
    pub(in crate::xsd) fn branch(&self, depth: usize, limits: &Limits) -> Option<Self> {
        let mut branch = Self::new(self.plan, limits);
        branch.frames.extend(self.frames.iter().take(depth));
        branch.counters.extend(self.counters.iter().take(self.counters_within(depth)?));
        Some(branch)
    }

    /// Tells whether it stands as a branch did when it was made, in the same elements.
    pub(in crate::xsd) fn stands_as(&self, branch: &Self) -> bool {
        let quiet = self.deferred.is_empty() && self.ways.is_empty();
        let (here, there) = (self.frames.last(), branch.frames.last());
        let same = here.zip(there).is_some_and(|(here, there)| {
            (here.from, here.state, here.mode) == (there.from, there.state, there.mode) && !here.waits
        });
        quiet && same && self.frames.len() == branch.frames.len()
    }

    /// Takes over what a judge has counted that began as `branch` and ended like it.
    pub(in crate::xsd) fn pass(&mut self, branch: &Self, over: &Self) {
        if let (Some(frame), Some(ended)) = (self.frames.last_mut(), over.frames.last()) {
            frame.count = frame.count.saturating_add(ended.count);
        }
        let counted = over.counters.iter().zip(&branch.counters).map(|(ended, began)| ended - began);
        self.counters.iter_mut().zip(counted).for_each(|(counter, more)| *counter += more);
    }

    /// Tells whether nothing was said that another part of the document could change.
    pub(in crate::xsd) fn is_self_contained(&self) -> bool {
        self.findings == 0 && self.references.is_empty()
    }

    fn counters_within(&self, depth: usize) -> Option<usize> {
        let innermost = depth.checked_sub(1).and_then(|index| self.frames.get(index))?;
        let slots = self.schema().type_of(innermost.type_id)?.slots;
        Some(innermost.counters as usize + usize::from(slots))
    }
}

impl Plan {
    fn is_unwatched(&self) -> bool {
        self.watches_total() == 0
    }
}

fn is_regular(schema: &Schema, frame: &Frame) -> bool {
    let found = schema.type_of(frame.type_id);
    matches!(frame.mode, Mode::Model { .. }) && found.is_some_and(|found| found.groups == 0 && !found.many_ways)
}

/// Tells whether the number of children that came does not matter any more.
fn is_steady(schema: &Schema, frame: &Frame) -> bool {
    let (edges, state) = schema.edges_of(frame.state);
    let counts = edges.iter().any(|edge| edge.again);
    state.is_some_and(|state| {
        let enough = state.min <= frame.count && (!counts || state.max == UNBOUNDED);
        enough && state.min <= 1 && state.leaving == NO_COUNTING
    })
}
