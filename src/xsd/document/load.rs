//! From the roots of a schema to all its documents (sections 4.2.1 to 4.2.3).

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::tree::{Node, Tree};
use super::{Documents, SchemaLimits, check};
use crate::xml::{Position, XML_NAMESPACE};
use crate::xsd::error::{Place, SchemaError};

/// A document in the namespace its components are of.
#[derive(Debug)]
pub(in crate::xsd) struct Document {
    pub(in crate::xsd) tree: Rc<Tree>,
    /// Its own target namespace, or that of the document that includes it.
    pub(in crate::xsd) target: Arc<str>,
    /// It takes the namespace of the document that includes it.
    pub(in crate::xsd) is_chameleon: bool,
    /// The documents it includes and redefines.
    pub(in crate::xsd) parts: Vec<Part>,
    /// The namespaces it imports; the empty one stands for none.
    pub(in crate::xsd) imports: BTreeSet<Arc<str>>,
}

/// An `include` or `redefine` of a document.
#[derive(Debug, Clone, Copy)]
pub(in crate::xsd) struct Part {
    /// The number of the included document.
    pub(in crate::xsd) document: usize,
    /// The `redefine` element; `None` for an `include`.
    pub(in crate::xsd) redefine: Option<usize>,
}

/// Our own words for the attributes of the XML namespace, for schemas that import it and give no document.
const XML_ATTRIBUTES: &str = concat!(
    "<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema' xmlns:xml='http://www.w3.org/XML/1998/namespace' ",
    "targetNamespace='http://www.w3.org/XML/1998/namespace'><s:attribute name='lang'><s:simpleType>",
    "<s:union memberTypes='s:language'><s:simpleType><s:restriction base='s:string'><s:length value='0'/>",
    "</s:restriction></s:simpleType></s:union></s:simpleType></s:attribute><s:attribute name='space'>",
    "<s:simpleType><s:restriction base='s:NCName'><s:enumeration value='default'/><s:enumeration value='preserve'/>",
    "</s:restriction></s:simpleType></s:attribute><s:attribute name='base' type='s:anyURI'/>",
    "<s:attribute name='id' type='s:ID'/><s:attributeGroup name='specialAttrs'><s:attribute ref='xml:lang'/>",
    "<s:attribute ref='xml:space'/><s:attribute ref='xml:base'/><s:attribute ref='xml:id'/></s:attributeGroup>",
    "</s:schema>",
);

/// What is passed over for what is wrong with it.
#[derive(Debug, Default)]
pub(in crate::xsd) struct LeftOut {
    /// Whole documents, by their names.
    pub(in crate::xsd) documents: BTreeSet<String>,
    /// Children of the roots of documents, by where they begin.
    pub(in crate::xsd) children: HashMap<String, BTreeSet<u64>>,
}

/// Loads all documents of a schema, the roots first. A root without a namespace that another document takes into its
/// own is loaded as that part only.
pub(in crate::xsd) fn load(
    roots: &[&str],
    documents: &dyn Documents,
    limits: &SchemaLimits,
) -> Result<Vec<Document>, SchemaError> {
    load_without(roots, documents, limits, &LeftOut::default())
}

/// The same without what is left out.
pub(in crate::xsd) fn load_without(
    roots: &[&str],
    documents: &dyn Documents,
    limits: &SchemaLimits,
    left_out: &LeftOut,
) -> Result<Vec<Document>, SchemaError> {
    let mut loader = Loader::new(documents, limits, left_out);
    loader.load(roots)?;
    let is_part = |root: &&&str| !loader.is_part_elsewhere(root);
    let alone: Vec<&str> = roots.iter().filter(is_part).copied().collect();
    if alone.len() < roots.len() {
        // Documents given as roots that are meant for the namespace of others mean nothing alone.
        let trees = loader.trees;
        loader = Loader { trees, ..Loader::new(documents, limits, left_out) };
        loader.load(&alone)?;
    }
    match loader.loaded.is_empty() {
        true => Err(SchemaError::Empty),
        false => Ok(loader.loaded),
    }
}

struct Loader<'a> {
    documents: &'a dyn Documents,
    limits: &'a SchemaLimits,
    left_out: &'a LeftOut,
    loaded: Vec<Document>,
    known: HashMap<(String, Arc<str>), usize>,
    /// By name; `None` for those that cannot be read.
    trees: HashMap<String, Option<Rc<Tree>>>,
    bytes: usize,
    /// Loaded, but not yet looked at for what they name.
    pending: Vec<usize>,
}

impl<'a> Loader<'a> {
    fn new(documents: &'a dyn Documents, limits: &'a SchemaLimits, left_out: &'a LeftOut) -> Self {
        let (loaded, known, trees) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { documents, limits, left_out, loaded, known, trees, bytes: 0, pending: Vec::new() }
    }

    fn load(&mut self, roots: &[&str]) -> Result<(), SchemaError> {
        for root in roots.iter().filter(|root| !self.left_out.documents.contains(**root)) {
            let place = Place { document: (*root).to_owned(), at: Position::START };
            let Some(tree) = self.tree(root, &place)? else {
                return Err(SchemaError::Missing { place, location: (*root).to_owned() });
            };
            let target = target(&tree);
            self.add(tree, target, false)?;
        }
        self.pending.reverse();
        while let Some(document) = self.pending.pop() {
            self.follow(document)?;
        }
        self.add_xml_attributes()
    }

    fn follow(&mut self, document: usize) -> Result<(), SchemaError> {
        let tree = Rc::clone(&self.document(document).tree);
        for index in &tree.node(0).children {
            let node = tree.node(*index);
            match node.name.as_str() {
                "include" => self.include(document, node, None)?,
                "redefine" => self.include(document, node, Some(*index))?,
                "import" => self.import(document, node)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn include(&mut self, document: usize, node: &Node, redefine: Option<usize>) -> Result<(), SchemaError> {
        let by = self.document(document);
        let (tree, namespace) = (Rc::clone(&by.tree), Arc::clone(&by.target));
        let place = tree.place(node.at);
        let location = node.attribute("schemaLocation").unwrap_or_default();
        let Some(included) = self.tree(&self.documents.resolve(&tree.document, location), &place)? else {
            // Names that are missing without it are told where they are used; what is redefined must be there.
            return match redefine
                .is_some_and(|node| tree.node(node).children.iter().any(|child| tree.node(*child).name != "annotation"))
            {
                true => Err(SchemaError::Missing { place, location: location.to_owned() }),
                false => Ok(()),
            };
        };
        let own = target(&included);
        if !own.is_empty() && own != namespace {
            let rule = if redefine.is_some() { "src-redefine.3" } else { "src-include.2" };
            return Err(SchemaError::invalid(place, rule, format!("{location} is of another target namespace")));
        }
        let is_chameleon = own != namespace;
        let part = Part { document: self.add(included, namespace, is_chameleon)?, redefine };
        self.document_mut(document).parts.push(part);
        Ok(())
    }

    fn import(&mut self, document: usize, node: &Node) -> Result<(), SchemaError> {
        let by = self.document(document);
        let tree = Rc::clone(&by.tree);
        let enclosing = target(&tree);
        let place = tree.place(node.at);
        let namespace: Arc<str> = node.attribute("namespace").unwrap_or_default().into();
        let problem = match (node.attribute("namespace"), namespace == enclosing) {
            (Some(_), true) => Some(("src-import.1.1", "a schema cannot import its own target namespace")),
            (None, true) => Some(("src-import.1.2", "a schema without target namespace cannot import without one")),
            (_, false) => None,
        };
        if let Some((rule, problem)) = problem {
            return Err(SchemaError::invalid(place, rule, problem));
        }
        self.document_mut(document).imports.insert(Arc::clone(&namespace));
        let Some(location) = node.attribute("schemaLocation") else { return Ok(()) };
        // A location is a hint: names that are missing without it are told where they are used.
        let Some(imported) = self.tree(&self.documents.resolve(&tree.document, location), &place)? else {
            return Ok(());
        };
        if target(&imported) != namespace {
            let rule = if namespace.is_empty() { "src-import.3.2" } else { "src-import.3.1" };
            return Err(SchemaError::invalid(place, rule, format!("{location} is of another target namespace")));
        }
        self.add(imported, namespace, false).map(|_| ())
    }

    /// A document's number, new or known.
    fn add(&mut self, tree: Rc<Tree>, target: Arc<str>, is_chameleon: bool) -> Result<usize, SchemaError> {
        let key = (tree.document.clone(), Arc::clone(&target));
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let number = self.loaded.len();
        if number >= self.limits.documents {
            let place = tree.place(tree.node(0).at);
            return Err(SchemaError::TooLarge { place, problem: "the schema has too many documents".into() });
        }
        self.known.insert(key, number);
        self.pending.push(number);
        let (parts, imports) = (Vec::new(), BTreeSet::new());
        self.loaded.push(Document { tree, target, is_chameleon, parts, imports });
        Ok(number)
    }

    /// Reads and judges a document once; `None` if there is none.
    fn tree(&mut self, name: &str, place: &Place) -> Result<Option<Rc<Tree>>, SchemaError> {
        if let Some(known) = self.trees.get(name) {
            return Ok(known.clone());
        }
        if self.left_out.documents.contains(name) {
            return Ok(None);
        }
        let most = self.limits.document_bytes;
        let missing = |_| SchemaError::Missing { place: place.clone(), location: name.to_owned() };
        let bytes = self.documents.read(name, most).map_err(missing)?;
        self.bytes += bytes.as_ref().map_or(0, Vec::len);
        if self.bytes > self.limits.bytes || bytes.as_ref().is_some_and(|bytes| bytes.len() > most) {
            let problem = format!("the schema is too large with the document {name}");
            return Err(SchemaError::TooLarge { place: place.clone(), problem });
        }
        let tree = bytes.map(|bytes| self.read(name, &bytes)).transpose()?;
        self.trees.insert(name.to_owned(), tree.clone());
        Ok(tree)
    }

    fn read(&self, name: &str, bytes: &[u8]) -> Result<Rc<Tree>, SchemaError> {
        let left_out = self.left_out.children.get(name).cloned().unwrap_or_default();
        let tree = Tree::read_without(name, bytes, &self.limits.of_xml(), left_out)?;
        check::check(&tree)?;
        Ok(Rc::new(tree))
    }

    /// Adds the attributes of the XML namespace if somebody imports it and nobody defines it.
    fn add_xml_attributes(&mut self) -> Result<(), SchemaError> {
        let is_imported = self.loaded.iter().any(|document| document.imports.contains(XML_NAMESPACE));
        if !is_imported || self.loaded.iter().any(|document| &*document.target == XML_NAMESPACE) {
            return Ok(());
        }
        let tree = self.read(XML_NAMESPACE, XML_ATTRIBUTES.as_bytes())?;
        self.add(tree, XML_NAMESPACE.into(), false)?;
        self.pending.clear();
        Ok(())
    }

    /// Tells whether a root without a namespace is a part of documents of other namespaces.
    fn is_part_elsewhere(&self, root: &str) -> bool {
        let mut chameleons = self.loaded.iter().filter(|document| document.is_chameleon);
        chameleons.any(|document| document.tree.document == root)
    }

    fn document(&self, number: usize) -> &Document {
        self.loaded.get(number).expect("documents are numbered as they are loaded")
    }

    fn document_mut(&mut self, number: usize) -> &mut Document {
        self.loaded.get_mut(number).expect("documents are numbered as they are loaded")
    }
}

fn target(tree: &Tree) -> Arc<str> {
    tree.node(0).attribute("targetNamespace").unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::SchemaDocument;
    use crate::xsd::document::Given;

    fn loaded(documents: &[(&str, &str)], limits: &SchemaLimits) -> Result<Vec<String>, SchemaError> {
        let whole = |content: &str| format!("<schema xmlns='http://www.w3.org/2001/XMLSchema' {content}</schema>");
        let texts: Vec<(&str, String)> = documents.iter().map(|(name, content)| (*name, whole(content))).collect();
        let given = texts.iter().map(|(name, text)| SchemaDocument { name, bytes: text.as_bytes() });
        let given: Vec<SchemaDocument<'_>> = given.collect();
        let roots: Vec<&str> = documents.iter().map(|(name, _)| *name).collect();
        let loaded = load(&roots, &Given(&given), limits)?;
        Ok(loaded.iter().map(|document| format!("{} {}", document.tree.document, document.target)).collect())
    }

    #[test]
    fn documents_are_loaded_once_for_each_namespace() {
        let documents = [
            ("part", "><include schemaLocation='part'/>"),
            ("one", "targetNamespace='urn:1'><include schemaLocation='folder/part'/><include schemaLocation='two'/>"),
            ("two", "targetNamespace='urn:1'><include schemaLocation='one'/><import schemaLocation='part'/>"),
        ];
        let names = loaded(&documents, &SchemaLimits::default()).unwrap();
        assert_eq!(names, ["one urn:1", "two urn:1", "part urn:1", "part "]);
    }

    #[test]
    fn what_cannot_be_read_is_missed_where_it_is_needed() {
        let limits = SchemaLimits::default();
        let absent = "schemaLocation='absent'";
        let content = format!("><include {absent}/><import namespace='urn:b' {absent}/><redefine {absent}/>");
        assert_eq!(loaded(&[("a", &content)], &limits).unwrap(), ["a "]);
        let content = format!("><redefine {absent}><group name='g'><all/></group></redefine>");
        let Err(SchemaError::Missing { location, .. }) = loaded(&[("a", &content)], &limits) else { panic!() };
        assert_eq!(location, "absent");
        assert!(matches!(load(&["absent"], &Given(&[]), &limits), Err(SchemaError::Missing { .. })));
        assert_eq!(load(&[], &Given(&[]), &limits).map(|all| all.len()), Err(SchemaError::Empty));
        assert!(matches!(loaded(&[("a", ">"), ("a", "id='a'>")], &limits), Err(SchemaError::Missing { .. })));
    }

    #[test]
    fn a_schema_that_passes_a_limit_is_too_large() {
        let all = SchemaLimits::default();
        let documents = [("a", "><include schemaLocation='b'/>"), ("b", ">")];
        for limits in [
            SchemaLimits { documents: 1, ..all },
            SchemaLimits { document_bytes: 60, ..all },
            SchemaLimits { bytes: 100, ..all },
            SchemaLimits { depth: 1, ..all },
        ] {
            let refused = loaded(&documents, &limits);
            assert!(matches!(refused, Err(SchemaError::TooLarge { .. })), "{limits:?} {refused:?}");
        }
        assert!(loaded(&documents, &all).is_ok());
    }
}
