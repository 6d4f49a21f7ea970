//! The end of an archive: the records that say where its directory lies.
//!
//! Readers differ in what they make of strange ends, which is how one archive can be two. So the end is read here by the
//! letter of the specification, and nothing but one certain end is taken.

use std::io;

use memchr::memmem;

use super::report::Stop;
use super::window::Window;
use crate::codes;
use crate::model::ByteRange;

/// What the end of an archive says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Entries in all.
    pub(super) entries: u64,
    /// Where the directory lies.
    pub(super) directory: ByteRange,
    /// Where the end record lies.
    pub(super) record_at: u64,
}

/// Finds and reads the end.
pub(super) fn find(window: &Window<'_>) -> Result<End, Stop> {
    let from = window.size_bytes().saturating_sub(MOST_END_BYTES);
    let mut tail = vec![0; usize::try_from(window.size_bytes() - from).unwrap_or(0)];
    let filled = window.read(&mut tail, from)?;
    tail.truncate(filled);
    let mut ends = memmem::find_iter(&tail, END).filter(|at| reaches_the_end(&tail, *at));
    let Some(at) = ends.next() else { return Err(no_end(window, &tail)?) };
    if ends.next().is_some() {
        return Err(damaged("it has two ends"));
    }
    let record_at = from + at as u64;
    let record = tail.get(at..).and_then(Record::read).ok_or_else(|| damaged("its end record is cut off"))?;
    if record.disk > 0 && record.disk != u16::MAX || record.directory_disk > 0 && record.directory_disk != u16::MAX {
        return Err(Stop::Refused(codes::ZIP_MULTI_DISK, String::new()));
    }
    let mut locator = [0; LOCATOR_BYTES];
    let locator_at = record_at.checked_sub(LOCATOR_BYTES as u64);
    let has_locator = match locator_at {
        Some(at) => window.read(&mut locator, at)? == LOCATOR_BYTES && locator.starts_with(LOCATOR),
        None => false,
    };
    let end = match locator_at.filter(|_| has_locator) {
        Some(locator_at) => wide(window, &locator, locator_at, &record, record_at)?,
        None => plain(&record, record_at)?,
    };
    check_directory(&end)?;
    Ok(end)
}

/// Tells whether an end record, where one is at the very end, is not itself cut off.
pub(super) fn is_whole(window: &Window<'_>) -> io::Result<bool> {
    let mut tail = [0; END_BYTES - 1];
    let from = window.size_bytes().saturating_sub(tail.len() as u64);
    match window.read(&mut tail, from) {
        Ok(filled) => Ok(memmem::find(tail.get(..filled).unwrap_or_default(), END).is_none()),
        Err(Stop::Unreadable(error) | Stop::NotKept(error)) => Err(error),
        Err(Stop::Refused(..)) => Ok(true),
    }
}

/// The fields of the end record that say something.
struct Record {
    disk: u16,
    directory_disk: u16,
    entries_here: u16,
    entries: u16,
    directory_bytes: u32,
    directory_at: u32,
}

impl Record {
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            disk: u16_at(bytes, 4)?,
            directory_disk: u16_at(bytes, 6)?,
            entries_here: u16_at(bytes, 8)?,
            entries: u16_at(bytes, 10)?,
            directory_bytes: u32_at(bytes, 12)?,
            directory_at: u32_at(bytes, 16)?,
        })
    }
}

/// An end record whose comment fills the rest of the file.
fn reaches_the_end(tail: &[u8], at: usize) -> bool {
    let comment = tail.get(at..).and_then(|bytes| u16_at(bytes, 20));
    comment.is_some_and(|comment| at + END_BYTES + usize::from(comment) == tail.len())
}

fn no_end(window: &Window<'_>, tail: &[u8]) -> Result<Stop, Stop> {
    let mut head = [0; 4];
    let read = window.read(&mut head, 0)?;
    let begins = read == head.len() && head.starts_with(b"PK\x03\x04");
    Ok(match (begins, memmem::find(tail, END)) {
        (_, Some(_)) => Stop::Refused(codes::ZIP_HIDDEN_BYTES, "bytes follow the end of the archive".to_owned()),
        (true, None) => damaged("the file ends before the archive does"),
        (false, None) => Stop::Refused(codes::NOT_ZIP, String::new()),
    })
}

fn plain(record: &Record, record_at: u64) -> Result<End, Stop> {
    if record.entries_here != record.entries {
        return Err(Stop::Refused(codes::ZIP_MULTI_DISK, String::new()));
    }
    let start = u64::from(record.directory_at);
    let directory = ByteRange { start, end: start + u64::from(record.directory_bytes) };
    let end = End { entries: u64::from(record.entries), directory, record_at };
    if directory.end == record_at { Ok(end) } else { Err(misplaced(directory.end, record_at)) }
}

/// The end of an archive with zip64's records: the narrow fields either say the same or that they do not.
fn wide(window: &Window<'_>, locator: &[u8], locator_at: u64, narrow: &Record, record_at: u64) -> Result<End, Stop> {
    let field = |at| u32_at(locator, at).unwrap_or_default();
    if field(4) != 0 || field(16) > 1 {
        return Err(Stop::Refused(codes::ZIP_MULTI_DISK, String::new()));
    }
    let wide_at = u64_at(locator, 8).unwrap_or_default();
    let mut bytes = [0; WIDE_BYTES];
    if window.read(&mut bytes, wide_at)? < WIDE_BYTES || !bytes.starts_with(WIDE) {
        return Err(damaged("its zip64 end record is not where it should be"));
    }
    let field = |at| u64_at(&bytes, at).unwrap_or_default();
    // The size counts what follows it.
    if wide_at.checked_add(12).and_then(|at| at.checked_add(field(4))) != Some(locator_at) || field(4) != 44 {
        return Err(misplaced(wide_at.saturating_add(WIDE_BYTES as u64), locator_at));
    }
    let disks = u64_at(&bytes, 16).unwrap_or_default();
    let (here, entries, size, start) = (field(24), field(32), field(40), field(48));
    if disks != 0 || here != entries {
        return Err(Stop::Refused(codes::ZIP_MULTI_DISK, String::new()));
    }
    let agree = [
        narrow.entries_here == u16::MAX || u64::from(narrow.entries_here) == here,
        narrow.entries == u16::MAX || u64::from(narrow.entries) == entries,
        narrow.directory_bytes == u32::MAX || u64::from(narrow.directory_bytes) == size,
        narrow.directory_at == u32::MAX || u64::from(narrow.directory_at) == start,
    ];
    if agree.contains(&false) {
        return Err(damaged("its two end records disagree"));
    }
    let directory = ByteRange { start, end: start.saturating_add(size) };
    let end = End { entries, directory, record_at };
    if directory.end == wide_at { Ok(end) } else { Err(misplaced(directory.end, wide_at)) }
}

/// What cannot be before anything is read: more entries than there is room for.
fn check_directory(end: &End) -> Result<(), Stop> {
    if end.entries.saturating_mul(RECORD_BYTES) > end.directory.len() {
        return Err(damaged("its directory is too small for its entries"));
    }
    Ok(())
}

fn misplaced(end: u64, next: u64) -> Stop {
    if end < next {
        let text = "bytes lie between its directory and its end, or before its first entry";
        return Stop::Refused(codes::ZIP_HIDDEN_BYTES, text.to_owned());
    }
    damaged("its directory is not where its end says")
}

fn damaged(text: &str) -> Stop {
    Stop::Refused(codes::ZIP_DAMAGED, text.to_owned())
}

/// A field of two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

/// A field of four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// A field of eight bytes.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

const END: &[u8] = b"PK\x05\x06";
const LOCATOR: &[u8] = b"PK\x06\x07";
const WIDE: &[u8] = b"PK\x06\x06";
pub(super) const END_BYTES: usize = 22;
pub(super) const LOCATOR_BYTES: usize = 20;
pub(super) const WIDE_BYTES: usize = 56;
/// The fixed part of a directory record.
pub(super) const RECORD_BYTES: u64 = 46;
/// An end record with the longest comment.
const MOST_END_BYTES: u64 = END_BYTES as u64 + u16::MAX as u64;
