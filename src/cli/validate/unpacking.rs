//! Limits against files that are small packed and endless unpacked.

use std::io::{self, Read};

use super::progress::Progress;

/// What a packed file may unpack to.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnpackLimits {
    /// Bytes in all.
    pub(super) bytes: u64,
    /// Times as many as are packed.
    pub(super) ratio: u64,
}

/// Why unpacking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Excess {
    #[error("unpacked it has more than {0} bytes (--max-unpacked)")]
    Bytes(u64),
    #[error("unpacked it is more than {0} times as large as packed (--max-ratio)")]
    Ratio(u64),
}

/// Unpacked bytes within limits.
pub(super) struct Unpacking<'p, R> {
    inner: R,
    /// Knows how many packed bytes were read.
    progress: &'p Progress,
    limits: UnpackLimits,
    bytes: u64,
}

impl<'p, R: Read> Unpacking<'p, R> {
    pub(super) fn new(inner: R, limits: UnpackLimits, progress: &'p Progress) -> Self {
        Self { inner, progress, limits, bytes: 0 }
    }

    fn excess(&self) -> Option<Excess> {
        let UnpackLimits { bytes, ratio } = self.limits;
        if self.bytes > bytes {
            return Some(Excess::Bytes(bytes));
        }
        // The first bytes of a file pack better than the rest, and cost little.
        let packed = self.progress.done().max(FREE_BYTES / ratio.max(1));
        (self.bytes > packed.saturating_mul(ratio)).then_some(Excess::Ratio(ratio))
    }
}

impl<R: Read> Read for Unpacking<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        match self.excess() {
            Some(excess) => Err(io::Error::other(excess)),
            None => Ok(count),
        }
    }
}

/// What may be unpacked whatever the ratio is.
const FREE_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(packed: u64, unpacked: u64, limits: UnpackLimits) -> Result<u64, String> {
        let progress = Progress::new(false);
        progress.begin("a.gz", None);
        progress.advance(packed);
        let mut source = Unpacking::new(io::repeat(b' ').take(unpacked), limits, &progress);
        io::copy(&mut source, &mut io::sink()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_grows_too_much_is_given_up() {
        let limits = UnpackLimits { bytes: 100 << 20, ratio: 20 };
        assert_eq!(read(1 << 20, 20 << 20, limits), Ok(20 << 20));
        assert_eq!(read(10, FREE_BYTES, UnpackLimits { ratio: 16, ..limits }), Ok(FREE_BYTES));
        assert!(read(1 << 20, (20 << 20) + 1, limits).is_err_and(|text| text.contains("20 times")));
        assert!(read(90 << 20, (100 << 20) + 1, limits).is_err_and(|text| text.contains("104857600 bytes")));
    }
}
