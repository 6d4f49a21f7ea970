//! One of the two schemas, with what is asked of it again and again.

use std::collections::{BTreeSet, HashSet};

use crate::xsd::components::{
    Components, ContentType, Derivations, ElementId, Process, QName, TypeDefinition, TypeId, Wildcard,
};
use crate::xsd::datatypes::Variety;
use crate::xsd::rules::Substitutions;
use crate::xsd::tables::XSD;

pub(super) struct Side<'c> {
    pub(super) components: &'c Components,
    groups: Substitutions,
    /// Types that `xsi:type` may replace by one of the schema's own.
    replaceable: HashSet<TypeId>,
}

impl<'c> Side<'c> {
    pub(super) fn new(components: &'c Components) -> Self {
        let own = |name: &QName| &*name.namespace != XSD;
        let named = components.global_types.iter().filter(|(name, _)| own(name)).map(|(_, id)| *id);
        let mut replaceable: HashSet<TypeId> = named.flat_map(|id| components.ancestors(id).skip(1)).collect();
        // Any member of a union may stand for it.
        let unions = (0..).zip(&components.types).filter(|(_, definition)| {
            matches!(definition, TypeDefinition::Simple(simple) if matches!(simple.simple.variety(), Variety::Union(_)))
        });
        replaceable.extend(unions.map(|(id, _): (TypeId, _)| id));
        Self { components, groups: Substitutions::of(components), replaceable }
    }

    /// The elements that documents may have where one is declared.
    pub(super) fn present(&self, element: ElementId) -> Vec<ElementId> {
        let group = self.groups.group(self.components, element);
        group.into_iter().filter(|member| !self.components.element(*member).is_abstract).collect()
    }

    /// The elements a document may begin with, by name.
    pub(super) fn roots(&self) -> BTreeSet<&'c QName> {
        let all = self.components.global_elements.iter();
        all.filter(|(_, id)| !self.components.element(**id).is_abstract).map(|(name, _)| name).collect()
    }

    /// The declaration of a global element.
    pub(super) fn global(&self, name: &QName) -> Option<ElementId> {
        self.components.global_elements.get(name).copied()
    }

    /// Tells whether a wildcard lets a name stand; a strict one asks for a declaration.
    pub(super) fn admits(&self, wildcard: &Wildcard, name: &QName) -> bool {
        let declared = || self.global(name).is_some_and(|id| !self.components.element(id).is_abstract);
        wildcard.namespaces.admit(&name.namespace) && (wildcard.process != Process::Strict || declared())
    }

    /// The schema's own named types that `xsi:type` may name in place of an element's own.
    pub(super) fn replacements(&self, element: ElementId) -> BTreeSet<&'c QName> {
        let declared = self.components.element(element);
        if !self.replaceable.contains(&declared.type_id) {
            return BTreeSet::new();
        }
        let blocked = declared.blocked.and(self.blocked_by(declared.type_id));
        let own = self.components.global_types.iter().filter(|(name, _)| &*name.namespace != XSD);
        own.filter(|(_, id)| **id != declared.type_id && !self.is_abstract(**id))
            .filter(|(_, id)| self.components.derives(**id, declared.type_id, blocked))
            .map(|(name, _)| name)
            .collect()
    }

    pub(super) fn is_abstract(&self, id: TypeId) -> bool {
        matches!(self.components.type_of(id), TypeDefinition::Complex(complex) if complex.is_abstract)
    }

    /// The simple type of a simple content.
    pub(super) fn content(&self, id: TypeId) -> ContentType {
        match self.components.type_of(id) {
            TypeDefinition::Simple(_) => ContentType::Simple(id),
            TypeDefinition::Complex(complex) => complex.content.clone(),
        }
    }

    fn blocked_by(&self, id: TypeId) -> Derivations {
        match self.components.type_of(id) {
            TypeDefinition::Simple(_) => Derivations::default(),
            TypeDefinition::Complex(complex) => complex.blocked,
        }
    }
}
