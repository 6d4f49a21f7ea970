//! Declarations of elements and attributes, and the values they give.

use std::sync::Arc;

use super::{Compiler, Declared};
use crate::xsd::components::{ANY_SIMPLE_TYPE, AttributeId, QName, TypeId, ValueConstraint};
use crate::xsd::tables::{AttributeUse, Element, Given, SimpleId, XSD};

impl Compiler<'_> {
    /// The global attributes.
    pub(super) fn attributes(&mut self) {
        let components = self.components;
        for (id, attribute) in (0..).zip(&components.attributes) {
            if attribute.is_global {
                let name = self.name(&attribute.name);
                let used = self.attribute(id, false, None);
                self.schema.global_attributes.insert(name, used);
            }
        }
    }

    pub(super) fn attribute_use(&mut self, used: &crate::xsd::components::AttributeUse) -> AttributeUse {
        self.attribute(used.attribute, used.required, used.value.as_ref())
    }

    fn attribute(&mut self, id: AttributeId, required: bool, own: Option<&ValueConstraint>) -> AttributeUse {
        let components = self.components;
        let declared = components.attribute(id);
        let simple = self.simple_id(declared.type_id).expect("the type of an attribute is simple");
        let value = own.or(declared.value.as_ref()).map(|value| self.given(value, Some(simple)));
        AttributeUse {
            namespace: self.namespace(&declared.name.namespace),
            local: declared.name.local.as_bytes().into(),
            simple,
            required,
            is_id: self.is_id(declared.type_id),
            value,
        }
    }

    pub(super) fn elements(&mut self) {
        for declared in &self.components.elements {
            let simple = self.simple_id(declared.type_id);
            let element = Element {
                type_id: declared.type_id,
                nillable: declared.nillable,
                is_abstract: declared.is_abstract,
                value: declared.value.as_ref().map(|value| self.given(value, simple)),
                blocked: declared.blocked,
                constraints: declared.constraints.clone().into(),
            };
            self.schema.elements.push(element);
        }
    }

    fn given(&self, value: &ValueConstraint, simple: Option<SimpleId>) -> Arc<Given> {
        let declared = Declared { components: self.components, bindings: &value.bindings };
        let simple = simple.and_then(|simple| self.schema.simple(simple));
        Arc::new(Given {
            is_fixed: value.is_fixed,
            text: Arc::clone(&value.text),
            value: simple.and_then(|simple| simple.value(&value.text, &declared).ok()),
            prefixes: value.bindings.to_vec(),
        })
    }

    /// Tells whether a simple type derives from ID.
    fn is_id(&self, type_id: TypeId) -> bool {
        let Some(id) = self.components.global_types.get(&QName::new(XSD, "ID")) else { return false };
        let above = |at: &TypeId| (*at > ANY_SIMPLE_TYPE).then(|| self.components.type_of(*at).base());
        std::iter::successors(Some(type_id), above).any(|at| at == *id)
    }
}
