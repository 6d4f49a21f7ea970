//! Some of a batch's items as one batch, written item by item.

use std::io;
use std::sync::Arc;

use super::heads::open_names;
use super::{Cut, Piece, part_of};
use crate::formats::{Encoding, preamble};
use crate::model::{ByteRange, Envelope, NewItem, Totals};
use crate::ports::Blob;

/// Where an item lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index of its part in the envelope.
    pub part: u32,
    /// Its group's head; empty where there is none.
    pub group: ByteRange,
    /// Its bytes.
    pub range: ByteRange,
}

impl Slot {
    /// Where this item lies.
    pub fn of(item: &NewItem) -> Self {
        Self { part: item.part, group: item.group, range: item.range }
    }
}

/// Writes chosen items under their own heads, in the order of the batch, then the attachments of theirs that stand behind
/// all items. Memory does not grow with the items.
pub struct Smaller {
    blob: Arc<dyn Blob>,
    envelope: Arc<Envelope>,
    suffix: String,
    totals: Totals,
    /// Whether it is written in UTF-8, whatever the file is in.
    in_utf8: bool,
    /// How the file is written.
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
    /// Begins a batch of so many items, whose shipment references end with the suffix, written as the sender wrote.
    pub fn for_sender(blob: Arc<dyn Blob>, envelope: Arc<Envelope>, suffix: &str, totals: Totals) -> Self {
        Self::new(blob, envelope, suffix, totals, false)
    }

    /// The same in UTF-8; the file's bytes in its pieces are to be read as such.
    pub fn for_receiver(blob: Arc<dyn Blob>, envelope: Arc<Envelope>, suffix: &str, totals: Totals) -> Self {
        Self::new(blob, envelope, suffix, totals, true)
    }

    fn new(blob: Arc<dyn Blob>, envelope: Arc<Envelope>, suffix: &str, totals: Totals, in_utf8: bool) -> Self {
        Self {
            blob,
            envelope,
            suffix: suffix.to_owned(),
            totals,
            in_utf8,
            encoding: Encoding::Utf8,
            root: None,
            part: None,
            group: None,
            tail: None,
        }
    }

    /// The next pieces: the item, and what must stand before it. Items come in order of their numbers.
    pub fn item(&mut self, slot: Slot) -> io::Result<Vec<Piece>> {
        let mut cut = self.begin()?;
        if self.part.as_ref().is_none_or(|(index, _)| *index != slot.part) {
            self.close_part(&mut cut);
            let part = part_of(&self.envelope.parts, slot.part)?;
            self.part = Some((slot.part, self.open_names(part.head)?));
            cut.open_part(part, &self.suffix);
        }
        if self.group.as_ref().is_none_or(|(start, _)| *start != slot.group.start) {
            self.close_group(&mut cut);
            self.group = Some((slot.group.start, self.open_names(slot.group)?));
            cut.bytes(slot.group);
        }
        cut.whole(slot.range);
        Ok(cut.pieces)
    }

    /// The next pieces: an attachment that stands behind all items, without what is hollow of it. They come after every
    /// item.
    pub fn attachment(&mut self, range: ByteRange, hollow: Option<ByteRange>) -> io::Result<Vec<Piece>> {
        let mut cut = self.cut();
        let head = self.envelope.tail.unwrap_or_default();
        if self.tail.is_none() {
            self.close_part(&mut cut);
            if let Some((_, inner)) = self.root.as_ref().and_then(|names| names.split_first()) {
                cut.close(inner);
            }
            self.tail = Some(self.open_names(head)?);
            cut.bytes(head);
        }
        let hollow = hollow.unwrap_or(ByteRange { start: range.end, end: range.end });
        cut.bytes(ByteRange { start: range.start, end: hollow.start });
        cut.whole(ByteRange { start: hollow.end, end: range.end });
        Ok(cut.pieces)
    }

    /// The last pieces; none when there was no item, for then there is no batch.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut cut = self.cut();
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
            return Ok(self.cut());
        }
        let preamble = preamble(self.blob.as_ref())?;
        self.encoding = preamble.encoding;
        self.root = Some(self.open_names(self.envelope.root)?);
        let (mut cut, mut start) = (self.cut(), 0);
        if self.in_utf8 && !preamble.encoding.is_utf8() {
            cut.text(DECLARATION);
            start = preamble.bytes;
        }
        cut.open_root(&self.envelope, start, &self.suffix, &self.totals);
        Ok(cut)
    }

    fn cut(&self) -> Cut {
        Cut::new(if self.in_utf8 { Encoding::Utf8 } else { self.encoding })
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

/// In place of one that names another encoding.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
