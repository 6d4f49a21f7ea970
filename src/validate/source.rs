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
    piece: Vec<u8>,
    read_bytes: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(inner: &'a mut dyn Read) -> Self {
        Self { inner, hash: digest::Context::new(&digest::SHA256), piece: Vec::new(), read_bytes: 0 }
    }

    /// The next bytes; none at the end.
    pub(super) fn read(&mut self) -> Result<&[u8], JudgeError> {
        fill(self.inner, &mut self.piece)?;
        self.read_bytes += self.piece.len();
        self.hash.update(&self.piece);
        Ok(&self.piece)
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

/// Reads the next bytes into a piece; it is empty at the end.
pub(super) fn fill(inner: &mut dyn Read, piece: &mut Vec<u8>) -> Result<(), JudgeError> {
    piece.resize(READ_BYTES, 0);
    loop {
        match inner.read(piece) {
            Ok(count) => {
                piece.truncate(count);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(JudgeError::Unreadable(error)),
        }
    }
}

const READ_BYTES: usize = 256 * 1024;
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
