//! Some of a batch's items as one batch, written item by item.

use std::io;
use std::sync::Arc;

use super::{Cut, Piece, part_of, tag_name};
use crate::formats::{Encoding, preamble};
use crate::model::{ByteRange, Envelope, NewItem};
use crate::ports::Blob;

/// Writes chosen items under their own heads, in the order of the batch. Memory does not grow with the items.
pub struct Rest {
    blob: Arc<dyn Blob>,
    envelope: Envelope,
    suffix: String,
    encoding: Encoding,
    /// The root's name, once something has been written.
    root: Option<ByteRange>,
    /// Index and name of the open part.
    part: Option<(u32, ByteRange)>,
    /// Start and name of the open group.
    group: Option<(u64, ByteRange)>,
}

impl Rest {
    /// Begins a batch whose shipment references end with the suffix.
    pub fn new(blob: Arc<dyn Blob>, envelope: Envelope, suffix: &str) -> Self {
        Self {
            blob,
            envelope,
            suffix: suffix.to_owned(),
            encoding: Encoding::Utf8,
            root: None,
            part: None,
            group: None,
        }
    }

    /// The next pieces: the item, and what must stand before it. Items come in order of their numbers.
    pub fn item(&mut self, item: &NewItem) -> io::Result<Vec<Piece>> {
        if self.root.is_none() {
            self.encoding = preamble(self.blob.as_ref())?.encoding;
        }
        let mut cut = Cut::new(self.encoding);
        if self.root.is_none() {
            self.root = Some(self.tag_name(self.envelope.root)?);
            cut.bytes(ByteRange { start: 0, end: self.envelope.root.end });
        }
        if self.part.is_none_or(|(index, _)| index != item.part) {
            self.close_part(&mut cut);
            let part = part_of(&self.envelope.parts, item.part)?;
            self.part = Some((item.part, self.tag_name(part.head)?));
            cut.open_part(part, &self.suffix);
        }
        if self.group.is_none_or(|(start, _)| start != item.group.start) {
            self.close_group(&mut cut);
            self.group = Some((item.group.start, self.tag_name(item.group)?));
            cut.whole(item.group);
        }
        cut.whole(item.range);
        Ok(cut.pieces)
    }

    /// The last pieces; none when there was no item, for then there is no batch.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut cut = Cut::new(self.encoding);
        self.close_part(&mut cut);
        if let Some(name) = self.root.take() {
            cut.close(name);
            cut.text("\n");
        }
        cut.pieces
    }

    fn close_part(&mut self, cut: &mut Cut) {
        self.close_group(cut);
        if let Some((_, name)) = self.part.take() {
            cut.close(name);
        }
    }

    fn close_group(&mut self, cut: &mut Cut) {
        if let Some((_, name)) = self.group.take() {
            cut.close(name);
        }
    }

    fn tag_name(&self, head: ByteRange) -> io::Result<ByteRange> {
        tag_name(self.blob.as_ref(), self.encoding, head)
    }
}
