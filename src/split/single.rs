//! One item as a batch of its own.

use std::io;

use super::{Cut, Piece, part_of, tag_name};
use crate::formats::{Encoding, preamble};
use crate::model::{ByteRange, Envelope, NewItem};
use crate::ports::Blob;

/// Cuts out one item as a valid batch with the item's number behind the shipment reference: `-000042`. The bytes of its
/// pieces are to be read as UTF-8.
pub fn single(blob: &dyn Blob, envelope: &Envelope, item: &NewItem) -> io::Result<Vec<Piece>> {
    let part = part_of(&envelope.parts, item.part)?;
    let preamble = preamble(blob)?;
    let mut cut = Cut::new(Encoding::Utf8);
    let mut start = 0;
    if !preamble.encoding.is_utf8() {
        cut.text(DECLARATION);
        start = preamble.bytes;
    }
    cut.bytes(ByteRange { start, end: envelope.root.end });
    cut.open_part(part, &format!("-{:06}", item.number));
    cut.whole(item.group);
    cut.whole(item.range);
    for head in [item.group, part.head, envelope.root] {
        cut.close(tag_name(blob, preamble.encoding, head)?);
    }
    cut.text("\n");
    Ok(cut.pieces)
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
