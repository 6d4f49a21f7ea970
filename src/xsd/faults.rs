//! All that is wrong with a schema, as far as one thing can be told from another.
//!
//! After a fault, the component of the whole schema in which it stands is left out, and the rest looked at again. What
//! refers to what was left out follows it without a word, since it may well be right. So each component has one fault at
//! most, and no fault is told that is but the echo of another.

use std::collections::HashSet;

use super::document::{self, Documents, LeftOut, Node, SchemaLimits, Tree};
use super::error::{Place, SchemaError};
use super::{build, compile, rules};

/// The faults of a schema in the order of its documents' names; at most so many.
pub(super) fn faults(
    roots: &[&str],
    documents: &dyn Documents,
    limits: &SchemaLimits,
    most: usize,
) -> Vec<SchemaError> {
    let mut search = Search { documents, limits, left_out: LeftOut::default(), names: HashSet::new(), any: false };
    let mut found = Vec::new();
    for _ in 0..most.saturating_mul(ECHOES) {
        let Err(error) = search.look(roots) else { break };
        // What is left is nothing, or too much.
        let goes_on = search.leave_out(&error);
        if goes_on != Some(Left::Echo) && !search.is_used_up(&error) {
            found.push(error);
        }
        if goes_on.is_none() || found.len() >= most {
            break;
        }
    }
    found.sort_by_cached_key(|error| place(error).map(|place| (place.document, place.at.offset)));
    found
}

/// How many times more often it is looked than faults are told.
const ECHOES: usize = 10;

/// What an error was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Fault,
    /// It follows from what was left out before.
    Echo,
}

struct Search<'a> {
    documents: &'a dyn Documents,
    limits: &'a SchemaLimits,
    left_out: LeftOut,
    /// The local names of what was left out.
    names: HashSet<String>,
    /// Documents were left out, too, or what names them.
    any: bool,
}

impl Search<'_> {
    /// Looks for the first fault in what is left.
    fn look(&self, roots: &[&str]) -> Result<(), SchemaError> {
        let documents = document::load_without(roots, self.documents, self.limits, &self.left_out)?;
        let components = build::build(&documents, self.limits)?;
        rules::check(&components)?;
        compile::tables(&components).map(|_| ())
    }

    /// Tells whether an error says only that nothing is left.
    fn is_used_up(&self, error: &SchemaError) -> bool {
        matches!(error, SchemaError::Empty) && !self.left_out.documents.is_empty()
    }

    /// Leaves out that in which an error stands; none where there is no going on.
    fn leave_out(&mut self, error: &SchemaError) -> Option<Left> {
        let place = match error {
            SchemaError::Invalid { place, .. } | SchemaError::Missing { place, .. } => place,
            SchemaError::NotXml { document, .. } => return self.leave_out_document(document),
            SchemaError::TooLarge { .. } | SchemaError::Empty => return None,
        };
        let read = self.documents.read(&place.document, self.limits.document_bytes).ok().flatten();
        let tree = read.and_then(|bytes| Tree::read(&place.document, &bytes, &self.limits.of_xml()).ok());
        let Some(tree) = tree else { return self.leave_out_document(&place.document) };
        let mut children = tree.node(0).children.iter().rev().copied();
        let Some(child) = children.find(|child| tree.node(*child).at.offset <= place.at.offset) else {
            return self.leave_out_document(&place.document);
        };
        let is_echo = self.is_echo(error, tree.nodes.iter().find(|node| node.at == place.at));
        let begins = tree.node(child).at.offset;
        if !self.left_out.children.entry(place.document.clone()).or_default().insert(begins) {
            return None;
        }
        self.any |= matches!(tree.node(child).name.as_str(), "include" | "import" | "redefine");
        let next = tree.node(0).children.iter().find(|next| **next > child).copied().unwrap_or(tree.nodes.len());
        let inside = tree.nodes.get(child..next).unwrap_or_default();
        self.names.extend(inside.iter().filter_map(|node| node.attribute("name")).map(str::to_owned));
        Some(if is_echo { Left::Echo } else { Left::Fault })
    }

    fn leave_out_document(&mut self, name: &str) -> Option<Left> {
        self.any = true;
        self.left_out.documents.insert(name.to_owned()).then_some(Left::Fault)
    }

    /// Tells whether a node may be at fault only for what was left out.
    fn is_echo(&self, error: &SchemaError, node: Option<&Node>) -> bool {
        let SchemaError::Invalid { rule, .. } = error else { return false };
        let words = node.into_iter().flat_map(|node| &node.attributes).flat_map(|(_, value)| document::words(value));
        let mut locals = words.map(|word| word.rsplit(':').next().unwrap_or(word));
        rule.starts_with("src-")
            && (self.any && rule.starts_with("src-re") || locals.any(|local| self.names.contains(local)))
    }
}

fn place(error: &SchemaError) -> Option<Place> {
    match error {
        SchemaError::Invalid { place, .. }
        | SchemaError::Missing { place, .. }
        | SchemaError::TooLarge { place, .. } => Some(place.clone()),
        SchemaError::NotXml { document, fault } => Some(Place { document: document.clone(), at: fault.at }),
        SchemaError::Empty => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::SchemaDocument;
    use crate::xsd::document::Given;

    /// Lines and rules of what is found in documents of the content given.
    fn found(documents: &[(&str, &str)], most: usize) -> Vec<String> {
        let whole =
            |content: &str| format!("<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'>\n{content}</s:schema>");
        let texts: Vec<(&str, String)> = documents.iter().map(|(name, content)| (*name, whole(content))).collect();
        let given = texts.iter().map(|(name, text)| SchemaDocument { name, bytes: text.as_bytes() });
        let given: Vec<SchemaDocument<'_>> = given.collect();
        let roots: Vec<&str> = documents.iter().map(|(name, _)| *name).collect();
        let told = |error: SchemaError| {
            let SchemaError::Invalid { place, rule, .. } = &error else { return error.to_string() };
            format!("{}:{} {rule}", place.document, place.at.line)
        };
        faults(&roots, &Given(&given), &SchemaLimits::default(), most).into_iter().map(told).collect()
    }

    #[test]
    fn each_component_tells_its_own_fault() {
        let content = "<s:element name='a' type='gone'/>
<s:simpleType name='few'><s:restriction base='s:string'><s:minLength value='3'/><s:maxLength value='2'/></s:restriction></s:simpleType>
<s:element name='b' typo='few'/>
<s:complexType name='c'><s:sequence><s:element name='x' type='s:int'/><s:element name='x' type='s:date'/></s:sequence></s:complexType>
<s:element name='sound' type='s:int'/>
<s:complexType name='d'><s:choice><s:element name='y' minOccurs='0' type='s:int'/><s:element name='y' type='s:int'/></s:choice></s:complexType>
<s:element name='sound' type='s:int'/>
<s:element name='e' type='s:int' default='x'/>";
        let all = [
            "a:2 src-resolve",
            "a:3 minLength-less-than-equal-to-maxLength",
            "a:4 s4s-att-not-allowed",
            "a:5 cos-element-consistent",
            "a:7 cos-nonambig",
            "a:8 sch-props-correct.2",
            "a:9 cos-valid-default.1",
        ];
        assert_eq!(found(&[("a", content)], 100), all);
        assert_eq!(found(&[("a", content)], 3).len(), 3);
    }

    #[test]
    fn what_refers_to_a_fault_is_none() {
        let content =
            "<s:complexType name='base'><s:sequence><s:element name='x' type='gone'/></s:sequence></s:complexType>
<s:complexType name='more'><s:complexContent><s:extension base='base'/></s:complexContent></s:complexType>
<s:element name='head' type='more'/>
<s:element name='member' substitutionGroup='head'/>
<s:element name='other' type='lost'/>";
        assert_eq!(found(&[("a", content)], 100), ["a:2 src-resolve", "a:6 src-resolve"]);
    }

    #[test]
    fn a_document_that_is_none_is_one_fault() {
        let broken =
            [("a", "<s:element name='a' type='t'/>\n<s:element name='b' nillable='?'/>"), ("b", "<s:simpleType")];
        let told = found(&broken, 100);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0] == "a:3 s4s-att-invalid-value" && told[1].starts_with("b: "), "{told:?}");
        assert!(found(&[("a", "<s:element name='a'/>")], 100).is_empty());
        assert_eq!(found(&[("a", ""), ("b", "text")], 100).len(), 1);
    }

    #[test]
    fn nothing_is_looked_at_that_is_too_large() {
        let limits = SchemaLimits { documents: 0, ..SchemaLimits::default() };
        let bytes = b"<schema xmlns='http://www.w3.org/2001/XMLSchema'/>";
        let given = [SchemaDocument { name: "a", bytes }];
        assert!(matches!(faults(&["a"], &Given(&given), &limits, 9)[..], [SchemaError::TooLarge { .. }]));
        assert_eq!(faults(&[], &Given(&[]), &limits, 9), [SchemaError::Empty]);
        assert!(matches!(faults(&["b"], &Given(&given), &limits, 9)[..], [SchemaError::Missing { .. }]));
    }
}
