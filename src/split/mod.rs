//! Cuts valid smaller batches out of a batch, as byte ranges.
//!
//! A batch is written as the sender wrote it: prolog, headers, items and attachments are the staged file's own bytes, so
//! namespaces, prefixes and the sender's layout come along. New are only the suffix of the shipment reference, control
//! counts, line feeds between elements and the end tags, whose names are again the file's own. Nothing is copied here: a
//! batch is a list of [`Piece`]s.
//!
//! A rest goes back to the sender in the encoding he wrote. A receiver, of single items or of batches, always gets UTF-8: the
//! file's bytes are to be read as such, and where they are something else its XML declaration is replaced.

mod chosen;
mod grouping;
mod heads;
mod proof;
mod single;
mod smaller;

use std::io;

use crate::formats::Encoding;
use crate::model::{ByteRange, Envelope, Part, PartKind, Totals};

pub use chosen::{Chosen, Cuts};
pub use grouping::{Attached, Grouping};
pub use proof::is_valid;
pub use single::single;
pub use smaller::{Slot, Smaller};

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
        if !range.is_empty() {
            self.pieces.push(Piece::Bytes(range));
        }
    }

    fn text(&mut self, text: &str) {
        let mut bytes = Vec::new();
        self.encoding.write_ascii(text, &mut bytes);
        self.pieces.push(Piece::Text(bytes));
    }

    /// What stands before the items, from a place in the prolog on: with counts of its own, and with the suffix where the
    /// reference stands in this head.
    fn open_root(&mut self, envelope: &Envelope, start: u64, suffix: &str, totals: &Totals) {
        let mut changes: Vec<(ByteRange, String)> =
            envelope.counts.iter().map(|count| (count.text, totals.of(count.of).to_string())).collect();
        let own = envelope.parts.iter().find(|part| part.kind == PartKind::Batch && part.reference_end > 0);
        changes.extend(own.map(|part| {
            let place = ByteRange { start: part.reference_end, end: part.reference_end };
            (place, suffix.to_owned())
        }));
        changes.sort_by_key(|(range, _)| range.start);
        let mut at = start;
        for (range, text) in changes {
            self.bytes(ByteRange { start: at, end: range.start });
            self.text(&text);
            at = range.end;
        }
        self.bytes(ByteRange { start: at, end: envelope.root.end });
    }

    /// A part's head, with the suffix behind its reference; nothing when the root's is its own.
    fn open_part(&mut self, part: &Part, suffix: &str) {
        if part.head.is_empty() {
            return;
        }
        self.bytes(ByteRange { start: part.head.start, end: part.reference_end });
        self.text(suffix);
        self.bytes(ByteRange { start: part.reference_end, end: part.head.end });
    }

    fn whole(&mut self, range: ByteRange) {
        self.bytes(range);
        self.text("\n");
    }

    /// End tags for what is open, the innermost first.
    fn close(&mut self, names: &[ByteRange]) {
        for name in names.iter().rev() {
            self.text("</");
            self.bytes(*name);
            self.text(">\n");
        }
    }
}

/// The part an item belongs to.
fn part_of(parts: &[Part], part: u32) -> io::Result<&Part> {
    let found = usize::try_from(part).ok().and_then(|index| parts.get(index));
    found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an item's part is not in the envelope"))
}
