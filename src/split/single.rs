//! One item as a batch of its own.

use std::io;
use std::sync::Arc;

use super::{Chosen, Piece};
use crate::model::{ByteRange, Envelope, NewItem};
use crate::ports::Blob;

/// Cuts out one item as a valid batch with the item's number behind the shipment reference: `-000042`, and with the
/// attachments that stand behind all items. The bytes of its pieces are to be read as UTF-8.
pub fn single(
    blob: &Arc<dyn Blob>,
    envelope: &Arc<Envelope>,
    item: &NewItem,
    attachments: &[ByteRange],
) -> io::Result<Vec<Piece>> {
    let mut chosen = Chosen::default();
    chosen.add(item);
    chosen.attachments.extend_from_slice(attachments);
    let cuts = Arc::new(chosen).cut(blob, envelope, &format!("-{:06}", item.number));
    Ok(cuts.collect::<io::Result<Vec<_>>>()?.concat())
}
