//! From components to tables.
//!
//! The numbers of types and elements are those of the components. Content models become states and edges
//! (`parts`, `positions`, `automaton`); what is counted stays a number in the tables and is never written out. What
//! would make tables larger than the limits is refused.

mod automaton;
mod declarations;
mod identity;
mod parts;
mod positions;

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::components::{
    ComplexDefinition, Components, ContentType, Derivation, Derivations, ElementId, Namespaces, QName,
    SimpleDefinition, TypeDefinition, TypeId,
};
use super::datatypes::{Prefixes, Variety};
use super::error::{Place, SchemaError};
use super::rules::Substitutions;
use super::tables::{Admitted, AttributeUse, Content, NameId, Schema, SimpleId, Type, Wildcard, WildcardId, XSD, XSI};
use crate::xml::{Namespace, XML_NAMESPACE};
use positions::Budget;

/// Puts the components of a schema into tables; they must have passed the rules.
pub(super) fn tables(components: &Components) -> Done<Schema> {
    let mut compiler = Compiler::new(components);
    compiler.number_names();
    compiler.simple_types();
    compiler.attributes();
    for definition in &components.types {
        let compiled = match definition {
            TypeDefinition::Simple(simple) => compiler.simple_type(simple)?,
            TypeDefinition::Complex(complex) => compiler.complex_type(complex)?,
        };
        compiler.schema.types.push(compiled);
    }
    compiler.elements();
    compiler.constraints();
    Ok(compiler.schema)
}

type Done<T = ()> = Result<T, SchemaError>;

/// A schema on its way into tables.
struct Compiler<'a> {
    components: &'a Components,
    substitutions: Substitutions,
    schema: Schema,
    /// The numbers of namespaces by their names.
    namespaces: HashMap<String, Namespace>,
    /// The numbers of the simple types among the types.
    simple_ids: HashMap<TypeId, SimpleId>,
    /// What may stand where an element is asked for, by the element.
    groups: HashMap<ElementId, Rc<[ElementId]>>,
    budget: Budget,
}

impl<'a> Compiler<'a> {
    fn new(components: &'a Components) -> Self {
        let mut compiler = Self {
            components,
            substitutions: Substitutions::of(components),
            schema: Schema::default(),
            namespaces: HashMap::new(),
            simple_ids: HashMap::new(),
            groups: HashMap::new(),
            budget: Budget::default(),
        };
        // In this order: both have fixed numbers.
        compiler.namespace(XSI);
        compiler.namespace(XSD);
        compiler
    }

    /// Numbers the names documents may ask for, whether or not a content model has them.
    fn number_names(&mut self) {
        let components = self.components;
        // In the order of their numbers, so that one schema always makes the same tables.
        let elements: Vec<NameId> = components.elements.iter().map(|element| self.name(&element.name)).collect();
        for (id, (element, name)) in (0..).zip(components.elements.iter().zip(elements)) {
            if element.is_global {
                self.schema.global_elements.insert(name, id);
            }
        }
        for (id, definition) in (0..).zip(&components.types) {
            if let Some(name) = definition.name() {
                let name = self.name(name);
                self.schema.global_types.insert(name, id);
            }
        }
        let mut notations: Vec<&QName> = components.notations.keys().collect();
        notations.sort_unstable();
        for notation in notations {
            let name = self.name(notation);
            self.schema.notations.insert(name);
        }
    }

    fn simple_types(&mut self) {
        for (id, definition) in (0..).zip(&self.components.types) {
            if let TypeDefinition::Simple(simple) = definition {
                self.simple_ids.insert(id, self.schema.simples.len() as u32);
                self.schema.simples.push(Arc::clone(&simple.simple));
            }
        }
    }

    /// The simple type among the tables' that a type is, or that its content is.
    fn simple_id(&self, type_id: TypeId) -> Option<SimpleId> {
        let mut at = type_id;
        while let TypeDefinition::Complex(complex) = self.components.type_of(at) {
            let ContentType::Simple(content) = complex.content else { return None };
            if content == at {
                return None;
            }
            at = content;
        }
        self.simple_ids.get(&at).copied()
    }

    fn simple_type(&mut self, simple: &SimpleDefinition) -> Done<Type> {
        let id = self.schema.types.len() as u32;
        let content = Content::Simple(self.simple_ids.get(&id).copied().expect("every simple type was numbered"));
        let is_union = matches!(simple.simple.variety(), Variety::Union(_));
        let members = if is_union { simple.parts.clone().into() } else { Box::default() };
        Ok(Type { base: Some(simple.base), is_simple: true, content, members, ..blank_type() })
    }

    fn complex_type(&mut self, complex: &ComplexDefinition) -> Done<Type> {
        let id = self.schema.types.len() as u32;
        let attributes: Vec<AttributeUse> = complex.attributes.iter().map(|used| self.attribute_use(used)).collect();
        let any_attribute = complex.any_attribute.as_ref().map(|wildcard| self.wildcard(wildcard));
        let of_type = Type {
            base: (id != super::components::ANY_TYPE).then_some(complex.base),
            derivation: complex.derivation,
            is_abstract: complex.is_abstract,
            blocked: complex.blocked,
            required: attributes.iter().filter(|used| used.required).count() as u32,
            gives_attributes: attributes.iter().any(|used| used.value.is_some()),
            has_id: attributes.iter().any(|used| used.is_id),
            attributes,
            any_attribute,
            ..blank_type()
        };
        match &complex.content {
            _ if id == super::components::ANY_TYPE => Ok(Type { content: Content::Any, ..of_type }),
            ContentType::Empty => Ok(of_type),
            ContentType::Simple(content) => {
                let simple = self.simple_id(*content).expect("simple content has a simple type");
                Ok(Type { content: Content::Simple(simple), ..of_type })
            }
            ContentType::Elements { particle, mixed } => {
                let model = self.model(particle, *mixed)?;
                Ok(Type {
                    content: model.content,
                    children: model.children,
                    wildcards: model.wildcards,
                    slots: model.slots,
                    groups: model.groups,
                    many_ways: model.many_ways,
                    ..of_type
                })
            }
        }
    }

    /// The elements that may stand where one is asked for; abstract ones never may.
    fn group(&mut self, element: ElementId) -> Rc<[ElementId]> {
        let components = self.components;
        let group = self.groups.entry(element).or_insert_with(|| {
            let group = self.substitutions.group(components, element);
            group.into_iter().filter(|member| !components.element(*member).is_abstract).collect()
        });
        Rc::clone(group)
    }

    fn wildcard(&mut self, wildcard: &super::components::Wildcard) -> WildcardId {
        let namespaces = match &wildcard.namespaces {
            Namespaces::Any => Admitted::Any,
            Namespaces::Not(excepted) => Admitted::Not(self.namespace(excepted)),
            Namespaces::These(these) => Admitted::These(these.iter().map(|name| self.namespace(name)).collect()),
        };
        self.schema.wildcards.push(Wildcard { namespaces, process: wildcard.process });
        self.schema.wildcards.len() as u32 - 1
    }

    fn namespace(&mut self, uri: &str) -> Namespace {
        match uri {
            "" => return Namespace::NONE,
            XML_NAMESPACE => return Namespace::XML,
            _ => {}
        }
        let next = Namespace::known(self.schema.namespaces.len() as u32);
        let number = *self.namespaces.entry(uri.to_owned()).or_insert(next);
        if number == next {
            self.schema.namespaces.push(uri.to_owned());
        }
        number
    }

    fn name(&mut self, name: &QName) -> NameId {
        let namespace = self.namespace(&name.namespace);
        let Schema { names, name_ids, .. } = &mut self.schema;
        let alike = name_ids.entry(name.local.as_bytes().into()).or_default();
        if let Some((_, known)) = alike.iter().find(|(known, _)| *known == namespace) {
            return *known;
        }
        let id = names.len() as u32;
        alike.push((namespace, id));
        names.push(super::tables::Name { namespace, local: name.local.as_bytes().into() });
        id
    }
}

/// Prefixes as a schema document declares them.
struct Declared<'a> {
    components: &'a Components,
    bindings: &'a [(String, String)],
}

impl Prefixes for Declared<'_> {
    fn namespace(&self, prefix: &str) -> Option<Cow<'_, str>> {
        super::tables::bound(self.bindings, prefix)
    }

    fn is_notation(&self, namespace: &str, local: &str) -> bool {
        self.components.notations.contains_key(&QName::new(namespace, local))
    }
}

fn blank_type() -> Type {
    Type {
        base: None,
        derivation: Derivation::Restriction,
        is_abstract: false,
        blocked: Derivations::default(),
        members: Box::default(),
        attributes: Vec::new(),
        required: 0,
        gives_attributes: false,
        has_id: false,
        any_attribute: None,
        is_simple: false,
        content: Content::Empty,
        children: Vec::new(),
        wildcards: Vec::new(),
        slots: 0,
        groups: 0,
        many_ways: false,
    }
}

fn too_large(place: &Place, problem: &str) -> SchemaError {
    SchemaError::TooLarge { place: place.clone(), problem: problem.to_owned() }
}
