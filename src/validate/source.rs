//! The staged file, hashed as it is read.

use std::io::{self, Read};

use aws_lc_rs::digest;

use super::JudgeError;

/// A file being read.
pub(super) struct Source<'a> {
    /// Where its bytes come from.
    pub(super) inner: &'a mut dyn Read,
    /// The hash of what has been read.
    pub(super) hash: digest::Context,
    /// What was read last.
    pub(super) piece: Piece,
    read_bytes: usize,
}

/// A buffer that is read into again and again; its memory is written once.
#[derive(Default)]
pub(super) struct Piece {
    room: Vec<u8>,
    filled: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(inner: &'a mut dyn Read) -> Self {
        Self { inner, hash: digest::Context::new(&digest::SHA256), piece: Piece::default(), read_bytes: 0 }
    }

    /// The next bytes; none at the end.
    pub(super) fn read(&mut self) -> Result<&[u8], JudgeError> {
        self.piece.fill(self.inner)?;
        let bytes = self.piece.bytes();
        self.read_bytes += bytes.len();
        self.hash.update(bytes);
        Ok(bytes)
    }

    /// Tells whether enough has been read for threads to be worth their start.
    pub(super) fn is_large(&self) -> bool {
        self.read_bytes > LARGE_BYTES
    }

    /// The hash of all that was read.
    pub(super) fn sha256(self) -> Option<[u8; 32]> {
        self.hash.finish().as_ref().try_into().ok()
    }
}

impl Piece {
    /// Reads the next bytes; it is empty at the end.
    pub(super) fn fill(&mut self, inner: &mut dyn Read) -> Result<(), JudgeError> {
        self.room.resize(READ_BYTES, 0);
        loop {
            match inner.read(&mut self.room) {
                Ok(count) => {
                    self.filled = count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(JudgeError::Unreadable(error)),
            }
        }
    }

    /// What was read.
    pub(super) fn bytes(&self) -> &[u8] {
        self.room.get(..self.filled).unwrap_or_default()
    }
}

const READ_BYTES: usize = 160 * 1024;
const LARGE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_read_after_an_interruption_and_a_failure_is_said() {
        struct Shaky(u32);
        impl Read for Shaky {
            fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(io::ErrorKind::Interrupted.into()),
                    2 => {
                        piece.iter_mut().take(3).for_each(|byte| *byte = b'a');
                        Ok(3)
                    }
                    _ => Err(io::Error::other("gone")),
                }
            }
        }
        let mut inner = Shaky(0);
        let mut source = Source::new(&mut inner);
        assert_eq!(source.read().unwrap(), b"aaa");
        assert!(matches!(source.read(), Err(JudgeError::Unreadable(_))));
        assert_eq!(source.sha256().unwrap(), digest::digest(&digest::SHA256, b"aaa").as_ref());
    }
}
