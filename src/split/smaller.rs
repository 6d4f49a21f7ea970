//! Some of a batch's items as one batch, written item by item.

use std::io;
use std::sync::Arc;

use super::heads::open_names;
use super::{Cut, Piece, part_of};
use crate::formats::{Encoding, preamble};
use crate::model::{ByteRange, Envelope, NewItem, Totals};
use crate::ports::Blob;

/// Writes chosen items under their own heads, in the order of the batch, then the attachments of theirs that stand behind
/// all items. Memory does not grow with the items.
pub struct Smaller {
    blob: Arc<dyn Blob>,
    envelope: Envelope,
    suffix: String,
    totals: Totals,
    encoding: Encoding,
    /// What the root's head leaves open, once something has been written.
    root: Option<Vec<ByteRange>>,
    /// Index of the open part, and what its head leaves open.
    part: Option<(u32, Vec<ByteRange>)>,
    /// Start of the open group, and what its head leaves open.
    group: Option<(u64, Vec<ByteRange>)>,
    /// What the head of the attachments leaves open, once one has been written.
    tail: Option<Vec<ByteRange>>,
}

impl Smaller {
    /// Begins a batch of so many items, whose shipment references end with the suffix.
    pub fn new(blob: Arc<dyn Blob>, envelope: Envelope, suffix: &str, totals: Totals) -> Self {
        Self {
            blob,
            envelope,
            suffix: suffix.to_owned(),
            totals,
            encoding: Encoding::Utf8,
            root: None,
            part: None,
            group: None,
            tail: None,
        }
    }

    /// The next pieces: the item, and what must stand before it. Items come in order of their numbers.
    pub fn item(&mut self, item: &NewItem) -> io::Result<Vec<Piece>> {
        let mut cut = self.begin()?;
        if self.part.as_ref().is_none_or(|(index, _)| *index != item.part) {
            self.close_part(&mut cut);
            let part = part_of(&self.envelope.parts, item.part)?;
            self.part = Some((item.part, self.open_names(part.head)?));
            cut.open_part(part, &self.suffix);
        }
        if self.group.as_ref().is_none_or(|(start, _)| *start != item.group.start) {
            self.close_group(&mut cut);
            self.group = Some((item.group.start, self.open_names(item.group)?));
            cut.bytes(item.group);
        }
        cut.whole(item.range);
        Ok(cut.pieces)
    }

    /// The next pieces: an attachment that stands behind all items. They come after every item.
    pub fn attachment(&mut self, range: ByteRange) -> io::Result<Vec<Piece>> {
        let mut cut = Cut::new(self.encoding);
        let head = self.envelope.tail.unwrap_or_default();
        if self.tail.is_none() {
            self.close_part(&mut cut);
            if let Some((_, inner)) = self.root.as_ref().and_then(|names| names.split_first()) {
                cut.close(inner);
            }
            self.tail = Some(self.open_names(head)?);
            cut.bytes(head);
        }
        cut.whole(range);
        Ok(cut.pieces)
    }

    /// The last pieces; none when there was no item, for then there is no batch.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut cut = Cut::new(self.encoding);
        self.close_part(&mut cut);
        let root = self.root.take().unwrap_or_default();
        match (self.tail.take(), root.split_first()) {
            (Some(tail), Some((root, _))) => {
                cut.close(&tail);
                cut.close(&[*root]);
            }
            _ => cut.close(&root),
        }
        cut.pieces
    }

    /// Writes what stands before all items, the first time.
    fn begin(&mut self) -> io::Result<Cut> {
        if self.root.is_some() {
            return Ok(Cut::new(self.encoding));
        }
        self.encoding = preamble(self.blob.as_ref())?.encoding;
        self.root = Some(self.open_names(self.envelope.root)?);
        let mut cut = Cut::new(self.encoding);
        cut.open_root(&self.envelope, 0, &self.suffix, &self.totals);
        Ok(cut)
    }

    fn close_part(&mut self, cut: &mut Cut) {
        self.close_group(cut);
        if let Some((_, names)) = self.part.take() {
            cut.close(&names);
        }
    }

    fn close_group(&mut self, cut: &mut Cut) {
        if let Some((_, names)) = self.group.take() {
            cut.close(&names);
        }
    }

    fn open_names(&self, head: ByteRange) -> io::Result<Vec<ByteRange>> {
        if head.is_empty() { Ok(Vec::new()) } else { open_names(self.blob.as_ref(), self.encoding, head) }
    }
}
