//! Particles as the rules of restriction see them (section 3.9.6): pointless groups are ignored, and the head of a
//! substitution group is a choice of its members.

use super::{Done, Rules, too_large};
use crate::xsd::components::{Compositor, ElementId, Particle, Term, Wildcard};

/// A particle that has a point.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) range: Range,
    pub(super) kind: Kind<'a>,
    /// What it comes from.
    pub(super) source: &'a Particle,
}

/// What it is about.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    Element(ElementId),
    Any(&'a Wildcard),
    Group(Compositor, Vec<Part<'a>>),
    /// The choice a head of a substitution group is taken for.
    Head(ElementId, Vec<Part<'a>>),
}

/// How often something may come; `None` is without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

/// How many members of substitution groups may stand in one content model.
const MOST_PARTS: usize = 1_000_000;

impl Range {
    pub(super) const ONCE: Self = Self { min: 1, max: Some(1) };

    pub(super) fn of(particle: &Particle) -> Self {
        Self { min: particle.min.into(), max: particle.max.map(u64::from) }
    }

    /// Tells whether it is a restriction of another (range-ok).
    pub(super) fn is_within(self, base: Self) -> bool {
        let below = match (self.max, base.max) {
            (_, None) => true,
            (Some(max), Some(most)) => max <= most,
            (None, Some(_)) => false,
        };
        below && self.min >= base.min
    }

    /// That of something which comes so often in each of these rounds.
    pub(super) fn times(self, rounds: Self) -> Self {
        let max = match (self.max, rounds.max) {
            (Some(0), _) | (_, Some(0)) => Some(0),
            (Some(max), Some(rounds)) => Some(max.saturating_mul(rounds)),
            _ => None,
        };
        Self { min: self.min.saturating_mul(rounds.min), max }
    }

    fn and(self, other: Self) -> Self {
        let max = self.max.zip(other.max).map(|(one, two)| one.saturating_add(two));
        Self { min: self.min.saturating_add(other.min), max }
    }

    fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.zip(other.max).map(|(one, two)| one.max(two)) }
    }
}

impl<'a> Part<'a> {
    /// What is left of a particle; `None` if it says nothing.
    ///
    /// The particle must have passed as a [`Model`](super::Model), which bounds its depth and its size.
    pub(super) fn of(rules: &Rules<'_>, particle: &'a Particle) -> Done<Option<Self>> {
        let mut left = MOST_PARTS;
        let mut parts = Vec::new();
        part(rules, particle, None, &mut left, &mut parts)?;
        Ok(parts.pop())
    }

    /// How many elements it may come to (the effective total range, cos-seq-range and cos-choice-range).
    pub(super) fn total(&self) -> Range {
        let round = match &self.kind {
            Kind::Element(_) | Kind::Any(_) => Range::ONCE,
            Kind::Group(Compositor::Sequence | Compositor::All, parts) => {
                parts.iter().map(Self::total).fold(Range { min: 0, max: Some(0) }, Range::and)
            }
            Kind::Group(Compositor::Choice, parts) | Kind::Head(_, parts) => {
                parts.iter().map(Self::total).reduce(Range::or).unwrap_or(Range { min: 0, max: Some(0) })
            }
        };
        round.times(self.range)
    }

    /// Tells whether it may come to nothing (cos-group-emptiable).
    pub(super) fn is_emptiable(&self) -> bool {
        self.total().min == 0
    }
}

/// Adds to the parts of a group what one of its particles is.
fn part<'a>(
    rules: &Rules<'_>,
    particle: &'a Particle,
    parent: Option<Compositor>,
    left: &mut usize,
    parts: &mut Vec<Part<'a>>,
) -> Done {
    let range = Range::of(particle);
    if range.max == Some(0) {
        return Ok(());
    }
    let plain = |range, kind| Part { range, kind, source: particle };
    match &particle.term {
        Term::Any(wildcard) => parts.push(plain(range, Kind::Any(wildcard))),
        Term::Element(element) => {
            let members = rules.groups.members(element);
            *left = left
                .checked_sub(members.len())
                .ok_or_else(|| too_large(&particle.at, "the content has too many substitutes"))?;
            if members.len() == 1 {
                parts.push(plain(range, Kind::Element(*element)));
                return Ok(());
            }
            let members = members.iter().map(|member| plain(Range::ONCE, Kind::Element(*member)));
            if range == Range::ONCE && parent == Some(Compositor::Choice) {
                parts.extend(members);
            } else {
                parts.push(plain(range, Kind::Head(*element, members.collect())));
            }
        }
        Term::Group(group) => {
            let mut inner = Vec::new();
            for child in group.particles.iter() {
                part(rules, child, Some(group.compositor), left, &mut inner)?;
            }
            place(plain(range, Kind::Group(group.compositor, inner)), parent, parts);
        }
    }
    Ok(())
}

/// Adds a group to the parts of another, or its own parts if it is pointless there.
fn place<'a>(part: Part<'a>, parent: Option<Compositor>, parts: &mut Vec<Part<'a>>) {
    let Kind::Group(compositor, mut inner) = part.kind else {
        parts.push(part);
        return;
    };
    let says_nothing = inner.is_empty() && (compositor != Compositor::Choice || part.range.min == 0);
    if says_nothing {
        return;
    }
    let is_once = part.range == Range::ONCE;
    // A group of `all` is never among the parts of another.
    if is_once && parent == Some(compositor) {
        parts.extend(inner);
    } else if is_once && inner.len() == 1 {
        // What is alone in it may be pointless where it comes to stand.
        inner.into_iter().for_each(|only| place(only, parent, parts));
    } else if compositor == Compositor::All && inner.len() == 1 {
        // It comes once at most, and so does what is in it.
        inner.iter_mut().for_each(|only| only.range = only.range.times(part.range));
        parts.extend(inner);
    } else {
        parts.push(Part { kind: Kind::Group(compositor, inner), ..part });
    }
}
