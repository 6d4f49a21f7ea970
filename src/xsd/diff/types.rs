//! Two types: what may stand in an element or attribute of them.

use std::collections::{BTreeMap, BTreeSet};

use super::children::Children;
use super::{DifferenceKind, Pair, Walk, show};
use crate::xsd::components::{Components, ContentType, Particle, TypeDefinition, TypeId};
use crate::xsd::datatypes::Fact;

impl Walk<'_> {
    /// Compares two types; those that `xsi:type` may name in their place are the affair of the element.
    pub(super) fn types(&mut self, first: TypeId, second: TypeId, path: &str) {
        self.attributes(first, second, path);
        let (one, other) = (self.first.content(first), self.second.content(second));
        match (&one, &other) {
            (ContentType::Simple(one), ContentType::Simple(other)) => self.simple_types(*one, *other, path),
            (ContentType::Elements { mixed, .. }, ContentType::Elements { mixed: other_mixed, .. }) => {
                if mixed != other_mixed {
                    self.contents(&one, &other, path);
                }
                self.children(first, second, path);
            }
            (ContentType::Empty, ContentType::Empty) => {}
            _ => self.contents(&one, &other, path),
        }
    }

    fn contents(&mut self, one: &ContentType, other: &ContentType, path: &str) {
        let (one, other) = (show::content(&self.first, one), show::content(&self.second, other));
        self.tell(path, DifferenceKind::Content, one, other);
    }

    fn simple_types(&mut self, first: TypeId, second: TypeId, path: &str) {
        let (one, one_parts) = facts(self.first.components, first);
        let (other, other_parts) = facts(self.second.components, second);
        let names: BTreeSet<&'static str> = one.keys().chain(other.keys()).copied().collect();
        for name in names {
            let keys = |facts: &Facts| {
                facts.get(name).map(|facts| facts.iter().map(|fact| fact.key.clone()).collect::<Vec<_>>())
            };
            if keys(&one) != keys(&other) {
                let shown =
                    |facts: &Facts| facts.get(name).map_or_else(|| format!("no {name}"), |facts| shown(name, facts));
                self.tell(path, DifferenceKind::Value, shown(&one), shown(&other));
            }
        }
        self.parts(&one_parts, &other_parts, path);
    }

    /// Compares item types and member types; members are asked in their order, which decides what a value is.
    fn parts(&mut self, one: &[TypeId], other: &[TypeId], path: &str) {
        if one.len() != other.len() {
            let names = |components: &Components, ids: &[TypeId]| {
                ids.iter().map(|id| show::type_name(components, *id)).collect::<Vec<_>>().join(" | ")
            };
            let (first, second) = (names(self.first.components, one), names(self.second.components, other));
            return self.tell(path, DifferenceKind::Value, format!("members {first}"), format!("members {second}"));
        }
        for (one, other) in one.iter().zip(other) {
            self.later(Pair::Types(*one, *other), path.to_owned());
        }
    }

    /// Compares the sequences of child elements, and what each child is.
    fn children(&mut self, first: TypeId, second: TypeId, path: &str) {
        let (one, other) = (particle(self.first.components, first), particle(self.second.components, second));
        let (Some(one), Some(other)) = (one, other) else { return };
        let children = Children::compare(&self.first, one, &self.second, other);
        for (name, kind, first, second) in children.differences {
            let path = name.map_or_else(|| path.to_owned(), |name| format!("{path}/{}", name.local));
            self.tell(&path, kind, first, second);
        }
        for (name, one, other) in children.pairs {
            self.later(Pair::Elements(one, other), format!("{path}/{}", name.local));
        }
    }
}

type Facts = BTreeMap<&'static str, Vec<Fact>>;

/// What a simple type says, by name; and its item or member types.
fn facts(components: &Components, id: TypeId) -> (Facts, Vec<TypeId>) {
    let mut facts = Facts::new();
    let TypeDefinition::Simple(simple) = components.type_of(id) else { return (facts, Vec::new()) };
    for fact in simple.simple.facts() {
        facts.entry(fact.name).or_default().push(fact);
    }
    (facts, simple.parts.clone())
}

fn shown(name: &str, facts: &[Fact]) -> String {
    let texts: Vec<&str> = facts.iter().map(|fact| fact.shown.as_str()).collect();
    format!("{name} {}", texts.join(" and "))
}

fn particle(components: &Components, id: TypeId) -> Option<&Particle> {
    match components.type_of(id) {
        TypeDefinition::Complex(complex) => match &complex.content {
            ContentType::Elements { particle, .. } => Some(particle),
            ContentType::Empty | ContentType::Simple(_) => None,
        },
        TypeDefinition::Simple(_) => None,
    }
}
