//! Bytes: scratch files, sealing, blobs.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use sluse::adapters::blobs::LocalBlobs;
use sluse::model::{BlobId, ScratchId};
use sluse::ports::Blobs;

/// Makes a test of every case for an adapter, given how to open it on a directory.
macro_rules! conformance {
    ($open:expr; $($case:ident),+) => {
        $(#[tokio::test]
        async fn $case() {
            let dir = tempfile::tempdir().unwrap();
            let open = || -> Arc<dyn Blobs> { Arc::new($open(dir.path())) };
            super::$case(&open).await;
        })+
    };
}

mod on_local_disk {
    use super::*;

    conformance! {
        |dir: &Path| LocalBlobs::open(dir).unwrap();
        bytes_go_anywhere_and_come_back, sealing_makes_a_blob, sealing_again_after_a_crash_succeeds,
        what_is_not_there_is_not_found, removing_is_repeatable, everything_is_listed, many_seal_at_once
    }
}

type Open<'a> = &'a (dyn Fn() -> Arc<dyn Blobs> + Sync);

async fn scratch_with(blobs: &dyn Blobs, bytes: &[u8]) -> ScratchId {
    let id = blobs.create().await.unwrap();
    blobs.scratch(id).await.unwrap().write_at(0, bytes).unwrap();
    id
}

async fn bytes_go_anywhere_and_come_back(open: Open<'_>) {
    let blobs = open();
    let id = blobs.create().await.unwrap();
    let scratch = blobs.scratch(id).await.unwrap();
    scratch.write_at(5, b"world").unwrap();
    scratch.write_at(0, b"abc").unwrap();
    let mut bytes = [9; 20];
    assert_eq!(scratch.read_at(0, &mut bytes).unwrap(), 10);
    assert_eq!(&bytes[..10], b"abc\0\0world");
    assert_eq!(scratch.read_at(10, &mut bytes).unwrap(), 0);
    scratch.set_len(7).unwrap();
    scratch.sync().unwrap();
    assert_eq!(open().scratch(id).await.unwrap().size_bytes().unwrap(), 7, "it can be resumed after a restart");
}

async fn sealing_makes_a_blob(open: Open<'_>) {
    let blobs = open();
    let (id, blob) = (scratch_with(blobs.as_ref(), b"content").await, BlobId::new());
    blobs.seal(id, blob).await.unwrap();
    assert!(blobs.scratch(id).await.is_err());
    let sealed = open().open(blob).await.unwrap();
    let mut bytes = [0; 7];
    assert_eq!((sealed.size_bytes(), sealed.read_at(3, &mut bytes).unwrap()), (7, 4));
    assert_eq!(&bytes[..4], b"tent");
    assert_eq!(sealed.read_at(7, &mut bytes).unwrap(), 0);
}

async fn sealing_again_after_a_crash_succeeds(open: Open<'_>) {
    let blobs = open();
    let (id, blob) = (scratch_with(blobs.as_ref(), b"content").await, BlobId::new());
    for _ in 0..2 {
        blobs.seal(id, blob).await.unwrap();
    }
    assert_eq!(blobs.open(blob).await.unwrap().size_bytes(), 7);
    let lost = blobs.seal(id, BlobId::new()).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::NotFound);
}

async fn what_is_not_there_is_not_found(open: Open<'_>) {
    let blobs = open();
    assert_eq!(blobs.open(BlobId::new()).await.err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(blobs.scratch(ScratchId::new()).await.err().unwrap().kind(), ErrorKind::NotFound);
}

async fn removing_is_repeatable(open: Open<'_>) {
    let blobs = open();
    let (id, other, blob) = (scratch_with(blobs.as_ref(), b"a").await, blobs.create().await.unwrap(), BlobId::new());
    blobs.seal(id, blob).await.unwrap();
    let reading = blobs.open(blob).await.unwrap();
    for _ in 0..2 {
        blobs.remove(blob).await.unwrap();
        blobs.discard(other).await.unwrap();
    }
    assert_eq!(blobs.inventory().await.unwrap(), (vec![], vec![]));
    assert_eq!(reading.read_at(0, &mut [0; 4]).unwrap(), 1, "who reads it reads on");
}

async fn everything_is_listed(open: Open<'_>) {
    let blobs = open();
    let (mut sealed, mut scratches) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let blob = BlobId::new();
        blobs.seal(blobs.create().await.unwrap(), blob).await.unwrap();
        sealed.push(blob);
        scratches.push(blobs.create().await.unwrap());
    }
    let (mut blobs, mut there) = open().inventory().await.unwrap();
    for list in [&mut sealed, &mut blobs] {
        list.sort();
    }
    for list in [&mut scratches, &mut there] {
        list.sort();
    }
    assert_eq!((blobs, there), (sealed, scratches));
}

async fn many_seal_at_once(open: Open<'_>) {
    let blobs = open();
    let seals = (0..64_u8).map(|number| {
        let blobs = Arc::clone(&blobs);
        async move {
            let blob = BlobId::new();
            let id = scratch_with(blobs.as_ref(), &[number; 100]).await;
            blobs.seal(id, blob).await.unwrap();
            let mut bytes = [0; 100];
            blobs.open(blob).await.unwrap().read_at(0, &mut bytes).unwrap();
            assert_eq!(bytes, [number; 100]);
        }
    });
    futures::future::join_all(seals).await;
    assert_eq!(blobs.inventory().await.unwrap().0.len(), 64);
}

#[tokio::test]
async fn only_the_owner_reads_the_store_and_strangers_in_it_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = LocalBlobs::open(dir.path()).unwrap();
    let id = blobs.create().await.unwrap();
    std::fs::write(dir.path().join("scratch/readme.txt"), "not ours").unwrap();
    for name in ["scratch", "blobs", "blobs/00", "blobs/ff"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{name}");
    }
    assert_eq!(blobs.inventory().await.unwrap(), (vec![], vec![id]));
}
