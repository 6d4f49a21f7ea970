//! What a simple type says, fact by fact, to be compared with another and shown.

use std::collections::BTreeSet;

use super::Space;
use super::facet::{Enumeration, FacetKind};
use super::range::Bound;
use super::simple::{SimpleType, Variety};

/// Something a type says of its values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::xsd) struct Fact {
    /// The facet's name, or that of another property.
    pub(in crate::xsd) name: &'static str,
    /// As a schema would write it.
    pub(in crate::xsd) shown: String,
    /// Equal for facts that ask the same of values, however they are written.
    pub(in crate::xsd) key: Vec<u8>,
}

impl Fact {
    fn plain(name: &'static str, shown: impl Into<String>) -> Self {
        let shown = shown.into();
        Self { name, key: shown.clone().into_bytes(), shown }
    }
}

impl SimpleType {
    /// What it says, that of its base types included; its item and member types are for the caller to ask.
    pub(in crate::xsd) fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![self.shape(), Fact::plain("whiteSpace", word(self.space))];
        let lengths = [
            (FacetKind::Length, &self.facets.length),
            (FacetKind::MinLength, &self.facets.min_length),
            (FacetKind::MaxLength, &self.facets.max_length),
            (FacetKind::TotalDigits, &self.facets.total_digits),
            (FacetKind::FractionDigits, &self.facets.fraction_digits),
        ];
        for (kind, facet) in lengths {
            facts.extend(facet.as_ref().map(|facet| Fact::plain(kind.name(), facet.value.to_string())));
        }
        facts.extend(self.facets.range.ends().map(|(kind, bound)| of_bound(kind, bound)));
        let steps: BTreeSet<Fact> = self.facets.patterns.iter().map(|step| of_pattern(step.sources())).collect();
        facts.extend(steps);
        facts.extend(self.facets.enumeration.as_deref().map(of_enumeration));
        facts
    }

    /// The built-in type whose texts it has, or what it is made of.
    fn shape(&self) -> Fact {
        match &self.variety {
            Variety::Any => Fact::plain("type", "anySimpleType"),
            Variety::Atomic => Fact {
                key: format!("{:?} {:?} {:?}", self.primitive, self.form, self.role).into_bytes(),
                ..Fact::plain("type", self.known)
            },
            Variety::List(_) => Fact::plain("type", "list"),
            Variety::Union(_) => Fact::plain("type", "union"),
        }
    }
}

fn of_bound(kind: FacetKind, bound: &Bound) -> Fact {
    Fact { name: kind.name(), shown: bound.shown.clone(), key: bound.value.key() }
}

/// Patterns of one step: a text fits one of them, in whatever order they are written.
fn of_pattern(sources: &[String]) -> Fact {
    let sources: BTreeSet<&str> = sources.iter().map(String::as_str).collect();
    Fact::plain(FacetKind::Pattern.name(), sources.into_iter().collect::<Vec<_>>().join(" | "))
}

fn of_enumeration(listed: &Enumeration) -> Fact {
    let keys: BTreeSet<&Vec<u8>> = listed.keys().collect();
    let parts =
        keys.into_iter().flat_map(|key| (key.len() as u64).to_be_bytes().into_iter().chain(key.iter().copied()));
    let mut texts: Vec<&str> = listed.texts.iter().map(String::as_str).collect();
    texts.sort_unstable();
    Fact { name: FacetKind::Enumeration.name(), shown: texts.join(" | "), key: parts.collect() }
}

fn word(space: Space) -> &'static str {
    match space {
        Space::Preserve => "preserve",
        Space::Replace => "replace",
        Space::Collapse => "collapse",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::xsd::datatypes::FacetSource;
    use crate::xsd::datatypes::builtins::{NoPrefixes, builtins};

    fn restricted(base: &str, facets: &[(FacetKind, &str)]) -> Vec<Fact> {
        let base: Arc<SimpleType> = builtins().into_iter().find(|(known, ..)| *known == base).unwrap().2;
        let facets: Vec<_> =
            facets.iter().map(|(kind, value)| FacetSource { kind: *kind, value, fixed: false }).collect();
        SimpleType::restrict(&base, "t", &facets, &NoPrefixes).unwrap().facts()
    }

    fn keys(facts: &[Fact]) -> Vec<(&str, &[u8])> {
        facts.iter().map(|fact| (fact.name, fact.key.as_slice())).collect()
    }

    #[test]
    fn types_that_take_the_same_values_say_the_same() {
        use FacetKind::{Enumeration, MaxInclusive, MinInclusive, Pattern};
        let byte = restricted("byte", &[]);
        let small = restricted("integer", &[(MinInclusive, "-0128"), (MaxInclusive, "+127")]);
        assert_eq!(keys(&byte), keys(&small));
        let one = restricted("int", &[(Enumeration, "1"), (Enumeration, "2")]);
        let other = restricted("int", &[(Enumeration, "02"), (Enumeration, "1")]);
        assert_eq!(keys(&one), keys(&other));
        let one = restricted("string", &[(Pattern, "a"), (Pattern, "b")]);
        assert_eq!(keys(&one), keys(&restricted("string", &[(Pattern, "b"), (Pattern, "a")])));
    }

    #[test]
    fn types_that_take_other_values_say_something_else() {
        assert_ne!(keys(&restricted("string", &[])), keys(&restricted("token", &[])));
        assert_ne!(keys(&restricted("ID", &[])), keys(&restricted("NCName", &[])));
        assert_ne!(keys(&restricted("date", &[])), keys(&restricted("dateTime", &[])));
        let long = restricted("string", &[(FacetKind::MaxLength, "7")]);
        assert_eq!(long.last().map(|fact| (fact.name, fact.shown.as_str())), Some(("maxLength", "7")));
    }
}
