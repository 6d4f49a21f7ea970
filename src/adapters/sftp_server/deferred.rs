//! The area as sessions see it: a new upload is recorded when that is needed and no earlier.
//!
//! Most uploads are small and over at once. What an OPEN would record, and the CLOSE soon after would change, goes to the
//! ledger together with that CLOSE; before it only when the upload is paused or outgrows memory, or when somebody wants to
//! see the name. A crash in between takes such an upload with it, bytes and all, as it takes every byte that no CLOSE or
//! fsync has acknowledged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::model::{AreaPath, BlobId, Node, PartnerId, ScratchId, ShipmentId};
use crate::ports::{Area, AreaError, Begun, Close, Look, NewUpload, Quota, Replaced, SmallUpload, Usage};

/// The area, and the uploads in it that it does not know of yet.
pub(super) struct Deferred {
    area: Arc<dyn Area>,
    unrecorded: Mutex<HashMap<Key, Unrecorded>>,
}

type Key = (PartnerId, AreaPath);

#[derive(Clone)]
struct Unrecorded {
    scratch: ScratchId,
    /// Taken while it is being recorded; none from then on.
    upload: Arc<tokio::sync::Mutex<Option<NewUpload>>>,
}

impl Deferred {
    pub(super) fn new(area: Arc<dyn Area>) -> Self {
        Self { area, unrecorded: Mutex::default() }
    }

    pub(super) async fn list(
        &self,
        partner: &PartnerId,
        dir: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Node>, AreaError> {
        for path in self.of(partner, dir) {
            self.show(partner, &path).await?;
        }
        self.area.list(partner, dir, after, limit).await
    }

    pub(super) async fn stat(&self, partner: &PartnerId, path: &AreaPath) -> Result<Option<Node>, AreaError> {
        self.show(partner, path).await?;
        self.area.stat(partner, path).await
    }

    pub(super) async fn look(&self, partner: &PartnerId, path: &AreaPath) -> Result<Look, AreaError> {
        self.show(partner, path).await?;
        self.area.look(partner, path).await
    }

    pub(super) async fn usage(&self, partner: &PartnerId) -> Result<Usage, AreaError> {
        let usage = self.area.usage(partner).await?;
        Ok(self.locked(|all| with_unrecorded(all, partner, usage)))
    }

    /// Begins an upload after a look at its name, which nobody else begins one on meanwhile. There is room for it from here
    /// on, whatever is placed before it is recorded.
    ///
    /// The number of files is that of the moment: between a commit and our hearing of it an upload counts twice, and one that
    /// is recorded between the look and this call not at all. At the last file of a quota, uploads side by side may be one
    /// too many, or one of them be refused although there is room.
    pub(super) async fn begin(&self, mut upload: NewUpload, look: &Look) -> Result<Begun, AreaError> {
        if look.node.is_some() {
            return self.area.begin(&upload).await;
        }
        let key = (upload.partner.clone(), upload.path.clone());
        self.locked(|all| {
            upload.quota.admit(with_unrecorded(all, &upload.partner, look.usage))?;
            upload.quota = Quota { bytes: u64::MAX, files: u64::MAX };
            let unrecorded = Unrecorded { scratch: upload.scratch, upload: Arc::new(Some(upload).into()) };
            all.insert(key, unrecorded);
            Ok(Begun { former: None, held_bytes: look.usage.bytes })
        })
    }

    /// Records an upload if that was not done yet.
    pub(super) async fn record(&self, partner: &PartnerId, path: &AreaPath) -> Result<(), AreaError> {
        let Some(unrecorded) = self.find(partner, path) else { return Ok(()) };
        let begin = async |upload: Option<&NewUpload>| match upload {
            Some(upload) => self.area.begin(upload).await.map(drop),
            None => Ok(()),
        };
        self.recording((partner, path, unrecorded.scratch), begin).await
    }

    pub(super) async fn pause(
        &self,
        partner: &PartnerId,
        path: &AreaPath,
        scratch: ScratchId,
        size_bytes: u64,
    ) -> Result<(), AreaError> {
        self.record(partner, path).await?;
        self.area.pause(partner, path, scratch, size_bytes).await
    }

    pub(super) async fn close(&self, close: &Close) -> Result<Option<BlobId>, AreaError> {
        self.record(&close.partner, &close.path).await?;
        self.area.close(close).await
    }

    pub(super) async fn close_small(&self, close: &Close, bytes: Option<Vec<u8>>) -> Result<Option<BlobId>, AreaError> {
        let at = (&close.partner, &close.path, close.scratch);
        self.recording(at, async |upload| self.area.close_small(close, bytes, upload).await).await
    }

    pub(super) async fn safeguard(&self, small: &SmallUpload, bytes: Vec<u8>) -> Result<(), AreaError> {
        let at = (&small.partner, &small.path, small.scratch);
        self.recording(at, async |upload| self.area.safeguard(small, bytes, upload).await).await
    }

    pub(super) async fn rename(
        &self,
        partner: &PartnerId,
        (from, to): (&AreaPath, &AreaPath),
        replace: bool,
        claim: Option<(ShipmentId, bool)>,
        now: Timestamp,
    ) -> Result<Replaced, AreaError> {
        self.show(partner, from).await?;
        self.show(partner, to).await?;
        self.area.rename(partner, from, to, replace, claim, now).await
    }

    pub(super) async fn remove(&self, partner: &PartnerId, path: &AreaPath) -> Result<Node, AreaError> {
        self.show(partner, path).await?;
        self.area.remove(partner, path).await
    }

    pub(super) async fn fetched(
        &self,
        partner: &PartnerId,
        path: &AreaPath,
        user: &str,
        now: Timestamp,
    ) -> Result<(), AreaError> {
        self.area.fetched(partner, path, user, now).await
    }

    pub(super) async fn touch(
        &self,
        partner: &PartnerId,
        path: &AreaPath,
        modified: Timestamp,
    ) -> Result<(), AreaError> {
        self.show(partner, path).await?;
        self.area.touch(partner, path, modified).await
    }

    /// Lets go of an upload that is recorded, or never will be.
    pub(super) fn forget(&self, partner: &PartnerId, path: &AreaPath, scratch: ScratchId) {
        let key = (partner.clone(), path.clone());
        self.locked(|all| {
            if all.get(&key).is_some_and(|unrecorded| unrecorded.scratch == scratch) {
                all.remove(&key);
            }
        });
    }

    /// Does what records an upload on its way, where it was not recorded yet.
    async fn recording<T>(
        &self,
        (partner, path, scratch): (&PartnerId, &AreaPath, ScratchId),
        act: impl AsyncFnOnce(Option<&NewUpload>) -> Result<T, AreaError>,
    ) -> Result<T, AreaError> {
        let Some(unrecorded) = self.find(partner, path).filter(|unrecorded| unrecorded.scratch == scratch) else {
            return act(None).await;
        };
        let mut upload = unrecorded.upload.lock().await;
        let done = act(upload.as_ref()).await?;
        *upload = None;
        self.forget(partner, path, scratch);
        Ok(done)
    }

    /// Has the ledger know of a name before somebody asks for it. An upload that the ledger refuses is not there for
    /// others; who uploads it hears of that in the end.
    async fn show(&self, partner: &PartnerId, path: &AreaPath) -> Result<(), AreaError> {
        match self.record(partner, path).await {
            Err(failure @ AreaError::Ledger(_)) => Err(failure),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn find(&self, partner: &PartnerId, path: &AreaPath) -> Option<Unrecorded> {
        self.locked(|all| all.get(&(partner.clone(), path.clone())).cloned())
    }

    fn of(&self, partner: &PartnerId, dir: &str) -> Vec<AreaPath> {
        let here = |(of, path): &&Key| of == partner && path.dir == dir;
        self.locked(|all| all.keys().filter(here).map(|(_, path)| path.clone()).collect())
    }

    fn locked<T>(&self, work: impl FnOnce(&mut HashMap<Key, Unrecorded>) -> T) -> T {
        // The map is whole after every statement, so a panic elsewhere does not spoil it.
        work(&mut self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a partner holds with the uploads that the ledger does not know of; their bytes are counted where they arrive.
fn with_unrecorded(all: &HashMap<Key, Unrecorded>, partner: &PartnerId, usage: Usage) -> Usage {
    let files = all.keys().filter(|(of, _)| of == partner).count();
    Usage { files: usage.files.saturating_add(files as u64), ..usage }
}
