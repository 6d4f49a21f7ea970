//! Components made by hand, for tests.

use std::sync::Arc;

use crate::xsd::components::{
    ANY_SIMPLE_TYPE, ANY_TYPE, ComplexDefinition, Components, ContentType, Derivation, Derivations, ElementDeclaration,
    ElementId, QName, SimpleDefinition, TypeDefinition, TypeId,
};
use crate::xsd::datatypes::{SimpleType, Space, Variety};
use crate::xsd::{Place, Position};

/// A schema in the making; it has anyType and anySimpleType from the start.
pub(super) struct Sample {
    pub(super) components: Components,
}

impl Default for Sample {
    fn default() -> Self {
        let mut sample = Self { components: Components::default() };
        assert_eq!(sample.complex("anyType", ANY_TYPE, Derivation::Restriction), ANY_TYPE);
        assert_eq!(sample.simple("anySimpleType", ANY_TYPE, Variety::Any, &[]), ANY_SIMPLE_TYPE);
        sample
    }
}

impl Sample {
    pub(super) fn complex(&mut self, name: &str, base: TypeId, derivation: Derivation) -> TypeId {
        self.add(TypeDefinition::Complex(ComplexDefinition {
            name: Some(QName::new("", name)),
            at: Some(place()),
            base,
            derivation,
            is_abstract: false,
            finals: Derivations::default(),
            blocked: Derivations::default(),
            attributes: Vec::new(),
            prohibited: Vec::new(),
            any_attribute: None,
            content: ContentType::Empty,
        }))
    }

    pub(super) fn complex_mut(&mut self, id: TypeId) -> &mut ComplexDefinition {
        match &mut self.components.types[id as usize] {
            TypeDefinition::Complex(complex) => complex,
            TypeDefinition::Simple(_) => panic!("a simple type"),
        }
    }

    pub(super) fn atomic(&mut self, name: &str, base: TypeId) -> TypeId {
        self.simple(name, base, Variety::Atomic, &[])
    }

    pub(super) fn list(&mut self, name: &str, item: TypeId) -> TypeId {
        let variety = Variety::List(self.simple_of(item));
        self.simple(name, ANY_SIMPLE_TYPE, variety, &[item])
    }

    pub(super) fn union(&mut self, name: &str, members: &[TypeId]) -> TypeId {
        let variety = Variety::Union(members.iter().map(|member| self.simple_of(*member)).collect());
        self.simple(name, ANY_SIMPLE_TYPE, variety, members)
    }

    /// A global element.
    pub(super) fn element(&mut self, name: &str, type_id: TypeId) -> ElementId {
        let id = ElementId::try_from(self.components.elements.len()).unwrap();
        self.components.elements.push(ElementDeclaration {
            name: QName::new("", name),
            at: place(),
            is_global: true,
            type_id,
            nillable: false,
            is_abstract: false,
            value: None,
            substitutes: None,
            finals: Derivations::default(),
            blocked: Derivations::default(),
            constraints: Vec::new(),
        });
        id
    }

    /// A global element of the substitution group of another.
    pub(super) fn member(&mut self, name: &str, type_id: TypeId, head: ElementId) -> ElementId {
        let id = self.element(name, type_id);
        self.components.elements[id as usize].substitutes = Some(head);
        id
    }

    fn simple(&mut self, name: &str, base: TypeId, variety: Variety, parts: &[TypeId]) -> TypeId {
        self.add(TypeDefinition::Simple(SimpleDefinition {
            name: Some(QName::new("", name)),
            at: Some(place()),
            base,
            parts: parts.to_vec(),
            finals: Derivations::default(),
            simple: Arc::new(SimpleType { label: name.into(), base: None, variety, space: Space::Preserve }),
        }))
    }

    fn simple_of(&self, id: TypeId) -> Arc<SimpleType> {
        match self.components.type_of(id) {
            TypeDefinition::Simple(simple) => Arc::clone(&simple.simple),
            TypeDefinition::Complex(_) => panic!("a complex type"),
        }
    }

    fn add(&mut self, definition: TypeDefinition) -> TypeId {
        self.components.types.push(definition);
        TypeId::try_from(self.components.types.len() - 1).unwrap()
    }
}

fn place() -> Place {
    Place { document: "sample.xsd".into(), at: Position::START }
}
