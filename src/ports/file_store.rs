//! Directories of others: a remote SFTP server's or a local one, where files are fetched and left.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

/// A tree of files that belongs to somebody else. Paths are relative to its root, with `/` between names; none leads out of it.
///
/// Everything may be repeated: who calls cannot know whether a call that broke off had its effect, and looks.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Regular files in a directory (`""` is the root) and, up to `depth` levels below, in its directories, in no
    /// certain order and one by one, so that a large directory is never held at once. Links are not followed and not
    /// listed; names that are no single name (`..`, with a slash) are skipped.
    async fn list(&self, dir: &str, depth: u32)
    -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError>;

    /// One regular file; `None` when there is none of the name.
    async fn stat(&self, path: &str) -> Result<Option<FileSeen>, StoreError>;

    /// The store's own time, by which its modification times are to be read; `None` where it cannot be learnt, as from an
    /// SFTP server that lets us write nowhere: an age then counts from when we first saw the file as it is.
    async fn now(&self) -> Result<Option<Timestamp>, StoreError>;

    /// A file's bytes from an offset to its end. The stream ends with an error when the line breaks, or when they are more
    /// or fewer than the file's size.
    async fn read(&self, path: &str, offset: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError>;

    /// Writes a file from an offset, 0 making it anew, and returns its size when the bytes are where the store keeps
    /// them. A file that was cut off stays as far as it came.
    async fn write(
        &self,
        path: &str,
        offset: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<u64, StoreError>;

    /// Gives a file another name; without `replace` one that is taken is refused with [`StoreError::Exists`].
    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StoreError>;

    /// Removes a file; one that is not there is no error.
    async fn remove(&self, path: &str) -> Result<(), StoreError>;

    /// Makes a directory and those above it, where they are missing.
    async fn make_dir(&self, path: &str) -> Result<(), StoreError>;
}

/// A file as a look shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// Where, relative to the store's root.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was last changed, by the store's clock, to the second where that is all the store tells.
    pub modified: Timestamp,
}

/// Why a store did not do it. Texts name no path and no credential.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing of that name.
    #[error("no such file")]
    NotFound,
    /// The name is taken.
    #[error("a file of that name is already there")]
    Exists,
    /// The store refuses this with these rights.
    #[error("permission denied")]
    Denied,
    /// The store has no room left.
    #[error("no space left")]
    Full,
    /// The host key is not one of those pinned: somebody else may answer.
    #[error("the server shows a host key that is not pinned: {fingerprint}")]
    HostKey {
        /// Of the key that was shown, as `SHA256:…`.
        fingerprint: String,
    },
    /// The login is not accepted.
    #[error("the server does not accept the login")]
    Login,
    /// No answer within the time allowed.
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// The store answered what cannot be so, such as fewer bytes than it told.
    #[error("the server's answer cannot be so: {0}")]
    Nonsense(&'static str),
    /// The line broke, or could not be had; the store may be there again later.
    #[error("out of reach: {0}")]
    Unreachable(String),
    /// The store failed and does not say why; it may do it another time.
    #[error("the store failed and does not say why (status {0})")]
    Failed(u32),
    /// Our own bytes could not be read.
    #[error("our own file cannot be read: {0}")]
    Unreadable(io::Error),
}
