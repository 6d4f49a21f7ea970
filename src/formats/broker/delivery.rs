//! The archive as a receiver gets it: with a recipients.xml that names one recipient and the time it was sent in the manifest,
//! everything else as it was.
//!
//! No other entry is unpacked or packed. They are ranges of the staged file, and behind them the new list; the directory is
//! written anew, record by record, with the places that moved. The size is known before the first byte.

use std::collections::VecDeque;
use std::sync::Arc;

use flate2::Crc;

use super::addressee::Addressee;
use super::end::{self, END_BYTES, End, LOCATOR_BYTES, RECORD_BYTES, WIDE_BYTES, u16_at, u32_at, u64_at};
use super::report::Stop;
use super::window::Window;
use super::{Contents, Member, sent};
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
    dated: Option<Dated>,
}

/// The manifest that takes the place of the one that came.
#[derive(Clone)]
struct Dated {
    extent: ByteRange,
    record: ByteRange,
    /// Header and data.
    entry: Arc<[u8]>,
    new_record: Arc<[u8]>,
}

/// One piece of it after the other.
pub struct Pieces {
    delivery: Delivery,
    next: Next,
    piece: Vec<u8>,
}

/// What comes next.
enum Next {
    /// What is left of the entries.
    Entries(VecDeque<Part>),
    /// The record at this place.
    Record(u64),
    /// The end records.
    End,
    Nothing,
}

/// Some of the entries.
enum Part {
    Staged(ByteRange),
    Own(Arc<[u8]>),
}

/// The entry of a manifest, stored as it is.
fn dated(blob: &dyn Blob, old: &Member, manifest: &[u8]) -> Result<Option<Dated>, ReadItemError> {
    let mut record = Vec::new();
    read(blob, &mut record, old.record.start, RECORD_BYTES as usize)?;
    let name = usize::from(u16_at(&record, 28).unwrap_or_default());
    read(blob, &mut record, old.record.start + RECORD_BYTES, name)?;
    let mut signature = Vec::new();
    read(blob, &mut signature, old.extent.start, HEADER.len())?;
    // Beyond four gigabytes its place would need a field of zip64's.
    if !record.starts_with(RECORD) || signature != HEADER || old.extent.start >= u64::from(u32::MAX) {
        return Ok(None);
    }
    let mut crc = Crc::new();
    crc.update(manifest);
    let size = u32::try_from(manifest.len()).map_err(|_| OTHER)?.to_le_bytes();
    let flags = u16_at(&record, 8).unwrap_or_default() & NAMES_IN_UTF8;
    // Version, flags and method; then sum and sizes; without extra fields and comment.
    let fields = [VERSION, flags, STORED].map(u16::to_le_bytes).concat();
    put(&mut record, 6, &fields)?;
    let sums = [crc.sum().to_le_bytes(), size, size].concat();
    put(&mut record, 16, &sums)?;
    put(&mut record, 30, &[0; 4])?;
    let of_record = |range: std::ops::Range<usize>| record.get(range).ok_or(OTHER);
    let header = [HEADER, of_record(6..30)?, &[0; 2], of_record(46..46 + name)?, manifest].concat();
    let (entry, new_record) = (header.into(), record.into());
    Ok(Some(Dated { extent: old.extent, record: old.record, entry, new_record }))
}

/// Plans the archive of a judged shipment for one recipient, who is told of no other. The time at which it is sent, of type
/// `xs:dateTime`, is for the manifest to say; one that cannot be given it stays as it came.
pub fn for_recipient(
    blob: &dyn Blob,
    contents: &Contents,
    party: &str,
    sent: Option<&str>,
) -> Result<Delivery, ReadItemError> {
    let mut delivery = undated(blob, contents, party)?;
    let Some(sent) = sent else { return Ok(delivery) };
    if let Some(manifest) = sent::dated(blob, &contents.manifest, sent)? {
        delivery.dated = dated(blob, &contents.manifest, &manifest)?;
    }
    // An archive that just fits without zip64 stays one.
    let is_wide = delivery.end.record_at > delivery.end.directory.end;
    if !is_wide && delivery.size_bytes() > u64::from(u32::MAX) {
        delivery.dated = None;
    }
    Ok(delivery)
}

fn undated(blob: &dyn Blob, contents: &Contents, party: &str) -> Result<Delivery, ReadItemError> {
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
    Ok(Delivery { staged_bytes, end, dropped, dropped_record, addressee: Addressee::new(party), dated: None })
}

impl Delivery {
    /// How many bytes it will have.
    pub fn size_bytes(&self) -> u64 {
        let added = self.addressee.entry_bytes() + self.addressee.record_bytes(self.list_at());
        let left = self.staged_bytes - self.dropped.len() - self.dropped_record.len() + added;
        let own = |dated: &Dated| {
            let new = (dated.entry.len() + dated.new_record.len()) as u64;
            left + new - dated.extent.len() - dated.record.len()
        };
        self.dated.as_ref().map_or(left, own)
    }

    /// Its bytes.
    pub fn pieces(&self) -> Pieces {
        let dated = self.dated.iter().map(|dated| (dated.extent, Some(Arc::clone(&dated.entry))));
        let mut cuts: Vec<_> = dated.chain([(self.dropped, None)]).collect();
        cuts.sort_by_key(|(cut, _)| cut.start);
        let (mut parts, mut start) = (VecDeque::new(), 0);
        for (cut, own) in cuts {
            parts.push_back(Part::Staged(ByteRange { start, end: cut.start }));
            parts.extend(own.map(Part::Own));
            start = cut.end;
        }
        parts.push_back(Part::Staged(ByteRange { start, end: self.end.directory.start }));
        parts.push_back(Part::Own(self.addressee.entry().into()));
        Pieces { delivery: self.clone(), next: Next::Entries(parts), piece: Vec::new() }
    }

    /// Where the list of one recipient lies: behind all other entries.
    fn list_at(&self) -> u64 {
        self.moved(self.end.directory.start)
    }

    /// Where an entry lies after the list of recipients is gone and the manifest is another.
    fn moved(&self, offset: u64) -> u64 {
        let dropped = if offset >= self.dropped.end { self.dropped.len() } else { 0 };
        let dated = self.dated.as_ref().filter(|dated| offset >= dated.extent.end);
        let (own, old) = dated.map_or((0, 0), |dated| (dated.entry.len() as u64, dated.extent.len()));
        offset + own - old - dropped
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
            return Ok(next);
        }
        let dated = self.dated.as_ref().filter(|dated| dated.record.start == at);
        if let Some(dated) = dated {
            piece.truncate(begin);
            piece.extend_from_slice(&dated.new_record);
            let moved = u32::try_from(self.moved(dated.extent.start)).map_err(|_| OTHER)?;
            put(piece.get_mut(begin..).unwrap_or_default(), 42, &moved.to_le_bytes())?;
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
        let (entries, list_at) = (self.end.entries, self.list_at());
        let own = self.dated.as_ref().map_or((0, 0), |dated| (dated.new_record.len() as u64, dated.record.len()));
        let left = self.end.directory.len() - self.dropped_record.len() + self.addressee.record_bytes(list_at);
        let size = left + own.0 - own.1;
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
                Next::Entries(parts) => self.entries(blob, parts)?,
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

    /// The next bytes of the entries.
    fn entries(&mut self, blob: &dyn Blob, mut parts: VecDeque<Part>) -> Result<Next, ReadItemError> {
        match parts.pop_front() {
            None => return Ok(Next::Record(self.delivery.end.directory.start)),
            Some(Part::Own(bytes)) => self.piece.extend_from_slice(&bytes),
            Some(Part::Staged(range)) => {
                let length = usize::try_from(range.len()).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
                read(blob, &mut self.piece, range.start, length)?;
                let rest = ByteRange { start: range.start + length as u64, end: range.end };
                if !rest.is_empty() {
                    parts.push_front(Part::Staged(rest));
                }
            }
        }
        Ok(Next::Entries(parts))
    }

    /// As many records as make a piece.
    fn records(&mut self, blob: &dyn Blob, mut at: u64) -> Result<Next, ReadItemError> {
        while at < self.delivery.end.directory.end && self.piece.len() < PIECE_BYTES {
            at = self.delivery.record(blob, &mut self.piece, at)?;
        }
        Ok(Next::Record(at))
    }
}

/// Adds so many bytes of the staged file to a piece.
pub(super) fn read(blob: &dyn Blob, piece: &mut Vec<u8>, at: u64, length: usize) -> Result<(), ReadItemError> {
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
const HEADER: &[u8] = b"PK\x03\x04";
const ZIP64: u16 = 1;
const VERSION: u16 = 20;
const STORED: u16 = 0;
/// The flag that says so.
const NAMES_IN_UTF8: u16 = 1 << 11;
const OTHER: ReadItemError = ReadItemError::Changed("it is another archive");
