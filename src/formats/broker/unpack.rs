//! One file of an archive, unpacked as it is read, never further than it declares.

use std::io;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Member;
use crate::formats::ReadItemError;
use crate::ports::Blob;

/// Why a file could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The staged file could not be read; the same call may succeed later.
    #[error("the staged file cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The archive does not hold what it declares.
    #[error("{0}")]
    Damaged(&'static str),
}

/// Of an archive that was judged.
impl From<UnpackError> for ReadItemError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Unreadable(error) => Self::Unreadable(error),
            UnpackError::Damaged(text) => Self::Changed(text),
        }
    }
}

/// Unpacks a file, out of the same staged file at every step.
pub struct Unpacker {
    member: Member,
    /// Where the next packed bytes lie.
    at: u64,
    inflate: Option<Decompress>,
    packed: Vec<u8>,
    /// How many of them are used.
    used: usize,
    unpacked_bytes: u64,
    crc: Crc,
    ended: bool,
}

impl Unpacker {
    /// Begins a file.
    pub fn new(member: &Member) -> Self {
        let inflate = member.deflated.then(|| Decompress::new(false));
        let (at, packed) = (member.data.start, Vec::new());
        Self { member: *member, at, inflate, packed, used: 0, unpacked_bytes: 0, crc: Crc::new(), ended: false }
    }

    /// Writes the next bytes; 0 at the end, when all that was declared of the file has been found true.
    pub fn next(&mut self, blob: &dyn Blob, into: &mut [u8]) -> Result<usize, UnpackError> {
        if into.is_empty() || self.ended {
            return Ok(0);
        }
        // One byte more than declared is enough to tell; what is beyond it, or wrong there, is not looked at.
        let wanted = self.member.size_bytes.saturating_sub(self.unpacked_bytes).saturating_add(1);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..wanted).unwrap_or_default();
        let count = match self.inflate.take() {
            Some(mut inflate) => {
                let count = self.inflate(blob, &mut inflate, into);
                self.inflate = Some(inflate);
                count?
            }
            None => self.copy(blob, into)?,
        };
        let unpacked = into.get(..count).unwrap_or_default();
        self.crc.update(unpacked);
        self.unpacked_bytes += count as u64;
        if self.unpacked_bytes > self.member.size_bytes {
            return Err(UnpackError::Damaged("it unpacks to more than it declares"));
        }
        if count == 0 {
            self.end()?;
        }
        Ok(count)
    }

    fn end(&mut self) -> Result<(), UnpackError> {
        self.ended = true;
        if self.unpacked_bytes < self.member.size_bytes {
            return Err(UnpackError::Damaged("it unpacks to less than it declares"));
        }
        if self.at < self.member.data.end || self.used < self.packed.len() {
            return Err(UnpackError::Damaged("bytes follow its packed data"));
        }
        if self.crc.sum() != self.member.crc32 {
            return Err(UnpackError::Damaged("its CRC-32 is not the one declared"));
        }
        Ok(())
    }

    fn copy(&mut self, blob: &dyn Blob, into: &mut [u8]) -> Result<usize, UnpackError> {
        let wanted = usize::try_from(self.member.data.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let into = into.get_mut(..wanted.min(READ_BYTES)).unwrap_or_default();
        self.read(blob, into)
    }

    fn inflate(&mut self, blob: &dyn Blob, inflate: &mut Decompress, into: &mut [u8]) -> Result<usize, UnpackError> {
        loop {
            if self.used == self.packed.len() {
                self.refill(blob)?;
            }
            let packed = self.packed.get(self.used..).unwrap_or_default();
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(packed, into, FlushDecompress::None);
            let status = status.map_err(|_| UnpackError::Damaged("its packed data is damaged"))?;
            let count = |after: u64, before: u64| usize::try_from(after - before).unwrap_or(0);
            let (used, written) = (count(inflate.total_in(), before.0), count(inflate.total_out(), before.1));
            self.used += used;
            if written > 0 || status == Status::StreamEnd {
                return Ok(written);
            }
            // With room to write, nothing but more packed bytes can help it on.
            if used == 0 && (packed.is_empty() || self.at == self.member.data.end) {
                return Err(UnpackError::Damaged("its packed data is cut off"));
            }
        }
    }

    fn refill(&mut self, blob: &dyn Blob) -> Result<(), UnpackError> {
        let left = usize::try_from(self.member.data.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let mut packed = std::mem::take(&mut self.packed);
        packed.resize(left.min(READ_BYTES), 0);
        let count = self.read(blob, &mut packed)?;
        packed.truncate(count);
        (self.packed, self.used) = (packed, 0);
        Ok(())
    }

    /// Reads packed bytes; short only where the file is.
    fn read(&mut self, blob: &dyn Blob, into: &mut [u8]) -> Result<usize, UnpackError> {
        loop {
            match blob.read_at(self.at, into) {
                Ok(0) if !into.is_empty() => return Err(UnpackError::Damaged("its data reaches past the file's end")),
                Ok(count) => {
                    self.at += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(UnpackError::Unreadable(error)),
            }
        }
    }
}

const READ_BYTES: usize = 64 << 10;
