//! A client of SFTP servers whose host keys are pinned.
//!
//! [`SftpStore`] is a directory of a server as a [`FileStore`]: one connection, made when it is needed, shared by what goes
//! on side by side, made again after a break. [`SftpClient`] is one session with single calls.
//!
//! Invariants:
//! - Nothing waits for a server longer than it was told to: not connecting, key exchange, login, nor any request.
//! - Nothing a server says is trusted: lengths are bounded, names that are no single name are skipped, bytes in them that are no UTF-8 spelled, and a size, a rename
//!   or a write that is not as it was told is an error.
//! - No secret goes to a server whose key is not pinned.
//! - Memory is bounded: 64 requests under way per transfer, one page per listing.
//!
//! [`FileStore`]: crate::ports::FileStore

mod calls;
mod clock;
mod connecting;
mod lane;
mod listing;
mod packets;
mod paths;
mod peer;
mod reading;
mod renaming;
mod session;
mod setback;
mod store;
mod wire;
mod writing;

use std::sync::Arc;

use futures::StreamExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::ports::StoreError;
use calls::{Open, page};
use session::{Lease, Session};

pub use peer::{Peer, PeerWaits, Proof};
pub use store::SftpStore;

/// An open SFTP session; dropping it ends it.
pub struct SftpClient {
    session: Arc<Session>,
}

/// A file in a remote directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; what is no UTF-8 in it is spelled, and may be given back so.
    pub name: String,
    /// Its size in bytes, where the server tells.
    pub size_bytes: Option<u64>,
}

impl SftpClient {
    /// Connects and logs in.
    pub async fn connect(peer: &Peer) -> Result<Self, StoreError> {
        Ok(Self { session: Arc::new(Session::open(peer).await?) })
    }

    fn lease(&self) -> Result<Lease, StoreError> {
        self.session.lease().ok_or_else(|| StoreError::Unreachable("the connection has ended".to_owned()))
    }

    /// Writes a file and returns its size when the server has acknowledged its CLOSE.
    pub async fn put(&self, path: &str, from: &mut (impl AsyncRead + Unpin + ?Sized)) -> Result<u64, StoreError> {
        let mut put = writing::Put::begin(self.lease()?, path).await?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = from.read(&mut buffer).await.map_err(StoreError::Unreadable)?;
            match buffer.get(..read) {
                Some(bytes) if read > 0 => put.push(bytes).await?,
                _ => return put.finish().await.map(|(size_bytes, _hash)| size_bytes),
            }
        }
    }

    /// Reads a file.
    pub async fn get(&self, path: &str, into: &mut (impl AsyncWrite + Unpin)) -> Result<u64, StoreError> {
        let mut bytes = reading::read(self.lease()?, path, 0).await?;
        let mut copied = 0;
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|error| StoreError::Unreachable(error.to_string()))?;
            into.write_all(&chunk).await.map_err(StoreError::Unreadable)?;
            copied += chunk.len() as u64;
        }
        into.flush().await.map_err(StoreError::Unreadable)?;
        Ok(copied)
    }

    /// Lists a directory.
    pub async fn list(&self, dir: &str) -> Result<Vec<Entry>, StoreError> {
        let open = Open::dir(self.lease()?, dir).await?;
        let mut entries = Vec::new();
        while let Some(mut page) = page(&open).await? {
            while page.left() > 0 {
                let named = page.take().ok_or(StoreError::Nonsense("a page of names that cannot be read"))?;
                if let Some(name) = paths::name(&named.name) {
                    entries.push(Entry { name, size_bytes: named.attributes.size_bytes });
                }
            }
        }
        Ok(entries)
    }

    /// Renames a file.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.session.rename(from, to).await
    }

    /// Removes a file.
    pub async fn remove(&self, path: &str) -> Result<(), StoreError> {
        self.session.remove(path).await
    }

    /// Says goodbye.
    pub fn disconnect(self) {
        self.session.end();
    }
}

/// What is read from our side at once.
const BUFFER_BYTES: usize = 64 * 1024;
