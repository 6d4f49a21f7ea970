//! Numbers for everything that others refer to, in the order of the documents.

use super::{At, Builder, Done, Symbol};
use crate::xsd::components::TypeId;

impl Builder<'_> {
    /// Numbers types, elements, attributes and identity constraints.
    pub(super) fn number(&mut self) -> Done {
        for document in 0..self.documents.len() {
            let count = self.document(At { document, node: 0 }).tree.nodes.len();
            for node in 0..count {
                self.number_one(At { document, node })?;
            }
        }
        Ok(())
    }

    fn number_one(&mut self, at: At) -> Done {
        let node = self.node(at);
        match node.name.as_str() {
            "simpleType" | "complexType" => {
                let id = self.new_type();
                self.type_ids.insert(at, id);
            }
            "element" if node.attribute("ref").is_none() => {
                self.element_ids.insert(at, self.element_ids.len() as u32);
            }
            "attribute" if node.attribute("ref").is_none() => {
                self.attribute_ids.insert(at, self.attribute_names.len() as u32);
                self.attribute_names.push(self.attribute_name(at));
            }
            "key" | "unique" | "keyref" => {
                self.note(Symbol::Constraint, at)?;
                self.constraint_ids.insert(at, self.constraint_ids.len() as u32);
            }
            _ => {}
        }
        Ok(())
    }

    /// A number for a type that is still to be built.
    pub(super) fn new_type(&mut self) -> TypeId {
        self.types.push(None);
        self.types.len() as u32 - 1
    }
}
