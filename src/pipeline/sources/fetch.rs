//! Fetching: bytes into a scratch file, on from where a break left them, until they are all there.

use std::io;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures::StreamExt as _;

use super::trouble::{Reach, broken};
use super::{Taker, Trouble};
use crate::kill_point::kill_point;
use crate::model::{BlobId, ScratchId, Stamp};
use crate::ports::{Blob, Scratch, StoreError, Take};

/// All of a file, on our disk.
pub(super) struct Fetched {
    pub(super) blob: Arc<dyn Blob>,
    /// What it is sealed from.
    scratch: ScratchId,
    /// It was more than any route takes: the rest is left where it is.
    pub(super) is_cut: bool,
}

/// A scratch file as bytes that do not change any more.
struct Still {
    scratch: Arc<dyn Scratch>,
    size_bytes: u64,
}

impl Blob for Still {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.scratch.read_at(offset, into)
    }
}

impl Taker {
    /// Fetches all of a file; `None` when it is not what it was: it is gone, or changed before or while it was read.
    pub(super) async fn fetch(&self, take: &Take) -> Result<Option<Fetched>, Trouble> {
        if !self.is_unchanged(take).await? {
            return Ok(None);
        }
        let wanted = take.stamp.size_bytes.min(self.source.most_bytes);
        let is_cut = wanted < take.stamp.size_bytes;
        let (id, scratch) = match self.opened(take).await? {
            Opened::Scratch(id, scratch) => (id, scratch),
            // The process ended between sealing it and the ledger's word.
            Opened::Sealed(id, blob) if blob.size_bytes() == wanted => {
                return Ok(Some(Fetched { blob, scratch: id, is_cut }));
            }
            Opened::Sealed(..) => return Ok(None),
        };
        let from = take.fetched_bytes.min(wanted);
        let reached = match self.pour(take, (id, &scratch), from, wanted).await {
            // Who writes to it while it is read may have cut or lengthened it.
            Err(Trouble::Store(StoreError::Nonsense(_))) if !self.is_unchanged(take).await? => return Ok(None),
            poured => poured?,
        };
        if reached > wanted && !is_cut || !self.is_unchanged(take).await? {
            return Ok(None);
        }
        if reached < wanted {
            return Err(StoreError::Nonsense("fewer bytes than it told").into());
        }
        self.sync(Arc::clone(&scratch), wanted).await?;
        self.ledger().fetched(take.id, id, wanted).await?;
        kill_point("source.fetch.whole");
        Ok(Some(Fetched { blob: Arc::new(Still { scratch, size_bytes: wanted }), scratch: id, is_cut }))
    }

    /// Tells whether the file is what it was when its turn came.
    pub(super) async fn is_unchanged(&self, take: &Take) -> Result<bool, Trouble> {
        let seen = self.store.stat(&take.path).await?;
        Ok(seen.is_some_and(|seen| Stamp::new(seen.size_bytes, seen.modified) == take.stamp))
    }

    async fn opened(&self, take: &Take) -> Result<Opened, Trouble> {
        if let Some(id) = take.scratch {
            match self.house.blobs.scratch(id).await {
                Ok(scratch) => return Ok(Opened::Scratch(id, scratch)),
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
            match self.house.blobs.open(sealed_as(id)).await {
                Ok(blob) => return Ok(Opened::Sealed(id, blob)),
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        let id = self.house.blobs.create().await?;
        kill_point("source.fetch.created");
        self.ledger().fetched(take.id, id, 0).await?;
        Ok(Opened::Scratch(id, self.house.blobs.scratch(id).await?))
    }

    /// Pours bytes in from an offset; returns how far they reached, at most a little past what is wanted. How far they
    /// are on disk is recorded now and then, and when the line breaks.
    async fn pour(
        &self,
        take: &Take,
        (id, scratch): (ScratchId, &Arc<dyn Scratch>),
        from: u64,
        wanted: u64,
    ) -> Result<u64, Trouble> {
        let (mut reached, mut recorded) = (from, from);
        let mut bytes = self.store.read(&take.path, from).await?;
        let broke = loop {
            let Some(piece) = bytes.next().await else { break None };
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => break Some(broken(error)),
            };
            let length = piece.len() as u64;
            self.write(Arc::clone(scratch), reached, piece).await?;
            reached = reached.saturating_add(length);
            kill_point("source.fetch.piece");
            if reached > wanted {
                break None;
            }
            if reached - recorded >= RECORDED_EVERY {
                self.record(take, id, scratch, reached).await?;
                recorded = reached;
            }
        };
        let Some(error) = broke else { return Ok(reached) };
        self.record(take, id, scratch, reached.min(wanted)).await?;
        let is_about_the_line = Reach::of(&error) != Reach::File;
        Err(if reached > from && is_about_the_line { Trouble::Broke(error) } else { error.into() })
    }

    async fn record(&self, take: &Take, id: ScratchId, scratch: &Arc<dyn Scratch>, bytes: u64) -> Result<(), Trouble> {
        self.sync(Arc::clone(scratch), bytes).await?;
        Ok(self.ledger().fetched(take.id, id, bytes).await?)
    }

    async fn write(&self, scratch: Arc<dyn Scratch>, offset: u64, bytes: Bytes) -> Result<(), Trouble> {
        Ok(self.house.disk.run(move || scratch.write_at(offset, &bytes)).await??)
    }

    async fn sync(&self, scratch: Arc<dyn Scratch>, bytes: u64) -> Result<(), Trouble> {
        let job = move || {
            // What came after a break, or past the end, is no part of it.
            scratch.set_len(bytes)?;
            scratch.sync()
        };
        Ok(self.house.disk.run(job).await??)
    }

    /// A file of some kilobytes, such as a checksum file.
    pub(super) async fn read_small(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        let mut bytes = self.store.read(path, 0).await?;
        let mut read = Vec::new();
        while let Some(piece) = bytes.next().await {
            read.extend_from_slice(&piece.map_err(broken)?);
            if read.len() > MOST_SMALL_BYTES {
                return Err(StoreError::Nonsense("a checksum file that is too large").into());
            }
        }
        Ok(read)
    }

    /// The hash of a file that lies in the source, as far as one is taken.
    pub(super) async fn sha256(&self, path: &str) -> Result<[u8; 32], Trouble> {
        let mut bytes = self.store.read(path, 0).await?;
        let (mut hash, mut left) = (Context::new(&SHA256), self.source.most_bytes);
        while left > 0 {
            let Some(piece) = bytes.next().await else { break };
            let mut piece = piece.map_err(broken)?;
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left = left.saturating_sub(piece.len() as u64);
            let job = move || {
                hash.update(&piece);
                hash
            };
            hash = self.house.cores.run(job).await?;
        }
        Ok(hash.finish().as_ref().try_into().map_err(io::Error::other)?)
    }

    /// Makes the bytes a blob.
    pub(super) async fn seal(&self, fetched: &Fetched) -> Result<BlobId, Trouble> {
        let blob = sealed_as(fetched.scratch);
        self.house.blobs.seal(fetched.scratch, blob).await?;
        Ok(blob)
    }

    /// Throws fetched bytes away. What stays behind after a failure is cleared out at the next start.
    pub(super) async fn discard(&self, scratch: Option<ScratchId>) {
        let Some(id) = scratch else { return };
        let blob = sealed_as(id);
        let removed = async {
            self.house.blobs.discard(id).await?;
            self.house.blobs.remove(blob).await
        };
        if let Err(error) = removed.await {
            tracing::warn!(%error, scratch = %id, "fetched bytes could not be removed");
        }
    }
}

enum Opened {
    Scratch(ScratchId, Arc<dyn Scratch>),
    Sealed(ScratchId, Arc<dyn Blob>),
}

/// The blob a scratch file becomes: the same number, so that the bytes are found again when the ledger's step fails.
fn sealed_as(scratch: ScratchId) -> BlobId {
    BlobId(scratch.0)
}

/// Bytes after which it is recorded how far a file has come.
const RECORDED_EVERY: u64 = 64 * 1024 * 1024;

/// A list of checksums of a hundred thousand files is smaller.
const MOST_SMALL_BYTES: usize = 16 * 1024 * 1024;
