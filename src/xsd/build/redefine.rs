//! Redefinitions: what stands in the place of what, and what they may say (section 4.2.2).

use std::collections::HashSet;

use super::attributes::Attributes;
use super::globals::symbol;
use super::{At, Builder, Done, Symbol};
use crate::xsd::components::Redefined;
use crate::xsd::document::count;

impl Builder<'_> {
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
            let rule = match symbol {
                Symbol::Group => "src-redefine.6.2.1",
                Symbol::AttributeGroup => "src-redefine.7.2.1",
                Symbol::Type | Symbol::Element | Symbol::Attribute | Symbol::Notation | Symbol::Constraint => {
                    "src-redefine.5"
                }
            };
            return self.broken(at, rule, format!("{} is not defined in the document that is redefined", key.1));
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

    /// A redefinition of a group refers to what it redefines once at most, and then once only.
    pub(super) fn count_own_references(&self, definition: At, rule: &'static str) -> Done {
        if !self.originals.contains_key(&definition) {
            return Ok(());
        }
        let references = self.own_references(definition)?;
        if references.len() > 1 {
            return self.broken(definition, rule, "a redefinition refers more than once to what it redefines");
        }
        let occurs = |at: At, name: &str| self.node(at).attribute(name).and_then(count).unwrap_or(1);
        let is_unbounded = |at: At| self.node(at).attribute("maxOccurs") == Some("unbounded");
        let is_once = |at: &At| occurs(*at, "minOccurs") == 1 && occurs(*at, "maxOccurs") == 1 && !is_unbounded(*at);
        match references.iter().all(is_once) {
            true => Ok(()),
            false => self.broken(definition, "src-redefine.6.1.2", "what is redefined occurs exactly once in it"),
        }
    }

    /// Where a redefinition of a group refers to what it redefines.
    fn own_references(&self, definition: At) -> Done<Vec<At>> {
        let own = self.own_name(definition);
        let kind = &self.node(definition).name;
        let mut references = Vec::new();
        let mut pending: Vec<At> = self.children(definition).collect();
        while let Some(at) = pending.pop() {
            let node = self.node(at);
            match node.name.as_str() {
                "element" | "attribute" => {}
                name if name == kind => {
                    if self.reference(at, node.attribute("ref").unwrap_or_default())? == own {
                        references.push(at);
                    }
                }
                _ => pending.extend(self.children(at)),
            }
        }
        Ok(references)
    }

    /// What a redefinition redefines without naming it.
    fn redefined_wholly(&self, definition: At) -> Option<At> {
        let original = self.originals.get(&definition)?;
        self.own_references(definition).is_ok_and(|references| references.is_empty()).then_some(*original)
    }

    /// Tells which groups redefine others without naming them: they restrict them.
    pub(super) fn note_redefined(&mut self) {
        let mut sorted: Vec<At> = self.originals.keys().copied().collect();
        sorted.sort();
        for at in sorted {
            let Some(original) = self.redefined_wholly(at) else { continue };
            if let (Some(new), Some(old)) = (self.group(at), self.group(original)) {
                self.components.redefined_groups.push(Redefined { at: self.place(at), new, old });
            }
            let group = |at| self.attribute_groups.get(&at).map(Attributes::group);
            if let (Some(new), Some(old)) = (group(at), group(original)) {
                self.components.redefined_attribute_groups.push(Redefined { at: self.place(at), new, old });
            }
        }
    }
}
