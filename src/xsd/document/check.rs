//! Judges a schema document by the grammar of schema documents.

use std::collections::HashSet;

use super::forms::Form;
use super::grammar::{Kind, Slot};
use super::tree::{Node, Tree, trimmed};
use crate::xsd::error::SchemaError;

/// Judges a whole document, whose root is a `schema`.
pub(super) fn check(tree: &Tree) -> Result<(), SchemaError> {
    let root = tree.node(0);
    if root.is_foreign || root.name != "schema" {
        let problem = format!("the root element {} is no schema", root.name);
        return Err(SchemaError::invalid(tree.place(root.at), "s4s-elt-schema-ns", problem));
    }
    let mut ids = HashSet::new();
    // Children before what follows: faults are told in the order of the document.
    let mut pending = vec![(0, Kind::Schema)];
    while let Some((index, kind)) = pending.pop() {
        let node = tree.node(index);
        let judged = attributes(node, kind, &mut ids).and_then(|()| match node.text {
            Some(_) => Err(("s4s-elt-character", format!("text stands in {}", node.name))),
            None => Ok(()),
        });
        judged.map_err(|(rule, problem)| SchemaError::invalid(tree.place(node.at), rule, problem))?;
        let children = Content { tree, node, children: Vec::new() }.judged(kind)?;
        pending.extend(children.into_iter().rev());
    }
    Ok(())
}

type Broken = (&'static str, String);

fn attributes<'a>(node: &'a Node, kind: Kind, ids: &mut HashSet<&'a str>) -> Result<(), Broken> {
    let known = kind.attributes();
    if let Some(stray) = &node.stray {
        return Err(("s4s-att-not-allowed", format!("the attribute {stray} of {} has a prefix", node.name)));
    }
    if node.language.as_ref().is_some_and(|language| !Form::Language.admits(language)) {
        let problem = format!("xml:lang of {} must be {}", node.name, Form::Language.wanted());
        return Err(("s4s-att-invalid-value", problem));
    }
    for (name, value) in &node.attributes {
        let Some(attribute) = known.iter().find(|attribute| attribute.name == name) else {
            return Err(("s4s-att-not-allowed", format!("{} has no attribute {name} here", node.name)));
        };
        if !attribute.form.admits(value) {
            let problem = format!("{name} of {} must be {}", node.name, attribute.form.wanted());
            return Err(("s4s-att-invalid-value", problem));
        }
        if attribute.form == Form::Id && !ids.insert(trimmed(value)) {
            return Err(("s4s-att-invalid-value", format!("the id of {} stands twice in the document", node.name)));
        }
    }
    let missing = known.iter().find(|attribute| attribute.is_required && node.written(attribute.name).is_none());
    match missing {
        Some(attribute) => {
            Err(("s4s-att-must-appear", format!("{} needs the attribute {}", node.name, attribute.name)))
        }
        None => Ok(()),
    }
}

/// The children of a node, as they find their places.
struct Content<'a> {
    tree: &'a Tree,
    node: &'a Node,
    children: Vec<(usize, Kind)>,
}

impl Content<'_> {
    fn judged(mut self, kind: Kind) -> Result<Vec<(usize, Kind)>, SchemaError> {
        let mut slots = kind.content().iter();
        let mut slot = slots.next();
        let mut taken = 0;
        for index in &self.node.children {
            let child = self.tree.node(*index);
            loop {
                let Some(here) = slot else { return Err(self.unexpected(child)) };
                let member = here.members.iter().find(|(name, _)| !child.is_foreign && child.name == *name);
                if let Some((_, kind)) = member.filter(|_| taken == 0 || here.is_many) {
                    self.children.push((*index, *kind));
                    taken += 1;
                    break;
                }
                if taken < usize::from(here.min) || (taken > 0 && here.is_last) {
                    return Err(self.unexpected(child));
                }
                slot = slots.next();
                taken = 0;
            }
        }
        self.complete(slot, taken, slots)?;
        Ok(self.children)
    }

    /// Judges what is still to come when the children end.
    fn complete(
        &self,
        slot: Option<&Slot>,
        taken: usize,
        mut rest: std::slice::Iter<'_, Slot>,
    ) -> Result<(), SchemaError> {
        let open = slot.filter(|slot| taken < usize::from(slot.min));
        let wanted = match slot {
            Some(slot) if taken > 0 && slot.is_last => None,
            _ => open.or_else(|| rest.find(|slot| slot.min > 0)),
        };
        let Some(wanted) = wanted else { return Ok(()) };
        let names: Vec<&str> = wanted.members.iter().map(|(name, _)| *name).collect();
        let problem = format!("{} needs {} in it", self.node.name, names.join(" or "));
        Err(SchemaError::invalid(self.tree.place(self.node.at), "s4s-elt-must-match", problem))
    }

    fn unexpected(&self, child: &Node) -> SchemaError {
        let problem = format!("{} may not stand here in {}", child.name, self.node.name);
        SchemaError::invalid(self.tree.place(child.at), "s4s-elt-invalid-content", problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn judged(content: &str) -> Result<(), SchemaError> {
        let text = format!("<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema' xmlns:o='urn:o'>{content}</s:schema>");
        check(&Tree::read("a.xsd", text.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn documents_of_the_language_pass() {
        for good in [
            "",
            "<s:annotation o:a='1'><s:appinfo><s:anything/>x</s:appinfo></s:annotation><s:include schemaLocation='a'/>",
            "<s:element name='a' id='i' o:b=''><s:complexType><s:all><s:element ref='b' minOccurs='0'/></s:all>\
             <s:attribute name='c'/><s:anyAttribute/></s:complexType><s:key name='k'><s:selector xpath='x'/>\
             <s:field xpath='y'/><s:field xpath='z'/></s:key></s:element>",
            "<s:complexType name='a'><s:simpleContent><s:restriction base='b'><s:pattern value=''/>\
             <s:attribute ref='c'/></s:restriction></s:simpleContent></s:complexType>",
        ] {
            assert_eq!(judged(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_not_of_the_language_is_named_by_its_rule() {
        for (bad, expected) in [
            ("text", "s4s-elt-character"),
            ("<o:element/>", "s4s-elt-invalid-content"),
            ("<s:element name='a'/><s:include schemaLocation='b'/>", "s4s-elt-invalid-content"),
            ("<s:element/>", "s4s-att-must-appear"),
            ("<s:element name='a' ref='b'/>", "s4s-att-not-allowed"),
            ("<s:element name='a' s:type='b'/>", "s4s-att-not-allowed"),
            ("<s:element name='1'/>", "s4s-att-invalid-value"),
            ("<s:element name='a' id='x'/><s:element name='b' id='x'/>", "s4s-att-invalid-value"),
            ("<s:group name='a'/>", "s4s-elt-must-match"),
            ("<s:group name='a'><s:all/><s:all/></s:group>", "s4s-elt-invalid-content"),
            ("<s:complexType name='a'><s:complexContent/></s:complexType>", "s4s-elt-must-match"),
            (
                "<s:complexType name='a'><s:complexContent><s:extension base='b'/></s:complexContent>\
                 <s:attribute name='c'/></s:complexType>",
                "s4s-elt-invalid-content",
            ),
            ("<s:element name='a'><s:annotation/><s:annotation/></s:element>", "s4s-elt-invalid-content"),
        ] {
            let Err(SchemaError::Invalid { rule, .. }) = judged(bad) else { panic!("{bad}") };
            assert_eq!(rule, expected, "{bad}");
        }
    }
}
