//! Cuts valid smaller batches out of a batch, as byte ranges.
//!
//! A batch is written as the sender wrote it: prolog, headers and items are the staged file's own bytes, so namespaces,
//! prefixes and the sender's layout come along. New are only the suffix of the shipment reference, line feeds between
//! elements and the end tags, whose names are again the file's own. Nothing is copied here: a batch is a list of
//! [`Piece`]s.

mod rest;
mod single;

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
    /// Text of our own.
    Text(String),
}

/// The name in a start tag, as written: what its end tag must say.
fn tag_name(blob: &dyn Blob, head: ByteRange) -> io::Result<ByteRange> {
    match Fragment::new(blob, head).next() {
        Ok(Some(Tag::Start { name, .. })) => Ok(name),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a head does not begin with a start tag")),
        Err(error) => Err(error.into()),
    }
}

/// Everything before the first part: prolog and the root's head.
fn open_root(root: ByteRange, out: &mut Vec<Piece>) {
    out.push(Piece::Bytes(ByteRange { start: 0, end: root.end }));
}

/// A part's head, with the suffix behind its reference.
fn open_part(part: &Part, suffix: &str, out: &mut Vec<Piece>) {
    new_line(out);
    out.push(Piece::Bytes(ByteRange { start: part.head.start, end: part.reference_end }));
    out.push(Piece::Text(suffix.to_owned()));
    out.push(Piece::Bytes(ByteRange { start: part.reference_end, end: part.head.end }));
}

fn whole(range: ByteRange, out: &mut Vec<Piece>) {
    new_line(out);
    out.push(Piece::Bytes(range));
}

fn close(name: ByteRange, out: &mut Vec<Piece>) {
    out.push(Piece::Text("\n</".to_owned()));
    out.push(Piece::Bytes(name));
    out.push(Piece::Text(">".to_owned()));
}

fn new_line(out: &mut Vec<Piece>) {
    out.push(Piece::Text("\n".to_owned()));
}

/// The part an item belongs to.
fn part_of(parts: &[Part], part: u32) -> io::Result<&Part> {
    let found = usize::try_from(part).ok().and_then(|index| parts.get(index));
    found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an item's part is not in the envelope"))
}
