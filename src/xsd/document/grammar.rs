//! The language of schema documents as a table: which attributes an element has, and which children in which order.
//!
//! What the recommendation says in its schema for schemas (part 1, appendix A). Where an element means different things
//! in different places, it has a [`Kind`] for each.

use super::forms::Form;

/// An element of a schema document in one of its meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Schema,
    Include,
    Import,
    Redefine,
    Annotation,
    /// appinfo.
    AppInfo,
    Documentation,
    Notation,
    GlobalElement,
    LocalElement,
    /// An element in an `all`.
    ElementOfAll,
    GlobalAttribute,
    LocalAttribute,
    GlobalComplexType,
    LocalComplexType,
    SimpleContent,
    ComplexContent,
    SimpleExtension,
    SimpleContentRestriction,
    ComplexExtension,
    ComplexRestriction,
    GlobalGroup,
    GroupReference,
    GlobalAttributeGroup,
    AttributeGroupReference,
    AnyAttribute,
    Any,
    All,
    Choice,
    Sequence,
    /// An `all`, `choice` or `sequence` that is the model of a group by name; it occurs once.
    AllOfGroup,
    ModelOfGroup,
    Key,
    KeyReference,
    Selector,
    Field,
    GlobalSimpleType,
    LocalSimpleType,
    SimpleRestriction,
    List,
    Union,
    /// A facet whose value is of the type restricted.
    ValueFacet,
    /// `pattern` and `enumeration`, which cannot be fixed.
    ListedFacet,
    CountFacet,
    TotalDigits,
    WhiteSpace,
}

/// One attribute of an element.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) is_required: bool,
}

/// A place among the children of an element.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) members: &'static [(&'static str, Kind)],
    pub(super) min: u8,
    /// As many as there are, or one.
    pub(super) is_many: bool,
    /// Nothing may follow what stands here.
    pub(super) is_last: bool,
}

const fn attribute(name: &'static str, form: Form) -> Attribute {
    Attribute { name, form, is_required: false }
}

const fn required(name: &'static str, form: Form) -> Attribute {
    Attribute { name, form, is_required: true }
}

const fn optional(members: &'static [(&'static str, Kind)]) -> Slot {
    Slot { members, min: 0, is_many: false, is_last: false }
}

const fn one(members: &'static [(&'static str, Kind)]) -> Slot {
    Slot { members, min: 1, is_many: false, is_last: false }
}

const fn many(members: &'static [(&'static str, Kind)]) -> Slot {
    Slot { members, min: 0, is_many: true, is_last: false }
}

const NAME: Attribute = required("name", Form::NcName);
const REF: Attribute = required("ref", Form::QName);
const ID: Attribute = attribute("id", Form::Id);
const VALUE: &str = "value";
const MIN: Attribute = attribute("minOccurs", Form::Count);
const MAX: Attribute = attribute("maxOccurs", Form::CountOrUnbounded);

const ANNOTATION: Slot = optional(&[("annotation", Kind::Annotation)]);
const SIMPLE_TYPE: (&str, Kind) = ("simpleType", Kind::LocalSimpleType);
const ATTRIBUTES: Slot =
    many(&[("attribute", Kind::LocalAttribute), ("attributeGroup", Kind::AttributeGroupReference)]);
const ANY_ATTRIBUTE: Slot = optional(&[("anyAttribute", Kind::AnyAttribute)]);
const MODEL: Slot = optional(&[
    ("group", Kind::GroupReference),
    ("all", Kind::All),
    ("choice", Kind::Choice),
    ("sequence", Kind::Sequence),
]);
const PARTICLES: Slot = many(&[
    ("element", Kind::LocalElement),
    ("group", Kind::GroupReference),
    ("choice", Kind::Choice),
    ("sequence", Kind::Sequence),
    ("any", Kind::Any),
]);
const FACETS: Slot = many(&[
    ("minExclusive", Kind::ValueFacet),
    ("minInclusive", Kind::ValueFacet),
    ("maxExclusive", Kind::ValueFacet),
    ("maxInclusive", Kind::ValueFacet),
    ("totalDigits", Kind::TotalDigits),
    ("fractionDigits", Kind::CountFacet),
    ("length", Kind::CountFacet),
    ("minLength", Kind::CountFacet),
    ("maxLength", Kind::CountFacet),
    ("enumeration", Kind::ListedFacet),
    ("whiteSpace", Kind::WhiteSpace),
    ("pattern", Kind::ListedFacet),
]);
const DEFINITIONS: &[(&str, Kind)] = &[
    ("annotation", Kind::Annotation),
    ("simpleType", Kind::GlobalSimpleType),
    ("complexType", Kind::GlobalComplexType),
    ("group", Kind::GlobalGroup),
    ("attributeGroup", Kind::GlobalAttributeGroup),
];
const ELEMENT: &[Slot] = &[
    ANNOTATION,
    optional(&[SIMPLE_TYPE, ("complexType", Kind::LocalComplexType)]),
    many(&[("unique", Kind::Key), ("key", Kind::Key), ("keyref", Kind::KeyReference)]),
];

impl Kind {
    /// The attributes it may have, beside those of other namespaces.
    pub(super) const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Schema => SCHEMA_ATTRIBUTES,
            Self::Include | Self::Redefine => const { &[required("schemaLocation", Form::Uri), ID] },
            Self::Import => const { &[attribute("namespace", Form::Uri), attribute("schemaLocation", Form::Uri), ID] },
            Self::Annotation | Self::SimpleContent | Self::LocalSimpleType => const { &[ID] },
            Self::AppInfo | Self::Documentation => const { &[attribute("source", Form::Uri)] },
            Self::Notation => const { &[NAME, attribute("public", Form::Text), attribute("system", Form::Uri), ID] },
            Self::GlobalElement => GLOBAL_ELEMENT_ATTRIBUTES,
            Self::LocalElement => LOCAL_ELEMENT_ATTRIBUTES,
            Self::ElementOfAll => ALL_ELEMENT_ATTRIBUTES,
            Self::GlobalAttribute => {
                const {
                    &[
                        NAME,
                        attribute("type", Form::QName),
                        attribute("default", Form::Text),
                        attribute("fixed", Form::Text),
                        ID,
                    ]
                }
            }
            Self::LocalAttribute => LOCAL_ATTRIBUTE_ATTRIBUTES,
            Self::GlobalComplexType => COMPLEX_TYPE_ATTRIBUTES,
            Self::LocalComplexType | Self::ComplexContent => const { &[attribute("mixed", Form::Boolean), ID] },
            Self::SimpleExtension
            | Self::SimpleContentRestriction
            | Self::ComplexExtension
            | Self::ComplexRestriction => const { &[required("base", Form::QName), ID] },
            Self::GlobalGroup | Self::GlobalAttributeGroup => const { &[NAME, ID] },
            Self::GroupReference => const { &[REF, MIN, MAX, ID] },
            Self::AttributeGroupReference => const { &[REF, ID] },
            Self::AnyAttribute => {
                const { &[attribute("namespace", Form::Namespaces), attribute("processContents", Form::Process), ID] }
            }
            Self::Any => {
                const {
                    &[
                        attribute("namespace", Form::Namespaces),
                        attribute("processContents", Form::Process),
                        MIN,
                        MAX,
                        ID,
                    ]
                }
            }
            Self::All => const { &[attribute("minOccurs", Form::ZeroOrOne), attribute("maxOccurs", Form::One), ID] },
            Self::Choice | Self::Sequence => const { &[MIN, MAX, ID] },
            Self::AllOfGroup | Self::ModelOfGroup => const { &[ID] },
            Self::Key => const { &[NAME, ID] },
            Self::KeyReference => const { &[NAME, required("refer", Form::QName), ID] },
            Self::Selector | Self::Field => const { &[required("xpath", Form::Text), ID] },
            Self::GlobalSimpleType => const { &[NAME, attribute("final", Form::SimpleFinal), ID] },
            Self::Union => const { &[attribute("memberTypes", Form::QNames), ID] },
            Self::SimpleRestriction => const { &[attribute("base", Form::QName), ID] },
            Self::List => const { &[attribute("itemType", Form::QName), ID] },
            Self::ValueFacet => const { &[required(VALUE, Form::Text), attribute("fixed", Form::Boolean), ID] },
            Self::ListedFacet => const { &[required(VALUE, Form::Text), ID] },
            Self::CountFacet => const { &[required(VALUE, Form::Count), attribute("fixed", Form::Boolean), ID] },
            Self::TotalDigits => const { &[required(VALUE, Form::Positive), attribute("fixed", Form::Boolean), ID] },
            Self::WhiteSpace => const { &[required(VALUE, Form::WhiteSpace), attribute("fixed", Form::Boolean), ID] },
        }
    }

    /// What may stand in it, in this order.
    pub(super) const fn content(self) -> &'static [Slot] {
        match self {
            Self::Schema => SCHEMA,
            Self::Redefine => const { &[many(DEFINITIONS)] },
            Self::Annotation => {
                const { &[many(&[("appinfo", Kind::AppInfo), ("documentation", Kind::Documentation)])] }
            }
            Self::AppInfo | Self::Documentation => const { &[] },
            Self::GlobalElement | Self::LocalElement | Self::ElementOfAll => ELEMENT,
            Self::GlobalAttribute | Self::LocalAttribute => const { &[ANNOTATION, optional(&[SIMPLE_TYPE])] },
            Self::GlobalComplexType | Self::LocalComplexType => COMPLEX_TYPE,
            Self::SimpleContent => {
                const {
                    &[
                        ANNOTATION,
                        one(&[("restriction", Kind::SimpleContentRestriction), ("extension", Kind::SimpleExtension)]),
                    ]
                }
            }
            Self::ComplexContent => {
                const {
                    &[
                        ANNOTATION,
                        one(&[("restriction", Kind::ComplexRestriction), ("extension", Kind::ComplexExtension)]),
                    ]
                }
            }
            Self::SimpleExtension | Self::GlobalAttributeGroup => const { &[ANNOTATION, ATTRIBUTES, ANY_ATTRIBUTE] },
            Self::SimpleContentRestriction => {
                const { &[ANNOTATION, optional(&[SIMPLE_TYPE]), FACETS, ATTRIBUTES, ANY_ATTRIBUTE] }
            }
            Self::ComplexExtension | Self::ComplexRestriction => {
                const { &[ANNOTATION, MODEL, ATTRIBUTES, ANY_ATTRIBUTE] }
            }
            Self::GlobalGroup => {
                const {
                    &[
                        ANNOTATION,
                        one(&[
                            ("all", Kind::AllOfGroup),
                            ("choice", Kind::ModelOfGroup),
                            ("sequence", Kind::ModelOfGroup),
                        ]),
                    ]
                }
            }
            Self::All | Self::AllOfGroup => const { &[ANNOTATION, many(&[("element", Kind::ElementOfAll)])] },
            Self::Choice | Self::Sequence | Self::ModelOfGroup => const { &[ANNOTATION, PARTICLES] },
            Self::Key | Self::KeyReference => KEY,
            Self::GlobalSimpleType | Self::LocalSimpleType => {
                const {
                    &[
                        ANNOTATION,
                        one(&[("restriction", Kind::SimpleRestriction), ("list", Kind::List), ("union", Kind::Union)]),
                    ]
                }
            }
            Self::SimpleRestriction => const { &[ANNOTATION, optional(&[SIMPLE_TYPE]), FACETS] },
            Self::List => const { &[ANNOTATION, optional(&[SIMPLE_TYPE])] },
            Self::Union => const { &[ANNOTATION, many(&[SIMPLE_TYPE])] },
            Self::Include
            | Self::Import
            | Self::Notation
            | Self::GroupReference
            | Self::AttributeGroupReference
            | Self::AnyAttribute
            | Self::Any
            | Self::Selector
            | Self::Field
            | Self::ValueFacet
            | Self::ListedFacet
            | Self::CountFacet
            | Self::TotalDigits
            | Self::WhiteSpace => const { &[ANNOTATION] },
        }
    }
}

const SCHEMA: &[Slot] = &[
    many(&[
        ("include", Kind::Include),
        ("import", Kind::Import),
        ("redefine", Kind::Redefine),
        ("annotation", Kind::Annotation),
    ]),
    many(&[
        ("simpleType", Kind::GlobalSimpleType),
        ("complexType", Kind::GlobalComplexType),
        ("group", Kind::GlobalGroup),
        ("attributeGroup", Kind::GlobalAttributeGroup),
        ("element", Kind::GlobalElement),
        ("attribute", Kind::GlobalAttribute),
        ("notation", Kind::Notation),
        ("annotation", Kind::Annotation),
    ]),
];

const COMPLEX_TYPE: &[Slot] = &[
    ANNOTATION,
    Slot {
        members: &[("simpleContent", Kind::SimpleContent), ("complexContent", Kind::ComplexContent)],
        min: 0,
        is_many: false,
        is_last: true,
    },
    MODEL,
    ATTRIBUTES,
    ANY_ATTRIBUTE,
];

const KEY: &[Slot] = &[
    ANNOTATION,
    one(&[("selector", Kind::Selector)]),
    Slot { members: &[("field", Kind::Field)], min: 1, is_many: true, is_last: false },
];

const SCHEMA_ATTRIBUTES: &[Attribute] = &[
    attribute("targetNamespace", Form::Uri),
    attribute("version", Form::Text),
    attribute("finalDefault", Form::FinalDefault),
    attribute("blockDefault", Form::Block),
    attribute("attributeFormDefault", Form::Qualification),
    attribute("elementFormDefault", Form::Qualification),
    ID,
];

const GLOBAL_ELEMENT_ATTRIBUTES: &[Attribute] = &[
    NAME,
    attribute("type", Form::QName),
    attribute("substitutionGroup", Form::QName),
    attribute("default", Form::Text),
    attribute("fixed", Form::Text),
    attribute("nillable", Form::Boolean),
    attribute("abstract", Form::Boolean),
    attribute("final", Form::Derivations),
    attribute("block", Form::Block),
    ID,
];

const LOCAL_ELEMENT_ATTRIBUTES: &[Attribute] = &[
    attribute("name", Form::NcName),
    attribute("ref", Form::QName),
    attribute("type", Form::QName),
    MIN,
    MAX,
    attribute("default", Form::Text),
    attribute("fixed", Form::Text),
    attribute("nillable", Form::Boolean),
    attribute("block", Form::Block),
    attribute("form", Form::Qualification),
    ID,
];

const ALL_ELEMENT_ATTRIBUTES: &[Attribute] = &[
    attribute("name", Form::NcName),
    attribute("ref", Form::QName),
    attribute("type", Form::QName),
    attribute("minOccurs", Form::ZeroOrOne),
    attribute("maxOccurs", Form::ZeroOrOne),
    attribute("default", Form::Text),
    attribute("fixed", Form::Text),
    attribute("nillable", Form::Boolean),
    attribute("block", Form::Block),
    attribute("form", Form::Qualification),
    ID,
];

const LOCAL_ATTRIBUTE_ATTRIBUTES: &[Attribute] = &[
    attribute("name", Form::NcName),
    attribute("ref", Form::QName),
    attribute("type", Form::QName),
    attribute("use", Form::Use),
    attribute("default", Form::Text),
    attribute("fixed", Form::Text),
    attribute("form", Form::Qualification),
    ID,
];

const COMPLEX_TYPE_ATTRIBUTES: &[Attribute] = &[
    NAME,
    attribute("mixed", Form::Boolean),
    attribute("abstract", Form::Boolean),
    attribute("final", Form::Derivations),
    attribute("block", Form::Derivations),
    ID,
];
