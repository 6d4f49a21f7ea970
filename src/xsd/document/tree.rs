//! A schema document as a tree, read with our own tokenizer.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::xml::{self, FaultKind, Locator, Namespace, Position, Scope, Sink, Tag, Tokenizer, XML_NAMESPACE, shown};
use crate::xsd::error::{Place, SchemaError};
use crate::xsd::tables::XSD;

/// One schema document.
#[derive(Debug)]
pub(in crate::xsd) struct Tree {
    pub(in crate::xsd) document: String,
    /// In document order; the first is the root.
    pub(in crate::xsd) nodes: Vec<Node>,
    /// Depth inside the content of an annotation, which may hold anything, or of what is left out.
    ignored: usize,
    open: Vec<usize>,
    /// Where the children of the root begin that are left out.
    left_out: BTreeSet<u64>,
}

/// Declarations in force: prefix and namespace.
pub(in crate::xsd) type Bindings = Arc<[(String, String)]>;

/// An element of a schema document.
#[derive(Debug)]
pub(in crate::xsd) struct Node {
    /// The local name.
    pub(in crate::xsd) name: String,
    /// It is of another namespace than that of XML Schema.
    pub(in crate::xsd) is_foreign: bool,
    /// Those without a namespace; others are for other readers.
    pub(in crate::xsd) attributes: Vec<(String, String)>,
    /// An attribute in the namespace of XML Schema, which has none.
    pub(in crate::xsd) stray: Option<String>,
    /// Its `xml:lang`.
    pub(in crate::xsd) language: Option<String>,
    pub(in crate::xsd) children: Vec<usize>,
    pub(in crate::xsd) at: Position,
    /// Where it has text between its children.
    pub(in crate::xsd) text: Option<Position>,
    pub(in crate::xsd) bindings: Bindings,
}

const XSD_TREE: Namespace = Namespace::known(0);

impl Tree {
    /// Reads a document in any encoding of the tokenizer, by the limits given.
    pub(in crate::xsd) fn read(document: &str, bytes: &[u8], limits: &xml::Limits) -> Result<Self, SchemaError> {
        Self::read_without(document, bytes, limits, BTreeSet::new())
    }

    /// The same, without the children of the root that begin at some offsets.
    pub(in crate::xsd) fn read_without(
        document: &str,
        bytes: &[u8],
        limits: &xml::Limits,
        left_out: BTreeSet<u64>,
    ) -> Result<Self, SchemaError> {
        let (nodes, open) = (Vec::new(), Vec::new());
        let mut tree = Self { document: document.to_owned(), nodes, ignored: 0, open, left_out };
        let mut tokenizer = Tokenizer::new(limits.clone(), &[XSD]);
        let read = tokenizer.feed(bytes, &mut tree).and_then(|()| tokenizer.finish(&mut tree));
        read.map_err(|fault| match is_limit(fault.kind) {
            true => SchemaError::TooLarge { place: tree.place(fault.at), problem: fault.text },
            false => SchemaError::NotXml { document: document.to_owned(), fault: *fault },
        })?;
        Ok(tree)
    }

    pub(in crate::xsd) fn place(&self, at: Position) -> Place {
        Place { document: self.document.clone(), at }
    }

    /// A node by its number.
    pub(in crate::xsd) fn node(&self, index: usize) -> &Node {
        self.nodes.get(index).expect("nodes are numbered by this tree")
    }

    fn innermost(&mut self) -> Option<&mut Node> {
        self.open.last().and_then(|index| self.nodes.get_mut(*index))
    }
}

impl Sink for Tree {
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let parent = self.open.last().and_then(|parent| self.nodes.get(*parent));
        let is_left_out = self.open.len() == 1 && self.left_out.contains(&locator.position(tag.offset).offset);
        if self.ignored > 0 || is_left_out || parent.is_some_and(Node::holds_anything) {
            self.ignored += 1;
            return;
        }
        let bindings = match parent {
            // A tag adds to what is in force outside it; where nothing was added, nothing changed.
            Some(parent) if tag.is_plain() || tag.scope.declarations().count() == parent.bindings.len() => {
                Arc::clone(&parent.bindings)
            }
            _ => bindings(tag.scope),
        };
        let mut attributes = Vec::new();
        let (mut stray, mut language) = (None, None);
        for attribute in tag.attributes() {
            match attribute.namespace {
                Namespace::NONE => attributes.push((text(attribute.local), text(attribute.value))),
                Namespace::XML if attribute.local == b"lang" => language = Some(text(attribute.value)),
                XSD_TREE => stray = Some(shown(attribute.local)),
                _ => {}
            }
        }
        let index = self.nodes.len();
        if let Some(parent) = self.innermost() {
            parent.children.push(index);
        }
        let is_foreign = tag.namespace != XSD_TREE;
        let name = if is_foreign { shown(tag.local) } else { text(tag.local) };
        let (at, children) = (locator.position(tag.offset), Vec::new());
        self.nodes.push(Node { name, is_foreign, attributes, stray, language, children, at, text: None, bindings });
        self.open.push(index);
    }

    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {
        if self.ignored > 0 {
            self.ignored -= 1;
        } else {
            self.open.pop();
        }
    }

    fn text(&mut self, raw: &[u8], offset: u64, locator: &mut Locator<'_>) {
        if self.ignored > 0 || raw.iter().all(|byte| xml::is_space(*byte)) {
            return;
        }
        let at = locator.position(offset);
        if let Some(node) = self.innermost().filter(|node| node.text.is_none() && !node.holds_anything()) {
            node.text = Some(at);
        }
    }

    fn character(&mut self, c: char, offset: u64, locator: &mut Locator<'_>) {
        self.text(c.encode_utf8(&mut [0; 4]).as_bytes(), offset, locator);
    }
}

impl Node {
    /// An attribute's value, without the white space around it.
    pub(in crate::xsd) fn attribute(&self, name: &str) -> Option<&str> {
        self.written(name).map(trimmed)
    }

    /// An attribute's value as written.
    pub(in crate::xsd) fn written(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The namespace of a prefix here; the empty prefix stands for the default.
    pub(in crate::xsd) fn namespace(&self, prefix: &str) -> Option<&str> {
        namespace(&self.bindings, prefix)
    }

    fn holds_anything(&self) -> bool {
        self.is_foreign || matches!(self.name.as_str(), "appinfo" | "documentation")
    }
}

/// The namespace of a prefix by the declarations in force; the empty prefix stands for the default.
pub(in crate::xsd) fn namespace<'a>(bindings: &'a Bindings, prefix: &str) -> Option<&'a str> {
    if prefix == "xml" {
        return Some(XML_NAMESPACE);
    }
    let bound = bindings.iter().rev().find(|(known, _)| known == prefix);
    bound.map(|(_, uri)| uri.as_str()).or(prefix.is_empty().then_some(""))
}

/// A value without the white space of XML around it.
pub(in crate::xsd) fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t', '\n', '\r'])
}

fn bindings(scope: &Scope) -> Bindings {
    scope.declarations().map(|(prefix, uri)| (text(prefix), text(uri))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_limit(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::TooDeep
            | FaultKind::TagTooLong
            | FaultKind::NameTooLong
            | FaultKind::AttributeTooLong
            | FaultKind::DeclarationTooLong
            | FaultKind::TooManyAttributes
            | FaultKind::TooManyNamespaces
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = concat!(
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n",
        "<x:schema xmlns:x=\"http://www.w3.org/2001/XMLSchema\" xmlns:b=\"urn:b\" b:odd=\"1\" x:stray=\"\">",
        "<x:annotation><x:appinfo><b:any>text</b:any></x:appinfo></x:annotation><x:element name=\" å \"/>t</x:schema>"
    );

    #[test]
    fn utf_16_is_read_in_either_order() {
        let little: Vec<u8> =
            "\u{FEFF}".encode_utf16().chain(DOCUMENT.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> =
            "\u{FEFF}".encode_utf16().chain(DOCUMENT.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let tree = Tree::read("x.xsd", &bytes, &xml::Limits::default()).unwrap();
            let names: Vec<&str> = tree.nodes.iter().map(|node| node.name.as_str()).collect();
            assert_eq!(names, ["schema", "annotation", "appinfo", "element"]);
            assert_eq!(tree.nodes[3].attribute("name"), Some("å"));
            assert_eq!((tree.nodes[0].at.line, tree.nodes[0].attributes.len()), (2, 0));
            assert_eq!(tree.nodes[0].stray.as_deref(), Some("stray"));
            assert!(tree.nodes[0].text.is_some() && tree.nodes[3].text.is_none());
            assert_eq!(tree.nodes[3].namespace("b"), Some("urn:b"));
        }
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for bad in ["<a>", "<!DOCTYPE a><a/>", ""] {
            assert!(Tree::read("x.xsd", bad.as_bytes(), &xml::Limits::default()).is_err(), "{bad}");
        }
    }
}
