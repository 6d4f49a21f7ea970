//! The order in which types and groups are built: each after what it is made of.

use std::collections::HashMap;

use super::names::Named;
use super::{At, Builder, Done, Symbol};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Built,
}

/// A definition under way, with what it still waits for.
struct Open {
    at: At,
    needs: Vec<At>,
}

impl Builder<'_> {
    /// Builds all types and groups.
    pub(super) fn build_in_order(&mut self) -> Done {
        let mut definitions: Vec<At> = self.type_ids.keys().copied().collect();
        let groups =
            self.globals.iter().filter(|((symbol, _), _)| matches!(symbol, Symbol::Group | Symbol::AttributeGroup));
        definitions.extend(groups.map(|(_, at)| *at));
        definitions.extend(self.originals.values());
        definitions.sort();
        let mut progress = HashMap::new();
        for at in definitions {
            self.build_one(at, &mut progress)?;
        }
        Ok(())
    }

    /// Builds a definition and, before it, all it is made of.
    fn build_one(&mut self, at: At, progress: &mut HashMap<At, Progress>) -> Done {
        let mut stack: Vec<Open> = Vec::new();
        let mut next = Some(at);
        loop {
            if let Some(at) = next {
                match progress.get(&at) {
                    Some(Progress::Built) => {}
                    Some(Progress::Begun) => return self.circular(at),
                    None => {
                        progress.insert(at, Progress::Begun);
                        stack.push(Open { at, needs: self.needs(at)? });
                    }
                }
            }
            let Some(open) = stack.last_mut() else { return Ok(()) };
            next = open.needs.pop();
            if next.is_none() {
                let at = open.at;
                self.make(at)?;
                progress.insert(at, Progress::Built);
                stack.pop();
            }
        }
    }

    fn make(&mut self, at: At) -> Done {
        match self.node(at).name.as_str() {
            "simpleType" => self.make_simple(at),
            "complexType" => self.make_complex(at),
            "group" => self.make_group(at),
            _ => self.make_attribute_group(at),
        }
    }

    fn circular<T>(&self, at: At) -> Done<T> {
        let node = self.node(at);
        let rule = match node.name.as_str() {
            "simpleType" => "st-props-correct.2",
            "complexType" => "ct-props-correct.3",
            "group" => "mg-props-correct.2",
            _ => "src-attribute_group.3",
        };
        self.broken(
            at,
            rule,
            format!("the {} {} is made of itself", node.name, node.attribute("name").unwrap_or_default()),
        )
    }

    /// The definitions of documents that one is made of, last ones first.
    fn needs(&self, at: At) -> Done<Vec<At>> {
        let mut needs = Vec::new();
        let mut pending = vec![at];
        while let Some(part) = pending.pop() {
            for child in self.children(part) {
                let node = self.node(child);
                match node.name.as_str() {
                    // Elements and attributes go by number.
                    "element" | "attribute" => {}
                    "group" => needs.push(self.group_meant(at, child)?),
                    "attributeGroup" => needs.push(self.attribute_group_meant(at, child)?),
                    "simpleType" => needs.push(child),
                    _ => {
                        needs.extend(self.types_meant(at, child)?);
                        pending.push(child);
                    }
                }
            }
        }
        needs.reverse();
        Ok(needs)
    }

    /// The types of documents that a derivation names.
    fn types_meant(&self, definition: At, at: At) -> Done<Vec<At>> {
        let node = self.node(at);
        let meant = match node.name.as_str() {
            "restriction" | "extension" => match node.attribute("base") {
                Some(base) => vec![self.base_meant(definition, at, base)?],
                None => Vec::new(),
            },
            "list" => {
                node.attribute("itemType").map(|item| self.type_named(at, item)).transpose()?.into_iter().collect()
            }
            "union" => {
                let members = crate::xsd::document::words(node.attribute("memberTypes").unwrap_or_default());
                members.map(|member| self.type_named(at, member)).collect::<Done<Vec<_>>>()?
            }
            _ => Vec::new(),
        };
        let defined = |named| match named {
            Named::Defined(at) => Some(at),
            Named::Builtin(_) => None,
        };
        Ok(meant.into_iter().filter_map(defined).collect())
    }

    /// The base of a type; that of a redefinition is what it redefines (src-redefine.5).
    pub(super) fn base_meant(&self, definition: At, at: At, base: &str) -> Done<Named> {
        let Some(original) = self.originals.get(&definition) else { return self.type_named(at, base) };
        let name = self.reference(at, base)?;
        match name == self.own_name(definition) {
            true => Ok(Named::Defined(*original)),
            false => self.broken(
                at,
                "src-redefine.5",
                format!("the redefinition of a type derives from it, not from {name}"),
            ),
        }
    }

    /// The group a reference means; in a redefinition its own name means what it redefines.
    pub(super) fn group_meant(&self, definition: At, at: At) -> Done<At> {
        self.meant(definition, at, Symbol::Group)
    }

    /// The attribute group a reference means; in a redefinition its own name means what it redefines.
    pub(super) fn attribute_group_meant(&self, definition: At, at: At) -> Done<At> {
        self.meant(definition, at, Symbol::AttributeGroup)
    }

    fn meant(&self, definition: At, at: At, symbol: Symbol) -> Done<At> {
        let text = self.node(at).attribute("ref").unwrap_or_default();
        let own = self.originals.get(&definition).filter(|_| self.node(definition).name == self.node(at).name);
        match own {
            Some(original) if self.reference(at, text)? == self.own_name(definition) => Ok(*original),
            _ => self.resolve(at, symbol, text),
        }
    }
}
