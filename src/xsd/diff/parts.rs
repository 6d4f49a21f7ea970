//! What element declarations and attributes say besides their types.

use std::collections::{BTreeMap, BTreeSet};

use super::side::Side;
use super::{DifferenceKind, Pair, Walk, show};
use crate::xsd::components::{
    AttributeUse, Components, ElementId, QName, TypeDefinition, TypeId, ValueConstraint, Wildcard,
};

impl Walk<'_> {
    /// Compares two element declarations of one name.
    pub(super) fn elements(&mut self, first: ElementId, second: ElementId, path: &str) {
        let (one, other) = (self.first.components.element(first), self.second.components.element(second));
        let nillable = |is_so: bool| if is_so { "nillable" } else { "not nillable" }.to_owned();
        self.tell_unless_same(path, DifferenceKind::Nillable, nillable(one.nillable), nillable(other.nillable));
        let value = |value: &Option<ValueConstraint>| show::value(value.as_ref());
        self.tell_unless_same(path, DifferenceKind::Default, value(&one.value), value(&other.value));
        self.constraints(first, second, path);
        self.replacements(first, second, path);
        self.later(Pair::Types(one.type_id, other.type_id), path.to_owned());
        let is_abstract = |side: &Side<'_>, id: TypeId| if side.is_abstract(id) { "abstract" } else { "not abstract" };
        let (one, other) = (is_abstract(&self.first, one.type_id), is_abstract(&self.second, other.type_id));
        self.tell_unless_same(path, DifferenceKind::Abstract, one.to_owned(), other.to_owned());
    }

    fn constraints(&mut self, first: ElementId, second: ElementId, path: &str) {
        let one = constraints(self.first.components, first);
        let other = constraints(self.second.components, second);
        for asked in one.symmetric_difference(&other) {
            let side = |has: bool| if has { asked.clone() } else { "not asked".to_owned() };
            let (first, second) = (side(one.contains(asked)), side(other.contains(asked)));
            self.tell(path, DifferenceKind::Constraint, first, second);
        }
    }

    /// Compares what `xsi:type` may name.
    fn replacements(&mut self, first: ElementId, second: ElementId, path: &str) {
        let (one, other) = (self.first.replacements(first), self.second.replacements(second));
        for name in one.union(&other) {
            let path = format!("{path}[xsi:type={}]", name.local);
            if one.contains(name) && other.contains(name) {
                let of = |components: &Components| components.global_types.get(*name).copied();
                let pair = of(self.first.components).zip(of(self.second.components));
                pair.into_iter().for_each(|(one, other)| self.later(Pair::Types(one, other), path.clone()));
            } else {
                let side =
                    |has: bool| if has { format!("{name} may be named") } else { format!("{name} may not be named") };
                self.tell(&path, DifferenceKind::Replacement, side(one.contains(name)), side(other.contains(name)));
            }
        }
    }

    /// Compares the attributes of two types.
    pub(super) fn attributes(&mut self, first: TypeId, second: TypeId, path: &str) {
        let (one, any_one) = attributes(self.first.components, first);
        let (other, any_other) = attributes(self.second.components, second);
        let names: BTreeSet<&QName> = one.keys().chain(other.keys()).copied().collect();
        for name in names {
            let path = format!("{path}/@{}", name.local);
            let (one, other) = (one.get(name).copied(), other.get(name).copied());
            self.tell_unless_same(&path, DifferenceKind::Attribute, presence(one), presence(other));
            if let (Some(one), Some(other)) = (one, other) {
                self.attribute(one, other, &path);
            }
        }
        let any = |any: Option<&Wildcard>| {
            any.map_or("no others".to_owned(), |any| format!("others {}", show::wildcard(any)))
        };
        self.tell_unless_same(&format!("{path}/@*"), DifferenceKind::Attribute, any(any_one), any(any_other));
    }

    fn attribute(&mut self, one: &AttributeUse, other: &AttributeUse, path: &str) {
        let (first, second) = (self.first.components, self.second.components);
        let (a, b) = (first.attribute(one.attribute), second.attribute(other.attribute));
        let value = |own: &AttributeUse, declared: &Option<ValueConstraint>| {
            show::value(own.value.as_ref().or(declared.as_ref()))
        };
        self.tell_unless_same(path, DifferenceKind::Default, value(one, &a.value), value(other, &b.value));
        self.later(Pair::Types(a.type_id, b.type_id), path.to_owned());
    }
}

fn constraints(components: &Components, element: ElementId) -> BTreeSet<String> {
    let of_element = components.element(element).constraints.iter();
    of_element.map(|id| show::constraint(components, components.constraint(*id))).collect()
}

/// The attributes of a type by name, and those it does not name.
fn attributes(components: &Components, id: TypeId) -> (BTreeMap<&QName, &AttributeUse>, Option<&Wildcard>) {
    match components.type_of(id) {
        TypeDefinition::Simple(_) => (BTreeMap::new(), None),
        TypeDefinition::Complex(complex) => {
            let named = complex.attributes.iter().map(|own| (&components.attribute(own.attribute).name, own));
            (named.collect(), complex.any_attribute.as_ref())
        }
    }
}

fn presence(attribute: Option<&AttributeUse>) -> String {
    match attribute {
        None => "not declared",
        Some(own) if own.required => "required",
        Some(_) => "optional",
    }
    .to_owned()
}
