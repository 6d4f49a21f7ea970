//! A compiled schema: flat tables that the validator walks by number.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::components::{Derivation, Derivations, Process};
use super::datatypes::{SimpleType, Value};
use crate::xml::{Namespace, XML_NAMESPACE};

/// The namespace of `xsi:nil` and `xsi:type`; the first one named to the tokenizer.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The number of [`XSI`].
pub(super) const XSI_NAMESPACE: Namespace = Namespace::known(0);
/// The namespace of XML Schema itself, the second one: built-in types can be named in `xsi:type`.
pub(super) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// An edge whose element needs no counting.
pub(super) const NO_SLOT: u16 = u16::MAX;
/// An edge that counts no groups.
pub(super) const NO_COUNTING: CountingId = CountingId::MAX;
/// Any number of times.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// The type of what has no declaration.
pub(super) const ANY_TYPE: TypeId = super::components::ANY_TYPE;

pub(super) type NameId = u32;
pub(super) type ElementId = u32;
pub(super) type TypeId = u32;
pub(super) type SimpleId = u32;
pub(super) type StateId = u32;
pub(super) type CountingId = u32;
pub(super) type WildcardId = u32;
pub(super) type ConstraintId = u32;

/// A compiled schema, to be shared by all who judge by it.
#[derive(Debug, Default)]
pub struct Schema {
    /// Namespaces in the order the tokenizer is told of them.
    pub(super) namespaces: Vec<String>,
    pub(super) names: Vec<Name>,
    pub(super) elements: Vec<Element>,
    pub(super) types: Vec<Type>,
    pub(super) simples: Vec<Arc<SimpleType>>,
    pub(super) states: Vec<State>,
    pub(super) edges: Vec<Edge>,
    pub(super) any_edges: Vec<AnyEdge>,
    pub(super) countings: Vec<Box<[Count]>>,
    pub(super) wildcards: Vec<Wildcard>,
    pub(super) constraints: Vec<Constraint>,
    /// Names by their local part.
    pub(super) name_ids: HashMap<Arc<[u8]>, Vec<(Namespace, NameId)>>,
    pub(super) global_elements: HashMap<NameId, ElementId>,
    pub(super) global_types: HashMap<NameId, TypeId>,
    /// As if each were used by a type.
    pub(super) global_attributes: HashMap<NameId, AttributeUse>,
    pub(super) notations: HashSet<NameId>,
}

/// A qualified name.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) namespace: Namespace,
    pub(super) local: Arc<[u8]>,
}

/// An element declaration.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) type_id: TypeId,
    pub(super) nillable: bool,
    pub(super) is_abstract: bool,
    /// What an empty element takes from the schema.
    pub(super) value: Option<Arc<Given>>,
    /// `{disallowed substitutions}`.
    pub(super) blocked: Derivations,
    pub(super) constraints: Box<[ConstraintId]>,
}

/// A value the schema gives: a default, or the only one there may be.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) is_fixed: bool,
    pub(super) text: Arc<str>,
    /// `None` where the text stands in mixed content.
    pub(super) value: Option<Value>,
    /// The prefixes in force where it stands.
    pub(super) prefixes: Vec<(String, String)>,
}

/// A type definition.
#[derive(Debug, Clone)]
pub(super) struct Type {
    /// `None` for anyType alone.
    pub(super) base: Option<TypeId>,
    pub(super) derivation: Derivation,
    pub(super) is_abstract: bool,
    /// `{prohibited substitutions}`.
    pub(super) blocked: Derivations,
    /// The member types of a union.
    pub(super) members: Box<[TypeId]>,
    pub(super) attributes: Vec<AttributeUse>,
    /// How many of the attributes must be there.
    pub(super) required: u32,
    /// An attribute of it gives a value where it is absent.
    pub(super) gives_attributes: bool,
    /// One of the attributes is an ID.
    pub(super) has_id: bool,
    pub(super) any_attribute: Option<WildcardId>,
    /// It is a simple type: even the attributes of complex ones are too many.
    pub(super) is_simple: bool,
    pub(super) content: Content,
    /// Child elements by name and in its order, for documents that keep no order.
    pub(super) children: Vec<Child>,
    /// The wildcards of the content, for the same.
    pub(super) wildcards: Vec<WildcardId>,
    /// How many counters an element needs: for groups that come a number of times, then for names that may repeat.
    pub(super) slots: u16,
    /// Those of them for groups.
    pub(super) groups: u16,
    /// The counters alone tell which way to go, and not always at once: all ways are followed.
    pub(super) many_ways: bool,
}

/// What may stand in an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Empty,
    Simple(SimpleId),
    Elements {
        start: StateId,
        mixed: bool,
    },
    /// Anything, as in anyType.
    Any,
}

/// A child element of a type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Child {
    pub(super) name: NameId,
    pub(super) element: ElementId,
    pub(super) slot: u16,
}

/// A state of a content model: what has been seen last.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) first_edge: u32,
    pub(super) edges: u32,
    pub(super) first_any: u32,
    pub(super) any_edges: u32,
    /// The content may end here.
    pub(super) accepting: bool,
    /// How often in a row the element seen last must and may come.
    pub(super) min: u32,
    pub(super) max: u32,
    /// What the groups must have come to, for the content to end here.
    pub(super) leaving: CountingId,
}

/// A step from one state to another: an element that may come.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) namespace: Namespace,
    pub(super) local: Arc<[u8]>,
    pub(super) name: NameId,
    pub(super) element: ElementId,
    pub(super) target: StateId,
    pub(super) slot: u16,
    /// The same particle once more: counts on, up to the state's maximum.
    pub(super) again: bool,
    /// What it asks of the counters of groups, and does to them; mostly [`NO_COUNTING`].
    pub(super) counting: CountingId,
}

/// A step by a wildcard, tried when no name fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnyEdge {
    pub(super) wildcard: WildcardId,
    pub(super) target: StateId,
    pub(super) again: bool,
    pub(super) counting: CountingId,
}

/// What a step asks of the counter of a group, and does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Count {
    /// The group is left: it must have come so often.
    Leave { slot: u16, least: u32 },
    /// It comes once more, and may not have come so often before. Counting beyond `enough` tells nothing.
    Again { slot: u16, most: u32, enough: u32 },
    /// It comes for the first time.
    Enter { slot: u16 },
}

/// A wildcard.
#[derive(Debug, Clone)]
pub(super) struct Wildcard {
    pub(super) namespaces: Admitted,
    pub(super) process: Process,
}

/// The namespaces a wildcard admits.
#[derive(Debug, Clone)]
pub(super) enum Admitted {
    Any,
    /// Neither this one nor none.
    Not(Namespace),
    These(Box<[Namespace]>),
}

/// An attribute of a type.
#[derive(Debug, Clone)]
pub(super) struct AttributeUse {
    pub(super) namespace: Namespace,
    pub(super) local: Arc<[u8]>,
    pub(super) simple: SimpleId,
    pub(super) required: bool,
    pub(super) is_id: bool,
    pub(super) value: Option<Arc<Given>>,
}

/// An identity constraint.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    /// Its name, as findings tell it.
    pub(super) shown: String,
    pub(super) sort: Sort,
    pub(super) selector: Vec<Path>,
    pub(super) fields: Vec<Vec<Path>>,
}

/// Which of the three an identity constraint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Unique,
    Key,
    /// With the key or unique it refers to.
    KeyRef(ConstraintId),
}

/// A path of an identity constraint.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// It may begin at any depth.
    pub(super) anywhere: bool,
    pub(super) steps: Vec<Test>,
    /// The attribute it ends at.
    pub(super) attribute: Option<Test>,
}

/// A test of a name.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Any,
    Namespace(Namespace),
    Name(Namespace, Arc<[u8]>),
}

impl Schema {
    /// The number of a name, if the schema has it.
    pub(super) fn name_id(&self, namespace: Namespace, local: &[u8]) -> Option<NameId> {
        // A namespace not named beforehand is in no schema.
        let alike = self.name_ids.get(local)?;
        alike.iter().find(|(known, _)| *known == namespace).map(|(_, name)| *name)
    }

    pub(super) fn local_name(&self, name: NameId) -> &[u8] {
        self.names.get(name as usize).map_or(b"", |name| &name.local)
    }

    #[inline]
    pub(super) fn edges_of(&self, state: StateId) -> (&[Edge], Option<&State>) {
        let Some(state) = self.states.get(state as usize) else { return (&[], None) };
        let first = state.first_edge as usize;
        (self.edges.get(first..first + state.edges as usize).unwrap_or_default(), Some(state))
    }

    pub(super) fn any_edges_of(&self, state: &State) -> &[AnyEdge] {
        let first = state.first_any as usize;
        self.any_edges.get(first..first + state.any_edges as usize).unwrap_or_default()
    }

    pub(super) fn counting(&self, id: CountingId) -> &[Count] {
        self.countings.get(id as usize).map_or(&[], |counts| counts)
    }

    pub(super) fn element(&self, id: ElementId) -> Option<&Element> {
        self.elements.get(id as usize)
    }

    pub(super) fn type_of(&self, id: TypeId) -> Option<&Type> {
        self.types.get(id as usize)
    }

    pub(super) fn simple(&self, id: SimpleId) -> Option<&Arc<SimpleType>> {
        self.simples.get(id as usize)
    }

    pub(super) fn wildcard(&self, id: WildcardId) -> Option<&Wildcard> {
        self.wildcards.get(id as usize)
    }

    pub(super) fn constraint(&self, id: ConstraintId) -> Option<&Constraint> {
        self.constraints.get(id as usize)
    }

    /// Tells whether a type derives from another without the ways of `blocked`, or from a member of it if it is a union.
    pub(super) fn derives(&self, derived: TypeId, base: TypeId, blocked: Derivations) -> bool {
        let mut bases = vec![base];
        let mut seen = HashSet::new();
        while let Some(base) = bases.pop() {
            if seen.insert(base) {
                if self.derives_straight(derived, base, blocked) {
                    return true;
                }
                // To stand in for a union as one of its members is a restriction.
                let members = self.type_of(base).filter(|_| !blocked.restriction).map(|found| &found.members[..]);
                bases.extend(members.unwrap_or_default());
            }
        }
        false
    }

    fn derives_straight(&self, derived: TypeId, base: TypeId, blocked: Derivations) -> bool {
        let mut at = derived;
        while at != base {
            let Some(Type { base: Some(above), derivation, .. }) = self.type_of(at) else { return false };
            let is_blocked = match derivation {
                Derivation::Extension => blocked.extension,
                Derivation::Restriction => blocked.restriction,
            };
            if is_blocked {
                return false;
            }
            at = *above;
        }
        true
    }
}

impl Wildcard {
    pub(super) fn admits(&self, namespace: Namespace) -> bool {
        match &self.namespaces {
            Admitted::Any => true,
            Admitted::Not(excepted) => namespace != Namespace::NONE && namespace != *excepted,
            Admitted::These(these) => these.contains(&namespace),
        }
    }

    /// Tells whether some name is admitted by both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (&self.namespaces, &other.namespaces) {
            (Admitted::These(these), _) => these.iter().any(|namespace| other.admits(*namespace)),
            (_, Admitted::These(these)) => these.iter().any(|namespace| self.admits(*namespace)),
            // There are always more namespaces than those named.
            _ => true,
        }
    }
}

impl Test {
    pub(super) fn fits(&self, namespace: Namespace, local: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Namespace(known) => *known == namespace,
            Self::Name(known, name) => *known == namespace && **name == *local,
        }
    }
}

/// The namespace of a prefix among declarations, the innermost of which is the last; the empty prefix is the default.
pub(super) fn bound<'a>(declarations: &'a [(String, String)], prefix: &str) -> Option<Cow<'a, str>> {
    if prefix == "xml" {
        return Some(Cow::Borrowed(XML_NAMESPACE));
    }
    let found = declarations.iter().rev().find(|(known, _)| known == prefix);
    found.map(|(_, uri)| uri.as_str()).or(prefix.is_empty().then_some("")).map(Cow::Borrowed)
}
