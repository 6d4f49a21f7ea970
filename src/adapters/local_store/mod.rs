//! A local directory as a store of others' files.
//!
//! Every path is walked from the root one name at a time, and no link is followed on the way: whoever writes into the
//! directory cannot make us read or change anything outside of it. What is no regular file is not seen. A name appears
//! whole: a rename that may not replace is one step of the kernel's, but on file systems that have no such step.

mod files;
mod tree;
mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use jiff::Timestamp;
use rustix::io::Errno;

use crate::blocking::Blocking;
use crate::kill_point::kill_point;
use crate::ports::{FileSeen, FileStore, StoreError};

pub use watch::{WatchError, Watcher};

/// A store in one local directory.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: Arc<Path>,
    /// A mount that hangs keeps the threads that ask it, whoever has left: not more than these.
    door: Blocking,
}

impl LocalStore {
    /// Takes a directory, which need not be there yet: a share may be mounted later.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into().into(), door: Blocking::new(THREADS) }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let root = Arc::clone(&self.root);
        files::through(&self.door, move || job(&root)).await.map_err(failure)
    }
}

#[async_trait]
impl FileStore for LocalStore {
    async fn list(
        &self,
        dir: &str,
        depth: u32,
    ) -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError> {
        let dir = dir.to_owned();
        let walk = self.on_disk(move |root| tree::Walk::begin(root, &dir, depth)).await?;
        Ok(files::pages(walk, self.door.clone()).map(|seen| seen.map_err(failure)).boxed())
    }

    async fn stat(&self, path: &str) -> Result<Option<FileSeen>, StoreError> {
        let path = path.to_owned();
        self.on_disk(move |root| tree::stat(root, &path)).await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(Some(Timestamp::now()))
    }

    async fn read(&self, path: &str, offset: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
        let path = path.to_owned();
        let file = self.on_disk(move |root| tree::open(root, &path, offset)).await?;
        Ok(files::bytes(file, offset, self.door.clone()))
    }

    async fn write(
        &self,
        path: &str,
        offset: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<u64, StoreError> {
        let path = path.to_owned();
        let file = self.on_disk(move |root| tree::create(root, &path, offset)).await?;
        files::write(file, offset, bytes, &self.door).await
    }

    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StoreError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        kill_point("store.rename.before");
        self.on_disk(move |root| tree::rename(root, &from, &to, replace)).await?;
        kill_point("store.rename.after");
        Ok(())
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        let path = path.to_owned();
        kill_point("store.remove.before");
        self.on_disk(move |root| tree::remove(root, &path)).await?;
        kill_point("store.remove.after");
        Ok(())
    }

    async fn make_dir(&self, path: &str) -> Result<(), StoreError> {
        let path = path.to_owned();
        self.on_disk(move |root| tree::make_dir(root, &path)).await
    }
}

/// What a failure of the disk means to who asked.
fn failure(error: io::Error) -> StoreError {
    let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
    // A link where none is followed is as good as nothing.
    let is_link = Errno::from_io_error(&error) == Some(Errno::LOOP);
    if is_link || is(&[io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]) {
        StoreError::NotFound
    } else if is(&[io::ErrorKind::AlreadyExists, io::ErrorKind::IsADirectory, io::ErrorKind::DirectoryNotEmpty]) {
        StoreError::Exists
    } else if is(&[io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
        StoreError::Denied
    } else if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
        StoreError::Full
    } else if is(&[io::ErrorKind::InvalidInput]) {
        StoreError::Nonsense("a path that leads out of the directory")
    } else if is(&[io::ErrorKind::InvalidData]) {
        StoreError::Nonsense("a place past the end of a file")
    } else if let Some(errno) = Errno::from_io_error(&error).filter(|errno| OF_ONE_FILE.contains(errno)) {
        StoreError::Failed(errno.raw_os_error().unsigned_abs())
    } else {
        StoreError::Unreachable(error.to_string())
    }
}

/// Threads that one directory may keep.
const THREADS: usize = 4;

/// Failures of the disk with one file: others may be read all the same.
const OF_ONE_FILE: [Errno; 5] = [Errno::IO, Errno::BUSY, Errno::STALE, Errno::NAMETOOLONG, Errno::XDEV];

#[cfg(test)]
mod tests;
