//! A scratch file that is none while its bytes are few.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::ScratchFile;
use crate::adapters::durable::sync_dir;
use crate::ports::Scratch;

/// A scratch file that begins in memory and goes to disk when it grows, or when it is to be durable.
pub(super) struct Light {
    path: PathBuf,
    state: Mutex<State>,
}

enum State {
    Memory(Vec<u8>),
    File(Arc<ScratchFile>),
}

impl Light {
    /// An empty one, which goes to the path when it must.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::new(State::Memory(Vec::new())) }
    }

    /// Does it in memory, when the bytes that it reaches to may stay there; else gives the file.
    fn within<T>(
        &self,
        end: u64,
        in_memory: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> io::Result<Result<T, Arc<ScratchFile>>> {
        let mut state = self.locked();
        match &mut *state {
            State::Memory(bytes) if end <= MOST_BYTES => Ok(Ok(in_memory(bytes))),
            State::Memory(bytes) => {
                let file = Arc::new(spill(&self.path, bytes)?);
                *state = State::File(Arc::clone(&file));
                Ok(Err(file))
            }
            State::File(file) => Ok(Err(Arc::clone(file))),
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Whole after every statement, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scratch for Light {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = if bytes.is_empty() { 0 } else { offset.saturating_add(bytes.len() as u64) };
        let written = self.within(end, |kept| {
            let (Ok(from), Ok(end)) = (usize::try_from(offset), usize::try_from(end)) else { return };
            if kept.len() < end {
                kept.resize(end, 0);
            }
            kept.get_mut(from..end).into_iter().for_each(|room| room.copy_from_slice(bytes));
        });
        written?.or_else(|file| file.write_at(offset, bytes))
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let read = self.within(0, |kept| {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let there = kept.get(from..).unwrap_or_default();
            let count = there.len().min(into.len());
            into.iter_mut().zip(there).for_each(|(room, byte)| *room = *byte);
            count
        });
        read?.or_else(|file| file.read_at(offset, into))
    }

    fn set_len(&self, size_bytes: u64) -> io::Result<()> {
        let set = self.within(size_bytes, |kept| kept.resize(usize::try_from(size_bytes).unwrap_or_default(), 0));
        set?.or_else(|file| file.set_len(size_bytes))
    }

    fn size_bytes(&self) -> io::Result<u64> {
        self.within(0, |kept| kept.len() as u64)?.or_else(|file| file.size_bytes())
    }

    fn sync(&self) -> io::Result<()> {
        self.within(u64::MAX, |_| ())?.or_else(|file| file.sync())?;
        // Who resumes it finds it by its name.
        self.path.parent().map_or(Ok(()), sync_dir)
    }

    fn in_memory(&self) -> Option<Vec<u8>> {
        match &*self.locked() {
            State::Memory(bytes) => Some(bytes.clone()),
            State::File(_) => None,
        }
    }

    fn stays_in_memory(&self, end: u64) -> bool {
        end <= MOST_BYTES && matches!(*self.locked(), State::Memory(_))
    }
}

/// Makes the file of what was in memory; what cannot be written leaves nothing behind.
fn spill(path: &Path, bytes: &[u8]) -> io::Result<ScratchFile> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let scratch = ScratchFile(file);
    if let Err(error) = scratch.write_at(0, bytes) {
        fs::remove_file(path)?;
        return Err(error);
    }
    Ok(scratch)
}

/// As many bytes stay in memory: what makes a file small.
const MOST_BYTES: u64 = 64 << 10;
