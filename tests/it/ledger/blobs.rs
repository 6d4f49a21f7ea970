//! Bytes: scratch files, sealing, blobs.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sluse::adapters::blobs::{LocalBlobs, TieredBlobs};
use sluse::model::{BlobId, ScratchId};
use sluse::ports::{Blobs, LedgerError, Scratch, SmallBlobs};

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
        what_is_not_there_is_not_found, removing_is_repeatable, everything_is_listed, many_seal_at_once,
        a_scratch_that_begins_small_does_as_a_file_does
    }
}

mod in_two_places {
    use super::*;

    conformance! {
        |dir: &Path| TieredBlobs::new(LocalBlobs::open(dir).unwrap(), Arc::new(Shelf::default()));
        bytes_go_anywhere_and_come_back, sealing_makes_a_blob, sealing_again_after_a_crash_succeeds,
        what_is_not_there_is_not_found, removing_is_repeatable, everything_is_listed, many_seal_at_once,
        a_scratch_that_begins_small_does_as_a_file_does
    }
}

/// The small blobs of a ledger that is none.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<BlobId, Vec<u8>>>);

#[async_trait]
impl SmallBlobs for Shelf {
    async fn small_blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.lock().unwrap().get(&id).cloned())
    }
    async fn remove_small_blob(&self, id: BlobId) -> Result<(), LedgerError> {
        self.0.lock().unwrap().remove(&id);
        Ok(())
    }
    async fn small_blobs(&self, after: Option<BlobId>, limit: u32) -> Result<Vec<BlobId>, LedgerError> {
        let all = self.0.lock().unwrap();
        Ok(all.keys().filter(|id| after.is_none_or(|after| **id > after)).take(limit as usize).copied().collect())
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

/// Whether it is in memory or on disk: the same calls give the same bytes, also across the limit.
async fn a_scratch_that_begins_small_does_as_a_file_does(open: Open<'_>) {
    const AROUND: u64 = 64 << 10;
    let (blobs, mut chance) = (open(), fastrand::Rng::with_seed(3));
    for round in 0..200 {
        let (id, begun) = blobs.begin().await.unwrap();
        let file = blobs.scratch(blobs.create().await.unwrap()).await.unwrap();
        let far = if round % 2 == 0 { AROUND / 4 } else { AROUND + 50 };
        for _ in 0..12 {
            let (offset, length) = (chance.u64(..far), chance.u64(..far / 3));
            match chance.u8(..8) {
                0 => [&begun, &file].iter().for_each(|scratch| scratch.set_len(offset).unwrap()),
                1 => begun.write_at(u64::MAX, &[]).unwrap(),
                2 if round % 5 == 0 => begun.sync().unwrap(),
                _ => {
                    let bytes: Vec<u8> = (0..length).map(|_| chance.u8(..)).collect();
                    [&begun, &file].iter().for_each(|scratch| scratch.write_at(offset, &bytes).unwrap());
                }
            }
            let size = file.size_bytes().unwrap();
            assert_eq!(begun.size_bytes().unwrap(), size, "{round}");
            assert_eq!(read(&*begun, size), read(&*file, size), "{round}");
            assert_eq!(begun.read_at(size, &mut [0; 9]).unwrap(), 0);
            if let Some(bytes) = begun.in_memory() {
                assert_eq!(bytes, read(&*file, size), "{round}");
                assert!(size <= AROUND && begun.stays_in_memory(AROUND) && !begun.stays_in_memory(AROUND + 1));
                assert!(blobs.scratch(id).await.is_err(), "no file is made of it");
            } else {
                assert!(!begun.stays_in_memory(1));
                assert_eq!(read(&*blobs.scratch(id).await.unwrap(), size), read(&*file, size), "{round}");
            }
        }
    }
}

fn read(scratch: &dyn Scratch, size_bytes: u64) -> Vec<u8> {
    let (mut bytes, mut filled) = (vec![0; size_bytes as usize + 5], 0);
    loop {
        match scratch.read_at(filled as u64, &mut bytes[filled..]).unwrap() {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    bytes
}

#[tokio::test]
async fn small_blobs_of_a_ledger_are_blobs_like_others() {
    let (dir, shelf, id) = (tempfile::tempdir().unwrap(), Arc::new(Shelf::default()), BlobId::new());
    shelf.0.lock().unwrap().insert(id, b"content".to_vec());
    let blobs = TieredBlobs::new(LocalBlobs::open(dir.path()).unwrap(), Arc::clone(&shelf) as Arc<dyn SmallBlobs>);
    let blob = blobs.open(id).await.unwrap();
    let mut bytes = [0; 7];
    assert_eq!((blob.size_bytes(), blob.read_at(3, &mut bytes).unwrap()), (7, 4));
    assert_eq!(&bytes[..4], b"tent");
    assert_eq!((blob.read_at(7, &mut bytes).unwrap(), blob.read_at(u64::MAX, &mut bytes).unwrap()), (0, 0));
    assert_eq!(blobs.inventory().await.unwrap(), (vec![id], vec![]));
    blobs.remove(id).await.unwrap();
    assert_eq!(blobs.open(id).await.err().unwrap().kind(), ErrorKind::NotFound);
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
