//! Files that come in time, late, too small, or not.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Calendar, Days, OnClosed, Rule, zone};
use super::*;
use crate::model::ShipmentId;

/// By 23:00 on business days, warned of an hour before, late for six hours.
fn nightly(least: Least) -> Expectation {
    Expectation {
        name: "nightly".to_owned(),
        of: "partner etat, route prefill".to_owned(),
        times: Recurrence {
            rule: Rule::Cron(Box::new("0 23 * * *".parse().unwrap())),
            zone: zone("Europe/Oslo").unwrap(),
            calendar: Arc::new(Calendar::default()),
            days: Days::Business,
            on_closed: OnClosed::Skip,
            windows: None,
            jitter: Duration::ZERO,
        },
        warn: Some(Duration::from_secs(3_600)),
        late: Duration::from_secs(6 * 3_600),
        least,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn file(when: &str, size_bytes: u64, items: u64) -> Arrival {
    Arrival { shipment: ShipmentId::new(), at: at(when), size_bytes, items, judged: Judged::Taken }
}

/// From Friday's time on, with what came.
fn look(arrivals: &[Arrival], now: &str) -> Looked {
    let expectation = nightly(Least { items: 10, ..Least::default() });
    let watch = expectation.fresh(at("2026-11-27T08:00Z")).unwrap();
    assert_eq!((watch.counts_from, watch.due), (at("2026-11-26T22:00Z"), at("2026-11-27T22:00Z")));
    expectation.look(watch, arrivals, &[], at(now))
}

impl Expectation {
    /// Looks at files that all are in hand.
    fn look(&self, watch: Watch, arrivals: &[Arrival], past: &[PastFile], now: Timestamp) -> Looked {
        let mut look = self.begin(watch, past, now);
        let _ = arrivals.iter().try_for_each(|arrival| look.take(*arrival));
        look.end()
    }

    /// The same, reckoned for each time from all that came.
    fn reckon(&self, mut watch: Watch, arrivals: &[Arrival], now: Timestamp) -> (Watch, Vec<Settled>) {
        let mut settled = Vec::new();
        loop {
            let (end, next) = self.end(watch.due);
            let counts = |arrival: &&Arrival| arrival.at > watch.counts_from && arrival.at <= end.min(now);
            let came: Vec<_> = arrivals.iter().filter(counts).copied().collect();
            let first = |judged, least| came.iter().find(|one| one.judged == judged && one.items >= least).copied();
            let last = came.iter().rfind(|one| one.judged == Judged::Taken).copied();
            let (enough, in_hand) = (first(Judged::Taken, self.least.items), first(Judged::Not, 0));
            let (standing, arrival) = match (enough.or(in_hand.filter(|_| now >= end)), in_hand, last) {
                (Some(arrival), _, _) if now >= watch.due => (FileState::Arrived, Some(arrival)),
                (None, None, last) if now >= end => (last.map_or(FileState::Missing, |_| FileState::Short), last),
                _ => return (watch, settled),
            };
            settled.push(Settled { due: watch.due, standing, arrival });
            let (counts_from, behind) = match (standing, arrival) {
                (FileState::Arrived, Some(arrival)) => (arrival.at.max(watch.due), None),
                _ => (end, Some((standing, watch.due))),
            };
            watch = Watch { counts_from, due: next.unwrap(), behind };
        }
    }
}

fn levels(arrivals: &[Arrival], moments: &[&str]) -> Vec<Option<String>> {
    moments.iter().map(|now| look(arrivals, now).alarm.map(|alarm| alarm.level)).collect()
}

#[test]
fn a_file_that_does_not_come_is_warned_of_then_late_then_missing() {
    let moments =
        ["2026-11-27T20:59Z", "2026-11-27T21:00Z", "2026-11-27T22:00Z", "2026-11-28T04:00Z", "2026-11-30T20:59Z"];
    let found = levels(&[], &moments);
    let levels: Vec<_> = found.iter().map(|level| level.as_deref()).collect();
    assert_eq!(levels, [None, Some("soon due"), Some("late"), Some("missing"), Some("missing")]);
    let late = look(&[], "2026-11-27T22:00Z").alarm.unwrap();
    assert_eq!(late.text, "no file of partner etat, route prefill by 2026-11-27 23:00 CET");
    let monday = look(&[], "2026-11-30T21:00Z");
    assert_eq!(monday.alarm.unwrap().level, "soon due");
    assert_eq!(monday.settled.len(), 1);
}

#[test]
fn a_file_in_time_is_for_its_time_alone() {
    let files = [file("2026-11-27T10:00Z", 1, 10)];
    assert_eq!(look(&files, "2026-11-27T21:30Z").standing, FileState::Arrived);
    let after = look(&files, "2026-11-27T22:00Z");
    assert_eq!((after.standing, after.watch.due), (FileState::Waiting, at("2026-11-30T22:00Z")));
    assert_eq!(after.settled[0].arrival, Some(files[0]));
    assert_eq!(look(&files, "2026-11-30T22:00Z").standing, FileState::Late);
    // Another of the same evening is not Monday's.
    let twice = [files[0], file("2026-11-27T21:00Z", 1, 10)];
    assert_eq!(look(&twice, "2026-11-30T22:00Z").standing, FileState::Late);
    // One that comes after the time is.
    let twice = [files[0], file("2026-11-27T22:00:01Z", 1, 10)];
    assert_eq!(look(&twice, "2026-11-30T21:59Z").standing, FileState::Arrived);
}

#[test]
fn a_late_file_ends_the_alarm_and_the_next_time_needs_another() {
    let files = [file("2026-11-28T02:00Z", 1, 10)];
    let after = look(&files, "2026-11-28T02:01Z");
    assert_eq!((after.standing, after.alarm), (FileState::Waiting, None));
    assert_eq!(after.settled[0].standing, FileState::Arrived);
    assert_eq!(look(&files, "2026-11-30T22:00Z").standing, FileState::Late);
    // Too late for Friday: it is Monday's, and all is well again.
    let files = [file("2026-11-28T04:00:01Z", 1, 10)];
    let after = look(&files, "2026-11-28T05:00Z");
    assert_eq!((after.standing, after.alarm), (FileState::Arrived, None));
    assert_eq!(after.settled[0].standing, FileState::Missing);
}

#[test]
fn a_small_file_is_told_of_until_a_larger_one_comes() {
    let files = [file("2026-11-27T10:00Z", 900, 9)];
    let short = look(&files, "2026-11-27T10:00Z");
    let text = "the file of partner etat, route prefill for 2026-11-27 23:00 CET has 900 bytes and 9 items; at least 0 \
                bytes and 10 items are expected";
    assert_eq!(short.alarm.map(|alarm| alarm.text).as_deref(), Some(text));
    let mended = [files[0], file("2026-11-27T11:00Z", 900, 10)];
    assert_eq!(look(&mended, "2026-11-27T11:00Z").alarm, None);
    let after = look(&files, "2026-11-28T04:00Z");
    assert_eq!(after.watch.behind, Some((FileState::Short, at("2026-11-27T22:00Z"))));
    assert_eq!(after.alarm.unwrap().level, "too small");
}

#[test]
fn refused_files_do_not_count_and_those_in_hand_wait() {
    let refused = Arrival { judged: Judged::Refused, ..file("2026-11-27T10:00Z", 1, 10) };
    let late = look(&[refused], "2026-11-27T22:00Z").alarm.unwrap();
    assert!(late.text.ends_with("; refused: 1"), "{}", late.text);
    let in_hand = Arrival { judged: Judged::Not, ..refused };
    assert_eq!(look(&[in_hand], "2026-11-27T22:00Z").standing, FileState::InHand);
    assert_eq!(look(&[in_hand], "2026-11-28T04:00Z").settled[0].standing, FileState::Arrived);
}

#[test]
fn what_is_usual_is_learned_from_the_files_before() {
    let expectation = nightly(Least { percent_of_usual: Some(50.0), ..Least::default() });
    let watch = expectation.fresh(at("2026-11-27T08:00Z")).unwrap();
    let past: Vec<_> = [100, 1_000, 90, 110].map(|items| PastFile { size_bytes: items * 10, items }).into();
    let level = |past: &[PastFile], items| {
        let files = [file("2026-11-27T10:00Z", items * 10, items)];
        expectation.look(watch, &files, past, at("2026-11-27T11:00Z")).standing
    };
    assert_eq!(level(&past, 50), FileState::Arrived);
    assert_eq!(level(&past, 49), FileState::Short);
    assert_eq!(level(&past[..2], 1), FileState::Arrived);
}

#[test]
fn a_watch_goes_on_unless_its_times_are_others_or_the_clock_is_behind_it() {
    let expectation = nightly(Least::default());
    let now = at("2026-11-27T08:00Z");
    let watch = expectation.fresh(now).unwrap();
    assert!(expectation.fits(&watch, now));
    assert!(!expectation.fits(&watch, at("2026-11-26T21:59Z")));
    assert!(!expectation.fits(&Watch { due: at("2026-11-27T21:00Z"), ..watch }, now));
}

#[test]
fn a_look_hears_no_more_than_it_must() {
    let expectation = nightly(Least { items: 10, ..Least::default() });
    let watch = expectation.fresh(at("2026-11-27T08:00Z")).unwrap();
    let mut look = expectation.begin(watch, &[], at("2026-11-27T12:00Z"));
    assert!(look.take(file("2026-11-27T10:00Z", 1, 9)).is_continue());
    assert!(look.take(file("2026-11-27T11:00Z", 1, 10)).is_break(), "this one will do, and its time has not come");
    assert_eq!(look.end().standing, FileState::Arrived);
    let mut look = expectation.begin(watch, &[], at("2026-11-27T12:00Z"));
    assert!(look.take(file("2026-11-27T12:01Z", 1, 10)).is_break(), "the clock was set back");
    assert_eq!(look.end().standing, FileState::Waiting);
}

proptest! {
    /// File by file it comes to the same as with all of them at hand.
    #[test]
    fn looking_at_one_after_the_other_comes_to_the_same(
        hours in prop::collection::btree_set(0..240_i64, 0..24), now in 0..240_i64,
        kinds in prop::collection::vec((5..15_u64, 0..4_u8), 24),
    ) {
        let hour = |hours: i64| at("2026-11-26T22:30Z").checked_add(hours.hours()).unwrap();
        let arrivals: Vec<_> = hours.iter().zip(kinds).map(|(hours, (items, kind))| {
            let judged = match kind { 0 => Judged::Not, 1 => Judged::Refused, _ => Judged::Taken };
            Arrival { at: hour(*hours), judged, ..file("2026-11-27T10:00Z", 1, items) }
        }).collect();
        let expectation = nightly(Least { items: 10, ..Least::default() });
        let watch = expectation.fresh(at("2026-11-26T22:30Z")).unwrap();
        let looked = expectation.look(watch, &arrivals, &[], hour(now));
        prop_assert_eq!((looked.watch, looked.settled), expectation.reckon(watch, &arrivals, hour(now)));
    }

    /// However often it is looked, and whenever: the same times are settled in the same way.
    #[test]
    fn looking_often_or_seldom_comes_to_the_same(
        hours in prop::collection::btree_set(0..240_i64, 0..8), items in prop::collection::vec(5..15_u64, 8),
        looks in prop::collection::btree_set(1..240_i64, 0..20),
    ) {
        let start = at("2026-11-26T22:30Z");
        let hour = |hours: i64| start.checked_add(hours.hours()).unwrap();
        let arrivals: Vec<_> = hours.iter().zip(items).map(|(hours, items)| Arrival {
            at: hour(*hours), ..file("2026-11-27T10:00Z", 1, items)
        }).collect();
        let expectation = nightly(Least { items: 10, ..Least::default() });
        let first = expectation.fresh(start).unwrap();
        let once = expectation.look(first, &arrivals, &[], hour(240));
        let (mut watch, mut settled) = (first, Vec::new());
        for now in looks.into_iter().chain([240]) {
            let came: Vec<_> = arrivals.iter().filter(|arrival| arrival.at <= hour(now)).copied().collect();
            let looked = expectation.look(watch, &came, &[], hour(now));
            watch = looked.watch;
            settled.extend(looked.settled);
        }
        prop_assert_eq!(&settled, &once.settled);
        prop_assert_eq!(watch, once.watch);
        let used: Vec<_> = settled.iter().filter(|settled| settled.standing == FileState::Arrived).collect();
        for pair in used.windows(2) {
            prop_assert!(pair[0].arrival.unwrap().at < pair[1].arrival.unwrap().at, "a file counts once");
        }
    }
}
