//! Default and fixed values: those of their types, and those that must agree.

use std::borrow::Cow;
use std::sync::Arc;

use super::Rules;
use crate::xsd::components::{Components, ContentType, QName, TypeDefinition, TypeId, ValueConstraint};
use crate::xsd::datatypes::{Prefixes, SimpleType, Value};
use crate::xsd::document::namespace;

/// The prefixes where a value stands.
struct InForce<'a> {
    components: &'a Components,
    constraint: &'a ValueConstraint,
}

impl Prefixes for InForce<'_> {
    fn namespace(&self, prefix: &str) -> Option<Cow<'_, str>> {
        namespace(&self.constraint.bindings, prefix).map(Cow::from)
    }

    fn is_notation(&self, namespace: &str, local: &str) -> bool {
        self.components.notations.contains_key(&QName::new(namespace, local))
    }
}

impl Rules<'_> {
    /// The simple type of an attribute or of an element's content, if it is simple.
    pub(super) fn simple_content(&self, type_id: TypeId) -> Option<(TypeId, &Arc<SimpleType>)> {
        let simple = match self.components.type_of(type_id) {
            TypeDefinition::Simple(_) => type_id,
            TypeDefinition::Complex(complex) => match &complex.content {
                ContentType::Simple(simple) => *simple,
                ContentType::Empty | ContentType::Elements { .. } => return None,
            },
        };
        match self.components.type_of(simple) {
            TypeDefinition::Simple(definition) => Some((simple, &definition.simple)),
            TypeDefinition::Complex(_) => None,
        }
    }

    /// Tells whether the text is a value of a simple type.
    pub(super) fn is_value(&self, simple: &SimpleType, constraint: &ValueConstraint) -> bool {
        self.value(simple, constraint).is_some()
    }

    /// Tells whether a value is fixed to the same as that of a base; each is read by its own type.
    pub(super) fn agree(
        &self,
        (base_type, base): (TypeId, &ValueConstraint),
        (derived_type, derived): (TypeId, Option<&ValueConstraint>),
    ) -> bool {
        let Some(derived) = derived.filter(|derived| derived.is_fixed) else { return false };
        let value = |type_id, constraint| {
            let (_, simple) = self.simple_content(type_id)?;
            self.value(simple, constraint)
        };
        match (value(base_type, base), value(derived_type, derived)) {
            (Some(base), Some(derived)) => base.same(&derived),
            // Mixed content; what is no value of its type is told of elsewhere.
            _ => base.text == derived.text,
        }
    }

    /// Tells whether a type is ID or derived from it.
    pub(super) fn is_id(&self, type_id: TypeId) -> bool {
        let Some((simple, _)) = self.simple_content(type_id) else { return false };
        self.id_type.is_some_and(|id| self.components.ancestors(simple).any(|ancestor| ancestor == id))
    }

    fn value(&self, simple: &SimpleType, constraint: &ValueConstraint) -> Option<Value> {
        simple.value(&constraint.text, &InForce { components: self.components, constraint }).ok()
    }
}
