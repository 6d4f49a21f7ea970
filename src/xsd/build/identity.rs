//! Identity constraints (section 3.11.2).

use super::xpath::{self, Ends};
use super::{At, Builder, Done, Symbol};
use crate::xsd::components::{IdentityConstraint, IdentityKind, Path};

impl Builder<'_> {
    /// Builds all identity constraints.
    pub(super) fn constrain(&mut self) -> Done {
        let mut sorted: Vec<(u32, At)> = self.constraint_ids.iter().map(|(at, id)| (*id, *at)).collect();
        sorted.sort_unstable();
        for (_, at) in sorted {
            let kind = match self.node(at).name.as_str() {
                "unique" => IdentityKind::Unique,
                "key" => IdentityKind::Key,
                _ => self.key_meant(at)?,
            };
            let mut selector = Vec::new();
            let mut fields = Vec::new();
            for child in self.children(at) {
                match self.node(child).name.as_str() {
                    "selector" => selector = self.paths(child, Ends::Element)?,
                    _ => fields.push(self.paths(child, Ends::ElementOrAttribute)?),
                }
            }
            let (name, at) = (self.own_name(at), self.place(at));
            self.components.constraints.push(IdentityConstraint { name, at, kind, selector, fields });
        }
        Ok(())
    }

    fn key_meant(&self, at: At) -> Done<IdentityKind> {
        let refer = self.node(at).attribute("refer").unwrap_or_default();
        let key = self.resolve(at, Symbol::Constraint, refer)?;
        if self.node(key).name == "keyref" {
            return self.broken(at, "src-resolve", format!("{refer} is neither a key nor a unique"));
        }
        let key = self.constraint_ids.get(&key).copied().expect("identity constraints are numbered as they are named");
        Ok(IdentityKind::KeyRef(key))
    }

    fn paths(&self, at: At, ends: Ends) -> Done<Vec<Path>> {
        let node = self.node(at);
        let rule = match ends {
            Ends::Element => "c-selector-xpath",
            Ends::ElementOrAttribute => "c-fields-xpaths",
        };
        let read = xpath::read(node.attribute("xpath").unwrap_or_default(), ends, &|prefix| node.namespace(prefix));
        read.or_else(|problem| self.broken(at, rule, problem))
    }
}
