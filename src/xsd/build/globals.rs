//! Finding the definitions of a schema by their names, and setting aside those that are redefined (section 4.2.2).

use std::collections::HashSet;
use std::collections::hash_map::Entry;

use super::{At, Builder, Done, Symbol};
use crate::xsd::components::QName;
use crate::xsd::error::Place;

impl Builder<'_> {
    /// Notes everything that has a name in the whole schema.
    pub(super) fn collect(&mut self) -> Done {
        for document in 0..self.documents.len() {
            let root = At { document, node: 0 };
            if self.node(root).attribute("targetNamespace") == Some("") {
                return self.broken(root, "s4s-att-invalid-value", "the target namespace is empty");
            }
            for child in self.children(root) {
                if let Some(symbol) = symbol(&self.node(child).name) {
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

    /// Puts redefinitions in the place of what they redefine, those in the innermost documents first.
    pub(super) fn redefine(&mut self) -> Done {
        for document in self.innermost_first() {
            let parts = self.documents.get(document).map_or(&[][..], |document| &document.parts);
            for part in parts {
                let Some(node) = part.redefine else { continue };
                let reached = self.reached_from(part.document);
                for child in self.children(At { document, node }) {
                    self.redefine_one(child, &reached)?;
                }
            }
        }
        Ok(())
    }

    fn redefine_one(&mut self, at: At, reached: &HashSet<usize>) -> Done {
        let name = self.own_name(at);
        let Some(symbol) = symbol(&self.node(at).name) else { return Ok(()) };
        let key = (symbol, name);
        let old = self.globals.get(&key).copied();
        let Some(old) = old.filter(|old| self.node(*old).name == self.node(at).name) else {
            let problem = format!("{} is not defined in the document that is redefined", key.1);
            return self.broken(at, "src-redefine.4", problem);
        };
        if !reached.contains(&old.document) {
            let problem = format!("{} is defined already, at {}", key.1, self.place(old));
            return self.broken(at, "sch-props-correct.2", problem);
        }
        self.originals.insert(at, old);
        self.globals.insert(key, at);
        Ok(())
    }

    /// All documents, each after those it includes and redefines, as far as they are in no circle.
    fn innermost_first(&self) -> Vec<usize> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        for root in 0..self.documents.len() {
            if !seen.insert(root) {
                continue;
            }
            let mut open = vec![(root, 0)];
            while let Some((document, part)) = open.last_mut() {
                let next = self.documents.get(*document).and_then(|document| document.parts.get(*part));
                *part += 1;
                match next {
                    Some(next) if seen.insert(next.document) => open.push((next.document, 0)),
                    Some(_) => {}
                    None => order.extend(open.pop().map(|(document, _)| document)),
                }
            }
        }
        order
    }

    /// A document with all those it includes and redefines.
    fn reached_from(&self, document: usize) -> HashSet<usize> {
        let mut reached = HashSet::from([document]);
        let mut pending = vec![document];
        while let Some(document) = pending.pop() {
            let parts = self.documents.get(document).map_or(&[][..], |document| &document.parts);
            pending.extend(parts.iter().map(|part| part.document).filter(|part| reached.insert(*part)));
        }
        reached
    }

    /// The name of a definition that is known in the whole schema.
    pub(super) fn own_name(&self, at: At) -> QName {
        let local = self.node(at).attribute("name").unwrap_or_default();
        QName { namespace: self.document(at).target.clone(), local: local.into() }
    }

    fn place_of(&self, at: At) -> Place {
        self.place(at)
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

fn symbol(name: &str) -> Option<Symbol> {
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
