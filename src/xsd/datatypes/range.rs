//! Ranges: their ends, and the constraints on them (XSD 1.0 part 2, sections 4.3.7 to 4.3.10).

use std::cmp::Ordering::{self, Equal, Greater};

use super::facet::{Bound, Facet, FacetError, FacetKind, FacetSource, Facets};
use super::lexical::Prefixes;
use super::restrict::fixed;
use super::simple::SimpleType;

type Slot = Option<Facet<Bound>>;

impl SimpleType {
    /// Sets one end of the range; the value is one of the base type's.
    pub(super) fn set_bound(
        &mut self,
        source: &FacetSource<'_>,
        base: &Self,
        prefixes: &dyn Prefixes,
    ) -> Result<(), FacetError> {
        let (rule, name) = (restriction_rule(source.kind), source.kind.name());
        let (value, shown) = match base.unbounded().settled(source.value, prefixes) {
            Ok((value, text)) => (value, text.into_owned()),
            Err(broken) => {
                return Err(FacetError::new(rule, format!("{name} is not of the base type: {}", broken.text)));
            }
        };
        let bound = Bound { value, shown };
        let inherited = base.facets.bound(source.kind).as_ref();
        let same = inherited.is_some_and(|old| old.value.value.same(&bound.value));
        if !same && inherited.is_some_and(|old| old.fixed) {
            return Err(fixed(source.kind));
        }
        // The end itself lies in the base's range, or is the same end that leaves itself out.
        if let Some(broken) = base.facets.judge_value(&bound.value).err().filter(|_| !same) {
            return Err(FacetError::new(rule, format!("{name} is not of the base type: {}", broken.text)));
        }
        let is_fixed = source.fixed || inherited.is_some_and(|old| old.fixed);
        *self.facets.bound_mut(source.kind) = Some(Facet { value: bound, fixed: is_fixed });
        Ok(())
    }

    /// The type as its primitive type and form have it, with its patterns, but without a range.
    fn unbounded(&self) -> Self {
        let facets = Facets { patterns: self.facets.patterns.clone(), ..Facets::default() };
        Self { facets, ..self.clone() }
    }

    /// How the ends of the range go together.
    pub(super) fn check_ranges(&self) -> Result<(), FacetError> {
        let own = &self.facets;
        let outer = self.base.as_ref().map(|base| &base.facets);
        // An end of one kind replaces the base's of the other kind, but in one step only one may stand.
        let fresh = |kind| {
            let now = own.bound(kind).as_ref();
            let before = outer.and_then(|facets| facets.bound(kind).as_ref());
            now.is_some() && before.is_none()
        };
        for (one, other, rule) in [
            (FacetKind::MinInclusive, FacetKind::MinExclusive, "minInclusive-minExclusive"),
            (FacetKind::MaxInclusive, FacetKind::MaxExclusive, "maxInclusive-maxExclusive"),
        ] {
            if fresh(one) && fresh(other) {
                return Err(FacetError::new(rule, format!("{} stands beside {}", one.name(), other.name())));
            }
        }
        let pairs = [
            (
                FacetKind::MinInclusive,
                FacetKind::MaxInclusive,
                &[Greater][..],
                "minInclusive-less-than-equal-to-maxInclusive",
            ),
            (
                FacetKind::MinExclusive,
                FacetKind::MaxExclusive,
                &[Greater],
                "minExclusive-less-than-equal-to-maxExclusive",
            ),
            (
                FacetKind::MinExclusive,
                FacetKind::MaxInclusive,
                &[Greater, Equal],
                "minExclusive-less-than-maxInclusive",
            ),
            (
                FacetKind::MinInclusive,
                FacetKind::MaxExclusive,
                &[Greater, Equal],
                "minInclusive-less-than-maxExclusive",
            ),
        ];
        for (least, most, wrong, rule) in pairs {
            let order = compare(own.bound(least), own.bound(most));
            if order.is_some_and(|order| wrong.contains(&order)) {
                return Err(FacetError::new(rule, format!("{} leaves nothing below {}", least.name(), most.name())));
            }
        }
        Ok(())
    }
}

fn compare(one: &Slot, other: &Slot) -> Option<Ordering> {
    let (one, other) = one.as_ref().zip(other.as_ref())?;
    one.value.value.order(&other.value.value)
}

fn restriction_rule(kind: FacetKind) -> &'static str {
    match kind {
        FacetKind::MinInclusive => "minInclusive-valid-restriction",
        FacetKind::MinExclusive => "minExclusive-valid-restriction",
        FacetKind::MaxInclusive => "maxInclusive-valid-restriction",
        _ => "maxExclusive-valid-restriction",
    }
}
