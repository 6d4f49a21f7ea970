//! From schema documents to components: names resolved, groups and base types followed.
//!
//! First every definition is found by its name, those that are redefined are set aside, and everything that can be
//! referred to gets its number. Then types and groups are built, each after what it is made of, so that nothing recurses
//! from one definition into the next; what leads back to itself is found on the way. Declarations come last. What is
//! judged here is what one definition says by itself; what compares components is the affair of `rules`.

mod attributes;
mod builtins;
mod complex;
mod content;
mod elements;
mod flags;
mod globals;
mod identity;
mod names;
mod numbers;
mod order;
mod particles;
mod redefine;
mod simple;
#[cfg(test)]
mod tests;
mod wildcards;
mod xpath;

use std::collections::HashMap;

use super::SchemaError;
use super::components::{AttributeId, Components, ConstraintId, ElementId, QName, TypeDefinition, TypeId};
use super::document::{Document, Node, SchemaLimits};
use super::error::Place;
use attributes::Attributes;
use particles::Model;

/// Builds the components of a schema from all its documents.
pub(super) fn build(documents: &[Document], limits: &SchemaLimits) -> Result<Components, SchemaError> {
    let mut builder = Builder::new(documents, limits);
    builder.add_builtins();
    builder.collect()?;
    builder.redefine()?;
    builder.number()?;
    builder.build_in_order()?;
    builder.declare_attributes()?;
    builder.declare_elements()?;
    builder.constrain()?;
    builder.note_redefined();
    builder.name_globals();
    builder.components.types = builder.types.into_iter().flatten().collect();
    Ok(builder.components)
}

/// A node of one of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct At {
    document: usize,
    node: usize,
}

/// The symbol spaces of a schema (section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Symbol {
    Type,
    Element,
    Attribute,
    AttributeGroup,
    Group,
    Notation,
    Constraint,
}

type Done<T = ()> = Result<T, SchemaError>;

struct Builder<'a> {
    documents: &'a [Document],
    limits: &'a SchemaLimits,
    globals: HashMap<(Symbol, QName), At>,
    /// What a redefinition redefines.
    originals: HashMap<At, At>,
    components: Components,
    /// `None` for those that are not built yet.
    types: Vec<Option<TypeDefinition>>,
    type_ids: HashMap<At, TypeId>,
    element_ids: HashMap<At, ElementId>,
    attribute_ids: HashMap<At, AttributeId>,
    /// By number.
    attribute_names: Vec<QName>,
    constraint_ids: HashMap<At, ConstraintId>,
    groups: HashMap<At, Model>,
    attribute_groups: HashMap<At, Attributes>,
    /// The contents of complex types, for those derived from them.
    contents: HashMap<TypeId, Model>,
    /// Where the uses of the attributes of complex types stand, in their order.
    use_places: HashMap<TypeId, Vec<At>>,
    /// How many types a type is derived from, one after the other.
    steps: HashMap<TypeId, usize>,
    /// Attributes taken so far, of the limit.
    attributes_taken: usize,
}

impl<'a> Builder<'a> {
    fn new(documents: &'a [Document], limits: &'a SchemaLimits) -> Self {
        Self {
            documents,
            limits,
            globals: HashMap::new(),
            originals: HashMap::new(),
            components: Components::default(),
            types: Vec::new(),
            type_ids: HashMap::new(),
            element_ids: HashMap::new(),
            attribute_ids: HashMap::new(),
            attribute_names: Vec::new(),
            constraint_ids: HashMap::new(),
            groups: HashMap::new(),
            attribute_groups: HashMap::new(),
            contents: HashMap::new(),
            use_places: HashMap::new(),
            steps: HashMap::new(),
            attributes_taken: 0,
        }
    }

    fn document(&self, at: At) -> &'a Document {
        self.documents.get(at.document).expect("documents are numbered by the schema")
    }

    fn node(&self, at: At) -> &'a Node {
        self.document(at).tree.node(at.node)
    }

    /// The children of a node, but for annotations.
    fn children(&self, at: At) -> impl Iterator<Item = At> + use<'a> {
        let tree = &self.document(at).tree;
        let told = move |node: &&usize| tree.node(**node).name != "annotation";
        tree.node(at.node).children.iter().filter(told).map(move |node| At { document: at.document, node: *node })
    }

    /// The first child of one of some names.
    fn child(&self, at: At, names: &[&str]) -> Option<At> {
        self.children(at).find(|child| names.contains(&self.node(*child).name.as_str()))
    }

    fn place(&self, at: At) -> Place {
        self.document(at).tree.place(self.node(at).at)
    }

    fn broken<T>(&self, at: At, rule: &'static str, problem: impl Into<String>) -> Done<T> {
        Err(SchemaError::invalid(self.place(at), rule, problem))
    }

    fn too_large<T>(&self, at: At, problem: &str) -> Done<T> {
        Err(SchemaError::TooLarge { place: self.place(at), problem: problem.to_owned() })
    }

    /// A type that is built, for one that stands on it.
    fn built(&self, id: TypeId) -> &TypeDefinition {
        self.types.get(id as usize).and_then(Option::as_ref).expect("what a type stands on is built before it")
    }
}
