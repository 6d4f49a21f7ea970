//! When sources are looked at: in their windows, at their times, and when something that waits may be ready.

use sluse::schedule::Windows;

use super::*;

/// A source with a window at night.
fn nightly(name: &str, store: &Arc<Liar>) -> Source {
    let quick = source(name, store, After::Delete);
    let windows =
        Windows { windows: vec!["22:00-23:00".parse().unwrap()], zone: TimeZone::UTC, calendar: Arc::default() };
    Source { times: Recurrence { windows: Some(windows), ..quick.times.clone() }, ..quick }
}

/// Sets the clock, and waits until a look at a source has ended at that time: one that has begun before may be it.
async fn is_looked_at(bench: &Bench, source: &str, at: &str) {
    bench.rig.clock.set(at);
    let at: Timestamp = at.parse().unwrap();
    until(async || bench.ledger.source(source).await.unwrap().looked_at == Some(at)).await;
}

/// Another source is looked at, time after time: this one could have been.
async fn time_passes(bench: &Bench, hour: &str) {
    for minute in 10..16 {
        is_looked_at(bench, "other", &format!("{hour}:{minute}:00Z")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_new_source_nor_one_that_failed_is_looked_at_outside_its_windows() {
    let (bench, store, other) = (Bench::new().await, Liar::new(Lie::None), Liar::new(Lie::None));
    bench.rig.clock.set("2026-03-02T12:00:00Z");
    let tasks = [bench.run(nightly("liar", &store)), bench.run(source("other", &other, After::Leave))];
    let look = async || bench.ledger.source("liar").await.unwrap().look;
    time_passes(&bench, "2026-03-02T12").await;
    assert_eq!(look().await, 0, "a new one, at noon");

    is_looked_at(&bench, "liar", "2026-03-02T22:30:00Z").await;
    store.tell(Lie::HostKey);
    bench.rig.clock.set("2026-03-02T22:59:59Z");
    until(async || bench.ledger.source("liar").await.unwrap().failures > 0).await;
    let stand = bench.ledger.source("liar").await.unwrap();
    assert_eq!(stand.next_at, Some("2026-03-03T22:00:00Z".parse().unwrap()));
    time_passes(&bench, "2026-03-03T09").await;
    assert_eq!(look().await, stand.look, "one that failed, in the morning");

    store.tell(Lie::None);
    is_looked_at(&bench, "liar", "2026-03-03T22:00:00Z").await;
    assert_eq!(bench.ledger.source("liar").await.unwrap().failures, 0);
    bench.stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_source_that_has_times_of_its_own_waits_for_them() {
    let (bench, store, other) = (Bench::new().await, Liar::new(Lie::None), Liar::new(Lie::None));
    bench.rig.clock.set("2026-03-02T12:00:00Z");
    let quick = source("liar", &store, After::Delete);
    let times = Recurrence { rule: Rule::Cron(Box::new("0 21 * * *".parse().unwrap())), ..quick.times.clone() };
    let started = "2026-03-02T12:00:00Z".parse().unwrap();
    let house = House { started, ..bench.rig.house.clone() };
    let alarms = Arc::new(bench.ledger.clone());
    let taker = Taker::new(house, alarms, Source { times, ..quick }, Arc::clone(&bench.rig.claimed));
    let tasks = [tokio::spawn(taker.run(bench.stop.clone())), bench.run(source("other", &other, After::Leave))];
    time_passes(&bench, "2026-03-02T12").await;
    assert_eq!(bench.ledger.source("liar").await.unwrap().look, 0);
    is_looked_at(&bench, "liar", "2026-03-02T21:00:00Z").await;
    bench.stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_far_ahead_holds_nothing_up() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    store.put("a.xml", &document(10), 1_000);
    store.bad.lock().unwrap().insert("a.xml".to_owned(), Bad::Failing);
    let task = bench.run(source("liar", &store, After::Delete));
    is_looked_at(&bench, "liar", "2036-03-02T12:00:00Z").await;
    is_looked_at(&bench, "liar", "2036-03-02T12:00:01Z").await;
    until(async || bench.ledger.source("liar").await.unwrap().due_at > Some("2036-01-01T00:00:00Z".parse().unwrap()))
        .await;
    store.bad.lock().unwrap().clear();
    is_looked_at(&bench, "liar", "2026-03-02T12:00:00Z").await;
    until(async || bench.claimed().await == 1).await;
    bench.stop.cancel();
    task.await.unwrap();
}

/// A source that is looked at once a night.
fn once_a_night(store: &Arc<Liar>, stable: Option<Duration>) -> Source {
    let quick = source("liar", store, After::Delete);
    let times = Recurrence { rule: Rule::Cron(Box::new("0 2 * * *".parse().unwrap())), ..quick.times.clone() };
    let readiness = Readiness { stable, ..quick.rules.readiness.clone() };
    Source { times, rules: Rules { readiness, ..quick.rules.clone() }, ..quick }
}

const HOUR: Option<Duration> = Some(Duration::from_secs(3_600));

/// Runs a source from the first of its times on.
async fn run_from_two(bench: &Bench, source: Source) -> JoinHandle<()> {
    bench.rig.clock.set("2026-03-02T02:00:00Z");
    let house = House { started: "2026-03-02T01:00:00Z".parse().unwrap(), ..bench.rig.house.clone() };
    let taker = Taker::new(house, Arc::new(bench.ledger.clone()), source, Arc::clone(&bench.rig.claimed));
    let task = tokio::spawn(taker.run(bench.stop.clone()));
    is_looked_at(bench, "liar", "2026-03-02T02:00:00Z").await;
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_time_does_not_wait_for_the_next_night_after_a_restart() {
    let (mut bench, store) = (Bench::new().await, Liar::new(Lie::None));
    store.put("a.xml", &document(10), 1_000);
    let task = run_from_two(&bench, once_a_night(&store, HOUR)).await;
    bench.stop.cancel();
    task.await.unwrap();
    bench.stop = CancellationToken::new();
    bench.rig.clock.set("2026-03-02T03:00:00Z");
    let task = bench.run(once_a_night(&store, HOUR));
    until(async || bench.claimed().await == 1).await;
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_it_is_read_does_not_wait_for_the_next_night() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::Changing));
    store.put("a.xml", &document(10), 1_000);
    let task = run_from_two(&bench, once_a_night(&store, HOUR)).await;
    is_looked_at(&bench, "liar", "2026-03-02T03:00:00Z").await;
    assert_eq!(store.reads.load(Ordering::SeqCst), 1);
    store.tell(Lie::None);
    is_looked_at(&bench, "liar", "2026-03-02T03:01:00Z").await;
    is_looked_at(&bench, "liar", "2026-03-02T04:01:00Z").await;
    assert_eq!(bench.claimed().await, 1);
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_is_refused_when_its_time_is_over() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    store.put("a.xml", b"<a>", 1_000);
    let task = run_from_two(&bench, once_a_night(&store, None)).await;
    assert_eq!(bench.claimed().await, 0);
    is_looked_at(&bench, "liar", "2026-03-02T03:00:01Z").await;
    assert_eq!(bench.claimed().await, 1);
    bench.stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_between_two_attempts_does_not_wait_for_the_next_night() {
    let (bench, store) = (Bench::new().await, Liar::new(Lie::None));
    store.put("a.xml", &document(10), 1_000);
    store.bad.lock().unwrap().insert("a.xml".to_owned(), Bad::Failing);
    let task = run_from_two(&bench, once_a_night(&store, None)).await;
    store.put("a.xml", &document(20), 2_000);
    store.bad.lock().unwrap().clear();
    bench.rig.clock.set("2026-03-02T02:01:00Z");
    let soon = Some("2026-03-02T02:01:01Z".parse().unwrap());
    until(async || bench.ledger.source("liar").await.unwrap().next_at == soon).await;
    is_looked_at(&bench, "liar", "2026-03-02T02:02:00Z").await;
    assert_eq!(bench.claimed().await, 1);
    bench.stop.cancel();
    task.await.unwrap();
}
