//! Calendars, schedules, expected files and alarms.

use super::*;
use crate::schedule::{Days, Misfire, Rule};

/// The faults of a configuration with these lines after the minimal one, which has eleven.
fn faults(more: &str) -> Vec<String> {
    parse(&format!("{MINIMAL}{more}"), &[]).err().unwrap_or_default()
}

#[test]
fn little_is_enough() {
    let more = "[schedule.cleaning]\njob = \"retention\"\ncron = \"30 2 * * *\"\n\
                [expected.nightly]\npartner = \"etat\"\nby = \"23:00\"\n";
    let config = parse(&format!("{MINIMAL}{more}"), &[]).unwrap();
    let (schedule, expected) = (&config.schedules[0], &config.expected[0]);
    assert_eq!(schedule.times.zone.iana_name(), Some("Europe/Oslo"));
    assert_eq!((schedule.misfire, schedule.times.days, schedule.job), (Misfire::Once, Days::All, JobConfig::Retention));
    assert_eq!((expected.expectation.times.days, &expected.route), (Days::Business, &None));
    assert!(matches!(&expected.expectation.times.rule, Rule::Cron(pattern) if pattern.as_str() == "0 23 * * *"));
    assert!(config.routes[0].windows.is_none() && config.alarms.is_empty());
}

#[test]
fn everybody_is_told_unless_some_are_named() {
    let more = "[alarm.a]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\n[alarm.b]\nkind = \"email\"\n\
                server = \"localhost\"\nfrom = \"a@b.no\"\nto = [\"Drift <drift@b.no>\"]\n\
                [schedule.x]\njob = \"report\"\nevery_ms = 60_000\n[expected.y]\npartner = \"etat\"\nroute = \"prefill\"\n\
                by = \"23:00\"\nalarm = [\"b\"]\n";
    let config = parse(&format!("{MINIMAL}{more}"), &[]).unwrap();
    assert_eq!(config.schedules[0].channels, ["a", "b"]);
    assert_eq!(config.expected[0].channels, ["b"]);
    assert_eq!(config.expected[0].expectation.of, "partner etat, route prefill");
    assert_eq!(config.alarms.len(), 2);
}

#[test]
fn each_fault_is_told_with_its_place() {
    let schedule = |more: &str| format!("[schedule.x]\njob = \"report\"\n{more}");
    let expected = |more: &str| format!("[expected.x]\npartner = \"etat\"\n{more}");
    for (more, fault) in [
        (schedule(""), "line 12: schedule.x.cron: is missing"),
        (schedule("cron = \"60 * * * *\""), "line 14: schedule.x.cron: \"60 * * * *\" is not a cron pattern"),
        (schedule("cron = \"0 0 31 2 *\""), "line 12: schedule.x: never happens"),
        (schedule("cron = \"0 1 * * *\"\nwindows = [\"02:00-03:00\"]"), "line 12: schedule.x: never happens"),
        (schedule("cron = \"* * * * *\"\nevery_ms = 5_000"), "line 15: schedule.x.every_ms: give this or cron"),
        (schedule("every_ms = 5"), "line 14: schedule.x.every_ms: must be a whole number"),
        (schedule("cron = \"@daily\"\nzone = \"Europe/Olso\""), "line 15: schedule.x.zone: \"Europe/Olso\" is not"),
        (schedule("cron = \"@daily\"\ncalendar = \"b\""), "line 15: schedule.x.calendar: there is no [calendar.b]"),
        (schedule("cron = \"@daily\"\ndays = \"workdays\""), "line 15: schedule.x.days: \"workdays\" is not"),
        (schedule("cron = \"@daily\"\non_closed = \"next\""), "line 15: schedule.x.on_closed: moves runs"),
        (schedule("cron = \"@daily\"\nwindows = [\"man\"]"), "line 15: schedule.x.windows: \"man\" is not a window"),
        (schedule("cron = \"@daily\"\nmisfire = \"twice\""), "line 15: schedule.x.misfire: must be one of"),
        (schedule("cron = \"@daily\"\nalarm = [\"a\"]"), "line 15: schedule.x.alarm: there is no [alarm.a]"),
        ("[schedule.x]\njob = \"poll\"\ncron = \"@daily\"".to_owned(), "line 13: schedule.x.job: must be one of"),
        (expected(""), "line 12: expected.x.by: is missing"),
        (expected("by = \"24:00\""), "line 14: expected.x.by: \"24:00\" is not a time of day"),
        (expected("by = \"cut-off\""), "line 14: expected.x.by: the calendar has no cut_off"),
        (expected("by = \"23:00\"\nroute = \"other\""), "line 15: expected.x.route: partner etat has no [route.other]"),
        ("[expected.x]\npartner = \"b\"\nby = \"23:00\"".to_owned(), "line 13: expected.x.partner: there is no [partner.b]"),
        ("[calendar.x]\nhalf_days = [\"24-12\"]".to_owned(), "line 13: calendar.x.half_days: \"24-12\" is not a day"),
        ("[calendar.x]\ndays_file = \"etat.pub\"".to_owned(), "line 13: calendar.x.days_file: line 1: "),
        ("[calendar.x]\ncut_off = \"3\"".to_owned(), "line 13: calendar.x.cut_off: \"3\" is not a time of day"),
        ("[calendar.x]\nweekend = [\"lør\"]".to_owned(), "line 13: calendar.x.weekend: \"lør\" is not a day"),
        ("[alarm.x]\nkind = \"sms\"".to_owned(), "line 13: alarm.x.kind: must be"),
        ("[alarm.x]\nkind = \"webhook\"\nurl = \"http://a.example/\"".to_owned(), "line 14: alarm.x.url: must be an address"),
        (
            "[alarm.x]\nkind = \"email\"\nserver = \"a.example\"\nfrom = \"a\"\nto = [\"b@c.no\"]".to_owned(),
            "line 15: alarm.x.from: \"a\" is not an e-mail address",
        ),
        (
            "[alarm.x]\nkind = \"email\"\nserver = \"a.example\"\nfrom = \"a@b.no\"\nto = [\"b@c.no\"]\ntls = \"none\"\n\
             user = \"u\"\npassword_file = \"fagsystem.token\""
                .to_owned(),
            "line 17: alarm.x.tls: a password is not sent in the clear",
        ),
        ("[route.prefill.window]\nx = 1".to_owned(), "line 12: route.prefill.window: must be a list of texts"),
    ] {
        let found = faults(&more);
        assert!(found.iter().any(|found| found.starts_with(fault)), "{more}: {found:?}");
    }
}

#[test]
fn a_route_s_window_is_by_its_own_calendar() {
    let more = "window = [\"business\"]\nwindow_calendar = \"bank\"\n[calendar.bank]\ncut_off = \"15:00\"\n\
                half_days = [\"12-24\"]\nclosed_days = [\"2026-11-27\"]\n";
    let config = parse(&format!("{MINIMAL}{more}"), &[]).unwrap();
    let windows = config.routes[0].windows.as_ref().unwrap();
    let open = windows.next_open("2026-11-26T14:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(open.to_string(), "2026-11-29T23:00:00Z");
    let shut = faults("window = [\"mon\", \"not mon\"]\n");
    assert!(matches!(&shut[..], [only] if only.ends_with("route.prefill.window: is never open")), "{shut:?}");
    let idle = faults("window_zone = \"UTC\"\n");
    assert!(matches!(&idle[..], [only] if only.contains("window_zone: is nothing without window")), "{idle:?}");
}
