//! Receipts go back to where the file came from: each under a temporary name first, and each once.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};

use super::trouble::{Reach, backoff, broken};
use super::{Taker, Trouble};
use crate::blocking::Blocking;
use crate::forward::after;
use crate::kill_point::kill_point;
use crate::ports::{Blob, DueReceipt, ReceiptEnd, StoreError};

impl Taker {
    /// Writes back what is due. A receipt that cannot be written does not keep others waiting; when there is no room, all
    /// wait for the next round.
    pub(super) async fn answer(&self) -> Result<(), Trouble> {
        let now = self.house.clock.now();
        for receipt in self.ledger().due_receipts(self.name(), now, AT_ONCE).await? {
            let written = match &self.source.rules.receipts {
                Some(dir) => self.write_back(dir, &receipt).await,
                None => Ok(ReceiptEnd::GivenUp),
            };
            match written {
                Ok(end) => self.ledger().conclude_receipt(&receipt, end).await?,
                Err(trouble @ Trouble::Ledger(_)) => return Err(trouble),
                Err(trouble) => {
                    let is_full = matches!(trouble, Trouble::Store(StoreError::Full));
                    self.try_later(&receipt, trouble).await?;
                    if is_full {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn try_later(&self, receipt: &DueReceipt, trouble: Trouble) -> Result<(), Trouble> {
        let attempts = receipt.attempts.saturating_add(1);
        let at = after(self.house.clock.now(), backoff(attempts));
        self.ledger().conclude_receipt(receipt, ReceiptEnd::Again(at)).await?;
        tracing::warn!(source = self.name(), receipt = receipt.id, attempts, %trouble, "a receipt is not written back yet");
        self.tell_of_rest(Some((&trouble, attempts))).await?;
        match trouble.reach() {
            Some(Reach::Line | Reach::Store) => Err(trouble),
            Some(Reach::File) | None => Ok(()),
        }
    }

    async fn write_back(&self, dir: &str, receipt: &DueReceipt) -> Result<ReceiptEnd, Trouble> {
        let blob = match self.house.blobs.open(receipt.blob).await {
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {
                // The partner has fetched and removed it from the area.
                tracing::warn!(source = self.name(), receipt = receipt.id, "a receipt is gone and not written back");
                return Ok(ReceiptEnd::GivenUp);
            }
            opened => opened?,
        };
        let path = format!("{dir}/{}", receipt.name);
        // Another at each attempt: one before may still be at its own.
        let temporary = |attempt: u32| format!("{dir}/.sluse-{}-{attempt}.tmp", receipt.id);
        if self.store.stat(&path).await?.is_some() {
            match (self.is_equal(&path, &blob).await?, receipt.replaces) {
                (true, _) => return Ok(ReceiptEnd::Written),
                (false, true) => {}
                (false, false) => return Err(StoreError::Exists.into()),
            }
        }
        self.store.make_dir(dir).await?;
        if let Some(before) = receipt.attempts.checked_sub(1) {
            self.store.remove(&temporary(before)).await?;
        }
        let temporary = temporary(receipt.attempts);
        let size_bytes = self.store.write(&temporary, 0, pieces(Arc::clone(&blob), self.house.disk.clone())).await?;
        if size_bytes != blob.size_bytes() {
            return Err(StoreError::Nonsense("another size than was written").into());
        }
        kill_point("source.receipt.written");
        match self.store.rename(&temporary, &path, receipt.replaces).await {
            Ok(()) => {}
            // Ours, when the word that it was renamed was lost.
            Err(StoreError::Exists) if self.is_equal(&path, &blob).await? => self.store.remove(&temporary).await?,
            Err(error) => return Err(error.into()),
        }
        kill_point("source.receipt.renamed");
        let seen = self.store.stat(&path).await?;
        match seen {
            Some(seen) if seen.size_bytes != blob.size_bytes() => {
                Err(StoreError::Nonsense("another size than was written").into())
            }
            // Whoever waits for receipts may have taken it already.
            Some(_) | None => Ok(ReceiptEnd::Written),
        }
    }

    /// Tells whether a file there has the same bytes.
    async fn is_equal(&self, path: &str, blob: &Arc<dyn Blob>) -> Result<bool, Trouble> {
        let Some(seen) = self.store.stat(path).await? else { return Ok(false) };
        if seen.size_bytes != blob.size_bytes() {
            return Ok(false);
        }
        let (mut there, mut at) = (self.store.read(path, 0).await?, 0);
        while let Some(piece) = there.next().await {
            let piece = piece.map_err(broken)?;
            let (blob, length) = (Arc::clone(blob), piece.len() as u64);
            if !self.house.disk.run(move || has_at(blob.as_ref(), at, &piece)).await?? {
                return Ok(false);
            }
            at += length;
        }
        Ok(at == blob.size_bytes())
    }
}

fn has_at(blob: &dyn Blob, mut at: u64, mut piece: &[u8]) -> io::Result<bool> {
    let mut room = vec![0; piece.len()];
    while !piece.is_empty() {
        let count = blob.read_at(at, room.get_mut(..piece.len()).unwrap_or_default())?;
        let (now, rest) = piece.split_at(count.min(piece.len()));
        if count == 0 || room.get(..count) != Some(now) {
            return Ok(false);
        }
        (piece, at) = (rest, at + count as u64);
    }
    Ok(true)
}

/// A blob's bytes.
fn pieces(blob: Arc<dyn Blob>, disk: Blocking) -> BoxStream<'static, io::Result<Bytes>> {
    let pieces = stream::unfold(Some(0), move |at| {
        let (blob, disk) = (Arc::clone(&blob), disk.clone());
        async move {
            let at: u64 = at?;
            let read = disk.run(move || {
                let mut piece = vec![0; PIECE_BYTES];
                let count = blob.read_at(at, &mut piece)?;
                piece.truncate(count);
                Ok::<_, io::Error>(Bytes::from(piece))
            });
            match read.await.map_err(io::Error::other).flatten() {
                Ok(piece) if piece.is_empty() => None,
                Ok(piece) => {
                    let next = at + piece.len() as u64;
                    Some((Ok(piece), Some(next)))
                }
                Err(error) => Some((Err(error), None)),
            }
        }
    });
    pieces.boxed()
}

/// Receipts written in one round.
const AT_ONCE: u32 = 64;

const PIECE_BYTES: usize = 64 * 1024;
