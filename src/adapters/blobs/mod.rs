//! Bytes on local disk: `scratch/` holds what still changes, `blobs/<2 hex>/` what no longer does.
//!
//! Small uploads may stay in the ledger instead. Both directories lie on one file system, so that sealing is a rename and never a copy. Nothing here reads or judges content.

mod files;
mod light;
mod tiered;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::adapters::durable;
use crate::model::{BlobId, ScratchId};
use crate::ports::{Blob, Blobs, Scratch};

use self::files::{BlobFile, ScratchFile};

pub use self::tiered::TieredBlobs;

/// A blob store in one local directory.
#[derive(Debug, Clone)]
pub struct LocalBlobs {
    scratch: Arc<Path>,
    blobs: Arc<Path>,
}

impl LocalBlobs {
    /// Opens the store, making its directories (for the owner only) where they are missing.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let (scratch, blobs) = (dir.join("scratch"), dir.join("blobs"));
        make_dir(&scratch)?;
        make_dir(&blobs)?;
        // All of them now: a directory made while sealing would need its parent synced by whoever comes second, too.
        for first in 0..=u8::MAX {
            make_dir(&blobs.join(format!("{first:02x}")))?;
        }
        durable::sync_dir(&blobs)?;
        durable::sync_dir(dir)?;
        dir.canonicalize()?.parent().map_or(Ok(()), durable::sync_dir)?;
        Ok(Self { scratch: scratch.into(), blobs: blobs.into() })
    }

    /// The store of a gateway that has opened it, for who stands beside: nothing is made.
    pub fn beside(dir: &Path) -> Self {
        Self { scratch: dir.join("scratch").into(), blobs: dir.join("blobs").into() }
    }

    fn scratch_path(&self, id: ScratchId) -> PathBuf {
        self.scratch.join(id.0.simple().to_string())
    }

    fn blob_path(&self, id: BlobId) -> PathBuf {
        let [first, ..] = *id.0.as_bytes();
        self.blobs.join(format!("{first:02x}")).join(id.0.simple().to_string())
    }
}

#[async_trait]
impl Blobs for LocalBlobs {
    async fn create(&self) -> io::Result<ScratchId> {
        let id = ScratchId::new();
        let path = self.scratch_path(id);
        blocking(move || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)).await?;
        Ok(id)
    }

    async fn scratch(&self, id: ScratchId) -> io::Result<Arc<dyn Scratch>> {
        let path = self.scratch_path(id);
        let file = blocking(move || OpenOptions::new().read(true).write(true).open(path)).await?;
        Ok(Arc::new(ScratchFile(file)))
    }

    async fn seal(&self, scratch: ScratchId, blob: BlobId) -> io::Result<()> {
        let (from, to) = (self.scratch_path(scratch), self.blob_path(blob));
        blocking(move || rename_durably(&from, &to)).await
    }

    async fn open(&self, id: BlobId) -> io::Result<Arc<dyn Blob>> {
        let path = self.blob_path(id);
        Ok(Arc::new(blocking(move || BlobFile::open(&path)).await?))
    }

    async fn discard(&self, id: ScratchId) -> io::Result<()> {
        let path = self.scratch_path(id);
        blocking(move || remove_if_there(&path)).await
    }

    async fn remove(&self, id: BlobId) -> io::Result<()> {
        let path = self.blob_path(id);
        blocking(move || remove_if_there(&path)).await
    }

    async fn inventory(&self) -> io::Result<(Vec<BlobId>, Vec<ScratchId>)> {
        let (blobs, scratch) = (Arc::clone(&self.blobs), Arc::clone(&self.scratch));
        blocking(move || {
            let mut found = Vec::new();
            for entry in fs::read_dir(blobs)? {
                found.extend(ids_in(&entry?.path())?.into_iter().map(BlobId));
            }
            Ok((found, ids_in(&scratch)?.into_iter().map(ScratchId).collect()))
        })
        .await
    }
}

/// Renames durably; may be repeated after a crash at any point.
fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    match durable::rename(from, to) {
        // An earlier call got this far; its directory entries may still be in memory only.
        Err(missing) if missing.kind() == io::ErrorKind::NotFound && to.try_exists()? => {
            durable::sync_directories(from, to)
        }
        other => other,
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The ids that name files in a directory; what has another name is not ours and stays.
fn ids_in(dir: &Path) -> io::Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir)? {
        ids.extend(entry?.file_name().to_str().and_then(|name| Uuid::try_parse(name).ok()));
    }
    Ok(ids)
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(job).await.map_err(io::Error::other)?
}
