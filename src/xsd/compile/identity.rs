//! Identity constraints.

use super::Compiler;
use crate::xsd::components::{IdentityKind, NameTest};
use crate::xsd::tables::{Constraint, Path, Sort, Test};

impl Compiler<'_> {
    pub(super) fn constraints(&mut self) {
        for declared in &self.components.constraints {
            let constraint = Constraint {
                shown: declared.name.local.to_string(),
                sort: match declared.kind {
                    IdentityKind::Unique => Sort::Unique,
                    IdentityKind::Key => Sort::Key,
                    IdentityKind::KeyRef(key) => Sort::KeyRef(key),
                },
                selector: self.paths(&declared.selector),
                fields: declared.fields.iter().map(|field| self.paths(field)).collect(),
            };
            self.schema.constraints.push(constraint);
        }
    }

    fn paths(&mut self, paths: &[crate::xsd::components::Path]) -> Vec<Path> {
        let path = |path: &crate::xsd::components::Path| Path {
            anywhere: path.anywhere,
            steps: path.steps.iter().map(|test| self.test(test)).collect(),
            attribute: path.attribute.as_ref().map(|test| self.test(test)),
        };
        paths.iter().map(path).collect()
    }

    fn test(&mut self, test: &NameTest) -> Test {
        match test {
            NameTest::Any => Test::Any,
            NameTest::InNamespace(namespace) => Test::Namespace(self.namespace(namespace)),
            NameTest::Name(name) => Test::Name(self.namespace(&name.namespace), name.local.as_bytes().into()),
        }
    }
}
