//! An upload at the name of a file that is being processed, opened without asking for that to be cut.
//!
//! It may be a new file, sent by a client that cuts at the end (OpenSSH's `scp`), or the rest of the one that is there, whose
//! CLOSE was done when the line was cut. The first bytes tell: those of a new file begin at 0. Until then the ledger hears
//! nothing of it, and the file that is there keeps its name.

use crate::ports::{AreaError, NewUpload};

use super::super::failure::Failure;
use super::super::opening;
use super::super::packets::Write;
use super::Upload;

impl Upload {
    /// Begins it with its first bytes, where it waits for those.
    pub(super) async fn begin_with(&mut self, run: &[Write]) -> Result<(), Failure> {
        match run.iter().find(|write| !write.data.is_empty()) {
            Some(first) => self.begin_at(first.offset).await,
            None => Ok(()),
        }
    }

    /// Begins it where its first bytes, or its end, come at 0.
    pub(super) async fn begin_at(&mut self, offset: u64) -> Result<(), Failure> {
        let Some(upload) = self.later.clone() else { return Ok(()) };
        if offset > 0 {
            return Err(AreaError::Claimed.into());
        }
        self.begin(upload).await
    }

    async fn begin(&mut self, upload: NewUpload) -> Result<(), Failure> {
        self.settled_bytes = self.premises.ongoing.received(&self.tree.partner).settled_bytes;
        let look = self.premises.area.look(&self.tree.partner, &self.path).await?;
        self.usage_bytes = opening::enter(&self.premises, upload, &look).await?;
        self.later = None;
        Ok(())
    }

    /// Why it is no file when nothing has come.
    pub(super) fn unbegun(&self) -> Option<Failure> {
        self.later.as_ref().map(|_upload| AreaError::Claimed.into())
    }
}
