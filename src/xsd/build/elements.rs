//! Element declarations (section 3.3.2).

use std::collections::{HashMap, HashSet};

use super::flags::Among;
use super::names::Named;
use super::{At, Builder, Done, Symbol};
use crate::xsd::components::{ANY_TYPE, ElementDeclaration, ElementId, QName, TypeId};

impl Builder<'_> {
    /// Declares all elements, global and local.
    pub(super) fn declare_elements(&mut self) -> Done {
        let mut sorted: Vec<(u32, At)> = self.element_ids.iter().map(|(at, id)| (*id, *at)).collect();
        sorted.sort_unstable();
        let types = self.element_types(&sorted)?;
        for (id, at) in sorted {
            self.check_element(at)?;
            let head = self.head(at)?;
            let constraints = self.children(at).filter_map(|child| self.constraint_ids.get(&child).copied()).collect();
            let declaration = ElementDeclaration {
                name: self.element_name(at),
                at: self.place(at),
                is_global: self.is_global(at),
                type_id: types.get(&id).copied().unwrap_or(ANY_TYPE),
                nillable: self.flag(at, "nillable"),
                is_abstract: self.flag(at, "abstract"),
                value: self.value_constraint(at),
                substitutes: head.and_then(|head| self.element_ids.get(&head).copied()),
                finals: self.derivations(at, "final", Among::Complex),
                blocked: self.derivations(at, "block", Among::Blocks),
                constraints,
            };
            self.components.elements.push(declaration);
        }
        Ok(())
    }

    /// Judges what a document says of one element (src-element).
    pub(super) fn check_element(&self, at: At) -> Done {
        let node = self.node(at);
        let has = |name: &str| node.attribute(name).is_some();
        let broken = |rule, problem: &str| self.broken(at, rule, problem);
        let has_type = self.child(at, &["simpleType", "complexType"]).is_some();
        let has_own = has("type") || has("nillable") || has("default") || has("fixed") || has("form") || has("block");
        match () {
            () if has("default") && has("fixed") => {
                broken("src-element.1", "an element has default or fixed, not both")
            }
            () if has("name") == has("ref") => broken("src-element.2.1", "an element has either name or ref"),
            () if has("ref") && (has_own || self.children(at).next().is_some()) => {
                broken("src-element.2.2", "an element by reference has nothing of its own but how often it occurs")
            }
            () if has("type") && has_type => broken("src-element.3", "an element has type or a type in it, not both"),
            () => Ok(()),
        }
    }

    fn element_name(&self, at: At) -> QName {
        match self.is_global(at) || self.is_qualified(at, "elementFormDefault") {
            true => self.own_name(at),
            false => QName::new("", self.node(at).attribute("name").unwrap_or_default()),
        }
    }

    /// The head of an element's substitution group.
    fn head(&self, at: At) -> Done<Option<At>> {
        let head = self.node(at).attribute("substitutionGroup");
        head.map(|head| self.resolve(at, Symbol::Element, head)).transpose()
    }

    /// The types of all elements; one that says nothing has that of its head, or else anyType.
    fn element_types(&self, elements: &[(ElementId, At)]) -> Done<HashMap<ElementId, TypeId>> {
        let mut types = HashMap::new();
        for (id, at) in elements {
            let mut chain = vec![*id];
            let mut seen = HashSet::from([*at]);
            let mut at = *at;
            let found = loop {
                let known = self.element_ids.get(&at).and_then(|id| types.get(id)).copied();
                if let Some(found) = known.map_or_else(|| self.own_type(at), |known| Ok(Some(known)))? {
                    break found;
                }
                let Some(head) = self.head(at)? else { break ANY_TYPE };
                if !seen.insert(head) {
                    return self.broken(
                        at,
                        "e-props-correct.6",
                        "the element is the head of its own substitution group",
                    );
                }
                chain.extend(self.element_ids.get(&head).copied());
                at = head;
            };
            types.extend(chain.into_iter().map(|id| (id, found)));
        }
        Ok(types)
    }

    fn own_type(&self, at: At) -> Done<Option<TypeId>> {
        let inline = self.child(at, &["simpleType", "complexType"]).map(Named::Defined);
        let named = match self.node(at).attribute("type") {
            Some(name) => Some(self.type_named(at, name)?),
            None => inline,
        };
        named.map(|named| self.type_of_values(at, named)).transpose()
    }
}
