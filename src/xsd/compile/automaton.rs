//! From the places of a content model to states: one for each place, and one for the beginning.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::parts::{Shape, Symbol};
use super::positions::{Chunk, Fragment, Places, Spot};
use super::{Compiler, Done, too_large};
use crate::xsd::components::{Compositor, ElementId, ModelGroup, Particle, Term};
use crate::xsd::error::Place;
use crate::xsd::tables::{
    AnyEdge, Child, Content, Count, CountingId, Edge, NO_COUNTING, NO_SLOT, NameId, State, StateId, UNBOUNDED,
    WildcardId,
};

/// A compiled content model.
pub(super) struct Model {
    pub(super) content: Content,
    pub(super) children: Vec<Child>,
    pub(super) wildcards: Vec<WildcardId>,
    pub(super) slots: u16,
    pub(super) groups: u16,
    pub(super) many_ways: bool,
}

/// In how many ways at most the counters of a model may stand where all are followed.
const MOST_WAYS: u64 = 10_000;

/// Where the edges of a state lie.
#[derive(Debug, Clone, Copy)]
struct Range {
    first_edge: u32,
    edges: u32,
    first_any: u32,
    any_edges: u32,
}

/// A model while its states are made.
struct Making<'m> {
    places: &'m Places,
    at: &'m Place,
    slots: HashMap<NameId, u16>,
    /// The state of a place follows the beginning's by one more than its number.
    start: StateId,
    countings: HashMap<Vec<Count>, CountingId>,
    /// Edges made before, by what they lead to and the groups they leave.
    made: HashMap<(usize, Vec<usize>), Range>,
    many_ways: bool,
}

/// A step to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Step {
    target: u32,
    counting: CountingId,
    again: bool,
}

impl Compiler<'_> {
    /// Puts a content model into the tables.
    pub(super) fn model(&mut self, particle: &Particle, mixed: bool) -> Done<Model> {
        if let Some((group, optional)) = all_group(particle) {
            return self.all_model(group, optional, mixed, &particle.at);
        }
        let mut places = Places { chains: vec![Vec::new()], ..Places::default() };
        let at = &particle.at;
        let (whole, is_possible) = match self.shape(particle, 0)? {
            Shape::Part(part) => (places.lay(&part, 0, false, &mut self.budget, at)?, true),
            Shape::Empty => (Fragment { emptiable: true, first: Vec::new(), last: Vec::new() }, true),
            Shape::Never => (Fragment { emptiable: false, first: Vec::new(), last: Vec::new() }, false),
        };
        let slots = self.name_slots(&places, places.groups.len());
        let start = self.schema.states.len() as u32;
        let mut making = Making {
            places: &places,
            at,
            slots,
            start,
            countings: HashMap::new(),
            made: HashMap::new(),
            many_ways: false,
        };
        self.states(&mut making, &whole, is_possible)?;
        let many_ways = making.many_ways;
        if many_ways && places.spots.iter().any(|spot| places.ways(spot) > MOST_WAYS) {
            return Err(too_large(at, "the counts in the content model may stand in too many ways"));
        }
        let names = making.slots.len();
        let (children, wildcards) = self.children(start, &making.slots);
        let groups = places.groups.len() as u16;
        let content = Content::Elements { start, mixed };
        Ok(Model { content, children, wildcards, slots: groups + names as u16, groups, many_ways })
    }

    /// Numbers the names that may come more than once, behind the counted groups.
    fn name_slots(&mut self, places: &Places, groups: usize) -> HashMap<NameId, u16> {
        let mut seen = BTreeSet::new();
        let mut repeated = BTreeSet::new();
        for spot in &places.spots {
            let Symbol::Element(element) = spot.symbol else { continue };
            for member in self.group(element).iter() {
                let components = self.components;
                let name = self.name(&components.element(*member).name);
                if !seen.insert(name) || spot.repeats || spot.max > 1 {
                    repeated.insert(name);
                }
            }
        }
        repeated.into_iter().zip(groups as u16..NO_SLOT).collect()
    }

    fn states(&mut self, making: &mut Making<'_>, whole: &Fragment, is_possible: bool) -> Done {
        let beginning = Chunk::beginning(whole.first.clone());
        let range = self.steps(making, None, &[&beginning])?;
        let accepting = whole.emptiable && is_possible;
        self.add_state(range, accepting, (0, 0), NO_COUNTING);
        let last: HashSet<u32> = whole.last.iter().copied().collect();
        let places = making.places;
        for (index, spot) in (0..).zip(&places.spots) {
            let again = spot.max > 1;
            let key = (spot.chain, spot.follow.clone());
            let known = if again { None } else { making.made.get(&key).copied() };
            let range = match known {
                Some(range) => range,
                None => {
                    let chunks: Vec<&Chunk> =
                        spot.follow.iter().filter_map(|chunk| places.chunks.get(*chunk)).collect();
                    let range = self.steps(making, Some((index, spot)), &chunks)?;
                    if !again {
                        making.made.insert(key, range);
                    }
                    range
                }
            };
            let accepting = last.contains(&index);
            let leaving = if accepting { self.counting(making, places.leaving(spot, 0)) } else { NO_COUNTING };
            self.add_state(range, accepting, (spot.min, spot.max), leaving);
        }
        Ok(())
    }

    fn add_state(&mut self, range: Range, accepting: bool, (min, max): (u32, u32), leaving: CountingId) {
        let Range { first_edge, edges, first_any, any_edges } = range;
        self.schema.states.push(State { first_edge, edges, first_any, any_edges, accepting, min, max, leaving });
    }

    fn counting(&mut self, making: &mut Making<'_>, counts: Vec<Count>) -> CountingId {
        if counts.is_empty() {
            return NO_COUNTING;
        }
        let countings = &mut self.schema.countings;
        *making.countings.entry(counts).or_insert_with_key(|counts| {
            countings.push(counts.clone().into());
            countings.len() as u32 - 1
        })
    }

    /// Makes the edges behind a place.
    fn steps(&mut self, making: &mut Making<'_>, from: Option<(u32, &Spot)>, chunks: &[&Chunk]) -> Done<Range> {
        let again = from.filter(|(_, spot)| spot.max > 1);
        let again = again.map(|(target, _)| Step { target, counting: NO_COUNTING, again: true });
        let mut steps: Vec<Step> = again.into_iter().collect();
        let mut seen = HashSet::new();
        for chunk in chunks {
            for target in &chunk.targets {
                let counts = making.places.counts(from.map(|(_, spot)| spot), chunk, *target);
                let step = Step { target: *target, counting: self.counting(making, counts), again: false };
                if seen.insert(step) {
                    steps.push(step);
                }
            }
        }
        let (first_edge, first_any) = (self.schema.edges.len() as u32, self.schema.any_edges.len() as u32);
        let mut met = Met::default();
        for step in steps {
            self.edges_of_step(making, &mut met, step, from.map(|(_, spot)| spot))?;
        }
        let edges = self.schema.edges.len() as u32 - first_edge;
        let any_edges = self.schema.any_edges.len() as u32 - first_any;
        Ok(Range { first_edge, edges, first_any, any_edges })
    }

    fn edges_of_step(&mut self, making: &mut Making<'_>, met: &mut Met, step: Step, from: Option<&Spot>) -> Done {
        let target = making.start + 1 + step.target;
        let Step { counting, again, .. } = step;
        match making.places.spot(step.target).symbol {
            Symbol::Any(wildcard) => {
                self.budget.take_edges(1, making.at)?;
                let beside = met.beside_wildcard(self, wildcard);
                making.many_ways |= beside.iter().any(|other| !self.told(making, *other, step, from));
                met.wildcards.push((wildcard, step));
                self.schema.any_edges.push(AnyEdge { wildcard, target, again, counting });
            }
            Symbol::Element(element) => {
                let group = self.group(element);
                self.budget.take_edges(group.len(), making.at)?;
                for member in group.iter() {
                    let edge = self.edge(*member, target, making, step);
                    let beside = met.beside_name(self, edge.name);
                    making.many_ways |= beside.iter().any(|other| !self.told(making, *other, step, from));
                    met.names.entry(edge.name).or_default().push(step);
                    self.schema.edges.push(edge);
                }
            }
        }
        Ok(())
    }

    fn edge(&mut self, element: ElementId, target: StateId, making: &Making<'_>, step: Step) -> Edge {
        let components = self.components;
        let id = self.name(&components.element(element).name);
        let name = self.schema.names.get(id as usize).expect("numbered above");
        let (namespace, local) = (name.namespace, std::sync::Arc::clone(&name.local));
        let slot = making.slots.get(&id).copied().unwrap_or(NO_SLOT);
        Edge { namespace, local, name: id, element, target, slot, again: step.again, counting: step.counting }
    }

    /// Tells whether the first of two steps that one element could take is always the right one.
    fn told(&self, making: &Making<'_>, first: Step, second: Step, from: Option<&Spot>) -> bool {
        // Of a number of times that is fixed, the count tells whether the step goes on or leaves.
        if first.again && from.is_some_and(|spot| spot.min == spot.max) {
            return true;
        }
        let excludes = |one: &Count, other: &Count| match (*one, *other) {
            (Count::Again { slot, most, .. }, Count::Leave { slot: left, least }) => slot == left && least >= most,
            _ => false,
        };
        let counts = |step: Step| self.schema.counting(step.counting);
        let excluded = |one: Step, other: Step| {
            counts(one).iter().any(|one| counts(other).iter().any(|other| excludes(one, other)))
        };
        excluded(first, second) || excluded(second, first) || self.spares(making, first, second, from)
    }

    /// Tells whether the first of two steps to one place leaves every way open that the second does.
    ///
    /// So it is if nothing must come more than once: to count the inner group rather than the outer one uses up less, and
    /// where the inner one is used up the outer one may still be counted, since it begins and ends with the same places.
    fn spares(&self, making: &Making<'_>, first: Step, second: Step, from: Option<&Spot>) -> bool {
        let needs_one = |count: &Count| match *count {
            Count::Leave { slot, .. } | Count::Again { slot, .. } => making.places.least(slot) <= 1,
            Count::Enter { .. } => true,
        };
        let counts = |step: Step| self.schema.counting(step.counting);
        // How far in the counted group is; a step that repeats none goes less far back than any.
        let depth = |step: Step| {
            let again = counts(step).iter().find_map(|count| match *count {
                Count::Again { slot, .. } => Some(slot),
                Count::Leave { .. } | Count::Enter { .. } => None,
            });
            again.map_or(usize::MAX, |slot| making.places.depth(from, slot))
        };
        first.target == second.target
            && from.is_none_or(|spot| spot.min <= 1)
            && counts(first).iter().chain(counts(second)).all(needs_one)
            && (first.again || depth(first) > depth(second))
    }

    /// The children of a type by name, and its wildcards, for documents that keep no order.
    fn children(&self, start: StateId, slots: &HashMap<NameId, u16>) -> (Vec<Child>, Vec<WildcardId>) {
        let mut children: BTreeMap<NameId, Child> = BTreeMap::new();
        let mut wildcards = BTreeSet::new();
        let mut ranges = HashSet::new();
        let states = self.schema.states.get(start as usize..).unwrap_or_default();
        for (state, id) in states.iter().zip(start..) {
            if !ranges.insert((state.first_edge, state.first_any)) {
                continue;
            }
            for edge in self.schema.edges_of(id).0 {
                let slot = slots.get(&edge.name).copied().unwrap_or(NO_SLOT);
                children.entry(edge.name).or_insert(Child { name: edge.name, element: edge.element, slot });
            }
            wildcards.extend(self.schema.any_edges_of(state).iter().map(|edge| edge.wildcard));
        }
        (children.into_values().collect(), wildcards.into_iter().collect())
    }

    /// A group whose members come in any order: every member is a group of its own that is counted.
    fn all_model(&mut self, group: &ModelGroup, optional: bool, mixed: bool, at: &Place) -> Done<Model> {
        let members: Vec<&Particle> = group.particles.iter().filter(|particle| particle.max != Some(0)).collect();
        let groups = members.len() as u16;
        if usize::from(groups) != members.len() || groups == NO_SLOT {
            return Err(too_large(at, "an all group has too many members"));
        }
        let start = self.schema.states.len() as u32;
        let first_edge = self.schema.edges.len() as u32;
        let mut leaving = Vec::new();
        for (slot, particle) in (0..).zip(members) {
            let Term::Element(element) = particle.term else { continue };
            if particle.min > 0 {
                leaving.push(Count::Leave { slot, least: particle.min });
            }
            let most = particle.max.unwrap_or(UNBOUNDED);
            self.schema.countings.push([Count::Again { slot, most, enough: most.min(UNBOUNDED - 1) }].into());
            let counting = self.schema.countings.len() as u32 - 1;
            let members = self.group(element);
            self.budget.take_edges(members.len(), at)?;
            for member in members.iter() {
                let components = self.components;
                let id = self.name(&components.element(*member).name);
                let name = self.schema.names.get(id as usize).expect("numbered above");
                let (namespace, local) = (name.namespace, std::sync::Arc::clone(&name.local));
                let (element, target, again) = (*member, start + 1, false);
                let edge = Edge { namespace, local, name: id, element, target, slot: NO_SLOT, again, counting };
                self.schema.edges.push(edge);
            }
        }
        let edges = self.schema.edges.len() as u32 - first_edge;
        let range = Range { first_edge, edges, first_any: 0, any_edges: 0 };
        self.add_state(range, optional || leaving.is_empty(), (0, 0), NO_COUNTING);
        let leaving = match leaving.is_empty() {
            true => NO_COUNTING,
            false => {
                self.schema.countings.push(leaving.into());
                self.schema.countings.len() as u32 - 1
            }
        };
        self.add_state(range, true, (1, 1), leaving);
        let (children, wildcards) = self.children(start, &HashMap::new());
        let content = Content::Elements { start, mixed };
        Ok(Model { content, children, wildcards, slots: groups, groups, many_ways: false })
    }
}

/// The steps one state has been given so far, by what they are for.
#[derive(Debug, Default)]
struct Met {
    names: HashMap<NameId, Vec<Step>>,
    wildcards: Vec<(WildcardId, Step)>,
}

impl Met {
    /// The steps an element of a name could take as well.
    fn beside_name(&self, compiler: &Compiler<'_>, name: NameId) -> Vec<Step> {
        let schema = &compiler.schema;
        let namespace = schema.names.get(name as usize).map(|name| name.namespace);
        let admits =
            |id: WildcardId| schema.wildcard(id).zip(namespace).is_some_and(|(wildcard, of)| wildcard.admits(of));
        let wildcards = self.wildcards.iter().filter(|(id, _)| admits(*id)).map(|(_, step)| *step);
        self.names.get(&name).into_iter().flatten().copied().chain(wildcards).collect()
    }

    /// The steps an element for a wildcard could take as well.
    fn beside_wildcard(&self, compiler: &Compiler<'_>, id: WildcardId) -> Vec<Step> {
        let schema = &compiler.schema;
        let Some(wildcard) = schema.wildcard(id) else { return Vec::new() };
        let meets = |id: WildcardId| schema.wildcard(id).is_some_and(|other| wildcard.meets(other));
        let named = self
            .names
            .iter()
            .filter(|(name, _)| schema.names.get(**name as usize).is_some_and(|name| wildcard.admits(name.namespace)));
        let named = named.flat_map(|(_, steps)| steps.iter().copied());
        let others = self.wildcards.iter().filter(|(id, _)| meets(*id)).map(|(_, step)| *step);
        named.chain(others).collect()
    }
}

/// The group of any order a content model is, and whether it may be left out.
fn all_group(particle: &Particle) -> Option<(&ModelGroup, bool)> {
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
