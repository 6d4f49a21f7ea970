//! From a content model to states: one for each place an element has in the model, and one for the beginning.

use std::collections::{BTreeMap, BTreeSet};

use super::particles::{Particle, Term, UNBOUNDED};
use super::{At, Compiler, Done};
use crate::xsd::tables::{Child, Content, Edge, ElementId, NO_SLOT, NameId, State};

/// A compiled content model.
pub(super) struct Model {
    pub(super) content: Content,
    pub(super) children: Vec<Child>,
    pub(super) slots: u16,
}

// Groups that come a limited number of times are written out; beyond this the schema is refused.
const MOST_POSITIONS: usize = 20_000;
const MOST_EDGES: usize = 1_000_000;

/// A place of an element in the model.
struct Spot {
    name: NameId,
    element: ElementId,
    min: u32,
    max: u32,
    at: At,
    /// A group around it may come again.
    repeats: bool,
}

/// A part of the model: the places it may begin and end with.
struct Fragment {
    nullable: bool,
    first: BTreeSet<u32>,
    last: BTreeSet<u32>,
}

#[derive(Default)]
struct Places {
    spots: Vec<Spot>,
    follow: Vec<BTreeSet<u32>>,
    edges: usize,
}

impl Compiler<'_> {
    /// Puts a content model into the tables.
    pub(super) fn compile_model(&mut self, particle: &Particle, mixed: bool) -> Done<Model> {
        let mut places = Places::default();
        let Some(whole) = places.fragment(particle, false) else {
            return Err(self.unsupported_construct(particle.at, "a content model of this size"));
        };
        let slots = self.slots(&places)?;
        let start = self.schema.states.len() as u32;
        // The state of a place follows the beginning's by one more than its number.
        self.add_state(&places, &slots, start, None, &whole.first, whole.nullable)?;
        for (index, spot) in places.spots.iter().enumerate() {
            let follow = places.follow.get(index).expect("one for each place");
            let accepting = whole.last.contains(&(index as u32));
            self.add_state(&places, &slots, start, Some((index as u32, spot)), follow, accepting)?;
        }
        let mut children: BTreeMap<NameId, Child> = BTreeMap::new();
        for spot in &places.spots {
            let slot = slots.get(&spot.name).copied().unwrap_or(NO_SLOT);
            children.insert(spot.name, Child { name: spot.name, element: spot.element, slot });
        }
        let content = Content::Elements { start, mixed };
        Ok(Model { content, children: children.into_values().collect(), slots: slots.len() as u16 })
    }

    /// Numbers the names that may come more than once.
    fn slots(&self, places: &Places) -> Done<BTreeMap<NameId, u16>> {
        let mut seen: BTreeMap<NameId, &Spot> = BTreeMap::new();
        let mut repeated = BTreeSet::new();
        for spot in &places.spots {
            let before = seen.insert(spot.name, spot);
            if spot.repeats || spot.max > 1 || before.is_some() {
                repeated.insert(spot.name);
            }
            let types = |spot: &Spot| self.schema.element(spot.element).map(|element| element.type_id);
            if before.is_some_and(|before| types(before) != types(spot)) {
                return Err(self.invalid(spot.at, "elements of one name have different types in one content model"));
            }
        }
        Ok(repeated.into_iter().zip(0..NO_SLOT).collect())
    }

    fn add_state(
        &mut self,
        places: &Places,
        slots: &BTreeMap<NameId, u16>,
        start: u32,
        own: Option<(u32, &Spot)>,
        next: &BTreeSet<u32>,
        accepting: bool,
    ) -> Done {
        let first_edge = self.schema.edges.len() as u32;
        let again = own.filter(|(_, spot)| spot.max > 1);
        let steps = again.map(|(index, _)| (index, true)).into_iter().chain(next.iter().map(|index| (*index, false)));
        let mut seen: BTreeMap<NameId, (At, bool)> = BTreeMap::new();
        for (index, is_again) in steps {
            let spot = places.spots.get(index as usize).expect("a place of this model");
            match seen.get(&spot.name) {
                // A copy of the same particle: the first one leaves most ways open.
                Some((at, false)) if *at == spot.at => continue,
                // The particle once more, then by way of a group around it: the count must tell which.
                Some((at, true)) if *at == spot.at => {
                    let told = again.is_some_and(|(own, spot)| spot.min == spot.max || (own == index && spot.min <= 1));
                    if !told {
                        let construct = "a repeated element that may follow itself through a repeated group";
                        return Err(self.unsupported_construct(spot.at, construct));
                    }
                }
                Some((_, true)) if again.is_some_and(|(_, spot)| spot.min == spot.max) => {}
                Some(_) => return Err(self.invalid(spot.at, "the content model is ambiguous")),
                None => {}
            }
            seen.insert(spot.name, (spot.at, is_again));
            let name = self.schema.names.get(spot.name as usize).expect("numbered before");
            self.schema.edges.push(Edge {
                namespace: name.namespace,
                local: name.local.clone(),
                name: spot.name,
                element: spot.element,
                target: start + 1 + index,
                slot: slots.get(&spot.name).copied().unwrap_or(NO_SLOT),
                again: is_again,
            });
        }
        let edges = self.schema.edges.len() as u32 - first_edge;
        let (min, max) = own.map_or((0, 0), |(_, spot)| (spot.min, spot.max));
        self.schema.states.push(State { first_edge, edges, accepting, min, max });
        Ok(())
    }
}

impl Places {
    /// The part of the model that a particle is; `None` if it grows too large.
    fn fragment(&mut self, particle: &Particle, repeats: bool) -> Option<Fragment> {
        let Particle { min, max, .. } = *particle;
        if max == 0 {
            return Some(Fragment::empty());
        }
        if let Term::Element { name, element } = particle.term {
            let index = self.spots.len() as u32;
            self.spots.push(Spot { name, element, min: min.max(1), max, at: particle.at, repeats });
            self.follow.push(BTreeSet::new());
            let only = BTreeSet::from([index]);
            let fits = self.spots.len() <= MOST_POSITIONS;
            return fits.then(|| Fragment { nullable: min == 0, first: only.clone(), last: only });
        }
        let repeats = repeats || max > 1;
        let copies = if max == UNBOUNDED { min.max(1) } else { max };
        let mut whole = Fragment::empty();
        for copy in 0..copies {
            let mut part = self.group(&particle.term, repeats)?;
            if max == UNBOUNDED && copy + 1 == copies {
                self.link(&part.last, &part.first)?;
            }
            part.nullable |= copy >= min;
            whole = self.join(whole, part)?;
            if whole.first.is_empty() {
                // Nothing in it, however often.
                break;
            }
        }
        Some(whole)
    }

    fn group(&mut self, term: &Term, repeats: bool) -> Option<Fragment> {
        match term {
            Term::Element { .. } => None,
            Term::Sequence(parts) => {
                let mut whole = Fragment::empty();
                for part in parts {
                    let part = self.fragment(part, repeats)?;
                    whole = self.join(whole, part)?;
                }
                Some(whole)
            }
            Term::Choice(parts) => {
                let mut whole = Fragment { nullable: false, ..Fragment::empty() };
                for part in parts {
                    let part = self.fragment(part, repeats)?;
                    whole.nullable |= part.nullable;
                    whole.first.extend(part.first);
                    whole.last.extend(part.last);
                }
                Some(whole)
            }
        }
    }

    /// One part behind the other.
    fn join(&mut self, mut one: Fragment, mut other: Fragment) -> Option<Fragment> {
        self.link(&one.last, &other.first)?;
        if one.nullable {
            one.first.append(&mut other.first);
        }
        if other.nullable {
            other.last.append(&mut one.last);
        }
        Some(Fragment { nullable: one.nullable && other.nullable, first: one.first, last: other.last })
    }

    fn link(&mut self, from: &BTreeSet<u32>, to: &BTreeSet<u32>) -> Option<()> {
        self.edges += from.len() * to.len();
        if self.edges > MOST_EDGES {
            return None;
        }
        for index in from {
            self.follow.get_mut(*index as usize)?.extend(to);
        }
        Some(())
    }
}

impl Fragment {
    fn empty() -> Self {
        Self { nullable: true, first: BTreeSet::new(), last: BTreeSet::new() }
    }
}
