//! Wildcards as schema documents write them (section 3.10.2).

use super::{At, Builder};
use crate::xsd::components::{Namespaces, Process, Wildcard};
use crate::xsd::document::words;

impl Builder<'_> {
    pub(super) fn wildcard(&self, at: At) -> Wildcard {
        let node = self.node(at);
        let target = &self.document(at).target;
        let namespaces = match node.attribute("namespace") {
            None | Some("##any") => Namespaces::Any,
            Some("##other") => Namespaces::Not(target.clone()),
            Some(list) => {
                let named = words(list).map(|word| match word {
                    "##targetNamespace" => target.clone(),
                    "##local" => "".into(),
                    uri => uri.into(),
                });
                Namespaces::These(named.collect())
            }
        };
        let process = match node.attribute("processContents") {
            Some("skip") => Process::Skip,
            Some("lax") => Process::Lax,
            _ => Process::Strict,
        };
        Wildcard { namespaces, process }
    }
}
