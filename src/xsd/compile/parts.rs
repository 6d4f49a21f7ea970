//! Content models made simple: no part that comes never, no group of one, no count inside a count where one says it all.

use super::{Compiler, Done, too_large};
use crate::xsd::components::{Compositor, ElementId, ModelGroup, Particle, Term};
use crate::xsd::error::SchemaError;
use crate::xsd::tables::{UNBOUNDED, WildcardId};

/// A part of a content model.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) what: What,
    /// It may come to nothing.
    pub(super) emptiable: bool,
}

/// What a part is about.
#[derive(Debug)]
pub(super) enum What {
    Symbol(Symbol),
    Sequence(Vec<Part>),
    Choice(Vec<Part>),
}

/// What one element of a document may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Element(ElementId),
    Any(WildcardId),
}

/// What a particle comes to.
#[derive(Debug)]
pub(super) enum Shape {
    /// Nothing ever fits.
    Never,
    /// Nothing comes.
    Empty,
    Part(Part),
}

/// How deep groups may nest.
const DEEPEST: usize = 500;

impl Compiler<'_> {
    /// The simple form of a particle.
    pub(super) fn shape(&mut self, particle: &Particle, depth: usize) -> Done<Shape> {
        if particle.max == Some(0) {
            return Ok(Shape::Empty);
        }
        if depth > DEEPEST {
            return Err(too_large(&particle.at, "the content model nests too deep"));
        }
        self.budget.take_parts(1, &particle.at)?;
        let once = match &particle.term {
            Term::Element(element) => Shape::Part(Part::symbol(Symbol::Element(*element))),
            Term::Any(wildcard) => Shape::Part(Part::symbol(Symbol::Any(self.wildcard(wildcard)))),
            Term::Group(group) => match group.compositor {
                Compositor::Sequence => self.sequence(group, depth)?,
                Compositor::Choice => self.choice(group, depth)?,
                Compositor::All => {
                    return Err(SchemaError::Invalid {
                        place: particle.at.clone(),
                        rule: "cos-all-limited.1.2",
                        problem: "an all group is not the whole content".to_owned(),
                    });
                }
            },
        };
        Ok(once.times(particle.min, particle.max.unwrap_or(UNBOUNDED)))
    }

    fn sequence(&mut self, group: &ModelGroup, depth: usize) -> Done<Shape> {
        let mut parts = Vec::new();
        for particle in group.particles.iter() {
            match self.shape(particle, depth + 1)? {
                Shape::Never => return Ok(Shape::Never),
                Shape::Empty => {}
                Shape::Part(Part { min: 1, max: 1, what: What::Sequence(inner), .. }) => parts.extend(inner),
                Shape::Part(part) => parts.push(part),
            }
        }
        Ok(match parts.len() {
            0 => Shape::Empty,
            1 => parts.pop().map_or(Shape::Empty, Shape::Part),
            _ => {
                let emptiable = parts.iter().all(|part| part.emptiable);
                Shape::Part(Part { min: 1, max: 1, what: What::Sequence(parts), emptiable })
            }
        })
    }

    fn choice(&mut self, group: &ModelGroup, depth: usize) -> Done<Shape> {
        let mut parts = Vec::new();
        // The recommendation counts a choice between nothing as one that may come to nothing.
        let mut may_be_empty = group.particles.is_empty();
        for particle in group.particles.iter().filter(|particle| particle.max != Some(0)) {
            match self.shape(particle, depth + 1)? {
                Shape::Never => {}
                Shape::Empty => may_be_empty = true,
                Shape::Part(Part { min: 1, max: 1, what: What::Choice(inner), .. }) => parts.extend(inner),
                Shape::Part(part) => parts.push(part),
            }
        }
        let whole = match parts.len() {
            0 if may_be_empty => return Ok(Shape::Empty),
            0 => return Ok(Shape::Never),
            1 => parts.pop().map_or(Shape::Empty, Shape::Part),
            _ => {
                let emptiable = parts.iter().any(|part| part.emptiable);
                Shape::Part(Part { min: 1, max: 1, what: What::Choice(parts), emptiable })
            }
        };
        Ok(if may_be_empty { whole.times(0, 1) } else { whole })
    }
}

impl Shape {
    /// The same, a number of times.
    fn times(self, min: u32, max: u32) -> Self {
        match self {
            Self::Never if min > 0 => Self::Never,
            Self::Never | Self::Empty => Self::Empty,
            Self::Part(part) => Self::Part(part.times(min, max)),
        }
    }
}

impl Part {
    fn symbol(symbol: Symbol) -> Self {
        Self { min: 1, max: 1, what: What::Symbol(symbol), emptiable: false }
    }

    fn times(self, min: u32, max: u32) -> Self {
        if (min, max) == (1, 1) {
            return self;
        }
        let emptiable = self.emptiable || min == 0;
        let once = self.counted_once(min, max);
        // What may come to nothing may also come to it as often as it must.
        let needed = |min| if emptiable { 0 } else { min };
        match once {
            Some((min, max)) => Self { min: needed(min), max, emptiable, ..self }.unburdened(),
            None => Self { min: needed(min), max, what: What::Sequence(vec![self]), emptiable },
        }
    }

    /// Takes away the counts inside a choice that may come any number of times: they say nothing then.
    fn unburdened(mut self) -> Self {
        if let (0 | 1, UNBOUNDED, What::Choice(parts)) = (self.min, self.max, &mut self.what) {
            parts.iter_mut().filter(|part| part.min <= 1).for_each(|part| part.max = 1);
        }
        self
    }

    /// The count that says the same as this part's, so many times over; only where no number between is left out.
    fn counted_once(&self, min: u32, max: u32) -> Option<(u32, u32)> {
        let (least, most) = (u64::from(self.min), u64::from(self.max));
        let rounds = u64::from(min);
        // From so many rounds to one more must leave no gap; with more rounds the gaps only grow smaller.
        let closed = min == max
            || match rounds {
                0 => least <= 1,
                _ => self.max == UNBOUNDED || least * (rounds + 1) <= most * rounds + 1,
            };
        if !closed {
            return None;
        }
        let product = |one: u32, other: u32| match (one, other) {
            (0, _) | (_, 0) => Some(0),
            (UNBOUNDED, _) | (_, UNBOUNDED) => Some(UNBOUNDED),
            _ => one.checked_mul(other).filter(|product| *product < UNBOUNDED),
        };
        Some((product(self.min, min)?, product(self.max, max)?))
    }
}
