//! One item as a batch of its own.

use std::io;

use super::heads::open_names;
use super::{Cut, Piece, part_of};
use crate::formats::{Encoding, preamble};
use crate::model::{ByteRange, Envelope, NewItem, Totals};
use crate::ports::Blob;

/// Cuts out one item as a valid batch with the item's number behind the shipment reference: `-000042`, and with the
/// attachments that stand behind all items. The bytes of its pieces are to be read as UTF-8.
pub fn single(
    blob: &dyn Blob,
    envelope: &Envelope,
    item: &NewItem,
    attachments: &[ByteRange],
) -> io::Result<Vec<Piece>> {
    let part = part_of(&envelope.parts, item.part)?;
    let preamble = preamble(blob)?;
    let mut totals = Totals::default();
    totals.add(item);
    let suffix = format!("-{:06}", item.number);
    let mut cut = Cut::new(Encoding::Utf8);
    let mut start = 0;
    if !preamble.encoding.is_utf8() {
        cut.text(DECLARATION);
        start = preamble.bytes;
    }
    cut.open_root(envelope, start, &suffix, &totals);
    cut.open_part(part, &suffix);
    cut.bytes(item.group);
    cut.whole(item.range);
    let names = |head| open_names(blob, preamble.encoding, head);
    for head in [item.group, part.head] {
        cut.close(&names(head)?);
    }
    let root = names(envelope.root)?;
    match (attachments, envelope.tail, root.split_first()) {
        ([_, ..], Some(tail), Some((root, inner))) => {
            cut.close(inner);
            cut.bytes(tail);
            attachments.iter().for_each(|attachment| cut.whole(*attachment));
            cut.close(&names(tail)?);
            cut.close(&[*root]);
        }
        _ => cut.close(&root),
    }
    Ok(cut.pieces)
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
