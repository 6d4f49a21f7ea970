//! Counters: how often names and groups have come in each open element, and in how many ways that may be seen.

use super::Judge;
use super::frame::Frame;
use crate::xsd::tables::{AnyEdge, Count, CountingId, Edge, NO_COUNTING, NO_SLOT, Schema, State, StateId, UNBOUNDED};

/// All the ways through a content model that the children so far allow.
#[derive(Debug, Default)]
pub(super) struct Ways {
    each: Vec<Way>,
}

/// Where one way stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    state: StateId,
    /// How often in a row the element seen last has come.
    count: u32,
    groups: Vec<u64>,
}

/// A step of a content model, by name or by wildcard.
pub(super) trait Step {
    fn target(&self) -> StateId;
    fn again(&self) -> bool;
    fn counting(&self) -> CountingId;
}

impl Step for Edge {
    fn target(&self) -> StateId {
        self.target
    }

    fn again(&self) -> bool {
        self.again
    }

    fn counting(&self) -> CountingId {
        self.counting
    }
}

impl Step for AnyEdge {
    fn target(&self) -> StateId {
        self.target
    }

    fn again(&self) -> bool {
        self.again
    }

    fn counting(&self) -> CountingId {
        self.counting
    }
}

impl Ways {
    pub(super) fn at(start: StateId, groups: u16) -> Self {
        Self { each: vec![Way { state: start, count: 0, groups: vec![0; usize::from(groups)] }] }
    }

    /// Goes every way the steps of its state allow that fit; the first such step, or nothing if there is none.
    pub(super) fn go<'s, S: Step>(
        &mut self,
        schema: &'s Schema,
        steps: impl Fn(&'s State, &'s [Edge]) -> &'s [S],
        fits: impl Fn(&S) -> bool,
    ) -> Option<&'s S> {
        let mut found = None;
        let mut after = Vec::new();
        for way in &self.each {
            let (edges, Some(state)) = schema.edges_of(way.state) else { continue };
            for step in steps(state, edges).iter().filter(|step| fits(step)) {
                if way.allows(schema, state, step) {
                    found = found.or(Some(step));
                    after.push(way.after(schema, state, step));
                }
            }
        }
        if found.is_some() {
            after.sort_unstable();
            after.dedup();
            self.each = after;
        }
        found
    }

    /// The steps that are allowed.
    pub(super) fn open<'s>(&self, schema: &'s Schema) -> (Vec<&'s Edge>, Vec<&'s AnyEdge>) {
        let (mut named, mut any) = (Vec::new(), Vec::new());
        for way in &self.each {
            let (edges, Some(state)) = schema.edges_of(way.state) else { continue };
            named.extend(edges.iter().filter(|step| way.allows(schema, state, *step)));
            any.extend(schema.any_edges_of(state).iter().filter(|step| way.allows(schema, state, *step)));
        }
        (named, any)
    }

    /// Tells whether the content may end here.
    pub(super) fn may_end(&self, schema: &Schema) -> bool {
        let may_end = |way: &Way| {
            let state = schema.edges_of(way.state).1;
            state.is_some_and(|state| ends(schema, state, way.count, &way.groups))
        };
        self.each.iter().any(may_end)
    }
}

impl Way {
    fn allows<S: Step>(&self, schema: &Schema, state: &State, step: &S) -> bool {
        let allowed = if step.again() { self.count < state.max } else { self.count >= state.min };
        allowed && (step.counting() == NO_COUNTING || passes(schema.counting(step.counting()), &self.groups))
    }

    fn after<S: Step>(&self, schema: &Schema, state: &State, step: &S) -> Self {
        let mut groups = self.groups.clone();
        apply(schema.counting(step.counting()), &mut groups);
        // Counting beyond what the state asks would make ways differ that do not.
        let enough = if state.max == UNBOUNDED { state.min } else { state.max };
        let count = if step.again() { (self.count + 1).min(enough) } else { 1 };
        Self { state: step.target(), count, groups }
    }
}

impl Judge<'_> {
    /// Tells whether the counters of an open element allow a step.
    #[inline]
    pub(super) fn counts_allow(&self, frame: &Frame, counting: CountingId) -> bool {
        counting == NO_COUNTING
            || passes(
                self.schema().counting(counting),
                self.counters.get(frame.counters as usize..).unwrap_or_default(),
            )
    }

    /// Counts what a step counts.
    #[inline]
    pub(super) fn count_groups(&mut self, frame: &Frame, counting: CountingId) {
        if counting != NO_COUNTING {
            let counts = self.plan.schema.counting(counting);
            apply(counts, self.counters.get_mut(frame.counters as usize..).unwrap_or_default());
        }
    }

    /// Tells whether the content of an open element may end at a state.
    #[inline]
    pub(super) fn may_end(&self, frame: &Frame, state: &State) -> bool {
        let counters = self.counters.get(frame.counters as usize..).unwrap_or_default();
        ends(self.schema(), state, frame.count, counters)
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
    pub(super) fn next(&self, parent: &Frame, slot: u16) -> u64 {
        if slot == NO_SLOT {
            return 0;
        }
        self.counters.get(parent.counters as usize + usize::from(slot)).map_or(0, |counter| counter + 1)
    }
}

#[inline]
fn ends(schema: &Schema, state: &State, count: u32, groups: &[u64]) -> bool {
    let left = state.leaving == NO_COUNTING || passes(schema.counting(state.leaving), groups);
    state.accepting && count >= state.min && left
}

fn passes(counts: &[Count], groups: &[u64]) -> bool {
    let counter = |slot: u16| groups.get(usize::from(slot)).copied().unwrap_or(0);
    counts.iter().all(|count| match *count {
        Count::Leave { slot, least } => counter(slot) >= u64::from(least),
        Count::Again { slot, most, .. } => most == UNBOUNDED || counter(slot) < u64::from(most),
        Count::Enter { .. } => true,
    })
}

fn apply(counts: &[Count], groups: &mut [u64]) {
    for count in counts {
        match *count {
            // What is left counts for nothing: ways must not differ by it.
            Count::Leave { slot, .. } => set(groups, slot, |_| 0),
            Count::Again { slot, enough, .. } => set(groups, slot, |counter| (counter + 1).min(u64::from(enough))),
            Count::Enter { slot } => set(groups, slot, |_| 1),
        }
    }
}

fn set(groups: &mut [u64], slot: u16, to: impl FnOnce(u64) -> u64) {
    if let Some(counter) = groups.get_mut(usize::from(slot)) {
        *counter = to(*counter);
    }
}
