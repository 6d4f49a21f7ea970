//! The pipeline over the real ledger and the real store, with a receiver and a clock that do as they are told.

mod ahead;
mod batches;
mod cut_off;
mod fanout;
mod golden;
mod lying;
mod news;
mod orders;
mod prefill;
mod retention;
mod sequence;
mod timetable;
mod troubles;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use sluse::adapters::blobs::LocalBlobs;
use sluse::adapters::ledger::SqliteLedger;
use sluse::blocking::Blocking;
use sluse::codes;
use sluse::generate::{self, Options, Profile};
use sluse::intake::Routes;
use sluse::model::{
    BlobId, Item, ItemKey, ItemState, Language, LateEvent, News, Note, PartnerId, ReceiptKind, ReceiptRules,
    RetryPolicy, Route, ServiceTable, ShipmentId, Tally, WorkerId,
};
use sluse::pipeline::{Destination, House, Pace, Pipeline, StepError, issue_supplement};
use sluse::ports::{
    Area, BatchConsignment, Clock, Close, Consignment, Delivered, DeliveryError, Intent, NewUpload, Quota, Receiver,
    Stand,
};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::gateway::PATIENCE;
use crate::support::judged::prefill_route;
use crate::support::receipts::{assert_valid, item_codes};

/// A receiver that does as it is told.
#[derive(Default)]
struct Told {
    /// Takes its time with each item.
    slow: AtomicBool,
    /// Does not answer yet to items with these numbers.
    lingers: Mutex<BTreeSet<u64>>,
    /// Asks for a second's rest at items with these numbers, at each once.
    throttles: Mutex<BTreeSet<u64>>,
    /// Cannot be reached.
    gone: AtomicBool,
    /// Panics.
    broken: AtomicBool,
    /// Panics when it is asked what became of the item with this key.
    poison: Mutex<Option<String>>,
    /// Its answers are lost.
    mute: AtomicBool,
    /// Has more to tell of every item: these, and whether that is all.
    news: Mutex<Option<(Vec<LateEvent>, bool)>>,
    looked: AtomicUsize,
    took: AtomicUsize,
    /// Refuses every item with an even number.
    picky: AtomicBool,
    /// Cannot be asked what it has.
    blind: AtomicBool,
    /// Refuses every item, and says more.
    wordy: AtomicBool,
    /// Finds nothing that it is asked for.
    forgets: AtomicBool,
    /// Single items it has, in the order they came.
    items: Mutex<Vec<(u64, ItemKey)>>,
    /// The shipments it was told that they are of.
    shipments: Mutex<BTreeSet<ShipmentId>>,
    /// Batches it has, in the order they came.
    batches: Mutex<Vec<Took>>,
}

impl Told {
    /// Does not answer to items with these numbers until it is told otherwise.
    fn linger(&self, with: impl IntoIterator<Item = u64>) {
        *self.lingers.lock().unwrap() = with.into_iter().collect();
    }
}

/// A batch the receiver has.
struct Took {
    key: ItemKey,
    reference: String,
    items: u64,
    bytes: Vec<u8>,
}

#[async_trait]
impl Receiver for Told {
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        assert!(!self.broken.load(Ordering::SeqCst), "on purpose");
        if self.gone.load(Ordering::SeqCst) {
            return Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None });
        }
        if self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if self.throttles.lock().unwrap().remove(&item.number) {
            return Err(DeliveryError::Later { code: codes::THROTTLED, after: Some(Duration::from_secs(1)) });
        }
        while self.lingers.lock().unwrap().contains(&item.number) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if self.picky.load(Ordering::SeqCst) && item.number.is_multiple_of(2) {
            return Err(DeliveryError::Refused { code: codes::RECEIVER_REFUSED });
        }
        if self.wordy.load(Ordering::SeqCst) {
            let notes = vec![Note::new(codes::PARTS_DROPPED, "a word")];
            return Err(DeliveryError::RefusedFor { code: codes::RECEIVER_REFUSED, notes });
        }
        self.took.fetch_add(1, Ordering::SeqCst);
        self.items.lock().unwrap().push((item.number, item.key));
        self.shipments.lock().unwrap().insert(item.shipment);
        if self.mute.load(Ordering::SeqCst) {
            return Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN });
        }
        let news_for = self.news.lock().unwrap().is_some().then_some(Duration::from_secs(1_000));
        Ok(Delivered { news_for, ..Delivered::of(item.key.to_string()) })
    }

    async fn stand(&self, receivers_reference: &str, _looks: u32) -> Result<Stand, DeliveryError> {
        assert!(receivers_reference.parse::<uuid::Uuid>().is_ok());
        self.looked.fetch_add(1, Ordering::SeqCst);
        let is_poison = self.poison.lock().unwrap().as_deref() == Some(receivers_reference);
        assert!(!is_poison && !self.broken.load(Ordering::SeqCst), "on purpose");
        if self.gone.load(Ordering::SeqCst) {
            return Err(DeliveryError::Unknown { code: codes::UNREACHABLE });
        }
        let (events, is_over) = self.news.lock().unwrap().clone().unwrap();
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        Ok(Stand { events: events.into_iter().map(|event| (event, at)).collect(), is_over })
    }

    fn wait_for_news(&self, looks: u32) -> Duration {
        Duration::from_secs(60 << looks.min(3))
    }

    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        assert!(!self.broken.load(Ordering::SeqCst), "on purpose");
        self.looked.fetch_add(1, Ordering::SeqCst);
        if self.blind.load(Ordering::SeqCst) {
            return Err(DeliveryError::Unclear);
        }
        let forgets = self.forgets.load(Ordering::SeqCst);
        Ok((!forgets).then(|| Delivered::of(item.key.to_string())))
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(DeliveryError::Later { code: codes::UNREACHABLE, after: None });
        }
        let chunks: Vec<Bytes> = batch.content.stream().try_collect().await.unwrap();
        let (key, reference) = (batch.key, batch.reference.clone());
        self.batches.lock().unwrap().push(Took { key, reference, items: batch.items, bytes: chunks.concat() });
        if self.mute.load(Ordering::SeqCst) {
            return Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN });
        }
        Ok(Delivered::of(key.to_string()))
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        let has = self.batches.lock().unwrap().iter().any(|took| took.key == batch.key);
        Ok(has.then(|| Delivered::of(batch.key.to_string())))
    }
}

/// A clock that goes on by itself and can be put forward; or, where the second is not 0, one that is set by hand.
#[derive(Default)]
struct Ahead(AtomicI64, AtomicI64);

impl Ahead {
    fn set(&self, text: &str) {
        self.1.store(text.parse::<Timestamp>().unwrap().as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let ms = match self.1.load(Ordering::SeqCst) {
            0 => Timestamp::now().as_millisecond() + self.0.load(Ordering::SeqCst),
            by_hand => by_hand,
        };
        Timestamp::from_millisecond(ms).unwrap()
    }
}

/// Everything but the pipeline itself.
struct Rig {
    dir: TempDir,
    house: House,
    area: Arc<dyn Area>,
    ledger: SqliteLedger,
    receiver: Arc<Told>,
    clock: Arc<Ahead>,
    claimed: Arc<Notify>,
}

/// A running pipeline.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

impl Rig {
    async fn new() -> Self {
        Self::with(route()).await
    }

    /// With one route.
    async fn with(route: Route) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        let blobs = LocalBlobs::open(&dir.path().join("blobs")).unwrap();
        let (receiver, clock) = (Arc::new(Told::default()), Arc::new(Ahead::default()));
        let destination = Destination::new(Arc::clone(&receiver) as Arc<dyn Receiver>, Arc::default());
        let routes = Arc::new(Routes::new([route.clone()]));
        let house = House {
            ahead: sluse::pipeline::Ahead::new(Arc::clone(&routes), 2, 4_096, PATIENCE),
            ledger: Arc::new(ledger.clone()),
            sources: Arc::new(ledger.clone()),
            blobs: Arc::new(blobs),
            receivers: Arc::new(HashMap::from([(route.name.clone(), destination)])),
            routes,
            windows: Arc::default(),
            archives: Arc::default(),
            signers: Arc::default(),
            cores: Blocking::per_core(),
            disk: Blocking::new(4),
            started: clock.now(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            worker: WorkerId::new(),
            pace: Pace {
                shipments: 2,
                turn: Duration::from_millis(100),
                lease: Duration::from_secs(60),
                look: Duration::from_millis(5),
                overdue: Duration::from_secs(3600),
                keep: Duration::from_secs(3600),
            },
        };
        Self { dir, house, area: Arc::new(ledger.clone()), ledger, receiver, clock, claimed: Arc::new(Notify::new()) }
    }

    fn run(&self) -> Running {
        let stop = CancellationToken::new();
        let pipeline = Pipeline::new(self.house.clone(), Arc::clone(&self.claimed));
        Running { stop: stop.clone(), task: tokio::spawn(pipeline.run(stop)) }
    }

    /// Drops a batch of so many items, as the SFTP server would.
    async fn drop_batch(&self, items: u64, seed: u64) -> ShipmentId {
        let mut bytes = Vec::new();
        generate::write(&Options::new(items, Profile::Small, seed), &mut bytes).unwrap();
        self.drop_file(&format!("/inbox/{seed}.xml"), &bytes).await
    }

    /// Drops a file, as the SFTP server would.
    async fn drop_file(&self, path: &str, bytes: &[u8]) -> ShipmentId {
        let (id, blob, scratch) = (ShipmentId::new(), BlobId::new(), self.house.blobs.create().await.unwrap());
        self.house.blobs.scratch(scratch).await.unwrap().write_at(0, bytes).unwrap();
        let (partner, now): (PartnerId, _) = ("ttd".parse().unwrap(), self.clock.now());
        let path: sluse::model::AreaPath = path.parse().unwrap();
        let quota = Quota { bytes: u64::MAX, files: u64::MAX };
        let upload = NewUpload {
            partner: partner.clone(),
            path: path.clone(),
            owner: None,
            scratch,
            exclusive: false,
            quota,
            now,
        };
        self.area.begin(&upload).await.unwrap();
        self.house.blobs.seal(scratch, blob).await.unwrap();
        let (size_bytes, claim) = (bytes.len() as u64, Some((id, path.dir == "test")));
        let close = Close { partner, path, scratch, blob, size_bytes, claim, now };
        self.area.close(&close).await.unwrap();
        self.claimed.notify_one();
        id
    }

    async fn has(&self, id: ShipmentId, kind: ReceiptKind) -> bool {
        self.house.ledger.has_receipt(id, kind).await.unwrap()
    }

    async fn tally(&self, id: ShipmentId) -> Tally {
        self.house.ledger.tally(id).await.unwrap()
    }

    async fn items(&self, id: ShipmentId) -> Vec<Item> {
        self.house.ledger.items(id, &[], 0, 10_000).await.unwrap()
    }

    async fn final_receipt(&self, id: ShipmentId) {
        until(async || self.has(id, ReceiptKind::Final).await).await;
    }

    async fn judged(&self, id: ShipmentId) {
        until(async || self.house.ledger.shipment(id).await.unwrap().unwrap().verdict.is_some()).await;
    }

    async fn names(&self, dir: &str) -> Vec<String> {
        let nodes = self.area.list(&"ttd".parse().unwrap(), dir, None, 100).await.unwrap();
        nodes.into_iter().map(|node| node.path.name).collect()
    }

    /// The only receipt whose name ends so.
    async fn receipt(&self, end: &str) -> String {
        let partner = "ttd".parse().unwrap();
        let nodes = self.area.list(&partner, "receipts", None, 100).await.unwrap();
        let node = nodes.iter().find(|node| node.path.name.ends_with(end)).unwrap_or_else(|| panic!("{end}"));
        let blob = self.house.blobs.open(node.blob.unwrap()).await.unwrap();
        let mut bytes = vec![0; blob.size_bytes() as usize];
        let mut read = 0;
        while read < bytes.len() {
            read += blob.read_at(read as u64, &mut bytes[read..]).unwrap();
        }
        String::from_utf8(bytes).unwrap()
    }

    fn wait_minutes(&self, minutes: i64) {
        self.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }

    /// Attempts at all items of a shipment.
    async fn attempts(&self, id: ShipmentId) -> u32 {
        self.items(id).await.iter().map(|item| item.attempts).sum()
    }

    /// Waits for the final receipt while the hours pass, and the receiver is asked all the time.
    async fn ends_meanwhile(&self, id: ShipmentId) {
        until(async || {
            self.clock.0.fetch_add(600_000, Ordering::SeqCst);
            self.has(id, ReceiptKind::Final).await
        })
        .await;
    }

    fn wait_hours(&self, hours: i64) {
        self.clock.0.fetch_add(hours * 3_600_000, Ordering::SeqCst);
    }
}

/// Waits for something that must happen.
async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it did not happen in time");
}

fn route() -> Route {
    Route {
        sender_name: None,
        services: ServiceTable { any: true, ..ServiceTable::default() },
        retry: RetryPolicy { first_wait_ms: 1, max_wait_ms: 5, give_up_after_ms: 3_600_000, settle_ms: 600_000 },
        ..prefill_route()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_is_answered_while_large_ones_are_forwarded() {
    let rig = Rig::new().await;
    rig.receiver.slow.store(true, Ordering::SeqCst);
    let running = rig.run();
    let mut large = Vec::new();
    for seed in 1..=4 {
        large.push(rig.drop_batch(2_000, seed).await);
    }
    for id in &large {
        rig.judged(*id).await;
    }
    let small = rig.drop_batch(2, 9).await;
    rig.final_receipt(small).await;
    for id in large {
        let tally = rig.tally(id).await;
        assert!(tally.open() > 0, "{tally:?}");
        assert!(rig.has(id, ReceiptKind::Accepted).await);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_a_crash_cut_off_settles_from_the_start() {
    let mut rig = Rig::new().await;
    let id = rig.drop_batch(1, 1).await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let running = rig.run();
    rig.judged(id).await;
    running.stop().await;
    // The process sent for an hour, and died.
    let now = rig.clock.now();
    rig.house.ledger.intend(Intent { shipment: id, number: 1, now, is_doubtful: false }).await.unwrap();
    rig.wait_hours(1);
    rig.house.started = rig.clock.now();
    rig.house.ledger.release_all(None).await.unwrap();
    let running = rig.run();
    let soon = rig.clock.now();
    until(async || {
        let due = rig.house.ledger.next_due(id).await.unwrap().unwrap();
        due > soon
    })
    .await;
    assert_eq!(rig.receiver.looked.load(Ordering::SeqCst), 0);
    rig.wait_hours(1);
    rig.final_receipt(id).await;
    assert_eq!((rig.receiver.looked.load(Ordering::SeqCst), rig.receiver.took.load(Ordering::SeqCst)), (1, 0));
    assert_eq!(rig.tally(id).await.delivered, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_news_are_told_once_in_numbered_supplements() {
    let mut rig = Rig::new().await;
    let rules = ReceiptRules { page: Some(Language::Nb), ..ReceiptRules::default() };
    rig.house.routes = Arc::new(Routes::new([Route { receipt_rules: rules, ..route() }]));
    let id = rig.drop_batch(3, 1).await;
    let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
    let news = |item, event| News { item, event, at: at(item.try_into().unwrap()) };
    let early = issue_supplement(&rig.house, id, &[news(1, LateEvent::Read)]).await;
    assert!(matches!(early, Err(StepError::NotReceipted(_))), "{early:?}");
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    let first = [news(2, LateEvent::MalwareFound), news(1, LateEvent::Read), news(2, LateEvent::MalwareFound)];
    assert_eq!(issue_supplement(&rig.house, id, &first).await.unwrap(), Some(1));
    assert_eq!(issue_supplement(&rig.house, id, &first).await.unwrap(), None);
    let more = [news(1, LateEvent::Read), news(1, LateEvent::Confirmed), news(9, LateEvent::Read)];
    assert_eq!(issue_supplement(&rig.house, id, &more).await.unwrap(), Some(2));
    let first = rig.receipt(".supplement-1.xml").await;
    assert_valid(&first);
    assert_eq!(item_codes(&first), BTreeMap::from([("LN-001", 1), ("LN-202", 1)]));
    let second = rig.receipt(".supplement-2.xml").await;
    assert_valid(&second);
    assert!(
        second.contains("kind=\"supplement\" number=\"2\"") && second.contains("<Time>2027-01-15T08:00:01.000Z</Time>")
    );
    assert_eq!(item_codes(&second), BTreeMap::from([("LN-002", 1)]));
    assert!(rig.receipt(".supplement-2.html").await.contains("Tilleggskvittering 2"));
    assert_eq!(rig.house.ledger.last_supplement(id).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn supplements_at_the_same_time_tell_each_news_once() {
    let rig = Rig::new().await;
    let id = rig.drop_batch(20, 1).await;
    let running = rig.run();
    rig.final_receipt(id).await;
    running.stop().await;
    let at = rig.clock.now();
    let all: Vec<News> = (1..=20).map(|item| News { item, event: LateEvent::Read, at }).collect();
    let issued = (0..6).map(|first| {
        let (house, news) = (rig.house.clone(), all[first..first + 15].to_vec());
        tokio::spawn(async move { issue_supplement(&house, id, &news).await.unwrap() })
    });
    let mut numbers: Vec<u32> =
        futures::future::join_all(issued).await.into_iter().filter_map(Result::unwrap).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
    let items: Vec<u64> = (1..=20).collect();
    assert_eq!(rig.house.ledger.told(id, &items).await.unwrap().len(), 20);
    let mut told = 0;
    for number in numbers {
        told += item_codes(&rig.receipt(&format!(".supplement-{number}.xml")).await)["LN-001"];
    }
    assert_eq!(told, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_bytes_fail_their_item_alone() {
    let rig = Rig::new().await;
    let id = stranded(&rig).await;
    let damaged = rig.items(id).await[1].found.range;
    let size_bytes = rig.house.ledger.shipment(id).await.unwrap().unwrap().size_bytes;
    let [file] = &files(&rig.dir.path().join("blobs"), size_bytes)[..] else {
        panic!("one staged file");
    };
    let mut bytes = std::fs::read(file).unwrap();
    bytes[damaged.start as usize..damaged.end as usize].fill(b'<');
    std::fs::write(file, bytes).unwrap();
    let running = rig.run();
    rig.final_receipt(id).await;
    let states: Vec<_> = rig.items(id).await.into_iter().map(|item| (item.state, item.code.unwrap())).collect();
    let delivered = (ItemState::Delivered, codes::DELIVERED);
    assert_eq!(states, [delivered, (ItemState::Failed, codes::STAGED_UNREADABLE), delivered]);
    running.stop().await;
}

/// The files of a size under a folder.
fn files(dir: &Path, size_bytes: u64) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.metadata().unwrap().is_dir() {
            found.extend(files(&entry.path(), size_bytes));
        } else if entry.metadata().unwrap().len() == size_bytes {
            found.push(entry.path());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_for_good_ends_its_shipments() {
    let rig = Rig::new().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(500, 1).await;
    let running = rig.run();
    until(async || rig.items(id).await.iter().any(|item| item.attempts > 0)).await;
    assert!(!rig.has(id, ReceiptKind::Final).await);
    rig.ends_meanwhile(id).await;
    let items = rig.items(id).await;
    assert!(items.iter().filter(|item| item.state == ItemState::Failed).count() == 500);
    assert!(items.iter().any(|item| item.attempts == 0 && item.code == Some(codes::UNREACHABLE)));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_after_a_long_rest_gives_up_nothing() {
    let rig = Rig::new().await;
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(200, 1).await;
    let running = rig.run();
    until(async || rig.attempts(id).await > 0).await;
    running.stop().await;
    let (before, untried) = (rig.attempts(id).await, rig.items(id).await.into_iter().filter(|item| item.attempts == 0));
    let untried: BTreeSet<u64> = untried.map(|item| item.found.number).collect();
    assert!(!untried.is_empty());
    rig.wait_hours(62);
    let running = rig.run();
    until(async || rig.attempts(id).await > before).await;
    rig.receiver.gone.store(false, Ordering::SeqCst);
    // However many answers were bad before, the wait after them ends.
    until(async || {
        rig.clock.0.fetch_add(60_000, Ordering::SeqCst);
        rig.has(id, ReceiptKind::Final).await
    })
    .await;
    running.stop().await;
    let mut items = rig.items(id).await;
    items.retain(|item| untried.contains(&item.found.number));
    assert!(items.iter().all(|item| item.state == ItemState::Delivered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_taken_out_of_the_configuration_ends_its_shipments() {
    let mut rig = Rig::new().await;
    let id = stranded(&rig).await;
    rig.house.routes = Arc::new(Routes::default());
    ends_after_a_day(&rig, id, codes::NO_ROUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_lost_after_the_verdict_ends_its_shipment() {
    let rig = Rig::new().await;
    let id = stranded(&rig).await;
    let blob = rig.house.ledger.shipment(id).await.unwrap().unwrap().blob;
    rig.house.blobs.remove(blob).await.unwrap();
    ends_after_a_day(&rig, id, codes::STAGED_UNREADABLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_no_more_than_its_shipment() {
    let rig = Rig::new().await;
    let id = stranded(&rig).await;
    rig.receiver.broken.store(true, Ordering::SeqCst);
    ends_after_a_day(&rig, id, codes::STAGED_UNREADABLE).await;
    rig.receiver.broken.store(false, Ordering::SeqCst);
    let (other, running) = (rig.drop_batch(2, 2).await, rig.run());
    rig.final_receipt(other).await;
    running.stop().await;
}

/// A shipment with a verdict and a good item whose attempt is under way no more.
async fn stranded(rig: &Rig) -> ShipmentId {
    rig.receiver.gone.store(true, Ordering::SeqCst);
    let id = rig.drop_batch(3, 1).await;
    let running = rig.run();
    rig.judged(id).await;
    running.stop().await;
    rig.receiver.gone.store(false, Ordering::SeqCst);
    rig.house.ledger.release_all(None).await.unwrap();
    id
}

/// Nobody helps for two days.
async fn ends_after_a_day(rig: &Rig, id: ShipmentId, code: sluse::model::Code) {
    let running = rig.run();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!rig.has(id, ReceiptKind::Final).await);
    until(async || {
        rig.wait_hours(25);
        rig.has(id, ReceiptKind::Final).await
    })
    .await;
    for item in rig.items(id).await {
        assert!(item.state == ItemState::Failed, "{item:?}");
        assert!([Some(code), Some(codes::OUTCOME_UNKNOWN)].contains(&item.code), "{item:?}");
    }
    running.stop().await;
}
