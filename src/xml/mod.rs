//! The push tokenizer: well-formedness, namespaces, encodings, limits.
//!
//! Bytes are fed in pieces of any size; a [`Sink`] hears of tags and text. How the bytes are cut never changes what it
//! hears, but for the cutting of text. Memory is bounded by [`Limits`] and the depth of nesting: a token is copied only
//! when a piece ends inside it, and text is never held, so it has no limit. Nothing here recurses, resolves entities or
//! opens anything; a DOCTYPE is refused. No input within the limits costs more than its length. The first fault is the
//! last thing said of a document.
//!
//! ```
//! use sluse::xml::{Limits, Locator, Scope, Sink, Tag, Tokenizer};
//!
//! #[derive(Default)]
//! struct Outline(Vec<String>);
//!
//! impl Sink for Outline {
//!     fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
//!         let at = locator.position(tag.offset);
//!         self.0.push(format!("{} in line {}", String::from_utf8_lossy(tag.local), at.line));
//!     }
//!     fn end(&mut self, _from: u64, _to: u64, _scope: &Scope, _locator: &mut Locator<'_>) {}
//!     fn text(&mut self, _raw: &[u8], _offset: u64, _locator: &mut Locator<'_>) {}
//!     fn character(&mut self, _c: char, _offset: u64, _locator: &mut Locator<'_>) {}
//! }
//!
//! let mut tokenizer = Tokenizer::new(Limits::default(), &["urn:order"]);
//! let mut outline = Outline::default();
//! for piece in [&b"<?xml version='1.0' encoding='ISO-8859-1'?>\n<ordre xm"[..], b"lns='urn:order'>\n <b\xE5t/></ordre>"] {
//!     tokenizer.feed(piece, &mut outline)?;
//! }
//! tokenizer.finish(&mut outline)?;
//! assert_eq!(outline.0, ["ordre in line 2", "båt in line 3"]);
//!
//! // A fault has a kind, a place in the sender's file, and a text that names no value.
//! let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
//! let fault = tokenizer.feed(b"<a><b></a>", &mut outline).unwrap_err();
//! assert_eq!(fault.to_string(), "expected the end of b, found the end of a (line 1, column 7)");
//! # Ok::<(), Box<sluse::xml::Fault>>(())
//! ```
//!
//! # What of the recommendations is here
//!
//! Extensible Markup Language 1.0 (fifth edition), as a processor that does not validate:
//!
//! - 2.1–2.8 documents, characters, names, text, comments, instructions, CDATA sections, the declaration; any version 1.x
//!   is read as 1.0 (2.8). A document type declaration is [`FaultKind::Dtd`], which the recommendation would have read.
//! - 2.11 line ends: text is given as written, and [`LineEnds`] makes of it what it means.
//! - 3.1, 3.3.3 tags and attributes; values are given normalized.
//! - 4.1, 4.6 references to characters and the five predefined entities; there are no others without a DTD.
//! - 4.3.3, appendix F encodings: UTF-8, UTF-16, ISO-8859-1, ISO-8859-15, windows-1252, US-ASCII. The first bytes tell the
//!   family and the declaration the rest; one that contradicts the bytes is [`FaultKind::EncodingContradicted`]. UTF-16
//!   with neither mark nor declaration is read as if it had been agreed.
//!
//! Namespaces in XML 1.0 (third edition): all of it; names of namespaces are compared by their characters, and their form
//! as URI references is not looked at.
//!
//! # Places
//!
//! What is read is UTF-8, and offsets inside this room count its bytes. For a document in UTF-8 those are the sender's own;
//! for every other the [`Locator`] tells the sender's, and nothing told outside is anything else. Lines and columns count
//! from 1, columns in characters; a line ends with a line feed, and a byte order mark is no column.

mod chars;
mod declaration;
mod encoding;
mod line_ends;
mod lines;
mod locator;
mod look;
mod namespaces;
mod nesting;
mod references;
mod span;
mod tag;
mod text;
mod tokenizer;
mod transcoder;
mod wide;
mod words;

pub use chars::{is_name, is_name_char, is_name_start, is_nmtoken, is_space};
pub use declaration::{PREAMBLE_BYTES, Preamble, preamble};
pub use encoding::Encoding;
pub use line_ends::LineEnds;
pub use locator::{Locator, Position, Spot, characters};
pub use namespaces::{Namespace, Scope, XML_NAMESPACE};
pub use nesting::Nesting;
pub use span::{Gap, Span};
pub use tag::{Attribute, Tag};
pub use text::skip_text;
pub use tokenizer::{Sink, Tokenizer};
pub use transcoder::{BadBytes, Transcoder};
pub use wide::widely;
pub use words::{is_plain, plain_value_len, skip_space, text_len};

/// What a document may ask of us; beyond it is a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Elements open at once.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Bytes of one name.
    pub name_bytes: usize,
    /// Bytes of one attribute's value, as written.
    pub attribute_bytes: usize,
    /// Bytes of one tag; what is kept when a piece ends inside one.
    pub tag_bytes: usize,
    /// Namespace declarations in force at once.
    pub bindings: usize,
    /// Characters of the XML declaration.
    pub declaration_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 256,
            attributes: 256,
            name_bytes: 1_024,
            attribute_bytes: 256 << 10,
            tag_bytes: 512 << 10,
            bindings: 256,
            declaration_bytes: 1_024,
        }
    }
}

/// Why a document cannot be read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} (line {}, column {})", at.line, at.column)]
pub struct Fault {
    /// What sort of fault.
    pub kind: FaultKind,
    /// Where it is.
    pub at: Position,
    /// What was expected and found; names of elements and attributes at most, never values.
    pub text: String,
}

/// The sorts of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// It does not begin as XML does, or is empty.
    NotXml,
    /// A rule of XML 1.0 or of its namespaces is broken.
    NotWellFormed,
    /// It ends before its root element does.
    Truncated,
    /// The bytes do not fit the encoding.
    BadEncoding,
    /// The declaration names another encoding than that of the bytes.
    EncodingContradicted,
    /// The encoding is none we read.
    UnsupportedEncoding,
    /// It has a DOCTYPE.
    Dtd,
    /// A prefix is not declared.
    UndeclaredPrefix,
    /// [`Limits::depth`] is passed.
    TooDeep,
    /// [`Limits::tag_bytes`] is passed.
    TagTooLong,
    /// [`Limits::name_bytes`] is passed.
    NameTooLong,
    /// [`Limits::attribute_bytes`] is passed.
    AttributeTooLong,
    /// [`Limits::declaration_bytes`] is passed.
    DeclarationTooLong,
    /// [`Limits::attributes`] is passed.
    TooManyAttributes,
    /// [`Limits::bindings`] is passed.
    TooManyNamespaces,
}

/// A fault inside one token, before its place in the document is known.
#[derive(Debug)]
struct Mistake {
    kind: FaultKind,
    /// Bytes into the token.
    at: usize,
    text: String,
}

impl Mistake {
    fn new(kind: FaultKind, at: usize, text: impl Into<String>) -> Self {
        Self { kind, at, text: text.into() }
    }

    fn malformed(at: usize, text: impl Into<String>) -> Self {
        Self::new(FaultKind::NotWellFormed, at, text)
    }
}

/// A name as it may be shown: cut short, and never broken inside a character.
pub fn shown(name: &[u8]) -> String {
    const SHOWN_CHARS: usize = 60;
    let name = String::from_utf8_lossy(name);
    let mut short: String = name.chars().take(SHOWN_CHARS).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}
