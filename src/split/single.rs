//! One item as a batch of its own.

use std::io;

use super::{Piece, close, open_part, open_root, part_of, tag_name, whole};
use crate::model::{Envelope, NewItem};
use crate::ports::Blob;

/// Cuts out one item as a valid batch with the item's number behind the shipment reference: `-000042`.
pub fn single(blob: &dyn Blob, envelope: &Envelope, item: &NewItem) -> io::Result<Vec<Piece>> {
    let part = part_of(&envelope.parts, item.part)?;
    let mut pieces = Vec::new();
    open_root(envelope.root, &mut pieces);
    open_part(part, &format!("-{:06}", item.number), &mut pieces);
    whole(item.group, &mut pieces);
    whole(item.range, &mut pieces);
    for head in [item.group, part.head, envelope.root] {
        close(tag_name(blob, head)?, &mut pieces);
    }
    pieces.push(Piece::Text("\n".to_owned()));
    Ok(pieces)
}
