//! Bytes of small files, which lie where the rows do.

use async_trait::async_trait;

use crate::model::BlobId;

use super::LedgerError;

/// The small blobs that [`super::Area::close_small`] and [`super::Area::safeguard`] took in.
#[async_trait]
pub trait SmallBlobs: Send + Sync {
    /// The bytes of one; `None` when it is not here.
    async fn small_blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Removes one; one that is not here is no error.
    async fn remove_small_blob(&self, id: BlobId) -> Result<(), LedgerError>;

    /// Those that are here, in order of id, after a given one.
    async fn small_blobs(&self, after: Option<BlobId>, limit: u32) -> Result<Vec<BlobId>, LedgerError>;
}
