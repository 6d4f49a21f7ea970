//! Bytes that are no longer kept.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use sluse::model::{BlobId, ScratchId};
use sluse::pipeline::Retention;
use sluse::ports::{Blob, Blobs, Clock, Job, Occasion, Scratch};

use super::Rig;

/// A store that cannot remove some blobs.
struct Sticky {
    inner: Arc<dyn Blobs>,
    stuck: HashSet<BlobId>,
}

#[async_trait]
impl Blobs for Sticky {
    async fn create(&self) -> io::Result<ScratchId> {
        self.inner.create().await
    }

    async fn scratch(&self, id: ScratchId) -> io::Result<Arc<dyn Scratch>> {
        self.inner.scratch(id).await
    }

    async fn seal(&self, scratch: ScratchId, blob: BlobId) -> io::Result<()> {
        self.inner.seal(scratch, blob).await
    }

    async fn open(&self, id: BlobId) -> io::Result<Arc<dyn Blob>> {
        self.inner.open(id).await
    }

    async fn discard(&self, id: ScratchId) -> io::Result<()> {
        self.inner.discard(id).await
    }

    async fn remove(&self, id: BlobId) -> io::Result<()> {
        if self.stuck.contains(&id) { Err(io::Error::other("on purpose")) } else { self.inner.remove(id).await }
    }

    async fn inventory(&self) -> io::Result<(Vec<BlobId>, Vec<ScratchId>)> {
        self.inner.inventory().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_cannot_be_removed_keep_no_others() {
    let rig = Rig::new().await;
    let running = rig.run();
    let mut blobs = Vec::new();
    for seed in 1..=3 {
        let id = rig.drop_batch(1, seed).await;
        rig.receipted(id).await;
        blobs.push(rig.house.ledger.shipment(id).await.unwrap().unwrap().blob);
    }
    running.stop().await;
    rig.wait_hours(2);
    let stuck = HashSet::from([blobs[0]]);
    let sticky = Arc::new(Sticky { inner: Arc::clone(&rig.house.blobs), stuck });
    let house = sluse::pipeline::House { blobs: sticky, ..rig.house.clone() };
    let now = rig.clock.now();
    let occasion = Occasion { schedule: "nightly".to_owned(), due: now, now };
    let told = Retention(house).run(&occasion).await.unwrap_err();
    assert!(told.to_string().contains("on purpose"), "{told}");
    let (left, _) = rig.house.blobs.inventory().await.unwrap();
    let left: Vec<bool> = blobs.iter().map(|blob| left.contains(blob)).collect();
    assert_eq!(left, [true, false, false]);
}
