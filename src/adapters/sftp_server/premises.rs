//! What every session works with: the area, the bytes, the time, and who is uploading what.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::model::{BlobId, Node, ScratchId};
use crate::ports::{Area, Arrivals, Bans, Blob, Blobs, Clock};

use super::deferred::Deferred;
use super::disk::on_disk;
use super::handles::Source;
use super::ongoing::Ongoing;

/// What the server works with.
pub struct Backing {
    /// The partners' files.
    pub area: Arc<dyn Area>,
    /// Their bytes.
    pub blobs: Arc<dyn Blobs>,
    /// Who is kept out.
    pub bans: Arc<dyn Bans>,
    /// Who looks at uploads while they arrive.
    pub arrivals: Arc<dyn Arrivals>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Told of every claim, so that the pipeline need not wait for its next look.
    pub claimed: Arc<Notify>,
}

/// What every session works with.
pub(super) struct Premises {
    pub(super) area: Deferred,
    pub(super) blobs: Arc<dyn Blobs>,
    pub(super) arrivals: Arc<dyn Arrivals>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) claimed: Arc<Notify>,
    pub(super) ongoing: Ongoing,
}

impl Premises {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The size a client is shown: of an upload in progress what has come so far, since that is where it resumes.
    pub(super) async fn size_bytes(&self, node: &Node) -> io::Result<u64> {
        let Some(id) = node.scratch else { return Ok(node.size_bytes) };
        match self.arrived(id).await? {
            Some(Source::Scratch(scratch)) if scratch.stays_in_memory(0) => scratch.size_bytes(),
            Some(Source::Scratch(scratch)) => on_disk(move || scratch.size_bytes()).await,
            Some(Source::Blob(blob)) => Ok(blob.size_bytes()),
            None => Ok(0),
        }
    }

    /// What has come of an upload so far, wherever it is; none where it is nowhere.
    pub(super) async fn arrived(&self, id: ScratchId) -> io::Result<Option<Source>> {
        if let Some(scratch) = self.ongoing.scratch(id) {
            return Ok(Some(Source::Scratch(scratch)));
        }
        if let Some(scratch) = there(self.blobs.scratch(id).await)? {
            return Ok(Some(Source::Scratch(scratch)));
        }
        // Safeguarded, or sealed by a CLOSE that the ledger then did not take: the bytes are under the other name.
        Ok(self.blob(sealed_as(id)).await?.map(Source::Blob))
    }

    /// The bytes of a file; none where they are gone, since its shipment may end between two looks.
    pub(super) async fn blob(&self, id: BlobId) -> io::Result<Option<Arc<dyn Blob>>> {
        there(self.blobs.open(id).await)
    }

    /// Throws scratch bytes away. What stays behind after a failure is cleared out at the next start.
    pub(super) async fn discard(&self, id: ScratchId) {
        if let Err(error) = self.blobs.discard(id).await {
            tracing::warn!(%error, scratch = %id, "a scratch file could not be removed");
        }
    }

    /// Throws an upload away that no row names any more: its scratch bytes, and what a CLOSE or an fsync made of them.
    pub(super) async fn throw_away(&self, id: ScratchId) {
        self.discard(id).await;
        self.remove(sealed_as(id)).await;
    }

    /// Throws a blob away. What stays behind after a failure is cleared out at the next start.
    pub(super) async fn remove(&self, id: BlobId) {
        if let Err(error) = self.blobs.remove(id).await {
            tracing::warn!(%error, blob = %id, "a blob could not be removed");
        }
    }
}

/// What was found, if it was.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// The blob a scratch file becomes: the same number, so that the bytes are found again when the ledger's step fails.
///
/// Between sealing and the ledger's commit only the upload's row refers to that blob, by this number.
pub(super) fn sealed_as(scratch: ScratchId) -> BlobId {
    BlobId(scratch.0)
}
