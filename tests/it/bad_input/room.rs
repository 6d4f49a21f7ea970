//! No room left: over quota, and on a full disk. What was acknowledged is kept, what was not is told.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sluse::adapters::sftp_client::SftpClient;
use sluse::generate::Profile;
use sluse::ports::StoreError;

use crate::needs::tell_skipped;
use crate::support::batch::{Batch, generated};
use crate::support::gateway::{Home, Settings, simulator};
use crate::support::receipts::{Receipts, count};

#[tokio::test(flavor = "multi_thread")]
async fn over_quota_a_file_is_refused_and_nothing_is_lost() {
    let home = Home::with(simulator().await, &Settings { quota_bytes: 300_000, ..Settings::default() });
    let _gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let (first, second) = (generated(20, Profile::Medium, "0", 1), generated(20, Profile::Medium, "0", 2));
    // Not claimed under this name, so it stays and is counted.
    client.put("/inbox/first.part", &mut &*first.bytes).await.unwrap();
    let refusal = client.put("/inbox/second.xml", &mut &*second.bytes).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Full | StoreError::Failed(_)), "{refusal}");

    client.rename("/inbox/first.part", "/inbox/first.xml").await.unwrap();
    let receipts = Receipts::wait(&home, &["first.xml".into()]).await;
    assert_eq!(receipts.shipments.len(), 1, "what was refused is no shipment: {receipts:?}");
    client.put("/inbox/second.xml", &mut &*second.bytes).await.unwrap();
    assert_all_delivered(&home, &[("first.xml".into(), first), ("second.xml".into(), second)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_acknowledged_is_lost() {
    let home = Home::new(simulator().await, "");
    let Some(disk) = SmallDisk::mount(home.path("data")) else { return };
    let mut gateway = home.start(None);
    let client = home.connect().await.unwrap();
    let mut drops = vec![("before.xml".to_owned(), batch(0))];
    client.put("/inbox/before.xml", &mut &*drops[0].1.bytes).await.unwrap();
    Receipts::wait(&home, &["before.xml".into()]).await;

    // The disk is full for the bytes, or for what the ledger and the receipts add to them.
    let mut refused = Vec::new();
    for (number, room) in [0, 64_000, 256_000, 320_000, 512_000, 1_000_000].into_iter().enumerate() {
        disk.fill_up_to(room);
        let (name, batch) = (format!("full-{number}.xml"), batch(1 + number as u64));
        if let Err(error) = put(&client, &name, &batch).await {
            assert!(matches!(error, StoreError::Full | StoreError::Failed(_)), "{error}");
            refused.push(drops.len());
        } else {
            assert!(room > 0, "there is no room for this");
        }
        drops.push((name, batch));
        assert!(gateway.ended().is_none(), "{}", home.log());
    }
    assert!(!refused.is_empty());

    disk.empty();
    for (name, batch) in refused.iter().map(|number| &drops[*number]) {
        put(&client, name, batch).await.unwrap_or_else(|text| panic!("{name}: {text}\n{}", home.log()));
    }
    assert_all_delivered(&home, &drops).await;
}

/// Drops a file.
async fn put(client: &SftpClient, name: &str, batch: &Batch) -> Result<(), StoreError> {
    client.put(&format!("/inbox/{name}"), &mut &*batch.bytes).await.map(drop)
}

/// Every file has one final receipt, and every item took effect once.
async fn assert_all_delivered(home: &Home, drops: &[(String, Batch)]) {
    let names: Vec<String> = drops.iter().map(|(name, _)| name.clone()).collect();
    let receipts = Receipts::wait(home, &names).await;
    receipts.assert_one_final_each();
    assert_eq!(receipts.shipments.len(), drops.len(), "{receipts:?}");
    let client = home.connect().await.unwrap();
    for (name, batch) in drops {
        let receipt = receipts.final_of(&client, name).await;
        assert_eq!(count(&receipt, "delivered"), batch.items, "{name}\n{receipt}");
    }
    let effects = home.simulator.effects();
    assert_eq!(effects.total, drops.iter().map(|(_, batch)| batch.items).sum::<u64>());
    assert_eq!(effects.repeated, [], "{}", home.log());
}

/// About 300 kB.
fn batch(seed: u64) -> Batch {
    generated(30, Profile::Medium, "0", seed)
}

/// A file system of its own, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one; `None`, with a printed reason, where that is not permitted.
    fn mount(at: PathBuf) -> Option<Self> {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&at).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        tell_skipped("mounting a small disk is not permitted here");
        None
    }

    /// Leaves so many bytes free.
    fn fill_up_to(&self, room: u64) {
        let mut ballast = File::create(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
        let filled = ballast.metadata().unwrap().len();
        ballast.set_len(filled.saturating_sub(room)).unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        Path::new(&self.0).join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a failed test may leave the gateway running for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
