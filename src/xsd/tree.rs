//! A schema document as a tree, read with our own tokenizer.

use std::borrow::Cow;
use std::rc::Rc;

use super::error::{Place, SchemaError};
use super::tables::XSD;
use crate::xml::{Limits, Locator, Namespace, Position, Scope, Sink, Tag, Tokenizer, shown};

/// One schema document.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) document: String,
    pub(super) nodes: Vec<Node>,
    fault: Option<(Position, String)>,
    /// Depth inside an annotation, which may hold anything.
    ignored: usize,
    open: Vec<usize>,
}

/// Declarations in force: prefix and namespace.
pub(super) type Bindings = Rc<[(String, String)]>;

/// An element of XML Schema.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// Those without a namespace; others are for other readers.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<usize>,
    pub(super) at: Position,
    pub(super) bindings: Bindings,
}

const XSD_TREE: Namespace = Namespace::known(0);

impl Tree {
    /// Reads a document in UTF-8 or UTF-16.
    pub(super) fn read(document: &str, bytes: &[u8]) -> Result<Self, SchemaError> {
        let bytes = transcoded(bytes);
        let mut tree =
            Self { document: document.to_owned(), nodes: Vec::new(), fault: None, ignored: 0, open: Vec::new() };
        let mut tokenizer = Tokenizer::new(Limits::default(), &[XSD]);
        let read = tokenizer.feed(&bytes, &mut tree).and_then(|()| tokenizer.finish(&mut tree));
        read.map_err(|fault| SchemaError::NotXml { document: document.to_owned(), fault: *fault })?;
        match tree.fault.take() {
            Some((at, problem)) => Err(SchemaError::Invalid { place: tree.place(at), problem }),
            None => Ok(tree),
        }
    }

    pub(super) fn place(&self, at: Position) -> Place {
        Place { document: self.document.clone(), at }
    }
}

impl Sink for Tree {
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        let at = locator.position(tag.offset);
        let local = String::from_utf8_lossy(tag.local);
        if self.ignored > 0 || (tag.namespace == XSD_TREE && local == "annotation") {
            self.ignored += 1;
            return;
        }
        if tag.namespace != XSD_TREE && self.fault.is_none() {
            self.fault = Some((at, format!("the element {} is not of XML Schema", shown(tag.name))));
        }
        let parent = self.open.last().and_then(|parent| self.nodes.get(*parent));
        let bindings = match parent {
            Some(parent) if tag.is_plain() => Rc::clone(&parent.bindings),
            _ => bindings(tag.scope),
        };
        let attributes = tag.attributes().filter(|attribute| attribute.namespace == Namespace::NONE);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let attributes = attributes.map(|attribute| (text(attribute.local), text(attribute.value))).collect();
        let index = self.nodes.len();
        if let Some(parent) = self.open.last().and_then(|parent| self.nodes.get_mut(*parent)) {
            parent.children.push(index);
        }
        self.nodes.push(Node { name: local.into_owned(), attributes, children: Vec::new(), at, bindings });
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
        if self.ignored == 0 && self.fault.is_none() && !raw.trim_ascii().is_empty() {
            self.fault = Some((locator.position(offset), "text stands in the schema outside its annotations".into()));
        }
    }

    fn character(&mut self, c: char, offset: u64, locator: &mut Locator<'_>) {
        self.text(c.encode_utf8(&mut [0; 4]).as_bytes(), offset, locator);
    }
}

impl Node {
    /// An attribute's value.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// The namespace of a prefix here; the empty prefix stands for the default.
    pub(super) fn namespace(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(crate::xml::XML_NAMESPACE);
        }
        let bound = self.bindings.iter().rev().find(|(known, _)| known == prefix);
        bound.map(|(_, uri)| uri.as_str()).or(prefix.is_empty().then_some(""))
    }
}

fn bindings(scope: &Scope) -> Bindings {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    scope.declarations().map(|(prefix, uri)| (text(prefix), text(uri))).collect()
}

/// The document in UTF-8, without the declaration that says otherwise.
fn transcoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let encoding = match bytes {
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => encoding_rs::UTF_16LE,
        [0xFE, 0xFF, ..] | [0, b'<', ..] => encoding_rs::UTF_16BE,
        _ => return Cow::Borrowed(bytes),
    };
    let (text, _, broken) = encoding.decode(bytes);
    if broken {
        // The tokenizer refuses it for what it is.
        return Cow::Borrowed(bytes);
    }
    let end = text.starts_with("<?xml").then(|| text.find("?>")).flatten().map_or(0, |at| at + 2);
    let declaration = text.get(..end).unwrap_or_default();
    // Blanks in its place keep lines and columns right.
    let blank = declaration.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
    let rest = text.get(end..).unwrap_or_default();
    Cow::Owned(blank.chain(rest.chars()).collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = concat!(
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n",
        "<x:schema xmlns:x=\"http://www.w3.org/2001/XMLSchema\" xmlns:b=\"urn:b\" b:odd=\"1\">",
        "<x:annotation><b:any>text</b:any></x:annotation><x:element name=\" å \"/></x:schema>"
    );

    #[test]
    fn utf_16_is_read_in_either_order() {
        let little: Vec<u8> = DOCUMENT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> =
            "\u{FEFF}".encode_utf16().chain(DOCUMENT.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let tree = Tree::read("x.xsd", &bytes).unwrap();
            let names: Vec<&str> = tree.nodes.iter().map(|node| node.name.as_str()).collect();
            assert_eq!(names, ["schema", "element"]);
            assert_eq!(tree.nodes[1].attribute("name"), Some("å"));
            assert_eq!((tree.nodes[0].at.line, tree.nodes[0].attributes.len()), (2, 0));
            assert_eq!(tree.nodes[1].namespace("b"), Some("urn:b"));
        }
    }

    #[test]
    fn what_is_not_of_the_schema_is_refused() {
        for bad in ["<a/>", "<schema xmlns='http://www.w3.org/2001/XMLSchema'>x</schema>", "<!DOCTYPE a><a/>", ""] {
            assert!(Tree::read("x.xsd", bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
