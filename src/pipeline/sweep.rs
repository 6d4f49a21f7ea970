//! Clears out, at start-up, bytes that no row of the ledger refers to: what a crash left between two steps.

use super::StepError;
use crate::ports::{Blobs, Ledger};

/// Removes unreferenced blobs and scratch files; returns how many. Must run before anything else writes.
pub async fn sweep(ledger: &dyn Ledger, blobs: &dyn Blobs) -> Result<usize, StepError> {
    let (stored, scratches) = blobs.inventory().await?;
    let mut removed = 0;
    for chunk in stored.chunks(CHUNK) {
        let (known, _) = ledger.referenced(chunk, &[]).await?;
        for blob in chunk.iter().filter(|blob| !known.contains(blob)) {
            blobs.remove(*blob).await?;
            removed += 1;
        }
    }
    for chunk in scratches.chunks(CHUNK) {
        let (_, known) = ledger.referenced(&[], chunk).await?;
        for scratch in chunk.iter().filter(|scratch| !known.contains(scratch)) {
            blobs.discard(*scratch).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Ids asked about at once.
const CHUNK: usize = 256;
