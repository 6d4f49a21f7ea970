//! Restriction: a type with facets of its own, and the constraints on them (XSD 1.0 part 2, section 4.3).

use std::sync::Arc;

use super::Space;
use super::builtins::NoPrefixes;
use super::facet::{Enumeration, Facet, FacetError, FacetKind, FacetSource};
use super::lexical::{Prefixes, Primitive, is_integer};
use super::pattern::Pattern;
use super::range::Side;
use super::simple::{SimpleType, Variety};

type Done<T = ()> = Result<T, FacetError>;

/// Types may not stand on more than this, one upon the other: they are dropped and asked by recursion.
const MOST_DEPTH: usize = 500;
/// A restricted union is a member as a whole, and unions of such could ask the same types times without number.
const MOST_WEIGHT: usize = 10_000;

impl SimpleType {
    /// A type that allows less than its base does.
    pub(in crate::xsd) fn restrict(
        base: &Arc<Self>,
        label: &str,
        facets: &[FacetSource<'_>],
        prefixes: &dyn Prefixes,
    ) -> Done<Self> {
        if matches!(base.variety, Variety::Any) {
            let text = "anySimpleType is no type to restrict";
            return Err(FacetError::new("cos-st-restricts.1.1", text));
        }
        if base.depth >= MOST_DEPTH || base.weight > MOST_WEIGHT {
            let text = format!("more than {MOST_DEPTH} types stand on each other, or {MOST_WEIGHT} side by side");
            return Err(FacetError::new("st-props-correct.1", text));
        }
        let mut derived = Self::derived(base, label);
        derived.add(facets, prefixes)?;
        Ok(derived.ready())
    }

    /// Adds the facets of one step of derivation.
    pub(super) fn add(&mut self, facets: &[FacetSource<'_>], prefixes: &dyn Prefixes) -> Done {
        let base = self.base.clone().expect("a type that facets are added to has a base");
        let mut met = Vec::new();
        for (index, source) in facets.iter().enumerate() {
            self.applies(source.kind).map_err(|error| error.at(index))?;
            let many = matches!(source.kind, FacetKind::Pattern | FacetKind::Enumeration);
            if !many && met.contains(&source.kind) {
                let text = format!("{} stands twice", source.kind.name());
                return Err(FacetError::new("src-single-facet-value", text).at(index));
            }
            met.push(source.kind);
            let prefixes = prefixes.at_facet(index).unwrap_or(prefixes);
            self.set(source, &base, prefixes).map_err(|error| error.at(index))?;
        }
        self.add_patterns(facets)?;
        self.add_enumeration(facets, &base, prefixes)?;
        self.check_lengths(&met, &base)?;
        self.check_ranges(&met)?;
        self.check_digits()
    }

    /// Whether a facet is one of the type's (cos-applicable-facets).
    fn applies(&self, kind: FacetKind) -> Done {
        use FacetKind::{Enumeration, FractionDigits, Length, MaxLength, MinLength, Pattern, TotalDigits, WhiteSpace};
        let is_length = matches!(kind, Length | MinLength | MaxLength);
        let is_digits = matches!(kind, TotalDigits | FractionDigits);
        let is_bound = !is_length && !is_digits && !matches!(kind, Pattern | Enumeration | WhiteSpace);
        let applies = match (&self.variety, self.primitive) {
            (Variety::Any, _) => false,
            (Variety::Union(_), _) => matches!(kind, Pattern | Enumeration),
            (Variety::List(_), _) => !is_digits && !is_bound,
            (Variety::Atomic, Some(Primitive::Boolean)) => matches!(kind, Pattern | WhiteSpace),
            (Variety::Atomic, Some(Primitive::Decimal)) => !is_length,
            (Variety::Atomic, Some(primitive)) if primitive.is_ordered() => !is_length && !is_digits,
            (Variety::Atomic, _) => !is_digits && !is_bound,
        };
        let error =
            || FacetError::new("cos-applicable-facets", format!("{} is no facet of {}", kind.name(), self.label));
        applies.then_some(()).ok_or_else(error)
    }

    fn set(&mut self, source: &FacetSource<'_>, base: &Self, prefixes: &dyn Prefixes) -> Done {
        if let Some(side) = Side::of(source.kind) {
            return self.set_bound(side, source, base, prefixes);
        }
        let slots = &mut self.facets;
        let (slot, rule, narrows): (_, _, fn(&u64, &u64) -> bool) = match source.kind {
            FacetKind::Length => (&mut slots.length, "length-valid-restriction", u64::eq),
            FacetKind::MinLength => (&mut slots.min_length, "minLength-valid-restriction", u64::ge),
            FacetKind::MaxLength => (&mut slots.max_length, "maxLength-valid-restriction", u64::le),
            FacetKind::TotalDigits => (&mut slots.total_digits, "totalDigits-valid-restriction", u64::le),
            FacetKind::FractionDigits => (&mut slots.fraction_digits, "fractionDigits-valid-restriction", u64::le),
            FacetKind::WhiteSpace => return self.set_space(source),
            // Those of one step are taken together.
            FacetKind::Pattern | FacetKind::Enumeration => return Ok(()),
            // Set above.
            FacetKind::MinInclusive | FacetKind::MinExclusive | FacetKind::MaxInclusive | FacetKind::MaxExclusive => {
                return Ok(());
            }
        };
        let value = number(source)?;
        let name = source.kind.name();
        if let Some(old) = slot.as_ref().filter(|old| !narrows(&value, &old.value)) {
            return Err(FacetError::new(rule, format!("{name} is {value}, and {} in the base type", old.value)));
        }
        if slot.as_ref().is_some_and(|old| old.fixed && old.value != value) {
            return Err(fixed(source.kind));
        }
        let is_fixed = source.fixed || slot.as_ref().is_some_and(|old| old.fixed);
        *slot = Some(Facet { value, fixed: is_fixed });
        Ok(())
    }

    fn set_space(&mut self, source: &FacetSource<'_>) -> Done {
        let space = match source.value.trim_matches([' ', '\t', '\n', '\r']) {
            "preserve" => Space::Preserve,
            "replace" => Space::Replace,
            "collapse" => Space::Collapse,
            _ => return Err(FacetError::new("cvc-enumeration-valid", "whiteSpace is none of its three words")),
        };
        if space < self.space {
            return Err(FacetError::new(
                "whiteSpace-valid-restriction",
                "whiteSpace keeps more than the base type does",
            ));
        }
        if self.facets.space_fixed && space != self.space {
            return Err(fixed(source.kind));
        }
        self.space = space;
        self.facets.space_fixed |= source.fixed;
        Ok(())
    }

    fn add_patterns(&mut self, facets: &[FacetSource<'_>]) -> Done {
        let of_kind = facets.iter().enumerate().filter(|(_, source)| source.kind == FacetKind::Pattern);
        let (indexes, sources): (Vec<usize>, Vec<&str>) = of_kind.map(|(index, source)| (index, source.value)).unzip();
        if sources.is_empty() {
            return Ok(());
        }
        let pattern = Pattern::new(&sources).map_err(|(at, text)| {
            let error = FacetError::new("st-props-correct.1", format!("the pattern is no regular expression: {text}"));
            FacetError { index: indexes.get(at).copied(), ..error }
        })?;
        self.facets.patterns.push(Arc::new(pattern));
        Ok(())
    }

    fn add_enumeration(&mut self, facets: &[FacetSource<'_>], base: &Self, prefixes: &dyn Prefixes) -> Done {
        let mut listed = Enumeration::default();
        for (index, source) in facets.iter().enumerate().filter(|(_, source)| source.kind == FacetKind::Enumeration) {
            match base.settled(source.value, prefixes.at_facet(index).unwrap_or(prefixes)) {
                Ok((value, text)) => listed.add(&value, &text),
                Err(broken) => {
                    let text = format!("a listed value is not of the base type: {}", broken.text);
                    return Err(FacetError::new("enumeration-valid-restriction", text).at(index));
                }
            }
        }
        if !listed.is_empty() {
            self.facets.enumeration = Some(Arc::new(listed));
        }
        Ok(())
    }

    /// How the three facets of length go together.
    fn check_lengths(&self, met: &[FacetKind], base: &Self) -> Done {
        let facets = &self.facets;
        let [length, least, most] = [&facets.length, &facets.min_length, &facets.max_length]
            .map(|facet| facet.as_ref().map(|facet| facet.value));
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            let text = "minLength is more than maxLength";
            return Err(FacetError::new("minLength-less-than-equal-to-maxLength", text));
        }
        let changed =
            [FacetKind::Length, FacetKind::MinLength, FacetKind::MaxLength].iter().any(|kind| met.contains(kind));
        let Some(length) = length.filter(|_| changed) else { return Ok(()) };
        let error = |text| Err(FacetError::new("length-minLength-maxLength", text));
        if least.is_some_and(|least| least > length) || most.is_some_and(|most| most < length) {
            return error("the length lies outside minLength and maxLength");
        }
        // Beside a length the others may only stand where a type above had them before it had the length.
        let mut above = std::iter::successors(Some(base), |above| above.base.as_deref());
        let before = above.find(|above| above.facets.length.is_none()).map(|above| &above.facets);
        let had =
            |now: Option<u64>, before: Option<&Facet<u64>>| now.is_none() || now == before.map(|facet| facet.value);
        let sound = had(least, before.and_then(|facets| facets.min_length.as_ref()))
            && had(most, before.and_then(|facets| facets.max_length.as_ref()));
        if sound { Ok(()) } else { error("length stands beside minLength or maxLength") }
    }

    fn check_digits(&self) -> Done {
        let facets = &self.facets;
        let pair = facets.fraction_digits.as_ref().zip(facets.total_digits.as_ref());
        if pair.is_some_and(|(fraction, total)| fraction.value > total.value) {
            let text = "fractionDigits is more than totalDigits";
            return Err(FacetError::new("fractionDigits-totalDigits", text));
        }
        Ok(())
    }
}

/// The facets of a built-in type need no prefixes, and are sound.
pub(super) fn add_known(simple: &mut SimpleType, facets: &[FacetSource<'_>]) {
    simple.add(facets, &NoPrefixes).expect("the facets of built-in types are sound");
}

pub(super) fn fixed(kind: FacetKind) -> FacetError {
    FacetError::new("st-restrict-facets", format!("{} is fixed in the base type", kind.name()))
}

/// The number that a facet of counting gives; more than we can count to is as good as the most we can.
fn number(source: &FacetSource<'_>) -> Done<u64> {
    let text = source.value.trim_matches([' ', '\t', '\n', '\r']);
    let wrong = |what| FacetError::new("cvc-datatype-valid.1.2.1", format!("{} is no {what}", source.kind.name()));
    let digits = text.trim_start_matches(['+', '-']).trim_start_matches('0');
    if !is_integer(text) || (text.starts_with('-') && !digits.is_empty()) {
        return Err(wrong("nonNegativeInteger"));
    }
    if source.kind == FacetKind::TotalDigits && digits.is_empty() {
        return Err(wrong("positiveInteger"));
    }
    Ok(if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) })
}
