//! Writing a file: many requests under way, then synced, closed and looked at.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream::{BoxStream, StreamExt as _};

use super::calls::{Open, done};
use super::packets::{self, Attributes, Reply};
use super::paths;
use super::reading::UNDER_WAY;
use super::session::Lease;
use super::wire::Waiting;
use crate::ports::StoreError;

/// Writes a file from an offset and returns what the server says of it afterwards.
pub(super) async fn write(
    session: Lease,
    path: &str,
    offset: u64,
    mut bytes: BoxStream<'static, io::Result<Bytes>>,
) -> Result<Attributes, StoreError> {
    let after = Arc::clone(&session);
    let mut put = if offset == 0 { Put::begin(session, path).await } else { Put::go_on(session, path, offset).await }?;
    while let Some(more) = bytes.next().await {
        let pushed = match more {
            Ok(more) => put.push(&more).await,
            Err(error) => Err(StoreError::Unreadable(error)),
        };
        if let Err(error) = pushed {
            return Err(put.give_up(error).await);
        }
    }
    let (size_bytes, hash) = put.finish().await?;
    let found = after.stat(path).await?.ok_or(StoreError::NotFound)?;
    match found.size_bytes {
        Some(size) if size == size_bytes => {}
        Some(_) => return Err(StoreError::Nonsense("another size than was written")),
        None => return Err(StoreError::Nonsense("a file without a size")),
    }
    let written = size_bytes.saturating_sub(offset);
    if let Some(hash) = hash.filter(|_| (1..=MOST_HASHED_BYTES).contains(&written)) {
        let theirs = after.hash(path, offset, written).await?;
        if theirs.is_some_and(|theirs| *theirs != *hash.finish().as_ref()) {
            return Err(StoreError::Nonsense("other bytes than were written"));
        }
    }
    Ok(found)
}

/// A file that is being written.
pub(super) struct Put {
    open: Open,
    path: String,
    /// Where the next request begins.
    at: u64,
    gathered: BytesMut,
    under_way: VecDeque<Waiting>,
    /// Of what was sent, where the server can tell its own.
    hash: Option<Context>,
}

impl Put {
    /// Makes the file anew.
    pub(super) async fn begin(session: Lease, path: &str) -> Result<Self, StoreError> {
        let flags = packets::FOR_WRITING | packets::CREATE | packets::TRUNCATE;
        Ok(Self::of(Open::file(session, path, flags).await?, path, 0))
    }

    /// Goes on with a file where it was cut off.
    async fn go_on(session: Lease, path: &str, offset: u64) -> Result<Self, StoreError> {
        let open = Open::file(session, path, packets::FOR_WRITING).await?;
        let size_bytes = open.attributes().await?.size_bytes.ok_or(StoreError::Nonsense("a file without a size"))?;
        if size_bytes < offset {
            return Err(StoreError::Nonsense("a file shorter than where it is to go on"));
        }
        if size_bytes > offset {
            open.cut(offset).await?;
        }
        Ok(Self::of(open, path, offset))
    }

    fn of(open: Open, path: &str, at: u64) -> Self {
        let gathered = BytesMut::with_capacity(open.session.chunk);
        let hash = open.session.offers.check_file.then(|| Context::new(&SHA256));
        Self { open, path: path.to_owned(), at, gathered, under_way: VecDeque::new(), hash }
    }

    /// Takes more bytes, and sends what makes whole requests.
    pub(super) async fn push(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        let chunk = self.open.session.chunk;
        while !bytes.is_empty() {
            let (fits, rest) = bytes.split_at(bytes.len().min(chunk.saturating_sub(self.gathered.len())));
            self.gathered.extend_from_slice(fits);
            bytes = rest;
            if self.gathered.len() >= chunk {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Sends what is gathered, when there is room for one more under way.
    async fn send(&mut self) -> Result<(), StoreError> {
        self.settle(UNDER_WAY - 1).await?;
        let (open, at, chunk) = (&self.open, self.at, &self.gathered);
        let waiting = open.session.send(packets::WRITE, chunk.len() + open.handle.len(), |packet| {
            packets::put_string(packet, &open.handle);
            packet.put_u64(at);
            packets::put_string(packet, chunk);
        });
        if let Some(hash) = &mut self.hash {
            hash.update(&self.gathered);
        }
        self.at += self.gathered.len() as u64;
        self.gathered.clear();
        self.under_way.push_back(waiting);
        Ok(())
    }

    /// Waits until no more than so many are under way.
    async fn settle(&mut self, left: usize) -> Result<(), StoreError> {
        while self.under_way.len() > left {
            let Some(oldest) = self.under_way.pop_front() else { break };
            done(oldest.reply().await?)?;
        }
        Ok(())
    }

    /// Sends the rest and closes; the file's size when the server has acknowledged all of it, and the hash of what was sent.
    pub(super) async fn finish(mut self) -> Result<(u64, Option<Context>), StoreError> {
        let size_bytes = self.at + self.gathered.len() as u64;
        if let Err(error) = self.synced().await {
            return Err(self.give_up(error).await);
        }
        self.open.close().await?;
        Ok((size_bytes, self.hash))
    }

    async fn synced(&mut self) -> Result<(), StoreError> {
        if !self.gathered.is_empty() {
            self.send().await?;
        }
        self.settle(0).await?;
        if !self.open.session.offers.fsync {
            return Ok(());
        }
        let reply = self.open.session.extended("fsync@openssh.com", &[&self.open.handle]).await?;
        // A file system that cannot sync is no reason to refuse the file.
        if matches!(reply, Reply::Status(UNSUPPORTED)) {
            return Ok(());
        }
        match done(reply) {
            // Told apart from a file that cannot be opened once more: this one may never come to the server's disk.
            Err(StoreError::Failed(_) | StoreError::Denied) => Err(self.unsynced().await),
            done => done,
        }
    }

    async fn unsynced(&self) -> StoreError {
        let is_full = self.open.session.is_full(paths::dir_of(&self.path)).await;
        if is_full { StoreError::Full } else { StoreError::Nonsense("a file that it does not bring to its disk") }
    }

    /// Closes the file as far as it came, to go on from, and tells why it went no further.
    async fn give_up(self, error: StoreError) -> StoreError {
        let session = Arc::clone(&self.open.session);
        // The first reason counts.
        let _ = self.open.close().await;
        let is_full = matches!(error, StoreError::Failed(_)) && session.is_full(paths::dir_of(&self.path)).await;
        if is_full { StoreError::Full } else { error }
    }
}

/// Hashing more may take the server longer than we wait for an answer.
const MOST_HASHED_BYTES: u64 = 4 << 30;
/// The status of a request that the server does not know.
const UNSUPPORTED: u32 = 8;
