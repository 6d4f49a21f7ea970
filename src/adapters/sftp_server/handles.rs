//! Open handles of a channel.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::AreaPath;
use crate::ports::{Blob, Scratch};

use super::failure::Failure;
use super::listing::Listing;
use super::upload::Upload;

/// What a handle stands for.
pub(super) enum Open {
    /// A file being uploaded.
    Upload(Box<Upload>),
    /// A file being read.
    Reading(Reading),
    /// A directory being listed.
    Listing(Listing),
}

/// A file being read.
pub(super) struct Reading {
    /// Which.
    pub(super) path: AreaPath,
    /// Its bytes; they stay readable when the file is removed meanwhile.
    pub(super) blob: Arc<dyn Blob>,
    /// When it last changed.
    pub(super) modified: Timestamp,
    /// Whether its fetching is recorded.
    pub(super) ours: bool,
    /// Bytes that were read, and how far they reach.
    pub(super) read_bytes: u64,
    pub(super) reach_bytes: u64,
}

impl Reading {
    /// Counts what a reply carries.
    pub(super) fn count(&mut self, offset: u64, bytes: u64) {
        self.read_bytes = self.read_bytes.saturating_add(bytes);
        self.reach_bytes = self.reach_bytes.max(offset.saturating_add(bytes));
    }

    /// Whether it is a file of ours of which so much was read that it was read whole.
    pub(super) fn fetched(&self) -> bool {
        let size_bytes = self.blob.size_bytes();
        self.ours && self.read_bytes >= size_bytes && self.reach_bytes >= size_bytes
    }
}

/// Bytes to read from.
#[derive(Clone)]
pub(super) enum Source {
    /// Finished ones.
    Blob(Arc<dyn Blob>),
    /// Those of an upload opened for reading too.
    Scratch(Arc<dyn Scratch>),
}

impl Source {
    /// Reads at the offset; 0 at the end. Blocks.
    pub(super) fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        // No file reaches there, and the system calls such an offset a fault.
        if i64::try_from(offset).is_err() {
            return Ok(0);
        }
        match self {
            Self::Blob(blob) => blob.read_at(offset, into),
            Self::Scratch(scratch) => scratch.read_at(offset, into),
        }
    }
}

/// Open handles, named by numbers that are never used twice.
pub(super) struct Handles {
    open: HashMap<u64, (Open, Room)>,
    next: u64,
    most: usize,
    /// What all channels of the partner may have open.
    budget: Arc<Semaphore>,
}

/// Room for one handle, given back when it is dropped.
pub(super) struct Room {
    _permit: OwnedSemaphorePermit,
}

impl Handles {
    /// Makes an empty table with room for so many, within the partner's budget.
    pub(super) fn new(most: usize, budget: Arc<Semaphore>) -> Self {
        Self { open: HashMap::new(), next: 1, most, budget }
    }

    /// Takes room for one more; fails when there is none.
    pub(super) fn room(&self) -> Result<Room, Failure> {
        if self.open.len() >= self.most {
            return Err(Failure::Refused(format!("{} files are open already; close some first", self.most)));
        }
        let permit = Arc::clone(&self.budget).try_acquire_owned();
        let too_many = "your connections have too many files open together; close some first";
        Ok(Room { _permit: permit.map_err(|_none| Failure::Refused(too_many.to_owned()))? })
    }

    /// Adds one in the room taken for it and names it.
    pub(super) fn add(&mut self, open: Open, room: Room) -> String {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, (open, room));
        number.to_string()
    }

    /// What a name stands for.
    pub(super) fn find(&mut self, name: &[u8]) -> Result<&mut Open, Failure> {
        number(name).and_then(|number| self.open.get_mut(&number)).map(|(open, _)| open).ok_or(UNKNOWN)
    }

    /// Takes one out.
    pub(super) fn take(&mut self, name: &[u8]) -> Result<Open, Failure> {
        number(name).and_then(|number| self.open.remove(&number)).map(|(open, _)| open).ok_or(UNKNOWN)
    }

    /// Takes all out.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Open> {
        std::mem::take(&mut self.open).into_values().map(|(open, _)| open)
    }
}

/// A handle's number, written as we write it: two names for one file would let it be copied onto itself.
fn number(name: &[u8]) -> Option<u64> {
    name.first().filter(|first| (b'1'..=b'9').contains(first))?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

const UNKNOWN: Failure = Failure::BadMessage("no such handle is open");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_one_name() {
        assert_eq!((number(b"1"), number(b"120")), (Some(1), Some(120)));
        for other in ["01", "+1", " 1", "1 ", "0", "", "x"] {
            assert_eq!(number(other.as_bytes()), None, "{other}");
        }
    }
}
