//! Bytes: scratch files that still change, and blobs that no longer do.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{BlobId, ScratchId};

/// A store of bytes. A blob is durable before [`Blobs::seal`] returns; scratch files are local and can be resumed.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Makes an empty scratch file.
    async fn create(&self) -> io::Result<ScratchId>;

    /// Makes an empty scratch file and opens it. One that nobody brings to disk may be gone after a crash.
    async fn begin(&self) -> io::Result<(ScratchId, Arc<dyn Scratch>)> {
        let id = self.create().await?;
        Ok((id, self.scratch(id).await?))
    }

    /// Opens a scratch file for reading and writing at any offset.
    async fn scratch(&self, id: ScratchId) -> io::Result<Arc<dyn Scratch>>;

    /// Makes a scratch file a blob: syncs the bytes and the directory entries, then returns. The scratch id is gone.
    ///
    /// Sealing again after a crash between the two finds the blob already there and succeeds.
    async fn seal(&self, scratch: ScratchId, blob: BlobId) -> io::Result<()>;

    /// Opens a blob.
    async fn open(&self, id: BlobId) -> io::Result<Arc<dyn Blob>>;

    /// Removes a scratch file; one that is not there is no error.
    async fn discard(&self, id: ScratchId) -> io::Result<()>;

    /// Removes a blob; one that is not there is no error.
    async fn remove(&self, id: BlobId) -> io::Result<()>;

    /// Every blob and scratch file in store, for clearing out what the ledger does not know.
    async fn inventory(&self) -> io::Result<(Vec<BlobId>, Vec<ScratchId>)>;
}

/// An open scratch file. Its methods block: call them through `blocking`.
pub trait Scratch: Send + Sync {
    /// Writes all bytes at the offset; a gap before them reads as zeros.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Reads at the offset; 0 at the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Cuts or extends it to the size.
    fn set_len(&self, size_bytes: u64) -> io::Result<()>;

    /// Its size in bytes.
    fn size_bytes(&self) -> io::Result<u64>;

    /// Brings what was written to disk.
    fn sync(&self) -> io::Result<()>;

    /// All its bytes, while they are few and in memory alone: then there is nothing to seal.
    fn in_memory(&self) -> Option<Vec<u8>> {
        None
    }

    /// Tells whether it is in memory and would stay there with bytes up to this offset: then nothing here blocks.
    fn stays_in_memory(&self, _end: u64) -> bool {
        false
    }
}

/// An open blob. Reading blocks: call it through `blocking`.
pub trait Blob: Send + Sync {
    /// Its size in bytes.
    fn size_bytes(&self) -> u64;

    /// Reads at the offset; 0 at the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}
