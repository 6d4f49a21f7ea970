//! The staged file, hashed as it is read: a small one in place, a large one on a thread of its own.
//!
//! SHA-256 takes longer than judging does, so a second core halves the time. The pieces go to the thread and come back
//! to be filled again; their number bounds the memory.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use aws_lc_rs::digest;

use super::JudgeError;

/// A file being read.
pub(super) struct Source<'a> {
    inner: &'a mut dyn Read,
    hash: Hash,
    piece: Arc<Vec<u8>>,
    read_bytes: usize,
}

enum Hash {
    Here(digest::Context),
    There(Hasher),
}

/// The thread, and the pieces on their way to it and back.
struct Hasher {
    full: SyncSender<Arc<Vec<u8>>>,
    free: Receiver<Arc<Vec<u8>>>,
    thread: JoinHandle<digest::Context>,
}

impl<'a> Source<'a> {
    pub(super) fn new(inner: &'a mut dyn Read) -> Self {
        let hash = Hash::Here(digest::Context::new(&digest::SHA256));
        Self { inner, hash, piece: Arc::default(), read_bytes: 0 }
    }

    /// The next bytes; none at the end.
    pub(super) fn read(&mut self) -> Result<&[u8], JudgeError> {
        if let Hash::There(hasher) = &self.hash {
            // Never the piece at hand: it went to the thread behind this one.
            self.piece = hasher.free.recv().map_err(|_| lost())?;
        }
        let piece = Arc::get_mut(&mut self.piece).expect("a free piece is nobody else's");
        piece.resize(READ_BYTES, 0);
        let count = fill(self.inner, piece)?;
        piece.truncate(count);
        self.read_bytes += count;
        self.hash_piece()?;
        Ok(&self.piece)
    }

    /// Reads what is left: the receipt names the hash of the whole file, also of one that is refused half-way.
    pub(super) fn finish(mut self) -> Result<Option<[u8; 32]>, JudgeError> {
        while !self.read()?.is_empty() {}
        let context = match self.hash {
            Hash::Here(context) => context,
            Hash::There(Hasher { full, free, thread }) => {
                drop((full, free));
                thread.join().map_err(|_| lost())?
            }
        };
        Ok(context.finish().as_ref().try_into().ok())
    }

    fn hash_piece(&mut self) -> Result<(), JudgeError> {
        if let Hash::Here(context) = &mut self.hash {
            context.update(&self.piece);
            // A machine without another thread to give hashes here to the end.
            if self.read_bytes > LARGE_BYTES
                && let Ok(hasher) = Hasher::start(context.clone())
            {
                self.hash = Hash::There(hasher);
            }
            return Ok(());
        }
        let Hash::There(hasher) = &self.hash else { return Ok(()) };
        hasher.full.send(Arc::clone(&self.piece)).map_err(|_| lost())
    }
}

impl Hasher {
    /// Goes on from what has been hashed.
    fn start(mut context: digest::Context) -> io::Result<Self> {
        let (full, hashing) = sync_channel::<Arc<Vec<u8>>>(PIECES);
        let (done, free) = sync_channel(PIECES);
        for _ in 0..PIECES {
            // There is room for all of them.
            _ = done.send(Arc::default());
        }
        let thread = thread::Builder::new().name("hash".to_owned()).spawn(move || {
            for piece in hashing {
                context.update(&piece);
                // At the end nobody waits for it.
                _ = done.send(piece);
            }
            context
        })?;
        Ok(Self { full, free, thread })
    }
}

fn fill(inner: &mut dyn Read, piece: &mut [u8]) -> Result<usize, JudgeError> {
    loop {
        match inner.read(piece) {
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(JudgeError::Unreadable(error)),
        }
    }
}

fn lost() -> JudgeError {
    JudgeError::Unreadable(io::Error::other("the thread that hashes it ended"))
}

const READ_BYTES: usize = 256 * 1024;
/// From here on a thread is worth its start.
const LARGE_BYTES: usize = 1 << 20;
/// Pieces between reading and hashing, the one at hand among them.
const PIECES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_all_bytes_wherever_it_is_made() {
        for size in [0, 1, READ_BYTES, LARGE_BYTES, LARGE_BYTES + READ_BYTES, 5 * LARGE_BYTES + 7] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let mut inner = &bytes[..];
            let mut source = Source::new(&mut inner);
            let mut read = 0;
            // As a batch that is refused half-way.
            while read < size / 2 {
                read += source.read().unwrap().len();
            }
            let hash = source.finish().unwrap().unwrap();
            assert_eq!(hash, digest::digest(&digest::SHA256, &bytes).as_ref(), "{size}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        struct Broken(u32);
        impl Read for Broken {
            fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 30 { Err(io::Error::other("gone")) } else { Ok(piece.len()) }
            }
        }
        let mut inner = Broken(0);
        assert!(matches!(Source::new(&mut inner).finish(), Err(JudgeError::Unreadable(_))));
    }
}
