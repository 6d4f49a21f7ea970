//! The components of a schema (XSD 1.0 part 1, sections 2.2 and 3): what its documents define, names resolved, before
//! it is compiled.
//!
//! Pure data. `build` makes it from documents, `rules` judges it by the constraints on schema components, `compile` turns
//! it into tables. Components are numbered; the numbers of types and elements are those of the tables too.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::datatypes::SimpleType;
use super::error::Place;

pub(super) type TypeId = u32;
pub(super) type ElementId = u32;
pub(super) type AttributeId = u32;
pub(super) type GroupId = u32;
pub(super) type ConstraintId = u32;

/// The type every other derives from; always the first.
pub(super) const ANY_TYPE: TypeId = 0;
/// The type every simple one derives from; always the second.
pub(super) const ANY_SIMPLE_TYPE: TypeId = 1;

/// A qualified name; an empty namespace is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct QName {
    pub(super) namespace: Arc<str>,
    pub(super) local: Arc<str>,
}

/// All components of a schema.
#[derive(Debug, Default)]
pub(super) struct Components {
    /// [`ANY_TYPE`], [`ANY_SIMPLE_TYPE`], the other built-in types, then those of the documents, nameless ones included.
    pub(super) types: Vec<TypeDefinition>,
    /// Global and local ones.
    pub(super) elements: Vec<ElementDeclaration>,
    /// Global and local ones.
    pub(super) attributes: Vec<AttributeDeclaration>,
    pub(super) groups: Vec<GroupDefinition>,
    pub(super) constraints: Vec<IdentityConstraint>,
    pub(super) global_types: HashMap<QName, TypeId>,
    pub(super) global_elements: HashMap<QName, ElementId>,
    pub(super) global_attributes: HashMap<QName, AttributeId>,
    pub(super) global_groups: HashMap<QName, GroupId>,
    pub(super) global_attribute_groups: HashMap<QName, AttributeGroup>,
    pub(super) notations: HashMap<QName, Place>,
    /// Groups that redefine others without naming them, and so must restrict them (src-redefine.6.2.2).
    pub(super) redefined_groups: Vec<Redefined<ModelGroup>>,
    /// The same for attribute groups (src-redefine.7.2.2).
    pub(super) redefined_attribute_groups: Vec<Redefined<AttributeGroup>>,
}

/// Something redefined, with what it was.
#[derive(Debug)]
pub(super) struct Redefined<T> {
    pub(super) at: Place,
    pub(super) new: T,
    pub(super) old: T,
}

/// A type, simple or complex.
#[derive(Debug)]
pub(super) enum TypeDefinition {
    Simple(SimpleDefinition),
    Complex(ComplexDefinition),
}

/// A simple type definition (section 3.14.1); its values and facets are the affair of [`SimpleType`].
#[derive(Debug)]
pub(super) struct SimpleDefinition {
    /// `None` for a nameless one.
    pub(super) name: Option<QName>,
    /// `None` for a built-in one.
    pub(super) at: Option<Place>,
    pub(super) base: TypeId,
    /// The item type of a list, the member types of a union.
    pub(super) parts: Vec<TypeId>,
    pub(super) finals: Derivations,
    pub(super) simple: Arc<SimpleType>,
}

/// A complex type definition (section 3.4.1).
#[derive(Debug)]
pub(super) struct ComplexDefinition {
    /// `None` for a nameless one.
    pub(super) name: Option<QName>,
    /// `None` for anyType.
    pub(super) at: Option<Place>,
    pub(super) base: TypeId,
    pub(super) derivation: Derivation,
    pub(super) is_abstract: bool,
    /// `{final}`: how no further type may be derived.
    pub(super) finals: Derivations,
    /// `{prohibited substitutions}`: which derived types may not stand in for it.
    pub(super) blocked: Derivations,
    /// Those of its groups and of its base included, in that order; none is prohibited.
    pub(super) attributes: Vec<AttributeUse>,
    pub(super) any_attribute: Option<Wildcard>,
    pub(super) content: ContentType,
}

/// `{content type}`, of an extension with that of its base before it.
#[derive(Debug, Clone)]
pub(super) enum ContentType {
    Empty,
    Simple(TypeId),
    /// `mixed` for text between the elements.
    Elements {
        particle: Particle,
        mixed: bool,
    },
}

/// How a type is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Derivation {
    Extension,
    Restriction,
}

/// A set of ways to derive, as `final` and `block` name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Derivations {
    pub(super) extension: bool,
    pub(super) restriction: bool,
    /// Of `block` only.
    pub(super) substitution: bool,
    /// Of `final` of simple types only.
    pub(super) list: bool,
    /// Of `final` of simple types only.
    pub(super) union: bool,
}

/// An attribute in a complex type (section 3.5.1).
#[derive(Debug, Clone)]
pub(super) struct AttributeUse {
    pub(super) attribute: AttributeId,
    pub(super) required: bool,
    /// The use's own; where it is `None`, the declaration's counts.
    pub(super) value: Option<ValueConstraint>,
}

/// An attribute declaration (section 3.2.1).
#[derive(Debug)]
pub(super) struct AttributeDeclaration {
    pub(super) name: QName,
    pub(super) at: Place,
    pub(super) is_global: bool,
    /// A simple type.
    pub(super) type_id: TypeId,
    pub(super) value: Option<ValueConstraint>,
}

/// What attributes an attribute group brings (section 3.6.1).
#[derive(Debug, Clone, Default)]
pub(super) struct AttributeGroup {
    pub(super) attributes: Vec<AttributeUse>,
    pub(super) any_attribute: Option<Wildcard>,
}

/// An element declaration (section 3.3.1).
#[derive(Debug)]
pub(super) struct ElementDeclaration {
    pub(super) name: QName,
    pub(super) at: Place,
    pub(super) is_global: bool,
    pub(super) type_id: TypeId,
    pub(super) nillable: bool,
    pub(super) is_abstract: bool,
    pub(super) value: Option<ValueConstraint>,
    /// The head of its substitution group.
    pub(super) substitutes: Option<ElementId>,
    /// `{substitution group exclusions}`.
    pub(super) finals: Derivations,
    /// `{disallowed substitutions}`.
    pub(super) blocked: Derivations,
    pub(super) constraints: Vec<ConstraintId>,
}

/// A default or fixed value.
#[derive(Debug, Clone)]
pub(super) struct ValueConstraint {
    pub(super) is_fixed: bool,
    /// As the schema writes it, white space as it is.
    pub(super) text: Arc<str>,
    /// Prefixes in force where it stands, for values that are qualified names.
    pub(super) bindings: super::document::Bindings,
}

/// A named model group (section 3.7.1).
#[derive(Debug)]
pub(super) struct GroupDefinition {
    pub(super) at: Place,
    pub(super) group: ModelGroup,
}

/// A particle (section 3.9.1).
#[derive(Debug, Clone)]
pub(super) struct Particle {
    pub(super) min: u32,
    /// `None` is unbounded.
    pub(super) max: Option<u32>,
    pub(super) term: Term,
    pub(super) at: Place,
}

/// What a particle is about.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Element(ElementId),
    Any(Wildcard),
    Group(ModelGroup),
}

/// A model group (section 3.8.1); shared, since groups by name stand in many places.
#[derive(Debug, Clone)]
pub(super) struct ModelGroup {
    pub(super) compositor: Compositor,
    pub(super) particles: Arc<[Particle]>,
}

/// How the particles of a group stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compositor {
    Sequence,
    Choice,
    All,
}

/// A wildcard (section 3.10.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    pub(super) namespaces: Namespaces,
    pub(super) process: Process,
}

/// `{namespace constraint}`; an empty name stands for no namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Namespaces {
    Any,
    /// Any but this one, and not none either; `Not("")` is any but none.
    Not(Arc<str>),
    These(BTreeSet<Arc<str>>),
}

/// `{process contents}`, from the least to the most strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Process {
    Skip,
    Lax,
    Strict,
}

/// An identity constraint (section 3.11.1).
#[derive(Debug)]
pub(super) struct IdentityConstraint {
    pub(super) name: QName,
    pub(super) at: Place,
    pub(super) kind: IdentityKind,
    /// The alternatives of the selector.
    pub(super) selector: Vec<Path>,
    /// The fields, each with its alternatives.
    pub(super) fields: Vec<Vec<Path>>,
}

/// Which of the three it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentityKind {
    Unique,
    Key,
    /// With the key or unique it refers to.
    KeyRef(ConstraintId),
}

/// One path of the XPath subset (section 3.11.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// It begins with `.//`.
    pub(super) anywhere: bool,
    /// Child steps; `.` is no step.
    pub(super) steps: Vec<NameTest>,
    /// The attribute it ends at; fields only.
    pub(super) attribute: Option<NameTest>,
}

/// A test of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameTest {
    Any,
    InNamespace(Arc<str>),
    Name(QName),
}

impl QName {
    pub(super) fn new(namespace: &str, local: &str) -> Self {
        Self { namespace: namespace.into(), local: local.into() }
    }
}

impl fmt::Display for QName {
    /// As findings name it: `{namespace}local`, or the local name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.is_empty() {
            true => write!(f, "{}", self.local),
            false => write!(f, "{{{}}}{}", self.namespace, self.local),
        }
    }
}

impl Components {
    pub(super) fn type_of(&self, id: TypeId) -> &TypeDefinition {
        self.types.get(id as usize).expect("types are numbered by this schema")
    }

    pub(super) fn element(&self, id: ElementId) -> &ElementDeclaration {
        self.elements.get(id as usize).expect("elements are numbered by this schema")
    }

    pub(super) fn attribute(&self, id: AttributeId) -> &AttributeDeclaration {
        self.attributes.get(id as usize).expect("attributes are numbered by this schema")
    }

    pub(super) fn constraint(&self, id: ConstraintId) -> &IdentityConstraint {
        self.constraints.get(id as usize).expect("identity constraints are numbered by this schema")
    }
}

impl TypeDefinition {
    pub(super) fn base(&self) -> TypeId {
        match self {
            Self::Simple(simple) => simple.base,
            Self::Complex(complex) => complex.base,
        }
    }

    pub(super) fn name(&self) -> Option<&QName> {
        match self {
            Self::Simple(simple) => simple.name.as_ref(),
            Self::Complex(complex) => complex.name.as_ref(),
        }
    }
}

impl Namespaces {
    /// Tells whether a namespace is among them; the empty one is none.
    pub(super) fn admit(&self, namespace: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Not(excepted) => !namespace.is_empty() && namespace != &**excepted,
            Self::These(names) => names.contains(namespace),
        }
    }
}
