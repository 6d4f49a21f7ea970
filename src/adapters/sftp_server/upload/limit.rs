//! How far an upload may reach: the largest file that is taken, and what is left of the partner's quota.
//!
//! What a run of writes brings is counted after it is written: uploads side by side may reach beyond the quota by a run
//! each.

use crate::ports::AreaError;

use super::super::failure::Failure;
use super::Upload;

impl Upload {
    /// How far it may reach. What other uploads bring meanwhile is counted here; what is in the ledger is looked up anew
    /// now and then, and before `wanted` is refused: files may have gone.
    pub(super) async fn limit(&mut self, wanted: u64) -> Result<Limit, Failure> {
        let known = self.known_limit();
        let grown = self.size_bytes.saturating_sub(self.looked_at_bytes);
        if grown < LOOK_AGAIN_BYTES && wanted <= known.reach_bytes {
            return Ok(known);
        }
        // Before the look: what is settled meanwhile counts twice rather than not at all, until the next one.
        self.settled_bytes = self.premises.ongoing.received(&self.tree.partner).settled_bytes;
        self.usage_bytes = self.premises.area.usage(&self.tree.partner).await?.bytes;
        self.looked_at_bytes = self.size_bytes;
        Ok(self.known_limit())
    }

    fn known_limit(&self) -> Limit {
        let received = self.premises.ongoing.received(&self.tree.partner);
        let since_bytes = received.settled_bytes.saturating_sub(self.settled_bytes);
        let held_bytes = self.usage_bytes.saturating_add(since_bytes).saturating_add(received.growth_bytes);
        let quota_bytes = self.tree.quota.bytes;
        let reach_bytes = self.size_bytes.saturating_add(quota_bytes.saturating_sub(held_bytes));
        Limit { reach_bytes, quota_bytes, max_upload_bytes: self.tree.max_upload_bytes }
    }
}

/// How far it may reach, and why no further.
pub(super) struct Limit {
    reach_bytes: u64,
    quota_bytes: u64,
    max_upload_bytes: u64,
}

impl Limit {
    /// Refuses what reaches further.
    pub(super) fn check(&self, end: u64) -> Result<(), Failure> {
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
