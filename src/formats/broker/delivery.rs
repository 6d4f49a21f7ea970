//! The archive as a receiver gets it: with a recipients.xml that names one recipient, everything else as it was.
//!
//! Nothing is unpacked or packed. Entries are ranges of the staged file, and behind them the new list; the directory is
//! written anew, record by record, with the places that moved. The size is known before the first byte.

use super::Contents;
use super::addressee::Addressee;
use super::end::{self, END_BYTES, End, LOCATOR_BYTES, RECORD_BYTES, WIDE_BYTES, u16_at, u32_at, u64_at};
use super::report::Stop;
use super::window::Window;
use crate::formats::ReadItemError;
use crate::model::ByteRange;
use crate::ports::Blob;

/// A delivery's archive, as it will be written.
#[derive(Clone)]
pub struct Delivery {
    /// Of the staged file.
    staged_bytes: u64,
    end: End,
    dropped: ByteRange,
    dropped_record: ByteRange,
    addressee: Addressee,
}

/// One piece of it after the other.
pub struct Pieces {
    delivery: Delivery,
    next: Next,
    piece: Vec<u8>,
}

/// What comes next.
enum Next {
    /// Bytes of the staged file, from here to there; then those behind what is dropped.
    Staged(ByteRange, Option<ByteRange>),
    /// The list of one recipient.
    Addressee,
    /// The record at this place.
    Record(u64),
    /// The end records.
    End,
    Nothing,
}

/// Plans the archive of a judged shipment for one recipient, who is told of no other.
pub fn for_recipient(blob: &dyn Blob, contents: &Contents, party: &str) -> Result<Delivery, ReadItemError> {
    let window = Window::new(blob);
    let end = end::find(&window).map_err(changed)?;
    let (dropped, dropped_record) = (contents.recipients.extent, contents.recipients.record);
    let fits = dropped.end <= end.directory.start
        && dropped_record.start >= end.directory.start
        && dropped_record.end <= end.directory.end
        && end.entries == contents.entries;
    let staged_bytes = window.size_bytes();
    if !fits {
        return Err(OTHER);
    }
    Ok(Delivery { staged_bytes, end, dropped, dropped_record, addressee: Addressee::new(party) })
}

impl Delivery {
    /// How many bytes it will have.
    pub fn size_bytes(&self) -> u64 {
        let added = self.addressee.entry_bytes() + self.addressee.record_bytes(self.list_at());
        self.staged_bytes - self.dropped.len() - self.dropped_record.len() + added
    }

    /// Its bytes.
    pub fn pieces(&self) -> Pieces {
        let before = ByteRange { start: 0, end: self.dropped.start };
        let behind = ByteRange { start: self.dropped.end, end: self.end.directory.start };
        Pieces { delivery: self.clone(), next: Next::Staged(before, Some(behind)), piece: Vec::new() }
    }

    /// Where the list of one recipient lies: behind all other entries.
    fn list_at(&self) -> u64 {
        self.moved(self.end.directory.start)
    }

    /// Where an entry lies after the list of all recipients is gone.
    fn moved(&self, offset: u64) -> u64 {
        if offset >= self.dropped.end { offset - self.dropped.len() } else { offset }
    }

    /// Adds one record to the piece; returns where the next one is.
    fn record(&self, blob: &dyn Blob, piece: &mut Vec<u8>, at: u64) -> Result<u64, ReadItemError> {
        let begin = piece.len();
        read(blob, piece, at, RECORD_BYTES as usize)?;
        let fixed = piece.get(begin..).unwrap_or_default();
        let lengths = [28, 30, 32].map(|field| usize::from(u16_at(fixed, field).unwrap_or_default()));
        if !fixed.starts_with(RECORD) {
            return Err(OTHER);
        }
        let [name, extra, comment] = lengths;
        let next = at + RECORD_BYTES + (name + extra + comment) as u64;
        read(blob, piece, at + RECORD_BYTES, name + extra + comment)?;
        if at == self.dropped_record.start {
            piece.truncate(begin);
        } else {
            let record = piece.get_mut(begin..).unwrap_or_default();
            self.move_record(record, RECORD_BYTES as usize + name, extra)?;
        }
        Ok(next)
    }

    /// Writes the entry's new place where the old one stands: in the record, or in its zip64 field.
    fn move_record(&self, record: &mut [u8], extra_at: usize, extra: usize) -> Result<(), ReadItemError> {
        let narrow = u32_at(record, 42).ok_or(OTHER)?;
        if narrow < u32::MAX {
            let moved = u32::try_from(self.moved(u64::from(narrow))).map_err(|_| OTHER)?;
            return put(record, 42, &moved.to_le_bytes());
        }
        let wide = [20, 24].into_iter().filter(|field| u32_at(record, *field) == Some(u32::MAX)).count();
        let mut at = extra_at;
        while at + 4 <= extra_at + extra {
            let length = usize::from(u16_at(record, at + 2).ok_or(OTHER)?);
            if u16_at(record, at) == Some(ZIP64) {
                // The sizes come first, those that are there.
                let place = at + 4 + wide * 8;
                let moved = self.moved(u64_at(record, place).ok_or(OTHER)?);
                return put(record, place, &moved.to_le_bytes());
            }
            at += 4 + length;
        }
        Err(OTHER)
    }

    fn end_records(&self, blob: &dyn Blob, piece: &mut Vec<u8>) -> Result<(), ReadItemError> {
        let from = self.end.directory.end;
        let length = usize::try_from(self.staged_bytes.saturating_sub(from)).map_err(|_| OTHER)?;
        read(blob, piece, from, length)?;
        let entries = self.end.entries;
        let list_at = self.list_at();
        let size = self.end.directory.len() - self.dropped_record.len() + self.addressee.record_bytes(list_at);
        let start = list_at + self.addressee.entry_bytes();
        let record_at = usize::try_from(self.end.record_at - from).map_err(|_| OTHER)?;
        if record_at == WIDE_BYTES + LOCATOR_BYTES {
            for (at, value) in [(24, entries), (32, entries), (40, size), (48, start), (WIDE_BYTES + 8, start + size)] {
                put(piece, at, &value.to_le_bytes())?;
            }
        }
        for at in [record_at + 8, record_at + 10] {
            if record_at == 0 || u16_at(piece, at) != Some(u16::MAX) {
                put(piece, at, &u16::try_from(entries).unwrap_or(u16::MAX).to_le_bytes())?;
            }
        }
        for (at, value) in [(record_at + 12, size), (record_at + 16, start)] {
            if record_at == 0 || u32_at(piece, at) != Some(u32::MAX) {
                let narrow = u32::try_from(value).ok().filter(|value| *value < u32::MAX);
                // Without zip64's records there is no other place for it.
                let narrow = narrow.or((record_at > 0).then_some(u32::MAX)).ok_or(ReadItemError::TooMuch("bytes"))?;
                put(piece, at, &narrow.to_le_bytes())?;
            }
        }
        if piece.len() < record_at + END_BYTES { Err(OTHER) } else { Ok(()) }
    }
}

impl Pieces {
    /// The next bytes, of the file that was planned for; none at the end.
    pub fn read(&mut self, blob: &dyn Blob) -> Result<&[u8], ReadItemError> {
        self.piece.clear();
        while self.piece.is_empty() {
            self.next = match std::mem::replace(&mut self.next, Next::Nothing) {
                Next::Staged(range, then) if range.is_empty() => match then {
                    Some(behind) => Next::Staged(behind, None),
                    None => Next::Addressee,
                },
                Next::Staged(range, then) => {
                    let length = usize::try_from(range.len()).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
                    read(blob, &mut self.piece, range.start, length)?;
                    Next::Staged(ByteRange { start: range.start + length as u64, end: range.end }, then)
                }
                Next::Addressee => {
                    self.piece = self.delivery.addressee.entry();
                    Next::Record(self.delivery.end.directory.start)
                }
                Next::Record(at) if at < self.delivery.end.directory.end => self.records(blob, at)?,
                Next::Record(_) => {
                    self.piece = self.delivery.addressee.record(self.delivery.list_at());
                    Next::End
                }
                Next::End => {
                    self.delivery.end_records(blob, &mut self.piece)?;
                    Next::Nothing
                }
                Next::Nothing => break,
            };
        }
        Ok(&self.piece)
    }

    /// As many records as make a piece.
    fn records(&mut self, blob: &dyn Blob, mut at: u64) -> Result<Next, ReadItemError> {
        while at < self.delivery.end.directory.end && self.piece.len() < PIECE_BYTES {
            at = self.delivery.record(blob, &mut self.piece, at)?;
        }
        Ok(Next::Record(at))
    }
}

fn read(blob: &dyn Blob, piece: &mut Vec<u8>, at: u64, length: usize) -> Result<(), ReadItemError> {
    let begin = piece.len();
    piece.resize(begin + length, 0);
    let into = piece.get_mut(begin..).unwrap_or_default();
    if Window::new(blob).read(into, at).map_err(changed)? < length { Err(OTHER) } else { Ok(()) }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Result<(), ReadItemError> {
    let into = bytes.get_mut(at..).and_then(|bytes| bytes.get_mut(..value.len())).ok_or(OTHER)?;
    into.copy_from_slice(value);
    Ok(())
}

fn changed(stop: Stop) -> ReadItemError {
    match stop {
        Stop::Unreadable(error) | Stop::NotKept(error) => ReadItemError::Unreadable(error),
        Stop::Refused(..) => OTHER,
    }
}

/// Reads of the staged file are of this size.
const PIECE_BYTES: usize = 256 << 10;
const RECORD: &[u8] = b"PK\x01\x02";
const ZIP64: u16 = 1;
const OTHER: ReadItemError = ReadItemError::Changed("it is another archive");
