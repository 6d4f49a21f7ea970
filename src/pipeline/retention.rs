//! Removes the bytes of shipments that have had their final receipt for as long as they are kept.

use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::setback::guarded;
use super::{House, StepError};
use crate::model::BlobId;

/// Looks at start-up and then once an hour, until asked to stop.
pub async fn retain(house: House, stop: CancellationToken) {
    loop {
        match guarded(remove_expired(&house)).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "the bytes of old shipments are removed"),
            Err(error) => tracing::warn!(%error, "the bytes of old shipments stay for now"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
}

/// The ledger lets go first: what a crash leaves in between is swept at the next start, as are bytes that cannot be removed
/// now. Those keep nobody from removing the others.
pub(super) async fn remove_expired(house: &House) -> Result<usize, StepError> {
    let now = house.clock.now();
    let before = now.checked_sub(house.pace.keep).unwrap_or(jiff::Timestamp::MIN);
    let (mut removed, mut stuck) = (0, None);
    loop {
        let blobs = house.ledger.expire(before, now, AT_ONCE).await?;
        let gone = remove_all(house, &blobs, &mut stuck).await;
        removed += gone;
        // Where nothing can be removed, the ledger lets go of no more.
        if gone == 0 {
            break;
        }
    }
    match stuck {
        Some(error) => Err(error.into()),
        None => Ok(removed),
    }
}

/// Removes what can be removed; returns how many, and keeps the first error.
async fn remove_all(house: &House, blobs: &[BlobId], stuck: &mut Option<io::Error>) -> usize {
    let mut removed = 0;
    for blob in blobs {
        match house.blobs.remove(*blob).await {
            Ok(()) => removed += 1,
            Err(error) => {
                tracing::warn!(%blob, %error, "the bytes of an old shipment stay until the next start");
                stuck.get_or_insert(error);
            }
        }
    }
    removed
}

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Shipments let go of in one change.
const AT_ONCE: u32 = 100;
