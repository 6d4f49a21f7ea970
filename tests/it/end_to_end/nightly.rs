//! An agency's nightly job, as it has run for years: OpenSSH's `sftp -b` and a file of commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sluse::generate::Profile;
use tempfile::TempDir;

use super::final_of;
use crate::needs::has;
use crate::support::batch::{contents, generated};
use crate::support::gateway::{Home, PATIENCE, simulator};
use crate::support::openssh::OpenSsh;
use crate::support::receipts::{Receipts, assert_valid, count, item_codes};

/// The agency's machine.
struct Agency {
    sftp: OpenSsh,
    dir: TempDir,
}

impl Agency {
    /// Waits until the gateway listens.
    async fn of(home: &Home) -> Self {
        home.connect().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        Self { sftp: OpenSsh::new(home.address(), "etat", &home.path("client"), dir.path()), dir }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    /// Runs a file of commands that must all succeed; what it printed.
    fn run(&self, commands: &str) -> String {
        let (success, text) = tokio::task::block_in_place(|| self.sftp.batch(&[], commands));
        assert!(success, "{text}");
        text
    }

    /// The one file here whose name begins and ends so.
    fn file(&self, begin: &str, end: &str) -> PathBuf {
        let entries = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = entries.map(|name| name.into_string().unwrap());
        let found: Vec<String> = names.filter(|name| name.starts_with(begin) && name.ends_with(end)).collect();
        assert_eq!(found.len(), 1, "{begin}…{end}: {found:?}");
        self.dir.path().join(&found[0])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nightly_job_runs_from_drop_to_mended_rest_file() {
    if !has("sftp") {
        return;
    }
    let home = Home::new(simulator().await, "may_remove = true");
    let _gateway = home.start(None);
    let agency = Agency::of(&home).await;
    let whole = generated(40, Profile::Small, "0", 11);
    agency.write("nightly.xml", damaged(whole.text()).as_bytes());
    agency.write("monthly.xml", &generated(5, Profile::Attachment, "0", 12).bytes);

    rehearse(&home, &agency).await;
    drop_and_collect(&home, &agency).await;
    let rest = fs::read_to_string(agency.file("nightly.xml", ".rest.xml")).unwrap();
    let reference = contents(whole.text(), "ExternalShipmentReference")[0];
    assert_eq!(contents(&rest, "ExternalShipmentReference"), [format!("{reference}-R1")]);
    assert_eq!(rest.matches("<FormTask>").count(), 4);

    agency.write("mended.xml", mended(&rest).as_bytes());
    agency.run("put mended.xml /inbox/\n");
    let receipt = final_of(&home, "mended.xml").await;
    assert_eq!((count(&receipt, "items"), count(&receipt, "delivered")), (4, 4), "{receipt}");
    let effects = home.simulator.effects();
    assert_eq!((effects.total, effects.repeated.len()), (45, 0), "each of 40 items and 5 more, once");
}

/// Drops in the test directory: all answers, no effect.
async fn rehearse(home: &Home, agency: &Agency) {
    agency.run("put nightly.xml /test/rehearsal.xml\n");
    let receipt = final_of(home, "rehearsal.xml").await;
    assert!(receipt.contains("preflight=\"true\""), "{receipt}");
    assert_eq!(item_codes(&receipt), [("IN-001", 36), ("RT-102", 3), ("XS-107", 1)].into());
    assert_eq!(home.simulator.effects().instantiations, 0, "a rehearsal sends nothing");
}

/// What cron runs at night, and in the morning.
async fn drop_and_collect(home: &Home, agency: &Agency) {
    let listing = agency.run(
        "cd inbox\nput nightly.xml\nput -p monthly.xml monthly.xml.part\nrename monthly.xml.part monthly.xml\n\
         ls -l\ncd /\nls -l\nbye\n",
    );
    for dir in ["inbox", "outbox", "receipts", "test"] {
        assert!(listing.lines().any(|line| line.starts_with("drwx") && line.ends_with(dir)), "{listing}");
    }
    let receipts = Receipts::wait(home, &["nightly.xml".into(), "monthly.xml".into()]).await;
    receipts.assert_one_final_each();
    for ((name, _), kinds) in &receipts.shipments {
        let wanted: &[&str] =
            if name == "monthly.xml" { &["accepted", "final"] } else { &["accepted", "final", "rest"] };
        assert_eq!(kinds, wanted, "{name}");
    }

    let listing = agency.run("cd receipts\nls -l\nget *\n");
    let nightly = agency.file("nightly.xml", ".final.xml");
    let name = nightly.file_name().unwrap().to_str().unwrap();
    assert!(listing.contains(name), "{listing}");
    check_receipt(&nightly, &[("FW-000", 36), ("RT-102", 3), ("XS-107", 1)]);
    check_receipt(&agency.file("nightly.xml", ".accepted.xml"), &[]);
    check_receipt(&agency.file("monthly.xml", ".final.xml"), &[("FW-000", 5)]);
    let receipt = fs::read_to_string(&nightly).unwrap();
    let rest = agency.file("nightly.xml", ".rest.xml");
    assert_eq!(contents(&receipt, "RestFile"), [rest.file_name().unwrap().to_str().unwrap()]);
    assert_eq!(receipt.matches("type=\"ReceiversReference\"").count(), 36);

    let accepted = agency.file("nightly.xml", ".accepted.xml");
    let accepted = accepted.file_name().unwrap().to_str().unwrap();
    let listing = agency.run(&format!("rm /receipts/{accepted}\nls -1 /receipts\n"));
    let left: Vec<&str> = listing.lines().filter_map(|line| line.trim_end().strip_prefix("/receipts/")).collect();
    assert!(left.contains(&name) && !left.contains(&accepted), "{listing}");
}

fn check_receipt(path: &Path, codes: &[(&str, u64)]) {
    let receipt = fs::read_to_string(path).unwrap();
    assert_eq!(item_codes(&receipt), codes.iter().copied().collect(), "{receipt}");
    assert_valid(&receipt);
    if has("xmllint") {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/receipt/sluse-receipt-1.0.xsd");
        let judged =
            Command::new("xmllint").args(["--noout", "--nonet", "--schema", schema]).arg(path).output().unwrap();
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    }
}

/// Three items for a service nobody knows, one with a date that is none.
fn damaged(batch: &str) -> String {
    let unknown = batch.replacen("<ExternalServiceCode>5001<", "<ExternalServiceCode>9999<", 3);
    unknown.replacen("<ValidFrom>2026-01-01<", "<ValidFrom>2026-13-01<", 1)
}

fn mended(rest: &str) -> String {
    let known = rest.replace("<ExternalServiceCode>9999<", "<ExternalServiceCode>5001<");
    known.replace("<ValidFrom>2026-13-01<", "<ValidFrom>2026-01-01<")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_cut_goes_on_where_it_stopped() {
    if !has("sftp") {
        return;
    }
    let home = Home::new(simulator().await, "");
    let _gateway = home.start(None);
    let agency = Agency::of(&home).await;
    let batch = generated(8, Profile::Attachment, "0", 13);
    agency.write("big.xml", &batch.bytes);

    // At 1 Mbit/s there is half a minute to cut it.
    let mut upload = agency.sftp.start(&["-l", "1000"], "put big.xml /inbox/big.xml\n");
    wait_for("bytes on the server", || scratch_bytes(&home) > 100_000).await;
    upload.kill().unwrap();
    upload.wait().unwrap();
    wait_for("a partial", || home.log().contains("kept as a partial")).await;
    let receipts = Receipts::list(&home.connect().await.unwrap()).await.unwrap();
    assert!(receipts.shipments.is_empty(), "what was cut off is not claimed: {receipts:?}");

    agency.run("reput big.xml /inbox/big.xml\n");
    let receipt = final_of(&home, "big.xml").await;
    assert_eq!(count(&receipt, "delivered"), batch.items, "{receipt}");
    assert_eq!(contents(&receipt, "SizeBytes"), [batch.bytes.len().to_string()]);
    let log = home.log();
    let resumed = log.lines().filter(|line| line.contains("upload begins") && !line.contains("from_bytes=0"));
    assert_eq!(resumed.count(), 1, "{log}");
}

fn scratch_bytes(home: &Home) -> u64 {
    let files = fs::read_dir(home.path("data/blobs/scratch")).into_iter().flatten();
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
}

/// Waits until it is so.
async fn wait_for(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not seen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
