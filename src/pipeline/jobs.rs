//! What schedules may run: each a named action.

use async_trait::async_trait;

use super::House;
use super::retention::remove_expired;
use crate::ports::{Job, JobError, Occasion};

/// Removes the bytes of shipments that were kept for long enough.
pub struct Retention(pub House);

/// Tells how many shipments there are, in the log and in the ledger.
pub struct Report(pub House);

#[async_trait]
impl Job for Retention {
    async fn run(&self, _: &Occasion) -> Result<String, JobError> {
        let removed = remove_expired(&self.0).await.map_err(|error| JobError(error.to_string()))?;
        Ok(format!("removed the bytes of {removed} shipments"))
    }
}

#[async_trait]
impl Job for Report {
    async fn run(&self, _: &Occasion) -> Result<String, JobError> {
        let counts = self.0.ledger.counts().await.map_err(|error| JobError(error.to_string()))?;
        let (claimed, judged, receipted) = (counts.claimed, counts.judged, counts.receipted);
        Ok(format!("shipments: {claimed} not judged, {judged} under way, {receipted} with their final receipt"))
    }
}
