//! How an upload ends: CLOSE makes it a file and, unless its name is a temporary one, a shipment; a dropped line leaves a
//! partial.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::MutexGuard;

use crate::kill_point::kill_point;
use crate::measures;
use crate::model::ShipmentId;
use crate::ports::{AreaError, Close};

use super::super::failure::Failure;
use super::super::ongoing::Hold;
use super::super::premises::sealed_as;
use super::super::recent::Handed;
use super::{Upload, claim_of, held};

impl Upload {
    /// Completes it: bytes sealed, row committed, claimed unless the name is a temporary one. Gives what to remember of
    /// a claimed one.
    pub(in super::super) async fn close(mut self) -> Result<Option<Handed>, Failure> {
        if let Some(failure) = self.failed.take().or_else(|| self.unbegun()) {
            self.pause().await;
            return Err(failure);
        }
        let hold = Arc::clone(&self.hold);
        let _ending = ending(&hold).await.inspect_err(|_lost| self.forget())?;
        let now = self.premises.now();
        kill_point("sftp.close.before");
        // Nobody writes any more, and looking goes on while the disk is waited for.
        let mut arrival = self.arrival.take();
        arrival.iter_mut().for_each(|arrival| arrival.ended(self.size_bytes));
        let small = self.scratch.in_memory();
        // The bytes are durable before the row says so, or together with it; never the other way round.
        if small.is_none()
            && let Err(error) = self.premises.blobs.seal(self.scratch_id, sealed_as(self.scratch_id)).await
        {
            self.record_size().await;
            return Err(error.into());
        }
        kill_point("sftp.close.sealed");
        let claim = claim_of(self.purpose, &self.path, arrival.as_ref().map(|arrival| arrival.shipment()));
        let close = Close {
            partner: self.tree.partner.clone(),
            path: self.path.clone(),
            scratch: self.scratch_id,
            blob: sealed_as(self.scratch_id),
            size_bytes: self.size_bytes,
            claim,
            now,
        };
        let closed = match small {
            Some(bytes) => self.premises.area.close_small(&close, (!self.safeguarded).then_some(bytes)).await,
            None => self.premises.area.close(&close).await,
        };
        let replaced = match closed {
            Ok(replaced) => replaced,
            Err(error) => return Err(self.not_closed(error).await),
        };
        kill_point("sftp.close.after");
        self.premises.ongoing.settle(&self.tree.partner, &hold);
        arrival.into_iter().for_each(|arrival| arrival.kept());
        if let Some(blob) = replaced {
            self.premises.remove(blob).await;
        }
        Ok(self.handed_over(claim.map(|(id, _)| id), now).await)
    }

    async fn handed_over(&self, shipment: Option<ShipmentId>, now: Timestamp) -> Option<Handed> {
        let (partner, path, size_bytes) = (&self.tree.partner, &self.path, self.size_bytes);
        measures::uploaded(partner, size_bytes);
        if let Some(shipment) = shipment {
            tracing::info!(%partner, path = %path.logged(), size_bytes, %shipment, "received");
            self.premises.claimed.notify_one();
            let modified = self.modified.unwrap_or(now);
            return Some(Handed { path: path.clone(), size_bytes, modified });
        }
        tracing::info!(%partner, path = %path.logged(), size_bytes, "uploaded, not claimed");
        if let Some(modified) = self.modified
            && let Err(error) = self.premises.area.touch(partner, path, modified).await
        {
            // The upload is good whatever its time says.
            tracing::warn!(%error, path = %path.logged(), "the modification time could not be kept");
        }
        None
    }

    /// The ledger did not take a sealed upload. While its row still names the scratch file the sealed bytes stay, and an
    /// OPEN that resumes finds them; otherwise nothing will ever ask for them.
    async fn not_closed(&self, error: AreaError) -> Failure {
        match error {
            AreaError::Superseded | AreaError::NotFound => {
                self.premises.remove(sealed_as(self.scratch_id)).await;
                AreaError::Superseded.into()
            }
            AreaError::Ledger(_)
            | AreaError::Exists
            | AreaError::Claimed
            | AreaError::Incomplete
            | AreaError::QuotaBytes(_)
            | AreaError::QuotaFiles(_) => {
                if self.scratch.in_memory().is_some() {
                    // Nothing is thrown away where the ledger knows it no more: it may have been closed, and the answer
                    // was lost.
                    self.keep().await;
                }
                error.into()
            }
        }
    }

    /// Leaves it as a partial that can be resumed, unless another connection has it.
    pub(in super::super) async fn pause(&mut self) {
        let hold = Arc::clone(&self.hold);
        let ending = ending(&hold).await;
        if self.later.is_some() {
            return self.premises.discard(self.scratch_id).await;
        }
        match ending {
            Ok(_ending) => self.record_size().await,
            Err(_lost) => self.forget(),
        }
    }

    /// Nothing of it is recorded any more, where it was not yet.
    fn forget(&self) {
        self.premises.area.forget(&self.tree.partner, &self.path, self.scratch_id);
    }

    async fn record_size(&self) {
        if !self.keep().await {
            self.premises.throw_away(self.scratch_id).await;
        }
    }

    /// Keeps it as far as it came; `false` when its row is gone: removed, replaced or closed.
    async fn keep(&self) -> bool {
        if let Err(failure) = self.sync_file().await {
            tracing::warn!(path = %self.path.logged(), %failure, "a partial could not be synced");
        }
        let partner = &self.tree.partner;
        match self.premises.area.pause(partner, &self.path, self.scratch_id, self.size_bytes).await {
            Ok(()) => {
                self.premises.ongoing.settle(partner, &self.hold);
                tracing::info!(%partner, path = %self.path.logged(), size_bytes = self.size_bytes, "kept as a partial");
            }
            Err(AreaError::Superseded | AreaError::NotFound) => return false,
            // The ledger does not take it at all.
            Err(AreaError::Exists | AreaError::QuotaBytes(_) | AreaError::QuotaFiles(_)) => {
                self.forget();
                self.premises.discard(self.scratch_id).await;
            }
            Err(error) => {
                tracing::warn!(%partner, path = %self.path.logged(), %error, "a partial's size could not be recorded")
            }
        }
        true
    }
}

/// The right to end the upload, until dropped. Nobody takes over what has ended: who waits to do so would bring its bytes to
/// disk, where they are thrown away.
async fn ending(hold: &Hold) -> Result<MutexGuard<'_, bool>, Failure> {
    let mut lost = held(hold).await?;
    *lost = true;
    Ok(lost)
}
