//! Sources whose store lies, breaks and hangs: nothing is lost, nothing comes twice, and nobody else waits.

mod tidying;
mod trouble;
mod windows;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicU32;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use jiff::tz::TimeZone;
use sluse::model::{NodeState, Stage};
use sluse::pipeline::{Source, Taker};
use sluse::ports::{FileSeen, FileStore, Ledger as _, Sources as _, StoreError, Timetable as _};
use sluse::schedule::{Days, OnClosed, Recurrence, Rule};
use sluse::sighting::{After, Readiness, Rules};

use super::*;

/// What a store does that it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// None.
    None,
    /// Its names lead elsewhere.
    Names,
    /// It lists for ever.
    Endless,
    /// It gives half of what it told of.
    Short,
    /// It gives more than it told of.
    Long,
    /// The line breaks every few bytes.
    Breaking,
    /// The file is another whenever it has been read.
    Changing,
    /// It says that it has done it.
    Idle,
    /// It does not answer.
    Silent,
    /// Whatever it answers, it makes us panic.
    Poison,
    /// It is somebody else.
    HostKey,
    /// It has no room left.
    Full,
    /// The line breaks when something is written.
    Unwritable,
    /// No file gets another name.
    Stuck,
    /// Nothing is there, as before a share is mounted.
    Empty,
    /// A file has a new time when it has a new name.
    Touching,
    /// No file may have another name; the first that is to have one is written anew just before that is said.
    Forbidding,
    /// The first file that is to have a new name is written anew just before, with as many bytes; and then as above.
    Overtaking,
}

/// What a store does with one file that it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    /// It cannot be read.
    Failing,
    /// Its bytes never come.
    Hanging,
    /// We panic when it is read.
    Poisonous,
    /// The line breaks when it is read.
    Dropping,
}

/// A store in memory that lies when it is told to.
struct Liar {
    files: Mutex<BTreeMap<String, (Vec<u8>, Timestamp)>>,
    lie: Mutex<Lie>,
    bad: Mutex<BTreeMap<String, Bad>>,
    reads: AtomicU32,
    has_overtaken: AtomicBool,
}

impl Liar {
    fn new(lie: Lie) -> Arc<Self> {
        Arc::new(Self {
            files: Mutex::default(),
            lie: Mutex::new(lie),
            bad: Mutex::default(),
            reads: AtomicU32::new(0),
            has_overtaken: AtomicBool::new(false),
        })
    }

    fn put(&self, path: &str, bytes: &[u8], second: i64) {
        let modified = Timestamp::from_second(second).unwrap();
        self.files.lock().unwrap().insert(path.to_owned(), (bytes.to_vec(), modified));
    }

    fn tell(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    fn lies(&self, lie: Lie) -> bool {
        *self.lie.lock().unwrap() == lie
    }

    fn seen(&self, path: &str) -> Option<FileSeen> {
        let files = self.files.lock().unwrap();
        let (bytes, modified) = files.get(path).filter(|_| !self.lies(Lie::Empty))?;
        Some(FileSeen { path: path.to_owned(), size_bytes: bytes.len() as u64, modified: *modified })
    }

    fn has(&self, path: &str) -> bool {
        self.files.lock().unwrap().contains_key(path)
    }

    async fn answers(&self) -> Result<(), StoreError> {
        assert!(!self.lies(Lie::Poison), "on purpose");
        if self.lies(Lie::Silent) {
            std::future::pending::<()>().await;
        }
        if self.lies(Lie::HostKey) {
            return Err(StoreError::HostKey { fingerprint: "SHA256:other".to_owned() });
        }
        Ok(())
    }
}

#[async_trait]
impl FileStore for Liar {
    async fn list(&self, _: &str, _: u32) -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError> {
        self.answers().await?;
        if self.lies(Lie::Empty) {
            return Ok(stream::empty().boxed());
        }
        let mut seen: Vec<_> = {
            let paths: Vec<_> = self.files.lock().unwrap().keys().cloned().collect();
            paths.iter().filter_map(|path| self.seen(path)).map(Ok).collect()
        };
        let odd = |path: &str| FileSeen { path: path.to_owned(), size_bytes: 4, modified: Timestamp::UNIX_EPOCH };
        if self.lies(Lie::Names) {
            let names = ["../up.xml", "/etc/passwd", "a//b.xml", "a/../b.xml", "..", "", "x\0.xml", "deep/a.xml"];
            seen.extend(names.map(|name| Ok(odd(name))));
        }
        if self.lies(Lie::Endless) {
            return Ok(stream::iter(seen).chain(stream::repeat_with(move || Ok(odd("x.part")))).boxed());
        }
        Ok(stream::iter(seen).boxed())
    }

    async fn stat(&self, path: &str) -> Result<Option<FileSeen>, StoreError> {
        self.answers().await?;
        Ok(self.seen(path))
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn read(&self, path: &str, offset: u64) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
        self.answers().await?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        let bad = self.bad.lock().unwrap().get(path).copied();
        assert!(bad != Some(Bad::Poisonous), "on purpose");
        let mut files = self.files.lock().unwrap();
        let (bytes, modified) = files.get_mut(path).ok_or(StoreError::NotFound)?;
        let mut read = bytes.get(offset as usize..).unwrap_or_default().to_vec();
        match bad {
            Some(Bad::Failing) => {
                let failed = io::Error::other(StoreError::Failed(4));
                return Ok(stream::iter([Err(failed)]).boxed());
            }
            Some(Bad::Hanging) => return Ok(stream::pending().boxed()),
            Some(Bad::Dropping) => return Ok(stream::iter([Err(io::ErrorKind::ConnectionReset.into())]).boxed()),
            Some(Bad::Poisonous) | None => {}
        }
        if self.lies(Lie::Changing) {
            *modified = modified.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        }
        if self.lies(Lie::Short) {
            read.truncate(read.len() / 2);
        }
        if self.lies(Lie::Long) {
            read.extend_from_slice(b"<!-- more -->");
        }
        let mut pieces: Vec<io::Result<Bytes>> =
            read.chunks(100).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        if self.lies(Lie::Breaking) && pieces.len() > 3 {
            pieces.truncate(3);
            pieces.push(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Ok(stream::iter(pieces).boxed())
    }

    async fn write(&self, path: &str, _: u64, bytes: BoxStream<'static, io::Result<Bytes>>) -> Result<u64, StoreError> {
        if self.lies(Lie::Full) {
            return Err(StoreError::Full);
        }
        if self.lies(Lie::Unwritable) {
            return Err(StoreError::Unreachable("the line broke".to_owned()));
        }
        let bytes: Vec<Bytes> = bytes.map(|piece| piece.unwrap()).collect().await;
        let bytes = bytes.concat();
        self.put(path, &bytes, 0);
        Ok(bytes.len() as u64)
    }

    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<(), StoreError> {
        if self.lies(Lie::Idle) {
            return Ok(());
        }
        if self.lies(Lie::Stuck) {
            return Err(StoreError::Failed(4));
        }
        if self.lies(Lie::Empty) {
            return Err(StoreError::NotFound);
        }
        let mut files = self.files.lock().unwrap();
        if files.contains_key(to) && !replace {
            return Err(StoreError::Exists);
        }
        if self.lies(Lie::Forbidding) {
            let (bytes, modified) = files.get_mut(from).ok_or(StoreError::NotFound)?;
            if !self.has_overtaken.swap(true, Ordering::SeqCst) {
                *bytes = bytes.to_ascii_uppercase();
                *modified = modified.checked_add(jiff::SignedDuration::from_secs(100)).unwrap();
            }
            return Err(StoreError::Denied);
        }
        let mut file = files.remove(from).ok_or(StoreError::NotFound)?;
        if self.lies(Lie::Overtaking) && !self.has_overtaken.swap(true, Ordering::SeqCst) {
            file.0 = document(file.0.len() - document(0).len()).to_ascii_uppercase();
        }
        if self.lies(Lie::Touching) || self.lies(Lie::Overtaking) {
            file.1 = file.1.checked_add(jiff::SignedDuration::from_secs(100)).unwrap();
        }
        files.insert(to.to_owned(), file);
        Ok(())
    }

    async fn remove(&self, path: &str) -> Result<(), StoreError> {
        if !self.lies(Lie::Idle) {
            self.files.lock().unwrap().remove(path);
        }
        Ok(())
    }

    async fn make_dir(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

fn source(name: &str, store: &Arc<Liar>, after: After) -> Source {
    let readiness = Readiness {
        stable: Some(Duration::from_millis(1)),
        min_age: None,
        done_file: None,
        checksum: None,
        complete: true,
        patience: Duration::from_secs(3_600),
        temporary: vec![],
    };
    let rules = Rules {
        dir: String::new(),
        depth: 0,
        include: vec!["*.xml".parse().unwrap()],
        exclude: vec![],
        order: Default::default(),
        most: 10,
        readiness,
        after,
        receipts: None,
    };
    let times = Recurrence {
        rule: Rule::Every(Duration::from_millis(20)),
        zone: TimeZone::UTC,
        calendar: Arc::default(),
        days: Days::All,
        on_closed: OnClosed::Skip,
        windows: None,
        jitter: Duration::ZERO,
    };
    Source {
        name: name.to_owned(),
        partner: "ttd".parse().unwrap(),
        dir: "inbox".to_owned(),
        preflight: false,
        store: Arc::clone(store) as Arc<dyn FileStore>,
        rules,
        times,
        bell: Arc::new(Notify::new()),
        most_bytes: 1_000_000,
        timeout: Duration::from_millis(300),
        alarm_after: 2,
        channels: vec!["watch".to_owned()],
    }
}

/// A source at work; no pipeline takes what it claims.
struct Bench {
    rig: Rig,
    ledger: SqliteLedger,
    stop: CancellationToken,
}

impl Bench {
    async fn new() -> Self {
        let rig = Rig::new().await;
        let ledger = rig.ledger.clone();
        Self { rig, ledger, stop: CancellationToken::new() }
    }

    fn run(&self, source: Source) -> JoinHandle<()> {
        let alarms = Arc::new(self.ledger.clone());
        let taker = Taker::new(self.rig.house.clone(), alarms, source, Arc::clone(&self.rig.claimed));
        tokio::spawn(taker.run(self.stop.clone()))
    }

    async fn claimed(&self) -> u64 {
        self.ledger.counts().await.unwrap().claimed
    }

    /// Waits for so many more looks.
    async fn looks(&self, source: &str, more: u64) {
        let look = async || self.ledger.source(source).await.unwrap().look;
        let first = look().await;
        until(async || look().await > first + more).await;
    }

    async fn alarms(&self) -> Vec<(String, String)> {
        let notices = self.ledger.due_notices(Timestamp::MAX, 100).await.unwrap();
        notices.into_iter().map(|notice| (notice.subject, notice.alarm.level)).collect()
    }

    /// Bytes of the only file in the inbox.
    async fn bytes(&self) -> Vec<u8> {
        let nodes = self.rig.area.list(&"ttd".parse().unwrap(), "inbox", None, 10).await.unwrap();
        let [node] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((node.state, node.owner.as_deref()), (NodeState::Claimed, Some("liar")));
        let blob = self.rig.house.blobs.open(node.blob.unwrap()).await.unwrap();
        let mut bytes = vec![0; blob.size_bytes() as usize];
        assert_eq!(blob.read_at(0, &mut bytes).unwrap(), bytes.len());
        bytes
    }
}

fn document(length: usize) -> Vec<u8> {
    format!("<a>{}</a>", "x".repeat(length)).into_bytes()
}

/// Takes one file in spite of a lie, which is told for some looks and then given up.
async fn is_taken_once_after(lie: Lie, is_taken_meanwhile: bool) {
    let (bench, store) = (Bench::new().await, Liar::new(lie));
    let bytes = document(2_000);
    store.put("a.xml", &bytes, 1_000);
    let task = bench.run(source("liar", &store, After::Delete));
    bench.looks("liar", 3).await;
    if !is_taken_meanwhile {
        assert_eq!(bench.claimed().await, 0, "{lie:?}");
        until(async || store.reads.load(Ordering::SeqCst) > 0).await;
        store.tell(Lie::None);
    }
    until(async || bench.claimed().await == 1 && !store.has("a.xml")).await;
    bench.looks("liar", 3).await;
    assert_eq!((bench.claimed().await, bench.bytes().await), (1, bytes), "{lie:?}");
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_lead_elsewhere_are_not_followed() {
    is_taken_once_after(Lie::Names, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_bytes_than_told_are_not_a_file() {
    is_taken_once_after(Lie::Short, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_bytes_than_told_are_not_a_file() {
    is_taken_once_after(Lie::Long, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_it_is_read_is_not_taken() {
    is_taken_once_after(Lie::Changing, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_again_and_again_still_brings_a_file() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Breaking));
    let bytes = document(1_500);
    store.put("a.xml", &bytes, 1_000);
    let task = bench.run(source("liar", &store, After::Leave));
    until(async || bench.claimed().await == 1).await;
    assert_eq!(bench.bytes().await, bytes);
    let reads = store.reads.load(Ordering::SeqCst);
    assert!((4..20).contains(&reads), "each read goes on where the one before broke off: {reads}");
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_removed_and_is_not_is_not_taken_again() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Idle));
    store.put("a.xml", &document(10), 1_000);
    let task = bench.run(source("liar", &store, After::Delete));
    until(async || bench.claimed().await == 1).await;
    bench.looks("liar", 5).await;
    assert_eq!((bench.claimed().await, store.has("a.xml")), (1, true));
    until(async || bench.alarms().await.contains(&("source/liar/rest".into(), "failing".into()))).await;
    store.tell(Lie::None);
    until(async || !store.has("a.xml")).await;
    bench.looks("liar", 2).await;
    assert_eq!(bench.claimed().await, 1);
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_keeps_nobody_waiting_and_is_told_of() {
    let bench = Bench::new().await;
    let (dead, sound) = (Liar::new(Lie::Silent), Liar::new(Lie::None));
    dead.put("b.xml", &document(10), 1_000);
    let tasks = [bench.run(source("dead", &dead, After::Leave)), bench.run(source("liar", &sound, After::Leave))];
    sound.put("a.xml", &document(20), 1_000);
    until(async || bench.claimed().await == 1).await;
    until(async || bench.alarms().await == [("source/dead".into(), "failing".into())]).await;
    dead.tell(Lie::None);
    until(async || bench.claimed().await == 2).await;
    until(async || bench.ledger.source("dead").await.unwrap().failures == 0).await;
    until(async || bench.alarms().await.is_empty()).await;
    bench.stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_key_is_told_at_once() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::HostKey));
    let task = bench.run(Source { alarm_after: 100, ..source("liar", &store, After::Leave) });
    until(async || bench.alarms().await == [("source/liar".into(), "host-key".into())]).await;
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_without_an_end_ends_and_what_was_listed_is_taken() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Endless));
    store.put("a.xml", &document(10), 1_000);
    let quick = source("liar", &store, After::Leave);
    let readiness = Readiness { stable: None, ..quick.rules.readiness.clone() };
    let task = bench.run(Source { rules: Rules { readiness, ..quick.rules.clone() }, ..quick });
    until(async || bench.ledger.source("liar").await.unwrap().failures > 0).await;
    assert_eq!(bench.claimed().await, 1);
    let stand = bench.ledger.source("liar").await.unwrap();
    assert!(stand.note.contains("without an end"), "{stand:?}");
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn times_in_the_future_and_the_past_are_no_reason_to_wait() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    for (name, second) in [("future.xml", 200_000_000_000), ("past.xml", -9_000_000_000), ("zero.xml", 0)] {
        store.put(name, format!("<a>{name}</a>").as_bytes(), second);
    }
    let quick = source("liar", &store, After::Leave);
    let readiness = Readiness { min_age: Some(Duration::from_millis(50)), ..quick.rules.readiness.clone() };
    let task = bench.run(Source { rules: Rules { readiness, ..quick.rules.clone() }, ..quick });
    until(async || bench.claimed().await == 3).await;
    bench.looks("liar", 3).await;
    assert_eq!(bench.claimed().await, 3);
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_cut_and_left_where_it_is() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    store.put("a.xml", &document(5_000), 1_000);
    let task = bench.run(Source { most_bytes: 1_001, ..source("liar", &store, After::Delete) });
    until(async || bench.claimed().await == 1).await;
    bench.looks("liar", 3).await;
    assert_eq!((bench.claimed().await, bench.bytes().await.len(), store.has("a.xml")), (1, 1_001, true));
    let found = bench.ledger.lease(Stage::Claimed, WorkerId::new(), Timestamp::now(), Timestamp::MAX).await;
    assert_eq!(found.unwrap().unwrap().size_bytes, 1_001);
    bench.stop.cancel();
    task.await.unwrap();
}
