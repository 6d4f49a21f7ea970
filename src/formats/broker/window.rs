//! The staged file as the ZIP library reads it: small reads close to each other cost one read of the file.

use std::cell::{Cell, RefCell};
use std::io;

use rawzip::{Error, ErrorKind, ReaderAt};

use super::report::Stop;
use crate::codes;
use crate::ports::Blob;

/// A staged file.
pub(super) struct Window<'a> {
    blob: &'a dyn Blob,
    size_bytes: u64,
    /// What was read last, and where it begins.
    held: RefCell<Vec<u8>>,
    held_at: Cell<u64>,
    /// Why the file could not be read, which the library must not take for damage.
    failure: RefCell<Option<io::Error>>,
}

impl<'a> Window<'a> {
    pub(super) fn new(blob: &'a dyn Blob) -> Self {
        let size_bytes = blob.size_bytes();
        Self { blob, size_bytes, held: RefCell::default(), held_at: Cell::default(), failure: RefCell::default() }
    }

    pub(super) fn blob(&self) -> &'a dyn Blob {
        self.blob
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Fills as much of the buffer as there are bytes.
    pub(super) fn read(&self, into: &mut [u8], offset: u64) -> Result<usize, Stop> {
        self.fill(into, offset).map_err(Stop::Unreadable)
    }

    /// What an error of the library means.
    pub(super) fn stop(&self, error: &Error, what: &'static str) -> Stop {
        match self.failure.take() {
            Some(failure) => Stop::Unreadable(failure),
            None => Stop::Refused(codes::ZIP_DAMAGED, format!("{what}: {}", fault(error))),
        }
    }

    fn fill(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.blob.read_at(offset.saturating_add(filled as u64), rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn read_near(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.size_bytes {
            return Ok(0);
        }
        let mut held = self.held.borrow_mut();
        if copy(&held, self.held_at.get(), into, offset) < into.len() {
            held.resize(WINDOW_BYTES.max(into.len()), 0);
            let filled = self.fill(&mut held, offset)?;
            held.truncate(filled);
            self.held_at.set(offset);
        }
        Ok(copy(&held, self.held_at.get(), into, offset))
    }
}

impl ReaderAt for Window<'_> {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = if into.len() > WINDOW_BYTES { self.fill(into, offset) } else { self.read_near(into, offset) };
        read.map_err(|error| {
            let kind = error.kind();
            self.failure.replace(Some(error));
            kind.into()
        })
    }
}

/// Copies what is held of a range; returns how much.
fn copy(held: &[u8], held_at: u64, into: &mut [u8], offset: u64) -> usize {
    let skip = offset.checked_sub(held_at).and_then(|skip| usize::try_from(skip).ok());
    let held = skip.and_then(|skip| held.get(skip..)).unwrap_or_default();
    held.iter().zip(into).map(|(from, to)| *to = *from).count()
}

/// What is wrong, without what stands in the file.
fn fault(error: &Error) -> &'static str {
    if matches!(error.kind(), ErrorKind::InvalidSignature { .. }) {
        return "its signature is missing";
    }
    "it is cut off, or reaches past the end"
}

/// Holds the headers of some dozen small entries, and little of a large one's data.
const WINDOW_BYTES: usize = 4 << 10;
