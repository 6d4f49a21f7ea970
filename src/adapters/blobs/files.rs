//! Open files of the store.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::ports::{Blob, Scratch};

pub(super) struct ScratchFile(pub(super) File);

impl Scratch for ScratchFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        read_at(&self.0, offset, into)
    }

    fn set_len(&self, size_bytes: u64) -> io::Result<()> {
        self.0.set_len(size_bytes)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

pub(super) struct BlobFile {
    file: File,
    size_bytes: u64,
}

impl BlobFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Self { file, size_bytes })
    }
}

impl Blob for BlobFile {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        read_at(&self.file, offset, into)
    }
}

/// A signal may interrupt a read; the caller should not have to know.
fn read_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read_at(into, offset) {
            Err(interrupted) if interrupted.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        // The kernel's always full device stands in for a full disk.
        let full = ScratchFile(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        assert_eq!(full.write_at(0, b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
