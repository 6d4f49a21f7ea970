//! A directory of an SFTP server as a [`FileStore`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

use super::calls::seen;
use super::clock::ServerClock;
use super::lane::Lane;
use super::listing::Look;
use super::peer::Peer;
use super::session::Lease;
use super::{paths, reading, renaming, writing};
use crate::ports::{FileSeen, FileStore, StoreError};

/// Files of one login on one server, over at most one connection.
pub struct SftpStore {
    lane: Arc<Lane>,
    root: Arc<str>,
    writable: Option<String>,
    clock: ServerClock,
    skipped: Arc<AtomicU64>,
}

impl SftpStore {
    /// Everything below `root`, an absolute path or one relative to the login's own directory. No connection is made yet.
    ///
    /// `writable` is a directory below the root where an empty file may be made for a moment, to learn the server's time.
    pub fn new(peer: Peer, root: &str, writable: Option<String>) -> Self {
        let root = if root == "/" { root } else { root.trim_end_matches('/') };
        Self {
            lane: Arc::new(Lane::new(peer)),
            root: root.into(),
            writable,
            clock: ServerClock::default(),
            skipped: Arc::default(),
        }
    }

    /// How many entries of directories were skipped so far, since their names are no names or nothing is told of them.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    async fn session(&self) -> Result<Lease, StoreError> {
        self.lane.session().await
    }

    fn place(&self, path: &str) -> Result<String, StoreError> {
        if path.is_empty() { Err(StoreError::Denied) } else { paths::below(&self.root, path) }
    }
}

#[async_trait]
impl FileStore for SftpStore {
    async fn list(
        &self,
        dir: &str,
        depth: u32,
    ) -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError> {
        paths::below(&self.root, dir)?;
        let (lane, root) = (Arc::clone(&self.lane), Arc::clone(&self.root));
        Look::new(lane, root, dir, depth, Arc::clone(&self.skipped)).begin().await
    }

    async fn stat(&self, path: &str) -> Result<Option<FileSeen>, StoreError> {
        let place = self.place(path)?;
        match self.session().await?.lstat(&place).await? {
            Some(found) => seen(path, found),
            None => Ok(None),
        }
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Some(now) = self.clock.now() {
            return Ok(Some(now));
        }
        let Some(dir) = &self.writable else { return Ok(None) };
        let dir = paths::below(&self.root, dir)?;
        self.clock.ask(self.session().await?, &dir).await?;
        Ok(self.clock.now())
    }

    async fn read(&self, path: &str, offset: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
        let place = self.place(path)?;
        reading::read(self.session().await?, &place, offset).await
    }

    async fn write(
        &self,
        path: &str,
        offset: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<u64, StoreError> {
        let place = self.place(path)?;
        let found = writing::write(self.session().await?, &place, offset, bytes).await?;
        self.clock.learn(found.modified());
        found.size_bytes.ok_or(StoreError::Nonsense("a file without a size"))
    }

    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StoreError> {
        let (from, to) = (self.place(from)?, self.place(to)?);
        let session = self.session().await?;
        if replace {
            renaming::replace(&session, &from, &to).await
        } else {
            renaming::rename(&session, &from, &to).await
        }
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        let place = self.place(path)?;
        renaming::remove(&*self.session().await?, &place).await
    }

    async fn make_dir(&self, path: &str) -> Result<(), StoreError> {
        paths::below(&self.root, path)?;
        renaming::make_dirs(&*self.session().await?, &self.root, path).await
    }
}
