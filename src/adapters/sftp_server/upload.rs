//! One upload: bytes into a scratch file, until CLOSE makes them a shipment or a dropped line leaves a partial.
//!
//! Who wants to look at a large file before it is whole is told how far it has come, and its bytes are brought to disk
//! meanwhile, so that CLOSE has little left to wait for. Neither holds a write up.

mod closing;
mod later;
mod limit;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::MutexGuard;

use crate::model::{AreaPath, ScratchId, ShipmentId, is_temporary_name};
use crate::ports::{AreaError, Arrival, NewUpload, Scratch, SmallUpload};

use super::disk::on_disk;
use super::failure::Failure;
use super::ongoing::Hold;
use super::packets::Write;
use super::premises::{Premises, sealed_as};
use super::tree::{Purpose, Tree};
use super::writeback::Writeback;

/// One upload in progress.
pub(super) struct Upload {
    pub(super) premises: Arc<Premises>,
    pub(super) tree: Arc<Tree>,
    pub(super) path: AreaPath,
    pub(super) purpose: Purpose,
    pub(super) hold: Arc<Hold>,
    /// What the ledger is told with its first bytes; none once that is done, or where it was done when it was opened.
    pub(super) later: Option<NewUpload>,
    pub(super) scratch_id: ScratchId,
    pub(super) scratch: Arc<dyn Scratch>,
    /// Who looks at it while it arrives; none once it has ended.
    pub(super) arrival: Option<Box<dyn Arrival>>,
    /// What brings its bytes to disk meanwhile.
    pub(super) writeback: Writeback,
    /// The ledger keeps all its bytes, which are few.
    pub(super) safeguarded: bool,
    /// Bytes it reaches to.
    pub(super) size_bytes: u64,
    /// Bytes of it the ledger counted when it was opened.
    pub(super) recorded_bytes: u64,
    /// Bytes the partner held when last looked, this upload's recorded ones included.
    pub(super) usage_bytes: u64,
    /// Bytes of the partner's uploads that the ledger had counted by then.
    pub(super) settled_bytes: u64,
    /// Its size when the usage was last looked up.
    pub(super) looked_at_bytes: u64,
    /// Every write goes to the end.
    pub(super) append: bool,
    /// Why a write or a cut was not done. A client closes after that, and such a CLOSE must not claim what is there.
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
        self.begin_with(&run).await.map_err(|failure| (0, failure))?;
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
        self.safeguarded = false;
        let scratch = Arc::clone(&self.scratch);
        let (spans, error) = if scratch.stays_in_memory(end) {
            put(&*scratch, &placed)
        } else {
            self.record().await.map_err(|failure| (0, failure))?;
            on_disk(move || Ok(put(&*scratch, &placed))).await.map_err(|error| (0, error.into()))?
        };
        let done = spans.len();
        self.took(&spans);
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
        let cuts = size_bytes < self.size_bytes;
        let resized = self.set_size(size_bytes).await;
        if cuts && let Err(failure) = &resized {
            // OpenSSH's `scp` cuts at the end, does not look at the answer, and closes. Room that could not be taken in
            // advance is missed by nobody.
            self.failed.get_or_insert_with(|| failure.clone());
        }
        resized
    }

    async fn set_size(&mut self, size_bytes: u64) -> Result<(), Failure> {
        let is_so = size_bytes == self.size_bytes;
        if is_so && self.later.is_none() {
            return Ok(());
        }
        let hold = Arc::clone(&self.hold);
        let _held = held(&hold).await?;
        self.begin_at(size_bytes).await?;
        if is_so {
            return Ok(());
        }
        self.limit(size_bytes).await?.check(size_bytes)?;
        self.record().await?;
        let scratch = Arc::clone(&self.scratch);
        self.safeguarded = false;
        on_disk(move || scratch.set_len(size_bytes)).await?;
        self.size_bytes = size_bytes;
        self.reach(size_bytes);
        if let Some(arrival) = &mut self.arrival {
            arrival.resized(size_bytes);
        }
        Ok(())
    }

    /// Brings what was written to disk, without closing.
    pub(super) async fn sync(&mut self) -> Result<(), Failure> {
        if self.later.is_some() {
            return Ok(());
        }
        let hold = Arc::clone(&self.hold);
        let _held = held(&hold).await?;
        let Some(bytes) = self.scratch.in_memory() else { return self.sync_large().await };
        if !self.safeguarded {
            let (partner, path, scratch) = (self.tree.partner.clone(), self.path.clone(), self.scratch_id);
            let small = SmallUpload { partner, path, scratch, blob: sealed_as(scratch) };
            self.premises.area.safeguard(&small, bytes).await?;
            self.safeguarded = true;
        }
        Ok(())
    }

    /// The row is brought to disk with the bytes: it says where they are.
    async fn sync_large(&mut self) -> Result<(), Failure> {
        self.sync_file().await?;
        let size_bytes = self.size_bytes;
        self.premises.area.pause(&self.tree.partner, &self.path, self.scratch_id, size_bytes).await?;
        self.premises.ongoing.settle(&self.tree.partner, &self.hold);
        self.recorded_bytes = size_bytes;
        Ok(())
    }

    /// What leaves memory is known to the ledger: a crash leaves a partial that can be resumed.
    async fn record(&self) -> Result<(), Failure> {
        Ok(self.premises.area.record(&self.tree.partner, &self.path).await?)
    }

    async fn sync_file(&self) -> Result<(), Failure> {
        let scratch = Arc::clone(&self.scratch);
        Ok(on_disk(move || scratch.sync()).await?)
    }

    /// Counts what was written and tells of it.
    fn took(&mut self, spans: &[(u64, u64)]) {
        for (offset, bytes) in spans.iter().copied().filter(|(_, bytes)| *bytes > 0) {
            self.reach(offset.saturating_add(bytes));
            self.writeback.wrote(bytes, &self.scratch);
            if let Some(arrival) = &mut self.arrival {
                arrival.wrote(offset, bytes);
            }
        }
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
pub(super) fn claim_of(purpose: Purpose, path: &AreaPath, shipment: Option<ShipmentId>) -> Option<(ShipmentId, bool)> {
    let shipment = || shipment.unwrap_or_else(ShipmentId::new);
    (!is_temporary_name(&path.name)).then(|| (shipment(), purpose == Purpose::Test))
}

/// Writes in order until one cannot be done; where those that were done lie.
fn put(scratch: &dyn Scratch, placed: &[(u64, Bytes)]) -> (Vec<(u64, u64)>, Option<io::Error>) {
    let mut spans = Vec::with_capacity(placed.len());
    for (offset, data) in placed {
        if let Err(error) = scratch.write_at(*offset, data) {
            return (spans, Some(error));
        }
        spans.push((*offset, data.len() as u64));
    }
    (spans, None)
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
