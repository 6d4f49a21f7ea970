//! Ranges: their ends, and the constraints on them (XSD 1.0 part 2, sections 4.3.7 to 4.3.10).

use std::cmp::Ordering::{self, Equal, Greater, Less};

use super::Broken;
use super::facet::{Facet, FacetError, FacetKind, FacetSource, Facets};
use super::lexical::Prefixes;
use super::restrict::fixed;
use super::simple::SimpleType;
use super::value::Value;
use crate::xsd::finding::Kind;

/// Which end of a range, and whether it belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    MinInclusive,
    MinExclusive,
    MaxInclusive,
    MaxExclusive,
}

/// The ends of a range, those that a type has; both kinds of one end may be left by two steps of derivation.
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    ends: [Option<Facet<Bound>>; 4],
}

/// One end of a range.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) value: Value,
    /// As the schema writes it.
    pub(super) shown: String,
}

impl Side {
    const ALL: [Self; 4] = [Self::MinInclusive, Self::MinExclusive, Self::MaxInclusive, Self::MaxExclusive];

    /// The end that a facet sets.
    pub(super) fn of(kind: FacetKind) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.kind() == kind)
    }

    fn kind(self) -> FacetKind {
        match self {
            Self::MinInclusive => FacetKind::MinInclusive,
            Self::MinExclusive => FacetKind::MinExclusive,
            Self::MaxInclusive => FacetKind::MaxInclusive,
            Self::MaxExclusive => FacetKind::MaxExclusive,
        }
    }

    fn admits(self, order: Ordering) -> bool {
        match self {
            Self::MinInclusive => order != Less,
            Self::MinExclusive => order == Greater,
            Self::MaxInclusive => order != Greater,
            Self::MaxExclusive => order == Less,
        }
    }

    /// The rule of its restriction, the rule a value breaks, and how it is said.
    fn rules(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::MinInclusive => ("minInclusive-valid-restriction", "cvc-minInclusive-valid", "at least"),
            Self::MinExclusive => ("minExclusive-valid-restriction", "cvc-minExclusive-valid", "more than"),
            Self::MaxInclusive => ("maxInclusive-valid-restriction", "cvc-maxInclusive-valid", "at most"),
            Self::MaxExclusive => ("maxExclusive-valid-restriction", "cvc-maxExclusive-valid", "less than"),
        }
    }
}

impl Range {
    /// Tells whether it has no end.
    pub(super) fn is_empty(&self) -> bool {
        self.ends.iter().all(|end| end.is_none())
    }

    fn end(&self, side: Side) -> Option<&Facet<Bound>> {
        self.ends.get(side as usize)?.as_ref()
    }

    /// Its ends, each with the facet that sets it.
    pub(super) fn ends(&self) -> impl Iterator<Item = (FacetKind, &Bound)> {
        Side::ALL.into_iter().filter_map(|side| Some((side.kind(), &self.end(side)?.value)))
    }

    /// The value at one end.
    pub(super) fn value(&self, side: Side) -> Option<&Value> {
        self.end(side).map(|end| &end.value.value)
    }

    /// Judges a value by its ends.
    pub(super) fn judge(&self, value: &Value) -> Result<(), Broken> {
        for side in Side::ALL {
            let Some(bound) = self.end(side).map(|end| &end.value) else { continue };
            // Values that do not compare lie on neither side.
            if !value.order(&bound.value).is_some_and(|order| side.admits(order)) {
                let (_, rule, relation) = side.rules();
                let text = format!("the value must be {relation} {}", bound.shown);
                return Err(Broken::new(Kind::OutOfRange, rule, text));
            }
        }
        Ok(())
    }
}

impl SimpleType {
    /// Sets one end of the range; the value is one of the base type's.
    pub(super) fn set_bound(
        &mut self,
        side: Side,
        source: &FacetSource<'_>,
        base: &Self,
        prefixes: &dyn Prefixes,
    ) -> Result<(), FacetError> {
        let wrong = |broken: Broken| {
            let text = format!("{} is not of the base type: {}", source.kind.name(), broken.text);
            FacetError::new(side.rules().0, text)
        };
        let (value, text) = base.unbounded().settled(source.value, prefixes).map_err(wrong)?;
        let inherited = base.facets.range.end(side);
        let is_same = inherited.is_some_and(|old| old.value.value.same(&value));
        if !is_same && inherited.is_some_and(|old| old.fixed) {
            return Err(fixed(source.kind));
        }
        // It lies in the base's range, or is the very end that leaves itself out.
        if !is_same {
            base.facets.judge_value(&value).map_err(wrong)?;
        }
        let is_fixed = source.fixed || inherited.is_some_and(|old| old.fixed);
        if let Some(end) = self.facets.range.ends.get_mut(side as usize) {
            *end = Some(Facet { value: Bound { value, shown: text.into_owned() }, fixed: is_fixed });
        }
        Ok(())
    }

    /// The type with its patterns, but without its other facets.
    fn unbounded(&self) -> Self {
        let facets = Facets { patterns: self.facets.patterns.clone(), ..Facets::default() };
        Self { facets, ..self.clone() }
    }

    /// How the ends of the range go together.
    pub(super) fn check_ranges(&self, met: &[FacetKind]) -> Result<(), FacetError> {
        use Side::{MaxExclusive, MaxInclusive, MinExclusive, MinInclusive};
        for (one, other, rule) in [
            (MinInclusive, MinExclusive, "minInclusive-minExclusive"),
            (MaxInclusive, MaxExclusive, "maxInclusive-maxExclusive"),
        ] {
            // An end of the base type may be of the other kind.
            if met.contains(&one.kind()) && met.contains(&other.kind()) {
                let text = format!("{} stands beside {}", one.kind().name(), other.kind().name());
                return Err(FacetError::new(rule, text));
            }
        }
        let pairs = [
            (MinInclusive, MaxInclusive, false, "minInclusive-less-than-equal-to-maxInclusive"),
            (MinExclusive, MaxExclusive, false, "minExclusive-less-than-equal-to-maxExclusive"),
            (MinExclusive, MaxInclusive, true, "minExclusive-less-than-maxInclusive"),
            (MinInclusive, MaxExclusive, true, "minInclusive-less-than-maxExclusive"),
        ];
        let range = &self.facets.range;
        for (least, most, must_differ, rule) in pairs {
            let order = range.value(least).zip(range.value(most)).and_then(|(least, most)| least.order(most));
            if order == Some(Greater) || (must_differ && order == Some(Equal)) {
                let text = format!("{} leaves nothing below {}", least.kind().name(), most.kind().name());
                return Err(FacetError::new(rule, text));
            }
        }
        Ok(())
    }
}
