//! The components every schema has (sections 3.4.7 and 3.14.7).

use super::Builder;
use crate::xml::Position;
use crate::xsd::components::{
    ANY_SIMPLE_TYPE, ANY_TYPE, ComplexDefinition, Compositor, ContentType, Derivation, Derivations, ModelGroup,
    Namespaces, Particle, Process, QName, SimpleDefinition, Term, TypeDefinition, Wildcard,
};
use crate::xsd::datatypes::{SimpleType, Variety};
use crate::xsd::document::XSD;
use crate::xsd::error::Place;

impl Builder<'_> {
    /// Adds the built-in types, anyType and anySimpleType first.
    pub(super) fn add_builtins(&mut self) {
        let model = super::particles::Model { particle: anything(), depth: 2, is_emptiable: true };
        let particle = model.particle.clone();
        self.contents.insert(ANY_TYPE, model);
        self.add_builtin("anyType", TypeDefinition::Complex(any_type(particle)));
        for (name, base, simple) in SimpleType::builtins() {
            let parts = match simple.variety() {
                Variety::List(item) => vec![self.builtin(item.label()).expect("items come before lists")],
                Variety::Any | Variety::Atomic | Variety::Union(_) => Vec::new(),
            };
            let base = base.map_or(ANY_TYPE, |base| self.builtin(base).unwrap_or(ANY_SIMPLE_TYPE));
            let qname = Some(QName::new(XSD, name));
            let finals = Derivations::default();
            let definition = SimpleDefinition { name: qname, at: None, base, parts, finals, simple };
            self.add_builtin(name, TypeDefinition::Simple(definition));
        }
    }

    fn add_builtin(&mut self, name: &str, definition: TypeDefinition) {
        self.components.global_types.insert(QName::new(XSD, name), self.types.len() as u32);
        self.types.push(Some(definition));
    }

    /// A built-in type by its local name.
    pub(super) fn builtin(&self, name: &str) -> Option<u32> {
        // Before the documents' own types are named there are no others.
        self.components.global_types.get(&QName::new(XSD, name)).copied()
    }
}

fn any_type(particle: Particle) -> ComplexDefinition {
    ComplexDefinition {
        name: Some(QName::new(XSD, "anyType")),
        at: None,
        base: ANY_TYPE,
        derivation: Derivation::Restriction,
        is_abstract: false,
        finals: Derivations::default(),
        blocked: Derivations::default(),
        attributes: Vec::new(),
        any_attribute: Some(Wildcard { namespaces: Namespaces::Any, process: Process::Lax }),
        content: ContentType::Elements { particle, mixed: true },
    }
}

/// A sequence of any elements.
fn anything() -> Particle {
    let at = Place { document: XSD.to_owned(), at: Position::START };
    let any = Term::Any(Wildcard { namespaces: Namespaces::Any, process: Process::Lax });
    let any = Particle { min: 0, max: None, term: any, at: at.clone() };
    let group = ModelGroup { compositor: Compositor::Sequence, particles: [any].into() };
    Particle { min: 1, max: Some(1), term: Term::Group(group), at }
}
