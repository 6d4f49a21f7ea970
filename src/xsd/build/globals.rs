//! Finding the definitions of a schema by their names, and setting aside those that are redefined (section 4.2.2).

use std::collections::hash_map::Entry;

use super::{At, Builder, Done, Symbol};
use crate::xsd::components::QName;

impl Builder<'_> {
    /// Notes everything that has a name in the whole schema.
    pub(super) fn collect(&mut self) -> Done {
        for document in 0..self.documents.len() {
            let root = At { document, node: 0 };
            if self.node(root).attribute("targetNamespace") == Some("") {
                return self.broken(root, "s4s-att-invalid-value", "the target namespace is empty");
            }
            for child in self.children(root) {
                let node = self.node(child);
                if node.name == "notation" && node.attribute("public").or(node.attribute("system")).is_none() {
                    return self.broken(child, "n-props-correct", "a notation has a public or a system identifier");
                }
                if let Some(symbol) = symbol(&node.name) {
                    self.note(symbol, child)?;
                }
            }
        }
        Ok(())
    }

    /// Notes a definition by its name; no other may have it (sch-props-correct.2).
    pub(super) fn note(&mut self, symbol: Symbol, at: At) -> Done {
        let name = self.own_name(at);
        match self.globals.entry((symbol, name.clone())) {
            Entry::Vacant(free) => _ = free.insert(at),
            Entry::Occupied(taken) => {
                let taken = *taken.get();
                let problem = format!("{name} is defined already, at {}", self.place(taken));
                return self.broken(at, "sch-props-correct.2", problem);
            }
        }
        Ok(())
    }

    /// The name of a definition that is known in the whole schema.
    pub(super) fn own_name(&self, at: At) -> QName {
        let local = self.node(at).attribute("name").unwrap_or_default();
        QName { namespace: self.document(at).target.clone(), local: local.into() }
    }

    /// Gives the components their names.
    pub(super) fn name_globals(&mut self) {
        let mut sorted: Vec<((Symbol, QName), At)> = std::mem::take(&mut self.globals).into_iter().collect();
        sorted.sort_by_key(|(_, at)| *at);
        for ((symbol, name), at) in sorted {
            let place = self.place(at);
            let components = &mut self.components;
            let (ids, named) = match symbol {
                Symbol::Type => (&self.type_ids, &mut components.global_types),
                Symbol::Element => (&self.element_ids, &mut components.global_elements),
                Symbol::Attribute => (&self.attribute_ids, &mut components.global_attributes),
                Symbol::Group => {
                    self.name_group(at, name);
                    continue;
                }
                Symbol::AttributeGroup => {
                    self.name_attribute_group(at, name);
                    continue;
                }
                Symbol::Notation => {
                    components.notations.insert(name, place);
                    continue;
                }
                Symbol::Constraint => continue,
            };
            // What is built in stays what it is, also where a document says it anew.
            let id = ids.get(&at).copied().expect("what has a name has a number");
            named.entry(name).or_insert(id);
        }
    }
}

pub(super) fn symbol(name: &str) -> Option<Symbol> {
    match name {
        "simpleType" | "complexType" => Some(Symbol::Type),
        "element" => Some(Symbol::Element),
        "attribute" => Some(Symbol::Attribute),
        "attributeGroup" => Some(Symbol::AttributeGroup),
        "group" => Some(Symbol::Group),
        "notation" => Some(Symbol::Notation),
        _ => None,
    }
}
