//! What names in a schema document refer to (section 3.15.3, src-resolve).

use std::sync::Arc;

use super::{At, Builder, Done, Symbol};
use crate::xsd::components::{QName, TypeId};
use crate::xsd::datatypes::{SimpleType, Variety};
use crate::xsd::document::XSD;

/// What the name of a type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Builtin(TypeId),
    Defined(At),
}

impl Builder<'_> {
    /// The qualified name a text stands for, as a reference to a component.
    pub(super) fn reference(&self, at: At, text: &str) -> Done<QName> {
        let (prefix, local) = text.split_once(':').unwrap_or(("", text));
        let document = self.document(at);
        let Some(namespace) = self.node(at).namespace(prefix) else {
            return self.broken(at, "src-resolve", format!("the prefix {prefix} is not declared"));
        };
        let namespace: Arc<str> = match namespace {
            "" if document.is_chameleon => Arc::clone(&document.target),
            _ => namespace.into(),
        };
        let is_known = namespace == document.target || &*namespace == XSD || document.imports.contains(&namespace);
        let name = QName { namespace, local: local.into() };
        match (is_known, name.namespace.is_empty()) {
            (true, _) => Ok(name),
            (false, true) => {
                self.broken(at, "src-resolve.4.1", format!("{name}: names without a namespace are not imported"))
            }
            (false, false) => self.broken(at, "src-resolve.4.2", format!("{name}: its namespace is not imported")),
        }
    }

    /// The definition a name refers to.
    pub(super) fn resolve(&self, at: At, symbol: Symbol, text: &str) -> Done<At> {
        let name = self.reference(at, text)?;
        match self.globals.get(&(symbol, name.clone())) {
            Some(found) => Ok(*found),
            None => self.broken(at, "src-resolve", format!("{} {name} is not defined", described(symbol))),
        }
    }

    /// The type a name refers to.
    pub(super) fn type_named(&self, at: At, text: &str) -> Done<Named> {
        let name = self.reference(at, text)?;
        if &*name.namespace == XSD
            && let Some(id) = self.builtin(&name.local)
        {
            return Ok(Named::Builtin(id));
        }
        match self.globals.get(&(Symbol::Type, name.clone())) {
            Some(found) => Ok(Named::Defined(*found)),
            None => self.broken(at, "src-resolve", format!("the type {name} is not defined")),
        }
    }

    pub(super) fn type_id(&self, named: Named) -> TypeId {
        match named {
            Named::Builtin(id) => id,
            Named::Defined(at) => self.number_of(at),
        }
    }

    /// The number of a type that a document defines.
    pub(super) fn number_of(&self, at: At) -> TypeId {
        self.type_ids.get(&at).copied().expect("all types are numbered")
    }

    /// The number of a type, as that of elements or attributes.
    pub(super) fn type_of_values(&self, at: At, named: Named) -> Done<TypeId> {
        let id = self.type_id(named);
        // Of a union with notations among others it is not asked.
        let is_open =
            |simple: Arc<SimpleType>| matches!(simple.variety(), Variety::Atomic) && simple.lacks_enumeration();
        match self.simple(id).is_some_and(is_open) {
            true => self.broken(at, "enumeration-required-notation", "a type of notations lists those it allows"),
            false => Ok(id),
        }
    }

    /// Tells whether a type is a simple one, built or not.
    pub(super) fn is_simple(&self, named: Named) -> bool {
        match named {
            Named::Builtin(id) => id != crate::xsd::components::ANY_TYPE,
            Named::Defined(at) => self.node(at).name == "simpleType",
        }
    }

    /// The simple type a name refers to.
    pub(super) fn simple_named(&self, at: At, text: &str) -> Done<Named> {
        let named = self.type_named(at, text)?;
        match self.is_simple(named) {
            true => Ok(named),
            false => self.broken(at, "src-resolve", format!("{text} is no simple type")),
        }
    }
}

fn described(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::Type => "the type",
        Symbol::Element => "the element",
        Symbol::Attribute => "the attribute",
        Symbol::AttributeGroup => "the attribute group",
        Symbol::Group => "the group",
        Symbol::Notation => "the notation",
        Symbol::Constraint => "the identity constraint",
    }
}
