//! Some of a batch's items as one batch, written item by item.

use std::io;
use std::sync::Arc;

use super::{Piece, close, new_line, open_part, open_root, part_of, tag_name, whole};
use crate::model::{ByteRange, Envelope, NewItem};
use crate::ports::Blob;

/// Writes chosen items under their own heads, in the order of the batch. Memory does not grow with the items.
pub struct Rest {
    blob: Arc<dyn Blob>,
    envelope: Envelope,
    suffix: String,
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
        Self { blob, envelope, suffix: suffix.to_owned(), root: None, part: None, group: None }
    }

    /// The next pieces: the item, and what must stand before it. Items come in order of their numbers.
    pub fn item(&mut self, item: &NewItem) -> io::Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        if self.root.is_none() {
            self.root = Some(tag_name(self.blob.as_ref(), self.envelope.root)?);
            open_root(self.envelope.root, &mut pieces);
        }
        if self.part.is_none_or(|(index, _)| index != item.part) {
            self.close_part(&mut pieces);
            let part = part_of(&self.envelope.parts, item.part)?;
            self.part = Some((item.part, tag_name(self.blob.as_ref(), part.head)?));
            open_part(part, &self.suffix, &mut pieces);
        }
        if self.group.is_none_or(|(start, _)| start != item.group.start) {
            self.close_group(&mut pieces);
            self.group = Some((item.group.start, tag_name(self.blob.as_ref(), item.group)?));
            whole(item.group, &mut pieces);
        }
        whole(item.range, &mut pieces);
        Ok(pieces)
    }

    /// The last pieces; none when there was no item, for then there is no batch.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.close_part(&mut pieces);
        if let Some(name) = self.root.take() {
            close(name, &mut pieces);
            new_line(&mut pieces);
        }
        pieces
    }

    fn close_part(&mut self, pieces: &mut Vec<Piece>) {
        self.close_group(pieces);
        if let Some((_, name)) = self.part.take() {
            close(name, pieces);
        }
    }

    fn close_group(&mut self, pieces: &mut Vec<Piece>) {
        if let Some((_, name)) = self.group.take() {
            close(name, pieces);
        }
    }
}
