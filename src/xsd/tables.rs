//! A compiled schema: flat tables that the validator walks by number.

use std::collections::HashMap;

use super::datatypes::Space;
use super::datatypes::builtin::{Builtin, Value};
use super::datatypes::facets::Facets;
use crate::xml::Namespace;

/// The namespace of `xsi:nil` and `xsi:type`; the first one named to the tokenizer.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The number of [`XSI`].
pub(super) const XSI_NAMESPACE: Namespace = Namespace::known(0);
/// The namespace of XML Schema itself, the second one: built-in types can be named in `xsi:type`.
pub(super) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// An edge whose element needs no counting.
pub(super) const NO_SLOT: u16 = u16::MAX;

pub(super) type NameId = u32;
pub(super) type ElementId = u32;
pub(super) type TypeId = u32;
pub(super) type SimpleId = u32;
pub(super) type StateId = u32;

/// A compiled schema, to be shared by all who judge by it.
#[derive(Debug, Default)]
pub struct Schema {
    /// Namespaces in the order the tokenizer is told of them.
    pub(super) namespaces: Vec<String>,
    pub(super) names: Vec<Name>,
    pub(super) elements: Vec<Element>,
    pub(super) types: Vec<Type>,
    pub(super) simples: Vec<SimpleType>,
    pub(super) states: Vec<State>,
    pub(super) edges: Vec<Edge>,
    pub(super) name_ids: HashMap<(Namespace, Box<[u8]>), NameId>,
    pub(super) global_elements: HashMap<NameId, ElementId>,
    pub(super) global_types: HashMap<NameId, TypeId>,
}

/// A qualified name.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) namespace: Namespace,
    pub(super) local: Box<[u8]>,
}

/// An element declaration.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) type_id: TypeId,
    pub(super) nillable: bool,
    /// An empty element takes a value from the schema.
    pub(super) has_default: bool,
    pub(super) fixed: Option<Value>,
}

/// A type definition.
#[derive(Debug, Clone)]
pub(super) struct Type {
    pub(super) base: Option<TypeId>,
    pub(super) attributes: Vec<AttributeUse>,
    /// How many of the attributes must be there.
    pub(super) required: u32,
    /// Any attribute may be there, as in anyType.
    pub(super) any_attribute: bool,
    /// It is a simple type: even the attributes of complex ones are too many.
    pub(super) is_simple: bool,
    pub(super) content: Content,
    /// Child elements by name, for documents that keep no order.
    pub(super) children: Vec<Child>,
    /// How many of the names may occur more than once.
    pub(super) slots: u16,
}

/// What may stand in an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Empty,
    Simple(SimpleId),
    Elements {
        start: StateId,
        mixed: bool,
    },
    /// Anything, as in anyType.
    Any,
}

/// A child element of a type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Child {
    pub(super) name: NameId,
    pub(super) element: ElementId,
    pub(super) slot: u16,
}

/// A state of a content model: what has been seen last.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) first_edge: u32,
    pub(super) edges: u32,
    /// The content may end here.
    pub(super) accepting: bool,
    /// How often in a row the element seen last must and may come.
    pub(super) min: u32,
    pub(super) max: u32,
}

/// A step from one state to another: an element that may come.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) namespace: Namespace,
    pub(super) local: Box<[u8]>,
    pub(super) name: NameId,
    pub(super) element: ElementId,
    pub(super) target: StateId,
    pub(super) slot: u16,
    /// The same particle once more: counts on, up to the state's maximum.
    pub(super) again: bool,
}

/// An attribute of a type.
#[derive(Debug, Clone)]
pub(super) struct AttributeUse {
    pub(super) namespace: Namespace,
    pub(super) local: Box<[u8]>,
    pub(super) simple: SimpleId,
    pub(super) required: bool,
    pub(super) fixed: Option<Value>,
}

/// A simple type.
#[derive(Debug, Clone)]
pub(super) struct SimpleType {
    pub(super) builtin: Builtin,
    pub(super) space: Space,
    pub(super) facets: Facets,
    pub(super) check: Check,
}

/// How much of a value must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Any text will do.
    Nothing,
    /// Characters are counted as they stream by.
    Length,
    Base64,
    Hex,
    /// The whole text, kept up to a limit.
    Whole,
}

impl SimpleType {
    pub(super) fn new(builtin: Builtin, space: Space, facets: Facets) -> Self {
        let check = if builtin == Builtin::Base64 {
            Check::Base64
        } else if builtin == Builtin::Hex {
            Check::Hex
        } else if !builtin.takes_all() || !facets.only_length() {
            Check::Whole
        } else if facets.has_length() {
            Check::Length
        } else {
            Check::Nothing
        };
        Self { builtin, space, facets, check }
    }
}

impl Schema {
    /// The number of a name, if the schema has it.
    pub(super) fn name_id(&self, namespace: Namespace, local: &[u8]) -> Option<NameId> {
        // A namespace not named beforehand is in no schema.
        self.name_ids.get(&(namespace, local.into())).copied()
    }

    pub(super) fn local_name(&self, name: NameId) -> &[u8] {
        self.names.get(name as usize).map_or(b"", |name| &name.local)
    }

    #[inline]
    pub(super) fn edges_of(&self, state: StateId) -> (&[Edge], Option<&State>) {
        let Some(state) = self.states.get(state as usize) else { return (&[], None) };
        let first = state.first_edge as usize;
        (self.edges.get(first..first + state.edges as usize).unwrap_or_default(), Some(state))
    }

    pub(super) fn element(&self, id: ElementId) -> Option<&Element> {
        self.elements.get(id as usize)
    }

    pub(super) fn type_of(&self, id: TypeId) -> Option<&Type> {
        self.types.get(id as usize)
    }

    pub(super) fn simple(&self, id: SimpleId) -> Option<&SimpleType> {
        self.simples.get(id as usize)
    }
}
