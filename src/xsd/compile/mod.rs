//! From schema documents to tables.

mod automaton;
mod complex;
mod elements;
mod particles;
mod simple;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::SchemaDocument;
use super::datatypes::builtin::Builtin;
use super::document::{Node, Tree};
use super::error::SchemaError;
use super::tables::{Content, ElementId, NameId, Schema, Type, TypeId, XSD, XSI};
use crate::xml::{Namespace, XML_NAMESPACE};

/// Compiles the documents of one schema.
pub(super) fn compile(documents: &[SchemaDocument<'_>]) -> Result<Schema, SchemaError> {
    let trees =
        documents.iter().map(|document| Tree::read(document.name, document.bytes, &crate::xml::Limits::default()));
    let trees = trees.collect::<Result<Vec<_>, _>>()?;
    let mut compiler = Compiler::new(&trees);
    for document in 0..trees.len() {
        compiler.collect(At { document, node: 0 })?;
    }
    compiler.run()
}

/// A node of one of the trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct At {
    document: usize,
    node: usize,
}

/// The symbol spaces of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Symbol {
    Element,
    Type,
    Attribute,
    AttributeGroup,
    Group,
}

type Done<T = ()> = Result<T, SchemaError>;

struct Compiler<'a> {
    trees: &'a [Tree],
    globals: HashMap<(Symbol, &'a str, &'a str), At>,
    schema: Schema,
    types: HashMap<At, TypeId>,
    builtins: HashMap<Builtin, TypeId>,
    elements: HashMap<At, ElementId>,
    /// Complex types in the order they were met, with how far they are.
    pending: Vec<(TypeId, At)>,
    complex: HashMap<TypeId, (At, Progress)>,
    depth: usize,
    parts_taken: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Met,
    Begun,
    Defined,
}

/// The type every other derives from.
const ANY_TYPE: TypeId = 0;
/// How deep definitions may nest; beyond it they surely contain themselves.
const DEEPEST: usize = 100;
/// How many particles and attributes are taken, counted as often as groups bring them: a small schema whose groups hold
/// each other twice would never end.
const MOST_PARTS: usize = 500_000;

impl<'a> Compiler<'a> {
    fn new(trees: &'a [Tree]) -> Self {
        let any = Type {
            base: None,
            attributes: Vec::new(),
            required: 0,
            any_attribute: true,
            is_simple: false,
            content: Content::Any,
            children: Vec::new(),
            slots: 0,
        };
        let namespaces = vec![XSI.to_owned(), XSD.to_owned()];
        Self {
            trees,
            globals: HashMap::new(),
            schema: Schema { namespaces, types: vec![any], ..Schema::default() },
            types: HashMap::new(),
            builtins: HashMap::new(),
            elements: HashMap::new(),
            pending: Vec::new(),
            complex: HashMap::new(),
            depth: 0,
            parts_taken: 0,
        }
    }

    /// Notes the global components of a document.
    fn collect(&mut self, root: At) -> Done {
        let node = self.node(root);
        if node.name != "schema" {
            return Err(self.invalid(root, "the document is no schema"));
        }
        self.allow(root, &["targetNamespace", "elementFormDefault", "attributeFormDefault", "version"])?;
        for child in self.children(root) {
            let symbol = match self.node(child).name.as_str() {
                "element" => Symbol::Element,
                "complexType" | "simpleType" => Symbol::Type,
                "attribute" => Symbol::Attribute,
                "attributeGroup" => Symbol::AttributeGroup,
                "group" => Symbol::Group,
                "include" => {
                    self.included(child)?;
                    continue;
                }
                // What an import brings must be among the documents; a name that is not is an error where it is used.
                "import" => continue,
                _ => return Err(self.unsupported(child)),
            };
            let name = self.need(child, "name")?;
            match self.globals.entry((symbol, self.target(child), name)) {
                Entry::Vacant(free) => _ = free.insert(child),
                Entry::Occupied(_) => return Err(self.invalid(child, &format!("{name} is defined twice"))),
            }
        }
        Ok(())
    }

    fn included(&self, at: At) -> Done {
        let location = self.need(at, "schemaLocation")?;
        let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let given =
            self.trees.iter().position(|tree| tree.document == location || last(&tree.document) == last(location));
        let Some(document) = given else {
            return Err(self.invalid(at, &format!("the document {location} was not given")));
        };
        if self.target(At { document, node: 0 }) != self.target(at) {
            return Err(self.unsupported_construct(at, "including a document of another target namespace"));
        }
        Ok(())
    }

    /// Compiles everything there is, reachable or not, so that nothing is left unsaid.
    fn run(mut self) -> Result<Schema, SchemaError> {
        if self.trees.is_empty() {
            return Err(SchemaError::Empty);
        }
        let mut globals: Vec<_> = self.globals.iter().map(|(key, at)| (*key, *at)).collect();
        globals.sort_by_key(|(_, at)| (at.document, at.node));
        for ((symbol, uri, local), at) in globals {
            let name = self.name(uri, local);
            match symbol {
                Symbol::Element => {
                    let element = self.element(at)?;
                    self.schema.global_elements.insert(name, element);
                }
                Symbol::Type => {
                    let type_id = self.type_at(at)?;
                    self.schema.global_types.insert(name, type_id);
                }
                Symbol::Attribute => _ = self.attribute_declaration(at)?,
                Symbol::AttributeGroup => _ = self.attribute_uses(at)?,
                Symbol::Group => _ = self.group_model(at)?,
            }
        }
        while let Some((type_id, at)) = self.pending.pop() {
            self.define(type_id, at)?;
        }
        self.name_builtins();
        Ok(self.schema)
    }

    /// Built-in types can be named in `xsi:type`.
    fn name_builtins(&mut self) {
        let any = self.name(XSD, "anyType");
        self.schema.global_types.insert(any, ANY_TYPE);
        for builtin in Builtin::NAMES.iter().filter_map(|name| Builtin::by_name(name)) {
            let type_id = self.builtin(builtin);
            let name = self.name(XSD, builtin.name());
            self.schema.global_types.insert(name, type_id);
        }
    }

    fn node(&self, at: At) -> &'a Node {
        self.trees.get(at.document).and_then(|tree| tree.nodes.get(at.node)).expect("made from these trees")
    }

    fn children(&self, at: At) -> impl Iterator<Item = At> + use<'a> {
        let tree = self.trees.get(at.document).expect("made from these trees");
        let told = move |node: &&usize| tree.nodes.get(**node).is_some_and(|node| node.name != "annotation");
        self.node(at).children.iter().filter(told).map(move |node| At { document: at.document, node: *node })
    }

    fn child(&self, at: At, name: &str) -> Option<At> {
        self.children(at).find(|child| self.node(*child).name == name)
    }

    /// The target namespace of a node's document; empty for none.
    fn target(&self, at: At) -> &'a str {
        self.node(At { node: 0, ..at }).attribute("targetNamespace").unwrap_or_default()
    }

    fn need(&self, at: At, attribute: &str) -> Done<&'a str> {
        let value = self.node(at).attribute(attribute);
        value.ok_or_else(|| self.invalid(at, &format!("{} lacks its {attribute}", self.node(at).name)))
    }

    fn flag(&self, at: At, attribute: &str) -> Done<bool> {
        match self.node(at).attribute(attribute) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(self.invalid(at, &format!("{attribute} is neither true nor false"))),
        }
    }

    /// Lets only the attributes pass that we know what to do with.
    fn allow(&self, at: At, known: &[&str]) -> Done {
        let unknown = self.node(at).attributes.iter().find(|(name, _)| name != "id" && !known.contains(&name.as_str()));
        match unknown {
            None => Ok(()),
            Some((name, _)) => {
                Err(self.unsupported_construct(at, &format!("the attribute {name} of {}", self.node(at).name)))
            }
        }
    }

    /// Lets an attribute pass only if it says what would be so without it.
    fn only_neutral(&self, at: At, attribute: &str, neutral: &str) -> Done {
        match self.node(at).attribute(attribute) {
            None => Ok(()),
            Some(value) if value == neutral || (neutral == "false" && value == "0") => Ok(()),
            Some(_) => Err(self.unsupported_construct(at, &format!("{attribute} of {}", self.node(at).name))),
        }
    }

    /// Reads a qualified name.
    fn qname(&self, at: At, text: &'a str) -> Done<(&'a str, &'a str)> {
        let (prefix, local) = text.split_once(':').unwrap_or(("", text));
        let uri = self.node(at).namespace(prefix);
        let uri = uri.ok_or_else(|| self.invalid(at, &format!("the prefix {prefix} is not declared")))?;
        Ok((uri, local))
    }

    fn global(&self, at: At, symbol: Symbol, (uri, local): (&'a str, &'a str)) -> Done<At> {
        let found = self.globals.get(&(symbol, uri, local)).copied();
        found.ok_or_else(|| self.invalid(at, &format!("{local} is not defined in the namespace {uri:?}")))
    }

    fn namespace(&mut self, uri: &str) -> Namespace {
        match uri {
            "" => return Namespace::NONE,
            XML_NAMESPACE => return Namespace::XML,
            _ => {}
        }
        let known = self.schema.namespaces.iter().position(|known| known == uri);
        let index = known.unwrap_or_else(|| {
            self.schema.namespaces.push(uri.to_owned());
            self.schema.namespaces.len() - 1
        });
        Namespace::known(index as u32)
    }

    fn name(&mut self, uri: &str, local: &str) -> NameId {
        let namespace = self.namespace(uri);
        let key: (Namespace, Box<[u8]>) = (namespace, local.as_bytes().into());
        let names = &mut self.schema.names;
        *self.schema.name_ids.entry(key).or_insert_with_key(|(namespace, local)| {
            names.push(super::tables::Name { namespace: *namespace, local: local.clone() });
            names.len() as u32 - 1
        })
    }

    fn invalid(&self, at: At, problem: &str) -> SchemaError {
        SchemaError::invalid(self.place(at), "schema", problem)
    }

    fn unsupported(&self, at: At) -> SchemaError {
        self.unsupported_construct(at, &self.node(at).name)
    }

    fn unsupported_construct(&self, at: At, construct: &str) -> SchemaError {
        SchemaError::Unsupported { place: self.place(at), construct: construct.to_owned() }
    }

    fn place(&self, at: At) -> super::Place {
        let tree = self.trees.get(at.document).expect("made from these trees");
        tree.place(self.node(at).at)
    }

    /// Takes one more particle or attribute, as long as that is sensible.
    fn take_part(&mut self, at: At) -> Done {
        self.parts_taken += 1;
        match self.parts_taken > MOST_PARTS {
            true => Err(self.unsupported_construct(at, "a schema of this size")),
            false => Ok(()),
        }
    }

    /// Goes one definition deeper, as long as that is sensible.
    fn nested<T>(&mut self, at: At, inner: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        if self.depth >= DEEPEST {
            return Err(self.invalid(at, "the definition contains itself"));
        }
        self.depth += 1;
        let done = inner(self);
        self.depth -= 1;
        done
    }
}
