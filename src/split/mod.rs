//! Cuts valid smaller batches out of a batch, as byte ranges.
//!
//! A batch is written as the sender wrote it: prolog, headers and items are the staged file's own bytes, so namespaces,
//! prefixes and the sender's layout come along. New are only the suffix of the shipment reference, line feeds between
//! elements and the end tags, whose names are again the file's own. Nothing is copied here: a batch is a list of
//! [`Piece`]s.
//!
//! A rest goes back to the sender in the encoding he wrote. A single item goes to a receiver, who always gets UTF-8: the
//! file's bytes are to be read as such, and where they are something else its XML declaration is replaced.

mod rest;
mod single;

use crate::formats::Encoding;
use crate::formats::fragment::{Fragment, Tag};
use crate::model::{ByteRange, Part};
use crate::ports::Blob;

pub use rest::Rest;
pub use single::single;

use std::io;

/// A piece of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of the staged file.
    Bytes(ByteRange),
    /// Bytes of our own, in the encoding of the batch that is written.
    Text(Vec<u8>),
}

/// A list of pieces that grows.
struct Cut {
    /// How what is our own is written.
    encoding: Encoding,
    pieces: Vec<Piece>,
}

impl Cut {
    fn new(encoding: Encoding) -> Self {
        Self { encoding, pieces: Vec::new() }
    }

    fn bytes(&mut self, range: ByteRange) {
        self.pieces.push(Piece::Bytes(range));
    }

    fn text(&mut self, text: &str) {
        let mut bytes = Vec::new();
        self.encoding.write_ascii(text, &mut bytes);
        self.pieces.push(Piece::Text(bytes));
    }

    /// A part's head, with the suffix behind its reference.
    fn open_part(&mut self, part: &Part, suffix: &str) {
        self.text("\n");
        self.bytes(ByteRange { start: part.head.start, end: part.reference_end });
        self.text(suffix);
        self.bytes(ByteRange { start: part.reference_end, end: part.head.end });
    }

    fn whole(&mut self, range: ByteRange) {
        self.text("\n");
        self.bytes(range);
    }

    fn close(&mut self, name: ByteRange) {
        self.text("\n</");
        self.bytes(name);
        self.text(">");
    }
}

/// The name in a start tag, as written: what its end tag must say.
fn tag_name(blob: &dyn Blob, encoding: Encoding, head: ByteRange) -> io::Result<ByteRange> {
    match Fragment::new(blob, encoding, head).next() {
        Ok(Some(Tag::Start { name, .. })) => Ok(name),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a head does not begin with a start tag")),
        Err(error) => Err(error.into()),
    }
}

/// The part an item belongs to.
fn part_of(parts: &[Part], part: u32) -> io::Result<&Part> {
    let found = usize::try_from(part).ok().and_then(|index| parts.get(index));
    found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an item's part is not in the envelope"))
}
