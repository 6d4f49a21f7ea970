//! Files that are taken from a watched directory and from servers, by the real process.

mod kills;
mod many;
mod polled;
mod ready;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sluse::adapters::ledger::Bystander;
use sluse::generate::Profile;
use sluse::model::Wait;

use crate::support::batch::{Batch, generated};
use crate::support::gateway::{Gateway, Home, PATIENCE, Settings, simulator};
use crate::support::receipts::{assert_valid, count};

/// A gateway with a source: the folder's directory `drop`.
struct Drop {
    home: Home,
}

impl Drop {
    /// With what is appended to the source's table.
    async fn new(source: &str) -> Self {
        let more = format!(
            "[source.drop]\nkind = 'watched'\npath = 'drop'\npartner = 'etat'\nroute = 'etat'\nreceipts = 'receipts'\n{source}\n"
        );
        let home = Home::with(simulator().await, &Settings { more, ..Settings::default() });
        fs::create_dir(home.path("drop")).unwrap();
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path("drop").join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        let written = path.with_file_name(format!(".written-{}", path.file_name().unwrap().display()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Whole at once: a test may be stopped between making a file and filling it.
        fs::write(&written, bytes).unwrap();
        fs::rename(written, path).unwrap();
    }

    /// Names in a directory of the source.
    fn names(&self, dir: &str) -> Vec<String> {
        names_in(&self.path(dir))
    }

    /// Waits until something holds.
    async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "not {what}: {:?}\n{}", self.names(""), self.home.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The final receipts of a file name, when there are so many and nothing else is on its way.
    async fn finals(&self, name: &str, number: usize) -> Vec<String> {
        let is_one = |found: &String| found.starts_with(&format!("{name}.")) && found.ends_with(".final.xml");
        let found = || self.names("receipts").into_iter().filter(is_one).collect::<Vec<_>>();
        self.until(&format!("{number} final receipts of {name}"), || found().len() >= number).await;
        let texts: Vec<_> =
            found().iter().map(|name| fs::read_to_string(self.path("receipts").join(name)).unwrap()).collect();
        assert_eq!(texts.len(), number, "{:?}\n{}", self.names("receipts"), self.home.log());
        texts.iter().for_each(|text| assert_valid(text));
        texts
    }

    /// Waits until a file of the source waits for something.
    async fn until_waiting(&self, path: &str, wait: Wait) {
        let begun = Instant::now();
        loop {
            let waiting = self.waiting().await;
            if waiting.iter().any(|(waits, _, paths)| *waits == wait && paths.iter().any(|known| known == path)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} does not wait for {wait:?}: {waiting:?}\n{}", self.home.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn waiting(&self) -> Vec<(Wait, u64, Vec<String>)> {
        let Ok(mut ledger) = Bystander::open(&self.home.path("data/ledger.sqlite")).await else { return vec![] };
        let waiting = ledger.waiting("drop", 50).await.unwrap_or_default();
        let _ = ledger.close().await;
        waiting
    }

    /// Waits until so many more looks have ended.
    async fn looks(&self, more: u64) {
        let look = async || {
            let mut ledger = Bystander::open(&self.home.path("data/ledger.sqlite")).await.ok()?;
            let stand = ledger.source("drop").await.ok();
            let _ = ledger.close().await;
            stand.map(|stand| stand.look)
        };
        // A change rings, and it need not be of a file that is taken.
        let ring = || fs::write(self.path(RING), b"").unwrap();
        ring();
        let first = look().await.unwrap_or(0);
        let (mut last, mut ended) = (first, Instant::now());
        while last < first + more + 1 {
            // One over very many names takes its time on a busy machine.
            assert!(ended.elapsed() < 5 * PATIENCE, "no looks\n{}", self.home.log());
            let seen = look().await.unwrap_or(last);
            if seen > last {
                (last, ended) = (seen, Instant::now());
            }
            ring();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fs::remove_file(self.path(RING)).unwrap();
    }
}

/// Names in a directory, sorted; none when it is not there.
fn names_in(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn batch(items: u64, seed: u64) -> Batch {
    generated(items, Profile::Small, "0%", seed)
}

fn effects(home: &Home) -> u64 {
    let seen = home.simulator.effects();
    assert_eq!(seen.repeated, [], "items took effect twice\n{}", home.log());
    seen.total
}

/// A name that is never taken.
const RING: &str = ".ring";

/// Looks that do not keep a test waiting.
const QUICK: &str = "every_ms = 1_000\nalarm_after = 2\n";

fn started(drop: &Drop) -> Gateway {
    drop.home.start(None)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_and_its_receipts_come_back() {
    let drop = Drop::new(&format!("{QUICK}after = 'move'\nmove_to = 'taken'\nready = {{ stable_ms = 100 }}")).await;
    let _gateway = started(&drop);
    let batch = batch(3, 1);
    drop.put("nightly.xml", &batch.bytes);
    let receipt = drop.finals("nightly.xml", 1).await.remove(0);
    assert_eq!(count(&receipt, "delivered"), 3, "{receipt}");
    drop.until("put away", || drop.names("taken") == ["nightly.xml"]).await;
    assert_eq!(fs::read(drop.path("taken/nightly.xml")).unwrap(), batch.bytes);
    assert!(!drop.path("nightly.xml").exists());
    assert_eq!(drop.names("receipts").len(), 2, "accepted and final");
    // The same name every day is another file every day.
    drop.put("nightly.xml", &self::batch(2, 2).bytes);
    drop.finals("nightly.xml", 2).await;
    drop.until("put away beside the other", || drop.names("taken") == ["nightly-2.xml", "nightly.xml"]).await;
    assert_eq!(effects(&drop.home), 5);
    // What lies in the partner's area is what came back.
    let client = drop.home.connect().await.unwrap();
    let mut bytes = Vec::new();
    let name = drop.names("receipts").remove(0);
    client.get(&format!("/receipts/{name}"), &mut bytes).await.unwrap();
    assert_eq!(bytes, fs::read(drop.path("receipts").join(name)).unwrap());
    assert!(client.list("/inbox").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_taken_once_whatever_its_time_and_anew_when_it_is_another() {
    let drop = Drop::new(&format!("{QUICK}after = 'leave'\nready = {{ stable_ms = 50 }}")).await;
    let gateway = started(&drop);
    let batch = batch(2, 1);
    drop.put("daily.xml", &batch.bytes);
    drop.finals("daily.xml", 1).await;
    drop.looks(2).await;
    let file = fs::File::options().append(true).open(drop.path("daily.xml")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)).unwrap();
    drop.until_waiting_for_nothing().await;
    gateway.kill();
    let _gateway = started(&drop);
    drop.looks(2).await;
    drop.finals("daily.xml", 1).await;
    drop.put("daily.xml", &self::batch(3, 2).bytes);
    drop.finals("daily.xml", 2).await;
    assert_eq!(effects(&drop.home), 5);
    assert_eq!(drop.names(""), ["daily.xml", "receipts"]);
}

impl Drop {
    /// Waits until a whole look finds nothing that is not taken.
    async fn until_waiting_for_nothing(&self) {
        let begun = Instant::now();
        loop {
            self.looks(2).await;
            let waiting = self.waiting().await;
            if waiting.iter().all(|(waits, ..)| *waits == Wait::Taken) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{waiting:?}\n{}", self.home.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_see_what_waits_and_why_and_look_now() {
    let drop = Drop::new("cron = '0 0 29 2 *'\nevents = false\nafter = 'leave'\nready = { stable_ms = 0 }").await;
    let config = drop.home.path("sluse.toml");
    let sluse = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sluse"));
        let output = command.arg("source").args(args).arg("--config").arg(&config).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, text) = sluse(&["list"]);
    assert!(code == Some(0) && text.contains("drop: watched") && text.contains("not looked at yet"), "{text}");
    let _gateway = started(&drop);
    drop.home.connect().await.unwrap();
    let (code, text) = sluse(&["look", "drop", "--wait", "60"]);
    assert_eq!((code, text.as_str()), (Some(0), "drop: 0 files seen, 0 taken\n"), "{}", drop.home.log());
    drop.put("a.xml", &batch(1, 1).bytes);
    drop.put("odd\nname.xml", b"<cut>");
    let (code, text) = sluse(&["look", "drop", "--wait", "60"]);
    assert_eq!((code, text.as_str()), (Some(0), "drop: 2 files seen, 1 taken\n"), "{}", drop.home.log());
    drop.finals("a.xml", 1).await;
    let (_, text) = sluse(&["list"]);
    for told in [
        "0 0 29 2 *",
        "/inbox of etat",
        "next look",
        "1 is taken and left\n",
        "1 its end is missing:\n    odd\\nname.xml",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let (code, text) = sluse(&["look", "other"]);
    assert!(code == Some(2) && text.contains("there is no [source.other]"), "{code:?} {text}");
}
