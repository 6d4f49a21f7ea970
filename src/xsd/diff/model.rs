//! Two content models, compared as languages of element names; and what each name means in them.

use std::collections::{BTreeMap, BTreeSet};

use super::alphabet::{Alphabet, Leaf, Name};
use super::language::{Comparison, Expression, Language, Letter, NOTHING};
use super::side::Side;
use crate::xsd::components::{Compositor, ElementId, Particle, Process, QName, Term};

/// A content model taken apart.
pub(super) struct Model<'s, 'c> {
    side: &'s Side<'c>,
    particle: &'c Particle,
    leaves: Vec<Leaf>,
}

/// What a name means in a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Declared(ElementId),
    /// A wildcard that does not look at it.
    Anything(Process),
}

/// The shortest sequence of names that one of two models has and the other has not.
pub(super) struct Counterexample {
    pub(super) names: Vec<Name>,
    pub(super) first_has_it: bool,
}

/// A name that the wildcards of two models look at in different ways.
pub(super) struct Looks {
    pub(super) name: Name,
    pub(super) first: BTreeSet<Process>,
    pub(super) second: BTreeSet<Process>,
}

/// How two models compare.
pub(super) struct Compared {
    pub(super) sequences: Result<Option<Counterexample>, TooLarge>,
    pub(super) looks: Option<Looks>,
}

/// Why two models are not compared: they are nested too deeply, or reading them takes too many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

impl<'s, 'c> Model<'s, 'c> {
    pub(super) fn new(side: &'s Side<'c>, particle: &'c Particle) -> Result<Self, TooLarge> {
        let mut model = Self { side, particle, leaves: Vec::new() };
        model.take_apart(particle, 0)?;
        Ok(model)
    }

    /// What each name means that an element of the model is declared by.
    pub(super) fn declared(&self) -> BTreeMap<&QName, ElementId> {
        let elements = self.leaves.iter().filter_map(|leaf| match leaf {
            Leaf::Elements(elements) => Some(elements),
            Leaf::Any(_) => None,
        });
        elements.flatten().map(|(name, id)| (name, *id)).collect()
    }

    /// What a name means: its own declaration here, or what the wildcards make of it.
    pub(super) fn meaning(&self, name: &QName) -> Option<Meaning> {
        let mut meaning = None;
        for leaf in &self.leaves {
            match leaf {
                Leaf::Elements(elements) => {
                    if let Some(id) = elements.get(name) {
                        return Some(Meaning::Declared(*id));
                    }
                }
                Leaf::Any(wildcard) if self.side.admits(wildcard, name) => {
                    let global = self.side.global(name).filter(|_| wildcard.process != Process::Skip);
                    meaning = Some(global.map_or(Meaning::Anything(wildcard.process), Meaning::Declared));
                }
                Leaf::Any(_) => {}
            }
        }
        meaning
    }

    /// How the wildcards that admit a letter look at it; the letters of this model's leaves are given.
    fn looks(&self, letter: Letter, leaves: &[BTreeSet<Letter>]) -> BTreeSet<Process> {
        let admitting = self.leaves.iter().zip(leaves).filter(|(_, letters)| letters.contains(&letter));
        let looks = admitting.filter_map(|(leaf, _)| match leaf {
            Leaf::Any(wildcard) => Some(wildcard.process),
            Leaf::Elements(_) => None,
        });
        looks.collect()
    }

    fn take_apart(&mut self, particle: &'c Particle, depth: usize) -> Result<(), TooLarge> {
        if depth > MOST_NESTED {
            return Err(TooLarge);
        }
        match &particle.term {
            Term::Element(id) => {
                let present = self.side.present(*id).into_iter();
                let named = present.map(|id| (self.side.components.element(id).name.clone(), id));
                self.leaves.push(Leaf::Elements(named.collect()));
                Ok(())
            }
            Term::Any(wildcard) => {
                self.leaves.push(Leaf::Any(wildcard.clone()));
                Ok(())
            }
            Term::Group(group) => group.particles.iter().try_for_each(|part| self.take_apart(part, depth + 1)),
        }
    }
}

/// Compares what two models accept.
pub(super) fn compare(first: &Model<'_, '_>, second: &Model<'_, '_>) -> Compared {
    let alphabet = Alphabet::of([(first.side, &first.leaves), (second.side, &second.leaves)]);
    let mut language = Language::new();
    let mut leaves = alphabet.leaves().iter();
    let one = expression(&mut language, first.particle, &mut leaves);
    let other = expression(&mut language, second.particle, &mut leaves);
    let sequences = match language.compare(one, other, alphabet.len(), MOST_PAIRS) {
        Comparison::Same => Ok(None),
        Comparison::TooLarge => Err(TooLarge),
        Comparison::Differ { text, first_has_it } => {
            let names = text.into_iter().filter_map(|letter| alphabet.name(letter).cloned()).collect();
            Ok(Some(Counterexample { names, first_has_it }))
        }
    };
    Compared { sequences, looks: looks(first, second, &alphabet) }
}

/// The first name that wildcards of both models admit and look at in different ways.
fn looks(first: &Model<'_, '_>, second: &Model<'_, '_>, alphabet: &Alphabet) -> Option<Looks> {
    let (own, others) = alphabet.leaves().split_at_checked(first.leaves.len())?;
    (0..alphabet.len()).find_map(|letter| {
        let (first, second) = (first.looks(letter, own), second.looks(letter, others));
        let differ = first != second && !first.is_empty() && !second.is_empty();
        let name = alphabet.name(letter).filter(|_| differ)?.clone();
        Some(Looks { name, first, second })
    })
}

/// A particle as an expression; its leaves come in the order they were taken apart in.
fn expression<'l>(
    language: &mut Language,
    particle: &Particle,
    leaves: &mut impl Iterator<Item = &'l BTreeSet<Letter>>,
) -> Expression {
    let term = match &particle.term {
        Term::Element(_) | Term::Any(_) => leaves.next().map_or(NOTHING, |letters| language.any(letters.clone())),
        Term::Group(group) => {
            let mut parts = Vec::new();
            for part in group.particles.iter() {
                parts.push(expression(language, part, leaves));
            }
            match group.compositor {
                Compositor::Sequence => language.sequence(parts),
                Compositor::Choice => language.choice(parts),
                Compositor::All => language.all(parts),
            }
        }
    };
    language.repeat(term, particle.min, particle.max)
}

/// Groups in groups that are followed.
const MOST_NESTED: usize = 200;
/// Pairs of rests of two models that are looked at.
const MOST_PAIRS: usize = 20_000;
