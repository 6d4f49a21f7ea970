//! One upload: bytes into a scratch file, until CLOSE makes them a shipment or a dropped line leaves a partial.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::MutexGuard;

use crate::kill_point::kill_point;
use crate::model::{AreaPath, ScratchId, ShipmentId, is_temporary_name};
use crate::ports::{AreaError, Close, Scratch};

use super::disk::on_disk;
use super::failure::Failure;
use super::ongoing::Hold;
use super::packets::Write;
use super::premises::{Premises, sealed_as};
use super::recent::Handed;
use super::tree::{Purpose, Tree};

/// One upload in progress.
pub(super) struct Upload {
    pub(super) premises: Arc<Premises>,
    pub(super) tree: Arc<Tree>,
    pub(super) path: AreaPath,
    pub(super) purpose: Purpose,
    pub(super) hold: Arc<Hold>,
    pub(super) scratch_id: ScratchId,
    pub(super) scratch: Arc<dyn Scratch>,
    /// Bytes it reaches to.
    pub(super) size_bytes: u64,
    /// Bytes of it the ledger counted when it was opened.
    pub(super) recorded_bytes: u64,
    /// Bytes the partner held when last looked, this upload's recorded ones included.
    pub(super) usage_bytes: u64,
    /// Its size when the usage was last looked up.
    pub(super) looked_at_bytes: u64,
    /// Every write goes to the end.
    pub(super) append: bool,
    /// Why a write was not done. A client closes after that, and such a CLOSE must not claim what is there.
    pub(super) failed: Option<Failure>,
    /// The modification time the client asked for.
    pub(super) modified: Option<Timestamp>,
}

impl Upload {
    /// Writes in order; an outcome for each.
    pub(super) async fn write(&mut self, run: Vec<Write>) -> Vec<(u32, Result<(), Failure>)> {
        let ids: Vec<u32> = run.iter().map(|write| write.id).collect();
        let outcome = self.write_run(run).await;
        let (done, failure) = match outcome {
            Ok(done) => (done, None),
            Err((done, failure)) => (done, Some(failure)),
        };
        if let Some(failure) = failure {
            self.failed.get_or_insert(failure);
        }
        let failed = self.failed.clone();
        ids.into_iter()
            .enumerate()
            .map(|(index, id)| match &failed {
                Some(failure) if index >= done => (id, Err(failure.clone())),
                Some(_) | None => (id, Ok(())),
            })
            .collect()
    }

    /// Writes until the first that cannot be done; how many were, and what was wrong with the next.
    async fn write_run(&mut self, run: Vec<Write>) -> Result<usize, (usize, Failure)> {
        if let Some(failure) = self.failed.clone() {
            return Err((0, failure));
        }
        let hold = Arc::clone(&self.hold);
        let _held = held(&hold).await.map_err(|failure| (0, failure))?;
        let limit = self.limit(self.wanted(&run)).await.map_err(|failure| (0, failure))?;
        let (mut end, mut placed, mut refused) = (self.size_bytes, Vec::with_capacity(run.len()), None);
        for write in run {
            let offset = if self.append { end } else { write.offset };
            let reach = end_of(offset, &write.data).max(end);
            if let Err(failure) = limit.check(reach) {
                refused = Some(failure);
                break;
            }
            end = reach;
            placed.push((offset, write.data));
        }
        let scratch = Arc::clone(&self.scratch);
        let written = on_disk(move || {
            let mut reached = 0;
            for (done, (offset, data)) in placed.iter().enumerate() {
                if let Err(error) = scratch.write_at(*offset, data) {
                    return Ok((done, reached, Some(error)));
                }
                reached = reached.max(end_of(*offset, data));
            }
            Ok((placed.len(), reached, None))
        });
        let (done, reached, error) = written.await.map_err(|error| (0, error.into()))?;
        self.reach(reached);
        error.map(Failure::from).or(refused).map_or(Ok(done), |failure| Err((done, failure)))
    }

    fn wanted(&self, run: &[Write]) -> u64 {
        if self.append {
            let bytes: u64 = run.iter().map(|write| write.data.len() as u64).sum();
            return self.size_bytes.saturating_add(bytes);
        }
        run.iter().map(|write| end_of(write.offset, &write.data)).max().unwrap_or(0)
    }

    /// Cuts or extends it, as FSETSTAT with a size asks.
    pub(super) async fn resize(&mut self, size_bytes: u64) -> Result<(), Failure> {
        let hold = Arc::clone(&self.hold);
        let _held = held(&hold).await?;
        self.limit(size_bytes).await?.check(size_bytes)?;
        let scratch = Arc::clone(&self.scratch);
        on_disk(move || scratch.set_len(size_bytes)).await?;
        self.size_bytes = size_bytes;
        self.reach(size_bytes);
        Ok(())
    }

    /// Brings what was written to disk, without closing.
    pub(super) async fn sync(&self) -> Result<(), Failure> {
        let scratch = Arc::clone(&self.scratch);
        Ok(on_disk(move || scratch.sync()).await?)
    }

    /// Completes it: bytes sealed, row committed, claimed unless the name is a temporary one. Gives what to remember of
    /// a claimed one.
    pub(super) async fn close(mut self) -> Result<Option<Handed>, Failure> {
        if let Some(failure) = self.failed.take() {
            self.pause().await;
            return Err(failure);
        }
        let hold = Arc::clone(&self.hold);
        let _held = held(&hold).await?;
        let now = self.premises.now();
        kill_point("sftp.close.before");
        // The bytes are durable before the row says so; never the other way round.
        if let Err(error) = self.premises.blobs.seal(self.scratch_id, sealed_as(self.scratch_id)).await {
            self.record_size().await;
            return Err(error.into());
        }
        kill_point("sftp.close.sealed");
        let claim = claim_of(self.purpose, &self.path);
        let close = Close {
            partner: self.tree.partner.clone(),
            path: self.path.clone(),
            scratch: self.scratch_id,
            blob: sealed_as(self.scratch_id),
            size_bytes: self.size_bytes,
            claim,
            now,
        };
        let replaced = match self.premises.area.close(&close).await {
            Ok(replaced) => replaced,
            Err(error) => return Err(self.not_closed(error).await),
        };
        kill_point("sftp.close.after");
        if let Some(blob) = replaced {
            self.premises.remove(blob).await;
        }
        Ok(self.handed_over(claim.map(|(id, _)| id), now).await)
    }

    async fn handed_over(&self, shipment: Option<ShipmentId>, now: Timestamp) -> Option<Handed> {
        let (partner, path, size_bytes) = (&self.tree.partner, &self.path, self.size_bytes);
        if let Some(shipment) = shipment {
            tracing::info!(%partner, %path, size_bytes, %shipment, "received");
            self.premises.claimed.notify_one();
            let modified = self.modified.unwrap_or(now);
            return Some(Handed { path: path.clone(), size_bytes, modified });
        }
        tracing::info!(%partner, %path, size_bytes, "uploaded, not claimed");
        if let Some(modified) = self.modified
            && let Err(error) = self.premises.area.touch(partner, path, modified).await
        {
            // The upload is good whatever its time says.
            tracing::warn!(%error, %path, "the modification time could not be kept");
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
            | AreaError::QuotaFiles(_) => error.into(),
        }
    }

    /// Leaves it as a partial that can be resumed, unless another connection has it.
    pub(super) async fn pause(&mut self) {
        let hold = Arc::clone(&self.hold);
        if let Ok(_held) = held(&hold).await {
            self.record_size().await;
        }
    }

    async fn record_size(&self) {
        if let Err(failure) = self.sync().await {
            tracing::warn!(path = %self.path, %failure, "a partial could not be synced");
        }
        let partner = &self.tree.partner;
        match self.premises.area.pause(partner, &self.path, self.scratch_id, self.size_bytes).await {
            Ok(()) => tracing::info!(%partner, path = %self.path, size_bytes = self.size_bytes, "kept as a partial"),
            // Removed or replaced while it was open.
            Err(AreaError::Superseded | AreaError::NotFound) => {}
            Err(error) => tracing::warn!(%partner, path = %self.path, %error, "a partial's size could not be recorded"),
        }
    }

    /// How far it may reach. Looked up anew now and then, and before `wanted` is refused: files may have gone meanwhile.
    async fn limit(&mut self, wanted: u64) -> Result<Limit, Failure> {
        let known = self.known_limit();
        let grown = self.size_bytes.saturating_sub(self.looked_at_bytes);
        if grown < LOOK_AGAIN_BYTES && wanted <= known.reach_bytes {
            return Ok(known);
        }
        self.usage_bytes = self.premises.area.usage(&self.tree.partner).await?.bytes;
        self.looked_at_bytes = self.size_bytes;
        Ok(self.known_limit())
    }

    fn known_limit(&self) -> Limit {
        let held_bytes = self.usage_bytes.saturating_add(self.premises.ongoing.growth_bytes(&self.tree.partner));
        let quota_bytes = self.tree.quota.bytes;
        let reach_bytes = self.size_bytes.saturating_add(quota_bytes.saturating_sub(held_bytes));
        Limit { reach_bytes, quota_bytes, max_upload_bytes: self.tree.max_upload_bytes }
    }

    fn reach(&mut self, end: u64) {
        self.size_bytes = self.size_bytes.max(end);
        self.hold.grown(self.size_bytes.saturating_sub(self.recorded_bytes));
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.premises.ongoing.release(&self.tree.partner, &self.path, &self.hold);
    }
}

/// What CLOSE, or a rename to its final name, makes of a file: the new shipment and whether it is a rehearsal.
pub(super) fn claim_of(purpose: Purpose, path: &AreaPath) -> Option<(ShipmentId, bool)> {
    (!is_temporary_name(&path.name)).then(|| (ShipmentId::new(), purpose == Purpose::Test))
}

/// The right to act on the upload, until dropped.
async fn held(hold: &Hold) -> Result<MutexGuard<'_, bool>, Failure> {
    let lost = hold.lost.lock().await;
    if *lost { Err(AreaError::Superseded.into()) } else { Ok(lost) }
}

/// How far a write reaches; one of no bytes does not extend a file.
fn end_of(offset: u64, data: &Bytes) -> u64 {
    if data.is_empty() { 0 } else { offset.saturating_add(data.len() as u64) }
}

struct Limit {
    reach_bytes: u64,
    quota_bytes: u64,
    max_upload_bytes: u64,
}

impl Limit {
    fn check(&self, end: u64) -> Result<(), Failure> {
        if end > self.max_upload_bytes {
            return Err(Failure::Refused(format!("files of more than {} bytes are not taken", self.max_upload_bytes)));
        }
        if end > self.reach_bytes {
            return Err(AreaError::QuotaBytes(self.quota_bytes).into());
        }
        Ok(())
    }
}

/// How far an upload grows between two looks at what the partner holds in all.
const LOOK_AGAIN_BYTES: u64 = 64 * 1024 * 1024;
