//! Simple types: variety, white space, facets, and the values of texts (XSD 1.0 part 2, section 4.1).

use std::sync::Arc;

use super::Space;

/// A simple type that needs nothing beside itself to judge a text.
#[derive(Debug)]
pub(in crate::xsd) struct SimpleType {
    pub(in crate::xsd) label: Arc<str>,
    pub(in crate::xsd) base: Option<Arc<SimpleType>>,
    pub(in crate::xsd) variety: Variety,
    pub(in crate::xsd) space: Space,
}

/// What a simple type's values are made of.
#[derive(Debug)]
pub(in crate::xsd) enum Variety {
    /// anySimpleType.
    Any,
    Atomic,
    List(Arc<SimpleType>),
    Union(Vec<Arc<SimpleType>>),
}
