//! Whether two schemas accept the same documents, and where not.
//!
//! Both are walked together from the elements a document may begin with, each pair of declarations and each pair of types
//! once, so types that hold themselves end the walk. Names of types say nothing; what they ask does: content models are
//! compared as languages, simple types by what their facets come to. What is told apart although no document shows it,
//! because two things are written differently that cannot be computed, is told as a difference: "same" is certain.

mod alphabet;
mod children;
mod language;
mod model;
mod parts;
mod show;
mod side;
mod types;

use std::collections::{HashSet, VecDeque};

use super::components::{Components, ElementId, QName, TypeId};
use super::document::{Documents, SchemaLimits, load};
use super::{SchemaError, build, rules};
use side::Side;

/// Something that only one of two schemas accepts, or that they judge by different rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// From the root element: `/Order/Line/@unit`; `[xsi:type=Long]` where a type is named by the document.
    pub path: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// How it is in the first schema.
    pub first: String,
    /// How it is in the second.
    pub second: String,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DifferenceKind {
    /// A document may begin with the element in one of them only.
    Root,
    /// What may stand in the element: nothing, a value, elements, text.
    Content,
    /// The sequences of child elements.
    Children,
    /// How a wildcard looks at what it admits.
    Wildcard,
    /// An attribute is declared, or required, in one of them only.
    Attribute,
    /// The rules of a value: its type, a facet.
    Value,
    /// A default or fixed value.
    Default,
    /// `xsi:nil`.
    Nillable,
    /// The type may not be that of an element.
    Abstract,
    /// A type that `xsi:type` may name.
    Replacement,
    /// Keys, references to them, unique values.
    Constraint,
}

impl DifferenceKind {
    /// Its word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Content => "content",
            Self::Children => "children",
            Self::Wildcard => "wildcard",
            Self::Attribute => "attribute",
            Self::Value => "value",
            Self::Default => "default",
            Self::Nillable => "nillable",
            Self::Abstract => "abstract",
            Self::Replacement => "replacement",
            Self::Constraint => "constraint",
        }
    }
}

/// Tells where two schemas, each given by the names of its documents, differ; nothing where they accept the same.
///
/// The order is that of a walk from the root elements which takes near elements before far ones.
pub fn differences(
    first: &[&str],
    second: &[&str],
    documents: &dyn Documents,
    limits: &SchemaLimits,
) -> Result<Vec<Difference>, SchemaError> {
    let components = |roots: &[&str]| {
        let components = build::build(&load(roots, documents, limits)?, limits)?;
        rules::check(&components).map(|()| components)
    };
    Ok(compare(&components(first)?, &components(second)?))
}

fn compare(first: &Components, second: &Components) -> Vec<Difference> {
    let mut walk = Walk::new(first, second);
    walk.roots();
    while let Some(step) = walk.open.pop_front() {
        match step.pair {
            Pair::Elements(first, second) => walk.elements(first, second, &step.path),
            Pair::Types(first, second) => walk.types(first, second, &step.path),
        }
    }
    walk.found
}

struct Walk<'c> {
    first: Side<'c>,
    second: Side<'c>,
    seen: HashSet<Pair>,
    open: VecDeque<Step>,
    found: Vec<Difference>,
}

/// A pair to be compared.
struct Step {
    pair: Pair,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Pair {
    Elements(ElementId, ElementId),
    Types(TypeId, TypeId),
}

impl<'c> Walk<'c> {
    fn new(first: &'c Components, second: &'c Components) -> Self {
        let (first, second) = (Side::new(first), Side::new(second));
        Self { first, second, seen: HashSet::new(), open: VecDeque::new(), found: Vec::new() }
    }

    fn roots(&mut self) {
        let (first, second) = (self.first.roots(), self.second.roots());
        for name in first.union(&second) {
            let path = format!("/{name}");
            if let (Some(one), Some(other)) = (self.root(&self.first, name), self.root(&self.second, name)) {
                self.later(Pair::Elements(one, other), path);
            } else {
                let has = |has: bool| if has { "declared" } else { "not declared" };
                let (first, second) = (has(first.contains(name)), has(second.contains(name)));
                self.tell(&path, DifferenceKind::Root, first, second);
            }
        }
    }

    fn root(&self, side: &Side<'c>, name: &QName) -> Option<ElementId> {
        side.global(name).filter(|id| !side.components.element(*id).is_abstract)
    }

    /// Compares a pair later, if it was not compared before.
    fn later(&mut self, pair: Pair, path: String) {
        if self.seen.insert(pair) {
            self.open.push_back(Step { pair, path });
        }
    }

    fn tell(&mut self, path: &str, kind: DifferenceKind, first: impl Into<String>, second: impl Into<String>) {
        self.found.push(Difference { path: path.to_owned(), kind, first: first.into(), second: second.into() });
    }

    /// Tells of two descriptions when they differ.
    fn tell_unless_same(&mut self, path: &str, kind: DifferenceKind, first: String, second: String) {
        if first != second {
            self.tell(path, kind, first, second);
        }
    }
}
