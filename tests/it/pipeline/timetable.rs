//! The timetable over the real ledger and the real pipeline, by a clock that is set by hand.

use std::collections::HashSet;
use std::sync::Mutex;

use jiff::SignedDuration;

use sluse::model::{Alarm, FileState, RouteName};
use sluse::pipeline::{Expected, Schedule, Timekeeper, Watchdog};
use sluse::ports::{Channel, ChannelError, Concern, Job, JobError, Notice, Occasion, Run, RunEnd, Timetable};
use sluse::schedule::{Calendar, Days, Expectation, Least, Misfire, OnClosed, Recurrence, Rule, Windows, zone};

use super::*;

/// A job that notes its runs, and does as it is told.
#[derive(Default)]
struct Noted {
    due: Mutex<Vec<String>>,
    mood: Mutex<Mood>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Mood {
    #[default]
    Well,
    Fails,
    Panics,
    Hangs,
}

#[async_trait]
impl Job for Noted {
    async fn run(&self, occasion: &Occasion) -> Result<String, JobError> {
        self.due.lock().unwrap().push(occasion.due.to_string());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => Ok("did it".to_owned()),
            Mood::Fails => Err(JobError("on purpose".to_owned())),
            Mood::Panics => panic!("on purpose"),
            Mood::Hangs => std::future::pending().await,
        }
    }
}

impl Noted {
    fn due(&self) -> Vec<String> {
        self.due.lock().unwrap().clone()
    }
}

/// A channel that keeps what it is sent, or refuses it.
#[derive(Default)]
struct Kept {
    sent: Mutex<Vec<Notice>>,
    broken: AtomicBool,
    hangs: AtomicBool,
}

#[async_trait]
impl Channel for Kept {
    fn longest(&self) -> Duration {
        let hangs = self.hangs.load(Ordering::SeqCst);
        if hangs { Duration::from_millis(5) } else { Duration::from_secs(600) }
    }

    async fn send(&self, notice: &Notice) -> Result<(), ChannelError> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.broken.load(Ordering::SeqCst) {
            return Err(ChannelError("on purpose".to_owned()));
        }
        self.sent.lock().unwrap().push(notice.clone());
        Ok(())
    }
}

impl Kept {
    /// What was told: the level, or that it is over.
    fn told(&self) -> Vec<String> {
        let word = |notice: &Notice| if notice.is_over { "over".to_owned() } else { notice.alarm.level.clone() };
        self.sent.lock().unwrap().iter().map(word).collect()
    }
}

fn cron(pattern: &str, days: Days) -> Recurrence {
    Recurrence {
        rule: Rule::Cron(Box::new(pattern.parse().unwrap())),
        zone: zone("Europe/Oslo").unwrap(),
        calendar: Arc::new(Calendar::default()),
        days,
        on_closed: OnClosed::Skip,
        windows: None,
        jitter: Duration::ZERO,
    }
}

/// A rig with its ledger as a timetable, a job that runs on every full hour, one that is only asked for, and a channel.
struct Times {
    rig: Rig,
    ledger: Arc<dyn Timetable>,
    job: Arc<Noted>,
    channel: Arc<Kept>,
    misfire: Misfire,
    expected: Vec<Expected>,
    receivers: Vec<(String, Arc<dyn Receiver>)>,
}

impl Times {
    async fn new(now: &str) -> Self {
        let mut rig = Rig::new().await;
        rig.clock.set(now);
        rig.house.pace.lease = Duration::from_secs(40 * 24 * 3_600);
        let ledger = Arc::new(SqliteLedger::open(&rig.dir.path().join("ledger.sqlite")).await.unwrap());
        let (job, channel) = (Arc::default(), Arc::default());
        Self { rig, ledger, job, channel, misfire: Misfire::Once, expected: Vec::new(), receivers: Vec::new() }
    }

    fn keeper(&self) -> Timekeeper {
        let schedule = |name: &str, pattern, job: &Arc<Noted>| Schedule {
            name: name.to_owned(),
            times: cron(pattern, Days::All),
            misfire: self.misfire,
            job: Arc::clone(job) as Arc<dyn Job>,
            longest: Duration::from_secs(3_600),
            channels: vec!["kept".to_owned()],
        };
        Timekeeper {
            receivers: self.receivers.clone(),
            ledger: Arc::clone(&self.ledger),
            clock: Arc::clone(&self.rig.house.clock),
            look: Duration::from_millis(2),
            schedules: vec![
                schedule("hourly", "0 * * * *", &self.job),
                schedule("asked", "0 0 29 2 *", &Arc::default()),
            ],
            expected: self.expected.clone(),
            others: HashSet::from(["source/post".to_owned()]),
            channels: HashMap::from([("kept".to_owned(), Arc::clone(&self.channel) as Arc<dyn Channel>)]),
        }
    }

    fn keep(&self) -> Running {
        let stop = CancellationToken::new();
        Running { stop: stop.clone(), task: tokio::spawn(self.keeper().run(stop)) }
    }

    /// Keeps the timetable for some rounds at a time.
    async fn rounds_at(&self, now: &str) {
        self.rig.clock.set(now);
        self.rounds().await;
    }

    /// What is asked for after it was asked for before is begun in a round of its own.
    async fn rounds(&self) {
        for _ in 0..2 {
            self.ask("asked").await;
        }
    }

    async fn ask(&self, name: &str) -> Run {
        let id = self.ledger.ask(name, "user 0", self.rig.clock.now()).await.unwrap();
        let ended = async || self.ledger.run_asked(id).await.unwrap().is_some_and(|run| run.ended.is_some());
        until(ended).await;
        self.ledger.run_asked(id).await.unwrap().unwrap()
    }

    async fn ran(&self, count: usize) {
        until(async || self.job.due().len() == count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_happens_once_however_the_clock_is_set() {
    let times = Times::new("2026-11-27T09:30:00Z").await;
    let running = times.keep();
    times.rounds().await;
    for (now, runs) in [
        ("2026-11-27T10:00:10Z", 1),
        // An hour back, and on again.
        ("2026-11-27T09:00:10Z", 1),
        ("2026-11-27T10:00:20Z", 1),
        ("2026-11-27T11:00:01Z", 2),
        // An hour ahead, and back.
        ("2026-11-27T12:10:00Z", 3),
        ("2026-11-27T11:10:00Z", 3),
        ("2026-11-27T12:20:00Z", 3),
        ("2026-11-27T13:00:00Z", 4),
    ] {
        times.rounds_at(now).await;
        times.ran(runs).await;
    }
    running.stop().await;
    let running = times.keep();
    times.rounds_at("2026-11-27T13:20:00Z").await;
    running.stop().await;
    let hours = ["10", "11", "12", "13"].map(|hour| format!("2026-11-27T{hour}:00:00Z"));
    assert_eq!(times.job.due(), hours);
    let runs = times.ledger.runs("hourly", 10).await.unwrap();
    assert!(runs.iter().all(|run| matches!(run.ended, Some((RunEnd::Done, _))) && run.note == "did it"), "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_far_ahead_does_not_stop_a_schedule() {
    let times = Times::new("2027-11-27T09:30:00Z").await;
    let running = times.keep();
    times.rounds().await;
    times.rounds_at("2027-11-27T10:00:00Z").await;
    times.ran(1).await;
    times.rounds_at("2026-11-27T09:30:00Z").await;
    times.rounds_at("2026-11-27T10:00:00Z").await;
    times.ran(2).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_were_missed_are_made_up_for_as_the_policy_says() {
    for (misfire, expected) in
        [(Misfire::Once, &["10"][..]), (Misfire::Skip, &[]), (Misfire::Each, &["07", "08", "09", "10"])]
    {
        let mut times = Times::new("2026-11-27T06:30:00Z").await;
        times.misfire = misfire;
        let running = times.keep();
        times.rounds().await;
        running.stop().await;
        times.rig.clock.set("2026-11-27T10:30:00Z");
        let running = times.keep();
        times.rounds().await;
        times.ran(expected.len()).await;
        times.rounds_at("2026-11-27T11:00:30Z").await;
        times.ran(expected.len() + 1).await;
        running.stop().await;
        let hours: Vec<_> = expected.iter().chain(&["11"]).map(|hour| format!("2026-11-27T{hour}:00:00Z")).collect();
        assert_eq!(times.job.due(), hours, "{misfire:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cut_off_is_done_again_and_holds_up_no_other() {
    let times = Times::new("2026-11-27T09:30:00Z").await;
    *times.job.mood.lock().unwrap() = Mood::Hangs;
    let running = times.keep();
    times.rounds().await;
    times.rounds_at("2026-11-27T10:00:00Z").await;
    times.ran(1).await;
    // The other schedule runs, and what comes due meanwhile waits for its turn.
    times.rounds_at("2026-11-27T11:00:00Z").await;
    running.stop().await;
    *times.job.mood.lock().unwrap() = Mood::Well;
    let running = times.keep();
    times.ran(3).await;
    times.rounds().await;
    running.stop().await;
    assert_eq!(times.job.due(), ["10", "10", "11"].map(|hour| format!("2026-11-27T{hour}:00:00Z")));
    let ends: Vec<_> = times.ledger.runs("hourly", 10).await.unwrap().iter().map(|run| run.ended.unwrap().0).collect();
    assert_eq!(ends, [RunEnd::Done, RunEnd::Done, RunEnd::CutOff]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_by_hand_runs_once_and_says_how_it_ended() {
    let times = Times::new("2026-11-27T09:30:00Z").await;
    let running = times.keep();
    let run = times.ask("hourly").await;
    assert_eq!((run.ended.unwrap().0, run.note.as_str()), (RunEnd::Done, "did it"));
    *times.job.mood.lock().unwrap() = Mood::Fails;
    let run = times.ask("hourly").await;
    assert_eq!((run.ended.unwrap().0, run.note.as_str()), (RunEnd::Failed, "on purpose"));
    let run = times.ask("gone").await;
    assert_eq!((run.ended.unwrap().0, run.note.as_str()), (RunEnd::Failed, "the gateway has no schedule of this name"));
    times.rounds_at("2026-11-27T10:00:00Z").await;
    running.stop().await;
    assert_eq!(times.job.due().len(), 3, "its own time is its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_fails_is_told_of_once_and_when_it_is_well_again() {
    let times = Times::new("2026-11-27T09:30:00Z").await;
    let running = times.keep();
    times.channel.broken.store(true, Ordering::SeqCst);
    for mood in [Mood::Fails, Mood::Panics, Mood::Fails] {
        *times.job.mood.lock().unwrap() = mood;
        times.ask("hourly").await;
    }
    // The channel cannot be reached at first: the notice waits in the ledger.
    let later = "2026-11-27T10:30:00Z".parse().unwrap();
    until(async || times.ledger.due_notices(later, 9).await.unwrap().iter().any(|notice| notice.attempts > 0)).await;
    running.stop().await;
    times.channel.broken.store(false, Ordering::SeqCst);
    times.rig.clock.set("2026-11-27T09:59:00Z");
    let running = times.keep();
    until(async || times.channel.told() == ["failed"]).await;
    *times.job.mood.lock().unwrap() = Mood::Well;
    times.ask("hourly").await;
    until(async || times.channel.told().len() == 2).await;
    running.stop().await;
    assert_eq!(times.channel.told(), ["failed", "over"]);
    let sent = times.channel.sent.lock().unwrap();
    assert_eq!(sent[0].alarm.text, "schedule hourly failed: on purpose");
    assert_eq!(sent[0].subject, "schedule/hourly");
}

/// By 23:00 in Oslo on business days, of the rig's route, with at least three items.
fn nightly() -> Expected {
    let route: RouteName = "prefill".parse().unwrap();
    Expected {
        expectation: Expectation {
            name: "nightly".to_owned(),
            of: "partner ttd, route prefill".to_owned(),
            times: cron("0 23 * * *", Days::Business),
            warn: Some(Duration::from_secs(3_600)),
            late: Duration::from_secs(6 * 3_600),
            least: Least { items: 3, ..Least::default() },
        },
        partner: "ttd".parse().unwrap(),
        route: Some((route, "inbox".to_owned())),
        channels: vec!["kept".to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_is_told_of_once_and_that_it_came() {
    let mut times = Times::new("2026-11-27T20:30:00Z").await;
    times.expected = vec![nightly()];
    let (pipeline, mut running) = (times.rig.run(), times.keep());
    for (now, told) in [
        ("2026-11-27T21:00:00Z", 1),
        ("2026-11-27T22:00:00Z", 2),
        // An hour back it is not late yet, and an hour on it is: what changes is told.
        ("2026-11-27T21:30:00Z", 3),
        ("2026-11-27T22:30:00Z", 4),
        ("2026-11-27T22:40:00Z", 4),
    ] {
        times.rig.clock.set(now);
        until(async || times.channel.told().len() == told).await;
        running.stop().await;
        running = times.keep();
        times.rounds().await;
    }
    let id = times.rig.drop_batch(2, 1).await;
    times.rig.final_receipt(id).await;
    until(async || times.channel.told().len() == 5).await;
    let id = times.rig.drop_batch(3, 2).await;
    times.rig.final_receipt(id).await;
    until(async || times.channel.told().len() == 6).await;
    // The weekend is quiet; Monday's does not come at all.
    times.rig.clock.set("2026-12-01T04:00:00Z");
    until(async || times.channel.told().len() == 7).await;
    running.stop().await;
    pipeline.stop().await;
    let told = ["soon due", "late", "soon due", "late", "too small", "over", "missing"];
    assert_eq!(times.channel.told(), told);
    let texts: Vec<_> = times.channel.sent.lock().unwrap().iter().map(|notice| notice.alarm.text.clone()).collect();
    assert_eq!(texts[0], "no file of partner ttd, route prefill yet; it is due by 2026-11-27 23:00 CET");
    assert!(texts[4].contains("and 2 items; at least 0 bytes and 3 items are expected"), "{}", texts[4]);
    let watch = times.ledger.watch("nightly").await.unwrap().unwrap();
    assert_eq!(watch.behind, Some((FileState::Missing, "2026-11-30T22:00:00Z".parse().unwrap())));
    let past = times.ledger.past_files("nightly", 9).await.unwrap();
    assert_eq!(past.iter().map(|file| file.items).collect::<Vec<_>>(), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_others_rehearsals_and_refused_ones_are_not_the_expected() {
    let mut times = Times::new("2026-11-27T12:00:00Z").await;
    times.expected = vec![nightly()];
    let (pipeline, running) = (times.rig.run(), times.keep());
    let refused = times.rig.drop_file("/inbox/wrong.xml", b"<wrong/>").await;
    times.rig.final_receipt(refused).await;
    let elsewhere = times.rig.drop_file("/other/x.xml", b"<wrong/>").await;
    times.rig.final_receipt(elsewhere).await;
    times.rig.clock.set("2026-11-27T22:00:00Z");
    until(async || times.channel.told().len() == 1).await;
    running.stop().await;
    pipeline.stop().await;
    let sent = times.channel.sent.lock().unwrap();
    assert_eq!((sent[0].alarm.level.as_str(), sent[0].alarm.text.ends_with("; refused: 1")), ("late", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_judges_at_once_and_forwards_in_its_window() {
    let mut times = Times::new("2026-11-27T20:00:00Z").await;
    let windows = Windows {
        windows: vec!["business 06:00-20:00".parse().unwrap()],
        zone: zone("Europe/Oslo").unwrap(),
        calendar: Arc::default(),
    };
    times.rig.house.windows = Arc::new(HashMap::from([(route().name, windows)]));
    let running = times.rig.run();
    let id = times.rig.drop_batch(3, 1).await;
    times.rig.judged(id).await;
    assert!(times.rig.has(id, ReceiptKind::Accepted).await);
    // The weekend passes, look by look; a rehearsal needs no window.
    for now in ["2026-11-28T12:00:00Z", "2026-11-29T12:00:00Z", "2026-11-30T04:59:00Z"] {
        times.rig.clock.set(now);
        let bytes = b"<wrong/>";
        let other = times.rig.drop_file(&format!("/inbox/{}.xml", &now[8..10]), bytes).await;
        times.rig.final_receipt(other).await;
        assert_eq!(times.rig.receiver.took.load(Ordering::SeqCst), 0);
    }
    times.rig.clock.set("2026-11-30T05:00:00Z");
    times.rig.final_receipt(id).await;
    assert_eq!(times.rig.receiver.took.load(Ordering::SeqCst), 3);
    running.stop().await;
}

/// A receiver with something to say.
#[derive(Default)]
struct Worried(Mutex<Vec<Concern>>);

#[async_trait]
impl Receiver for Worried {
    async fn deliver(&self, _: &Consignment) -> Result<Delivered, DeliveryError> {
        Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN })
    }

    async fn look_up(&self, _: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        Ok(None)
    }

    async fn concerns(&self, _: Timestamp) -> Vec<Concern> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_has_to_say_is_an_alarm_until_it_is_over() {
    let mut times = Times::new("2026-02-02T10:20Z").await;
    let worried = Arc::new(Worried::default());
    times.receivers = vec![("tt02".to_owned(), worried.clone()), ("quiet".to_owned(), Arc::new(Worried::default()))];
    let says = |levels: &[(&'static str, &str)]| {
        let concern = |(about, level): &(&'static str, &str)| {
            let alarm = Alarm { level: (*level).to_owned(), due: Timestamp::UNIX_EPOCH, text: "it ends".to_owned() };
            Concern { about, alarm }
        };
        *worried.0.lock().unwrap() = levels.iter().map(concern).collect();
    };
    // Receivers are looked after when the keeper begins.
    let looked = async |told: usize| {
        let running = times.keep();
        until(async || times.channel.told().len() == told).await;
        times.rounds().await;
        running.stop().await;
    };
    says(&[("key", "60-days")]);
    looked(1).await;
    looked(1).await;
    assert_eq!(times.channel.told(), ["60-days"], "said once");
    assert_eq!(times.ledger.open_alarms().await.unwrap(), ["receiver/tt02/key"]);
    assert_eq!(times.channel.sent.lock().unwrap()[0].alarm.text, "receiver tt02: it ends");
    says(&[("clock", "off"), ("key", "30-days")]);
    looked(3).await;
    let mut told = times.channel.told().split_off(1);
    told.sort_unstable();
    assert_eq!(told, ["30-days", "off"]);
    says(&[("key", "30-days")]);
    looked(4).await;
    assert_eq!(times.channel.told().split_off(3), ["over"]);
    assert_eq!(times.ledger.open_alarms().await.unwrap(), ["receiver/tt02/key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_waits_too_long_for_a_final_receipt_raises_one_alarm() {
    let times = Times::new("2026-11-27T09:30:00Z").await;
    let watchdog = Watchdog {
        house: times.rig.house.clone(),
        alarms: Arc::clone(&times.ledger),
        channels: vec!["kept".to_owned()],
    };
    let told = async |words: &[&str]| {
        let running = times.keep();
        until(async || times.channel.told() == words).await;
        running.stop().await;
    };
    let open = async || times.ledger.open_alarms().await.unwrap();
    times.rig.receiver.gone.store(true, Ordering::SeqCst);
    let (first, second) = (times.rig.drop_batch(1, 1).await, times.rig.drop_batch(1, 2).await);
    let running = times.rig.run();
    times.rig.judged(first).await;
    times.rig.judged(second).await;
    running.stop().await;
    watchdog.look().await.unwrap();
    assert!(open().await.is_empty());
    times.rig.clock.set("2026-11-27T10:30:01Z");
    watchdog.look().await.unwrap();
    watchdog.look().await.unwrap();
    assert_eq!(open().await, ["overdue/ttd"]);
    told(&["overdue"]).await;
    let text = times.channel.sent.lock().unwrap()[0].alarm.text.clone();
    assert!(text.contains(&first.to_string()), "the oldest: {text}");

    // That its route is shut from now on gives nobody a receipt; nor does it raise an alarm.
    let shut = Windows {
        zone: zone("Europe/Oslo").unwrap(),
        calendar: Arc::new(Calendar::default()),
        windows: vec!["23:00-23:30".parse().unwrap()],
    };
    let windows = Arc::new(HashMap::from([(route().name, shut)]));
    let shut = Watchdog { house: House { windows, ..times.rig.house.clone() }, ..watchdog.clone() };
    shut.look().await.unwrap();
    assert_eq!(open().await, ["overdue/ttd"]);

    times.rig.receiver.gone.store(false, Ordering::SeqCst);
    let running = times.rig.run();
    times.rig.final_receipt(first).await;
    times.rig.final_receipt(second).await;
    running.stop().await;
    watchdog.look().await.unwrap();
    assert!(open().await.is_empty());
    told(&["overdue", "over"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_ends_with_what_the_configuration_has_no_more() {
    let mut times = Times::new("2026-02-02T10:20Z").await;
    times.expected = vec![nightly()];
    let there =
        ["deadline/etat", "expected/gone", "receiver/a/key", "schedule/gone", "source/post", "source/post/rest"];
    let alarm = Alarm { level: "late".to_owned(), due: Timestamp::UNIX_EPOCH, text: "a text".to_owned() };
    times.channel.hangs.store(true, Ordering::SeqCst);
    for subject in there.iter().chain(&["schedule/hourly"]) {
        let channels = ["kept".to_owned()];
        times.ledger.set_alarm(subject, Some(&alarm), &channels, times.rig.house.clock.now()).await.unwrap();
    }
    let running = times.keep();
    let left = ["schedule/hourly", "source/post"];
    until(async || {
        let mut open = times.ledger.open_alarms().await.unwrap();
        open.sort_unstable();
        open == left
    })
    .await;
    // What a channel does not take in its time is sent again.
    let later = times.rig.house.clock.now() + SignedDuration::from_hours(1);
    until(async || times.ledger.due_notices(later, 99).await.unwrap().iter().any(|notice| notice.attempts > 0)).await;
    running.stop().await;
}
