//! Removes the bytes of shipments that have had their final receipt for as long as they are kept.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{House, StepError};

/// Looks at start-up and then once an hour, until asked to stop.
pub async fn retain(house: House, stop: CancellationToken) {
    loop {
        match remove_expired(&house).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "the bytes of old shipments are removed"),
            Err(error) => tracing::warn!(%error, "the bytes of old shipments stay for now"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
}

/// The ledger lets go first: what a crash leaves in between is swept at the next start.
pub(super) async fn remove_expired(house: &House) -> Result<usize, StepError> {
    let now = house.clock.now();
    let before = now.checked_sub(house.pace.keep).unwrap_or(jiff::Timestamp::MIN);
    let mut removed = 0;
    loop {
        let blobs = house.ledger.expire(before, now, AT_ONCE).await?;
        if blobs.is_empty() {
            return Ok(removed);
        }
        for blob in blobs {
            house.blobs.remove(blob).await?;
            removed += 1;
        }
    }
}

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Shipments let go of in one change.
const AT_ONCE: u32 = 100;
