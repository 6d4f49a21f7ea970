//! Groups whose members come in any order: every member is a group of its own that is counted.

use std::collections::HashMap;

use super::automaton::{Model, Range, Step};
use super::{Compiler, Done, too_large};
use crate::xsd::components::{Compositor, ElementId, ModelGroup, Particle, Term};
use crate::xsd::error::Place;
use crate::xsd::tables::{Content, Count, CountingId, NO_COUNTING, NO_SLOT, UNBOUNDED};

/// The group of any order a content model is, and whether it may be left out.
pub(super) fn group(particle: &Particle) -> Option<(&ModelGroup, bool)> {
    let (mut at, mut optional) = (particle, false);
    loop {
        optional |= at.min == 0;
        let Term::Group(group) = &at.term else { return None };
        if at.max == Some(0) {
            return None;
        }
        if group.compositor == Compositor::All {
            return Some((group, optional));
        }
        let mut parts = group.particles.iter().filter(|part| part.max != Some(0));
        match (parts.next(), parts.next(), at.max) {
            (Some(only), None, Some(1)) => at = only,
            _ => return None,
        }
    }
}

impl Compiler<'_> {
    /// Puts a group of any order into the tables: a beginning, and one state for all that may follow.
    pub(super) fn any_order(&mut self, group: &ModelGroup, optional: bool, mixed: bool, at: &Place) -> Done<Model> {
        let members: Vec<&Particle> = group.particles.iter().filter(|particle| particle.max != Some(0)).collect();
        let groups = u16::try_from(members.len()).ok().filter(|groups| *groups < NO_SLOT);
        let groups = groups.ok_or_else(|| too_large(at, "an all group has too many members"))?;
        let start = self.schema.states.len() as u32;
        let first_edge = self.schema.edges.len() as u32;
        let mut leaving = Vec::new();
        for (slot, particle) in (0..).zip(members) {
            let Term::Element(element) = particle.term else { continue };
            if particle.min > 0 {
                leaving.push(Count::Leave { slot, least: particle.min });
            }
            let most = particle.max.unwrap_or(UNBOUNDED);
            let counting = self.new_counting([Count::Again { slot, most, enough: most.min(UNBOUNDED - 1) }].into());
            self.member(element, start + 1, counting, at)?;
        }
        let edges = self.schema.edges.len() as u32 - first_edge;
        let range = Range { first_edge, edges, first_any: 0, any_edges: 0 };
        let all_optional = leaving.is_empty();
        let leaving = if all_optional { NO_COUNTING } else { self.new_counting(leaving.into()) };
        self.add_state(range, optional || all_optional, (0, 0), NO_COUNTING);
        self.add_state(range, true, (1, 1), leaving);
        let (children, wildcards) = self.children(start, &HashMap::new());
        let content = Content::Elements { start, mixed };
        Ok(Model { content, children, wildcards, slots: groups, groups, many_ways: false })
    }

    fn member(&mut self, element: ElementId, target: u32, counting: CountingId, at: &Place) -> Done {
        let members = self.group(element);
        self.budget.take_edges(members.len(), at)?;
        for member in members.iter() {
            let edge = self.edge(*member, target, &HashMap::new(), Step { target, counting, again: false });
            self.schema.edges.push(edge);
        }
        Ok(())
    }

    fn new_counting(&mut self, counts: Box<[Count]>) -> CountingId {
        self.schema.countings.push(counts);
        self.schema.countings.len() as u32 - 1
    }
}
