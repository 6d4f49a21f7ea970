//! Schema documents: reading them, judging them by the language they are written in, and finding those they name.
//!
//! [`load()`] begins with the roots and follows `include`, `import` and `redefine`; what it returns is every document of
//! the schema as a tree whose elements and attributes stand where they may. Names are not resolved here: that is
//! `build`. Nothing is opened but through [`Documents`], and nothing beyond [`SchemaLimits`].

mod check;
mod files;
mod forms;
mod given;
mod grammar;
mod load;
mod tree;

pub use files::Files;
pub(super) use forms::{count, words};
pub(super) use given::Given;
pub(super) use load::{Document, LeftOut, load, load_without};
pub(super) use tree::{Bindings, Node, Tree, namespace};

pub(super) use crate::xsd::tables::XSD;

use std::io;

use crate::xml;

/// Where schema documents come from.
pub trait Documents {
    /// Names the document at a location that the document `base` gives.
    ///
    /// One document must have one name, whatever way leads to it: it is by their names that documents are told apart.
    fn resolve(&self, base: &str, location: &str) -> String;

    /// Reads a document; `None` where there is none. Of one longer than `most` bytes, some more than that will do.
    fn read(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>>;
}

/// What a schema may ask of us; beyond it is [`SchemaError::TooLarge`](super::SchemaError::TooLarge).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaLimits {
    /// Documents, counted once for each namespace they are included into.
    pub documents: usize,
    /// Bytes of one document.
    pub document_bytes: usize,
    /// Bytes of all documents together.
    pub bytes: usize,
    /// Elements open at once in a document.
    pub depth: usize,
    /// Types derived from each other in a row, and model groups within each other, those by name followed.
    pub nesting: usize,
    /// Attributes of all types and attribute groups, counted as often as they are inherited.
    pub attributes: usize,
}

impl SchemaLimits {
    /// Those of reading one document.
    pub(super) fn of_xml(&self) -> xml::Limits {
        let bytes = self.document_bytes;
        xml::Limits { depth: self.depth, attribute_bytes: bytes, tag_bytes: bytes, ..xml::Limits::default() }
    }
}

impl Default for SchemaLimits {
    fn default() -> Self {
        Self {
            documents: 1_000,
            document_bytes: 32 << 20,
            bytes: 128 << 20,
            depth: 256,
            nesting: 400,
            attributes: 1_000_000,
        }
    }
}
