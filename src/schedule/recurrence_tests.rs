//! Times that come again, against the clock and against a walk over every minute.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use jiff::civil::date;
use proptest::prelude::*;

use super::super::{DayKind, DayRule, Window, zone};
use super::*;

fn every(pattern: &str) -> Recurrence {
    Recurrence {
        rule: Rule::Cron(Box::new(pattern.parse().unwrap())),
        zone: zone("Europe/Oslo").unwrap(),
        calendar: Arc::new(Calendar::default()),
        days: Days::All,
        on_closed: OnClosed::Skip,
        windows: None,
        jitter: Duration::ZERO,
    }
}

/// The next times, as the wall clock shows them with its offset.
fn next(times: &Recurrence, from: &str, count: usize) -> Vec<String> {
    let shown = |at: Timestamp| at.to_zoned(times.zone.clone()).strftime("%d %H:%M%:::z").to_string();
    times.upcoming(from.parse().unwrap()).take(count).map(shown).collect()
}

#[test]
fn what_names_its_hours_happens_once_where_the_clock_goes_forward() {
    let eve = "2026-03-28T23:30Z";
    assert_eq!(next(&every("30 2 * * *"), eve, 2), ["29 03:00+02", "30 02:30+02"]);
    assert_eq!(next(&every("*/15 2 * * *"), eve, 2), ["29 03:00+02", "30 02:00+02"]);
    assert_eq!(next(&every("0 2-4 * * *"), eve, 3), ["29 03:00+02", "29 04:00+02", "30 02:00+02"]);
    assert_eq!(next(&every("0 */2 * * *"), eve, 3), ["29 03:00+02", "29 04:00+02", "29 06:00+02"]);
    assert_eq!(next(&every("30 2 29 3 *"), eve, 1), ["29 03:00+02"]);
}

#[test]
fn what_names_its_hours_happens_once_where_the_clock_goes_back() {
    let eve = "2026-10-24T22:30Z";
    assert_eq!(next(&every("30 2 * * *"), eve, 2), ["25 02:30+02", "26 02:30+01"]);
    assert_eq!(next(&every("*/30 2 * * *"), eve, 3), ["25 02:00+02", "25 02:30+02", "26 02:00+01"]);
    assert_eq!(next(&every("0 2-4 * * *"), eve, 4), ["25 02:00+02", "25 03:00+01", "25 04:00+01", "26 02:00+01"]);
    // Asked in the second of the two hours.
    assert_eq!(next(&every("30 2 * * *"), "2026-10-25T01:10Z", 1), ["26 02:30+01"]);
    assert_eq!(next(&every("30 3 * * *"), "2026-10-25T01:10Z", 1), ["25 03:30+01"]);
}

#[test]
fn what_happens_every_hour_goes_on_by_the_hour() {
    let spring = next(&every("20 * * * *"), "2026-03-29T00:00Z", 3);
    assert_eq!(spring, ["29 01:20+01", "29 03:20+02", "29 04:20+02"]);
    let autumn = next(&every("20 * * * *"), "2026-10-24T23:00Z", 4);
    assert_eq!(autumn, ["25 01:20+02", "25 02:20+02", "25 02:20+01", "25 03:20+01"]);
    let seconds = next(&every("0,30 59 * * * *"), "2026-10-25T00:59Z", 2);
    assert_eq!(seconds, ["25 02:59+02", "25 02:59+01"]);
}

#[test]
fn business_days_hold_a_run_back_or_move_it() {
    let on =
        |days: &str, on_closed, pattern: &str| Recurrence { days: days.parse().unwrap(), on_closed, ..every(pattern) };
    let from = "2026-03-31T22:00Z";
    assert_eq!(next(&on("business", OnClosed::Skip, "0 6 * * *"), from, 2), ["01 06:00+02", "07 06:00+02"]);
    assert_eq!(next(&on("closed", OnClosed::Skip, "0 6 * * *"), from, 2), ["02 06:00+02", "03 06:00+02"]);
    assert_eq!(next(&on("business", OnClosed::Skip, "0 6 3 4 *"), from, 0), [""; 0]);
    assert_eq!(next(&on("business", OnClosed::Next, "0 6 3 4 *"), from, 1), ["07 06:00+02"]);
    assert_eq!(next(&on("business", OnClosed::Previous, "0 6 3 4 *"), from, 1), ["01 06:00+02"]);
    // Two that are moved to one day are one, and its own times are in order.
    assert_eq!(next(&on("business", OnClosed::Next, "0 6,18 3-7 4 *"), from, 2), ["07 06:00+02", "07 18:00+02"]);
    assert_eq!(next(&on("last-business", OnClosed::Skip, "0 6 * * *"), from, 2), ["30 06:00+02", "29 06:00+02"]);
    assert_eq!(next(&on("last-business-2", OnClosed::Skip, "0 6 * * *"), from, 1), ["29 06:00+02"]);
}

#[test]
fn intervals_are_a_grid_that_restarts_do_not_move() {
    let times = Recurrence { rule: Rule::Every(Duration::from_secs(900)), ..every("@daily") };
    assert_eq!(next(&times, "2026-10-25T00:50:01Z", 2), ["25 02:00+01", "25 02:15+01"]);
    let business = Recurrence { days: Days::Business, ..times };
    assert_eq!(next(&business, "2026-04-01T21:40Z", 2), ["01 23:45+02", "07 00:00+02"]);
}

#[test]
fn the_cut_off_is_earlier_on_half_days() {
    let rules = vec![DayRule { days: "easter-4".parse().unwrap(), kind: DayKind::Half }];
    let calendar = Calendar { rules, cut_off: Some(Time::constant(15, 0, 0, 0)), ..Calendar::default() };
    let times =
        Recurrence { rule: Rule::CutOff, calendar: Arc::new(calendar), days: Days::Business, ..every("@daily") };
    assert_eq!(next(&times, "2026-03-31T00:00Z", 3), ["31 15:00+02", "01 12:00+02", "07 15:00+02"]);
}

#[test]
fn jitter_is_the_name_s_own_and_windows_hold_after_it() {
    let most = Duration::from_secs(600);
    assert_eq!(jitter_of("skatt", most), jitter_of("skatt", most));
    let all: BTreeSet<_> = (0..50).map(|n| jitter_of(&format!("source-{n}"), most)).collect();
    assert!(all.len() > 45 && all.iter().all(|jitter| *jitter <= most));
    assert_eq!(jitter_of("skatt", Duration::ZERO), Duration::ZERO);
    let windows = Windows {
        windows: vec!["06:00-07:00".parse().unwrap()],
        zone: zone("Europe/Oslo").unwrap(),
        calendar: Arc::default(),
    };
    let times = Recurrence { windows: Some(windows), jitter: Duration::from_secs(1_200), ..every("*/30 * * * *") };
    assert_eq!(next(&times, "2026-11-27T00:00Z", 3), ["27 06:20+01", "27 06:50+01", "28 06:20+01"]);
}

#[test]
fn what_never_happens_ends() {
    for never in ["0 0 31 2 *", "0 0 * * L", "0 6 , * *", "0 0 1 1 * 2020"] {
        let pattern = if never.ends_with("2020") { "0 0 0 1 1 * 2020" } else { never };
        assert_eq!(every(pattern).next("2026-01-01T00:00Z".parse().unwrap()), None, "{never}");
    }
    let leap = every("0 0 29 2 *").next("2096-03-01T00:00Z".parse().unwrap()).unwrap();
    assert_eq!(leap.to_string(), "2104-02-28T23:00:00Z");
    assert_eq!(every("* * * * *").next(Timestamp::MAX), None);
}

#[test]
fn the_latest_of_many_is_found_without_walking_all() {
    let (long_ago, now) = (Timestamp::UNIX_EPOCH, "2026-11-27T10:00:30Z".parse().unwrap());
    let of = |pattern: &str| every(pattern).latest(long_ago, now).unwrap().to_string();
    assert_eq!(of("* * * * * *"), "2026-11-27T10:00:30Z");
    assert_eq!(of("0 11 * * *"), "2026-11-27T10:00:00Z");
    assert_eq!(of("0 0 29 2 *"), "2024-02-28T23:00:00Z");
    assert_eq!(every("0 12 * * *").latest("2026-11-27T00:00Z".parse().unwrap(), now), None);
}

fn field(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values)
}

/// Patterns whose runs are frequent enough for a walk of some days.
fn patterns() -> impl Strategy<Value = String> {
    let minutes = field(&["0", "30", "*/15", "10-12", "*", "59", "1,31"]);
    let hours = field(&["*", "2", "0", "23", "1-3", "*/2", "2,14", "*/5", "6-22"]);
    let days = field(&["*", "*", "29", "25", "L", "1W", "LW"]);
    let weekdays = field(&["*", "*", "MON-FRI", "7", "SUNL", "1#1"]);
    (minutes, hours, days, weekdays).prop_map(|(m, h, d, w)| format!("{m} {h} {d} * {w}"))
}

/// Days around both settings of the clock, Easter and others, in zones of several kinds.
fn starts() -> impl Strategy<Value = (Timestamp, TimeZone)> {
    let days = prop::sample::select(vec![
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 10, 24),
        date(2026, 10, 25),
        date(2026, 4, 1),
        date(2026, 12, 30),
        date(2028, 2, 28),
        date(2026, 7, 1),
        date(2026, 4, 4),
        date(2026, 10, 3),
        date(2026, 4, 23),
        date(2026, 10, 29),
    ]);
    let zones = field(&["Europe/Oslo", "UTC", "Australia/Lord_Howe", "Africa/Cairo"]);
    (days, 0..86_400_000_i64, zones).prop_map(|(day, ms, name)| {
        let midnight = day.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
        (midnight.checked_add(SignedDuration::from_millis(ms)).unwrap(), zone(name).unwrap())
    })
}

fn day_choices() -> impl Strategy<Value = (Days, OnClosed)> {
    prop::sample::select(vec![
        (Days::All, OnClosed::Skip),
        (Days::Business, OnClosed::Skip),
        (Days::Business, OnClosed::Next),
        (Days::Business, OnClosed::Previous),
        (Days::FullBusiness, OnClosed::Skip),
        (Days::Closed, OnClosed::Skip),
        (Days::OfMonth { place: 1, from_end: true }, OnClosed::Skip),
    ])
}

fn window_lists() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(
        field(&[
            "mon-fri 06:00-22:00",
            "business",
            "22:30-02:30",
            "not 02:00-03:00",
            "not sun 01:15-02:45",
            "closed 03:00-24:00",
        ]),
        0..4,
    )
}

/// Every minute after a start for four days at which the pattern runs, by looking at each.
fn walked(times: &Recurrence, pattern: &str, start: Timestamp) -> Vec<Timestamp> {
    let cron = croner::Cron::from_str(pattern).unwrap();
    let end = start.checked_add(SignedDuration::from_hours(96)).unwrap();
    let minute = start.as_second().div_euclid(60);
    let minutes = (minute - 3_000..minute + 96 * 60 + 1).map(|minute| Timestamp::from_second(minute * 60).unwrap());
    let mut found = BTreeSet::new();
    for at in minutes {
        let civil = times.zone.to_datetime(at);
        let hourly = pattern.split(' ').nth(1) == Some("*");
        if cron.is_time_matching(&civil).unwrap() && (hourly || at_wall(&times.zone, civil) == Some(at)) {
            found.insert(at);
        }
        // Where the clock goes forward, every minute that it leaves out.
        let before = times.zone.to_datetime(at.checked_sub(SignedDuration::from_mins(1)).unwrap());
        let mut left_out = before.checked_add(1.minute()).unwrap();
        while !hourly && left_out < civil {
            if cron.is_time_matching(&left_out).unwrap() {
                found.insert(at);
            }
            left_out = left_out.checked_add(1.minute()).unwrap();
        }
    }
    found.into_iter().filter(|at| *at > start && *at <= end).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn times_are_those_that_a_walk_over_every_minute_finds(pattern in patterns(), (start, zone) in starts()) {
        let times = Recurrence { zone, ..every(&pattern) };
        let end = start.checked_add(SignedDuration::from_hours(96)).unwrap();
        let found: Vec<_> = times.upcoming(start).take_while(|at| *at <= end).collect();
        prop_assert_eq!(found, walked(&times, &pattern, start), "{}", pattern);
    }

    #[test]
    fn times_go_up_in_windows_and_on_their_days(
        pattern in patterns(), (start, zone) in starts(), (days, on_closed) in day_choices(),
        list in window_lists(), jitter in 0..1_800_u64, interval in prop::option::of(60..100_000_u64),
    ) {
        let calendar = Arc::new(Calendar {
            rules: vec![DayRule { days: "12-31".parse().unwrap(), kind: DayKind::Half }],
            ..Calendar::default()
        });
        let windows = Windows {
            windows: list.iter().map(|text| text.parse::<Window>().unwrap()).collect(),
            zone: zone.clone(),
            calendar: Arc::clone(&calendar),
        };
        let rule = match interval {
            Some(seconds) => Rule::Every(Duration::from_secs(seconds)),
            None => Rule::Cron(Box::new(pattern.parse().unwrap())),
        };
        let on_closed = if interval.is_some() { OnClosed::Skip } else { on_closed };
        let times = Recurrence {
            rule, zone, calendar, days, on_closed, windows: Some(windows), jitter: Duration::from_secs(jitter),
        };
        let mut last = start;
        for at in times.upcoming(start).take(20) {
            prop_assert!(at > last, "{} after {}", at, last);
            prop_assert!(times.windows.as_ref().unwrap().contains(at), "{} is in no window", at);
            let by_rule = at.checked_sub(SignedDuration::try_from(times.jitter).unwrap()).unwrap();
            prop_assert!(times.days.contains(&times.calendar, times.zone.to_datetime(by_rule).date()), "{}", at);
            prop_assert_eq!(times.latest(start, at), Some(at));
            last = at;
        }
    }

    #[test]
    fn a_window_opens_at_the_first_moment_that_is_in_it(list in window_lists(), (start, zone) in starts()) {
        let windows = Windows {
            windows: list.iter().map(|text| text.parse::<Window>().unwrap()).collect(),
            zone,
            calendar: Arc::default(),
        };
        let Some(open) = windows.next_open(start) else { return Ok(()) };
        prop_assert!(open >= start && windows.contains(open));
        let mut before = start;
        while before < open {
            prop_assert!(!windows.contains(before), "{} comes before {}", before, open);
            before = before.checked_add(SignedDuration::from_mins(5)).unwrap();
        }
        let just_before = open.checked_sub(SignedDuration::from_millis(1)).unwrap();
        prop_assert!(open == start || !windows.contains(just_before));
    }

    #[test]
    fn no_text_is_read_with_a_panic(text in "[0-9*/,#LWa-zæ?+@ -]{0,24}") {
        let _ = text.parse::<Pattern>().map(|pattern| pattern.has_day(date(2026, 2, 28)));
        let _ = (text.parse::<Window>(), text.parse::<Days>(), text.parse::<super::super::DaySet>());
        let _ = super::super::read_days(&text);
    }
}
