//! Components made by hand, for tests.

use std::sync::Arc;

use crate::xsd::components::{
    ANY_SIMPLE_TYPE, ANY_TYPE, ComplexDefinition, Components, Compositor, ContentType, Derivation, Derivations,
    ElementDeclaration, ElementId, ModelGroup, Namespaces, Particle, Process, QName, SimpleDefinition, Term,
    TypeDefinition, TypeId, Wildcard,
};
use crate::xsd::datatypes::SimpleType;
use crate::xsd::{Place, Position, SchemaDocument, SchemaLimits, build, document};

/// Asserts of schemas, given by what is in them, which rule each breaks; none is nothing.
pub(super) fn assert_rules(schemas: impl IntoIterator<Item = (String, &'static str)>) {
    for (body, rule) in schemas {
        let schema = format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>{body}</xs:schema>");
        let documents = [SchemaDocument { name: "sample.xsd", bytes: schema.as_bytes() }];
        let limits = SchemaLimits::default();
        let documents = document::load(&["sample.xsd"], &document::Given(&documents), &limits).unwrap();
        let broken = match super::check(&build::build(&documents, &limits).unwrap()) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(
            if rule.is_empty() { broken.is_empty() } else { broken.contains(&format!(": {rule}: ")) },
            "{rule}: {body}: {broken}"
        );
    }
}

/// A schema in the making; it has anyType and anySimpleType from the start.
pub(super) struct Sample {
    pub(super) components: Components,
}

impl Default for Sample {
    fn default() -> Self {
        let mut sample = Self { components: Components::default() };
        assert_eq!(sample.complex("anyType", ANY_TYPE, Derivation::Restriction), ANY_TYPE);
        assert_eq!(sample.simple("anySimpleType", ANY_TYPE, &[], builtin("anySimpleType")), ANY_SIMPLE_TYPE);
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

    /// An atomic type; one that restricts anySimpleType is a token.
    pub(super) fn atomic(&mut self, name: &str, base: TypeId) -> TypeId {
        let base_type = if base == ANY_SIMPLE_TYPE { builtin("token") } else { self.simple_of(base) };
        self.simple(name, base, &[], base_type)
    }

    pub(super) fn list(&mut self, name: &str, item: TypeId) -> TypeId {
        let list = SimpleType::list(&self.simple_of(item), name).unwrap();
        self.simple(name, ANY_SIMPLE_TYPE, &[item], Arc::new(list))
    }

    pub(super) fn union(&mut self, name: &str, members: &[TypeId]) -> TypeId {
        let union = SimpleType::union(members.iter().map(|member| self.simple_of(*member)).collect(), name);
        self.simple(name, ANY_SIMPLE_TYPE, members, Arc::new(union))
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

    /// A content model, written as `a, (b | c){2,5}, d?, @any*`; `&` stands between the parts of an `all`.
    ///
    /// A name is the element made before by this name, or else a new local one of anyType. `@any` and `@other` are
    /// wildcards for all namespaces and for all but `@x`'s, which is the one for the namespace `x`.
    pub(super) fn content(&mut self, text: &str) -> Particle {
        let mut rest = text;
        let particle = self.group(&mut rest);
        assert_eq!(rest, "", "{text}");
        particle
    }

    fn group(&mut self, rest: &mut &str) -> Particle {
        let mut particles = Vec::new();
        let mut compositor = Compositor::Sequence;
        loop {
            *rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with(')') {
                break;
            }
            particles.push(self.particle(rest));
            let separator = rest.chars().next();
            compositor = match separator {
                Some('|') => Compositor::Choice,
                Some('&') => Compositor::All,
                _ => compositor,
            };
            *rest = rest.trim_start_matches([',', '|', '&']);
        }
        let group = ModelGroup { compositor, particles: particles.into() };
        Particle { min: 1, max: Some(1), term: Term::Group(group), at: place() }
    }

    fn particle(&mut self, rest: &mut &str) -> Particle {
        let mut particle = match rest.strip_prefix('(') {
            Some(inner) => {
                *rest = inner;
                let group = self.group(rest);
                *rest = rest.strip_prefix(')').unwrap();
                group
            }
            None => {
                let end = rest.find(|c: char| c != '@' && !c.is_alphanumeric()).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                *rest = after;
                Particle { min: 1, max: Some(1), term: self.term(name), at: place() }
            }
        };
        (particle.min, particle.max) = occurs(rest);
        *rest = rest.trim_start();
        particle
    }

    fn term(&mut self, name: &str) -> Term {
        let namespaces = match name.strip_prefix('@') {
            Some("any") => Namespaces::Any,
            Some("other") => Namespaces::Not("x".into()),
            Some(listed) => Namespaces::These([listed.into()].into()),
            None => {
                let known = self.components.elements.iter().position(|element| &*element.name.local == name);
                let known = known.map(|id| ElementId::try_from(id).unwrap());
                return Term::Element(known.unwrap_or_else(|| self.local(name, ANY_TYPE)));
            }
        };
        Term::Any(Wildcard { namespaces, process: Process::Strict })
    }

    /// A local element, always a new one.
    pub(super) fn local(&mut self, name: &str, type_id: TypeId) -> ElementId {
        let id = self.element(name, type_id);
        self.components.elements[id as usize].is_global = false;
        id
    }

    fn simple(&mut self, name: &str, base: TypeId, parts: &[TypeId], simple: Arc<SimpleType>) -> TypeId {
        self.add(TypeDefinition::Simple(SimpleDefinition {
            name: Some(QName::new("", name)),
            at: Some(place()),
            base,
            parts: parts.to_vec(),
            finals: Derivations::default(),
            simple,
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

fn builtin(name: &str) -> Arc<SimpleType> {
    SimpleType::builtins().into_iter().find(|(known, ..)| *known == name).unwrap().2
}

fn occurs(rest: &mut &str) -> (u32, Option<u32>) {
    let (occurs, length) = match rest.chars().next() {
        Some('?') => ((0, Some(1)), 1),
        Some('*') => ((0, None), 1),
        Some('+') => ((1, None), 1),
        Some('{') => {
            let end = rest.find('}').unwrap();
            let (min, max) = rest[1..end].split_once(',').unwrap();
            ((min.parse().unwrap(), max.parse().ok()), end + 1)
        }
        _ => ((1, Some(1)), 0),
    };
    *rest = &rest[length..];
    occurs
}

fn place() -> Place {
    Place { document: "sample.xsd".into(), at: Position::START }
}
