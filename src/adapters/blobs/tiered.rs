//! Blobs in two places: small uploads stay in the ledger, whose commit takes them in; all else are files.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use super::LocalBlobs;
use super::light::Light;
use crate::model::{BlobId, ScratchId};
use crate::ports::{Blob, Blobs, LedgerError, Scratch, SmallBlobs};

/// A blob store whose small blobs lie in the ledger.
#[derive(Clone)]
pub struct TieredBlobs {
    files: LocalBlobs,
    small: Arc<dyn SmallBlobs>,
}

impl TieredBlobs {
    /// Puts the two together.
    pub fn new(files: LocalBlobs, small: Arc<dyn SmallBlobs>) -> Self {
        Self { files, small }
    }
}

#[async_trait]
impl Blobs for TieredBlobs {
    async fn create(&self) -> io::Result<ScratchId> {
        self.files.create().await
    }

    async fn begin(&self) -> io::Result<(ScratchId, Arc<dyn Scratch>)> {
        let id = ScratchId::new();
        Ok((id, Arc::new(Light::new(self.files.scratch_path(id)))))
    }

    async fn scratch(&self, id: ScratchId) -> io::Result<Arc<dyn Scratch>> {
        self.files.scratch(id).await
    }

    async fn seal(&self, scratch: ScratchId, blob: BlobId) -> io::Result<()> {
        self.files.seal(scratch, blob).await
    }

    async fn open(&self, id: BlobId) -> io::Result<Arc<dyn Blob>> {
        match self.files.open(id).await {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                let bytes = self.small.small_blob(id).await.map_err(failed)?;
                Ok(Arc::new(Loaded(bytes.ok_or(missing)?)))
            }
            other => other,
        }
    }

    async fn discard(&self, id: ScratchId) -> io::Result<()> {
        self.files.discard(id).await
    }

    async fn remove(&self, id: BlobId) -> io::Result<()> {
        self.files.remove(id).await?;
        self.small.remove_small_blob(id).await.map_err(failed)
    }

    async fn inventory(&self) -> io::Result<(Vec<BlobId>, Vec<ScratchId>)> {
        let (mut blobs, scratches) = self.files.inventory().await?;
        let mut last = None;
        loop {
            let small = self.small.small_blobs(last, AT_ONCE).await.map_err(failed)?;
            last = small.last().copied();
            if last.is_none() {
                return Ok((blobs, scratches));
            }
            blobs.extend(small);
        }
    }
}

fn failed(error: LedgerError) -> io::Error {
    io::Error::other(error)
}

/// A small blob.
struct Loaded(Vec<u8>);

impl Blob for Loaded {
    fn size_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let there = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let count = there.len().min(into.len());
        into.iter_mut().zip(there).for_each(|(room, byte)| *room = *byte);
        Ok(count)
    }
}

const AT_ONCE: u32 = 1_000;
