//! A store of bytes in which one blob is a file of the caller's, where it lies: a batch may have gigabytes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::adapters::blobs::LocalBlobs;
use crate::model::{BlobId, ScratchId};
use crate::ports::{Blob, Blobs, Scratch};

/// The store.
pub(super) struct Borrowed {
    own: LocalBlobs,
    lent: BlobId,
    path: PathBuf,
}

struct Lent {
    file: File,
    size_bytes: u64,
}

impl Borrowed {
    /// The file under the id, everything else in the store.
    pub(super) fn new(own: LocalBlobs, lent: BlobId, path: PathBuf) -> Self {
        Self { own, lent, path }
    }
}

#[async_trait]
impl Blobs for Borrowed {
    async fn create(&self) -> io::Result<ScratchId> {
        self.own.create().await
    }

    async fn scratch(&self, id: ScratchId) -> io::Result<Arc<dyn Scratch>> {
        self.own.scratch(id).await
    }

    async fn seal(&self, scratch: ScratchId, blob: BlobId) -> io::Result<()> {
        self.own.seal(scratch, blob).await
    }

    async fn open(&self, id: BlobId) -> io::Result<Arc<dyn Blob>> {
        if id != self.lent {
            return self.own.open(id).await;
        }
        let file = File::open(&self.path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Arc::new(Lent { file, size_bytes }))
    }

    async fn discard(&self, id: ScratchId) -> io::Result<()> {
        self.own.discard(id).await
    }

    async fn remove(&self, id: BlobId) -> io::Result<()> {
        if id == self.lent { Ok(()) } else { self.own.remove(id).await }
    }

    async fn inventory(&self) -> io::Result<(Vec<BlobId>, Vec<ScratchId>)> {
        self.own.inventory().await
    }
}

impl Blob for Lent {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }
}
