//! `[calendar.<name>]`, and the settings by which schedules, expected files and routes say when.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::files;
use super::reader::Section;
use super::route::LONGEST_MS;
use super::rules::word;
use crate::schedule::{
    Calendar, DayKind, DayRule, Days, Deadline, OnClosed, Pattern, Recurrence, Rule, WEEKDAYS, Windows, jitter_of,
    read_days, time_of_day, zone,
};

/// Calendars by name.
pub(super) type Calendars = Vec<(String, Arc<Calendar>)>;

/// Reads `[calendar.<name>]`.
pub(super) fn calendars(root: &Section<'_>) -> Calendars {
    root.named("calendar").into_iter().map(|(name, section)| (name, Arc::new(calendar(&section)))).collect()
}

fn calendar(section: &Section<'_>) -> Calendar {
    let weekend = match section.has("weekend") {
        true => section.texts("weekend").iter().filter_map(|day| weekday(section, day)).collect(),
        false => Calendar::default().weekend,
    };
    let mut rules = Vec::new();
    for (key, kind) in
        [("half_days", DayKind::Half), ("closed_days", DayKind::Closed), ("open_days", DayKind::Business)]
    {
        let days = section.texts(key);
        rules.extend(days.iter().filter_map(|day| Some(DayRule { days: checked(section, key, day)?, kind })));
    }
    if let Some(text) = files::text(section, "days_file") {
        match read_days(&text) {
            Ok(read) => rules.extend(read),
            Err(error) => section.fault("days_file", error.to_string()),
        }
    }
    let time = |key| {
        section
            .text(key)
            .and_then(|text| time_of_day(&text).map_err(|error| section.fault(key, error.to_string())).ok())
    };
    Calendar {
        weekend,
        norwegian_holidays: word(section, "holidays", [("norway", Holidays::Norway), ("none", Holidays::None)])
            == Holidays::Norway,
        rules,
        cut_off: time("cut_off"),
        half_day_cut_off: time("half_day_cut_off").unwrap_or(Calendar::default().half_day_cut_off),
    }
}

/// Whose public holidays are days without business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Holidays {
    #[default]
    Norway,
    None,
}

fn weekday(section: &Section<'_>, word: &str) -> Option<jiff::civil::Weekday> {
    let found = WEEKDAYS.iter().find(|(name, _)| *name == word).map(|(_, day)| *day);
    if found.is_none() {
        section.fault("weekend", format!("{word:?} is not a day of the week such as \"sat\""));
    }
    found
}

/// A text as a type of its own.
fn checked<T: FromStr<Err: std::fmt::Display>>(section: &Section<'_>, key: &'static str, text: &str) -> Option<T> {
    text.parse().map_err(|error| section.fault(key, format!("{error}"))).ok()
}

/// The settings by which a section names its zone and its calendar.
struct Frame {
    zone: TimeZone,
    calendar: Arc<Calendar>,
}

fn frame(section: &Section<'_>, keys: [&'static str; 2], calendars: &Calendars) -> Option<Frame> {
    let [zone_key, calendar_key] = keys;
    let name = section.text(zone_key).unwrap_or_else(|| ZONE.to_owned());
    let zone = zone(&name).map_err(|error| section.fault(zone_key, error.to_string())).ok();
    let calendar = match section.text(calendar_key) {
        None => Some(Arc::default()),
        Some(name) => {
            let found = calendars.iter().find(|(known, _)| *known == name).map(|(_, calendar)| Arc::clone(calendar));
            if found.is_none() {
                section.fault(calendar_key, format!("there is no [calendar.{name}]"));
            }
            found
        }
    };
    Some(Frame { zone: zone?, calendar: calendar? })
}

fn windows(section: &Section<'_>, key: &'static str, frame: &Frame) -> Option<Windows> {
    let windows: Vec<_> = section.texts(key).iter().filter_map(|text| checked(section, key, text)).collect();
    let (zone, calendar) = (frame.zone.clone(), Arc::clone(&frame.calendar));
    (!windows.is_empty()).then_some(Windows { windows, zone, calendar })
}

/// By when what came must be through: `finish_by`, `finish_zone`.
pub(super) fn deadline(section: &Section<'_>) -> Option<Deadline> {
    let name = section.text("finish_zone");
    let Some(text) = section.text("finish_by") else {
        for key in ["finish_zone", "alarm"].into_iter().filter(|key| section.has(key)) {
            section.fault(key, "is nothing without finish_by");
        }
        return None;
    };
    let zone = zone(name.as_deref().unwrap_or(ZONE)).map_err(|error| section.fault("finish_zone", error.to_string()));
    let time = time_of_day(&text).map_err(|error| section.fault("finish_by", error.to_string()));
    Some(Deadline { time: time.ok()?, zone: zone.ok()? })
}

/// When a route may forward: `window`, `window_zone`, `window_calendar`.
pub(super) fn route_windows(section: &Section<'_>, calendars: &Calendars) -> Option<Windows> {
    let frame = frame(section, ["window_zone", "window_calendar"], calendars);
    if !section.has("window") {
        for key in ["window_zone", "window_calendar"] {
            if section.text(key).is_some() {
                section.fault(key, "is nothing without window");
            }
        }
        return None;
    }
    let windows = windows(section, "window", &frame?)?;
    if windows.next_open(Timestamp::now()).is_none() {
        section.fault("window", "is never open");
    }
    Some(windows)
}

/// When a schedule runs; where it does not say, every so often.
pub(super) fn recurrence(
    name: &str,
    section: &Section<'_>,
    calendars: &Calendars,
    or_every_ms: Option<u64>,
) -> Option<Recurrence> {
    let says = section.has("every_ms") || section.text("cron").is_some();
    let every_ms = section.optional_number("every_ms", 1_000..=LONGEST_MS).or(or_every_ms.filter(|_| !says));
    let cron = section.text("cron").map(|text| checked::<Pattern>(section, "cron", &text));
    let rule = match (cron, every_ms) {
        (Some(pattern), None) => pattern.map(|pattern| Rule::Cron(Box::new(pattern))),
        (None, Some(every_ms)) => Some(Rule::Every(Duration::from_millis(every_ms))),
        (Some(_), Some(_)) => {
            section.fault("every_ms", "give this or cron, not both");
            None
        }
        (None, None) => {
            if !section.has("every_ms") {
                section.fault("cron", "is missing: give this or every_ms");
            }
            None
        }
    };
    let jitter = Duration::from_millis(section.number("jitter_ms", 0, 0..=LONGEST_MS));
    let times = with_days(section, calendars, rule, Days::All)?;
    let windows =
        windows(section, "windows", &Frame { zone: times.zone.clone(), calendar: Arc::clone(&times.calendar) });
    let times = Recurrence { windows, jitter: jitter_of(name, jitter), ..times };
    runs(section, &times).then_some(times)
}

/// By when a file is expected.
pub(super) fn deadlines(section: &Section<'_>, calendars: &Calendars) -> Option<Recurrence> {
    let rule = match (section.text("by"), section.text("cron")) {
        (Some(_), Some(_)) => {
            section.fault("by", "give this or cron, not both");
            None
        }
        (None, None) => {
            section.fault("by", "is missing: give this, such as \"23:00\", or cron");
            None
        }
        (Some(by), None) if by == "cut-off" => Some(Rule::CutOff),
        (Some(by), None) => {
            let time = time_of_day(&by).map_err(|error| section.fault("by", error.to_string())).ok();
            let pattern = time.and_then(|time| format!("{} {} * * *", time.minute(), time.hour()).parse().ok());
            pattern.map(|pattern| Rule::Cron(Box::new(pattern)))
        }
        (None, Some(text)) => checked::<Pattern>(section, "cron", &text).map(|pattern| Rule::Cron(Box::new(pattern))),
    };
    let times = with_days(section, calendars, rule, Days::Business)?;
    if times.rule == Rule::CutOff && times.calendar.cut_off.is_none() {
        section.fault("by", "the calendar has no cut_off");
        return None;
    }
    runs(section, &times).then_some(times)
}

fn with_days(section: &Section<'_>, calendars: &Calendars, rule: Option<Rule>, days: Days) -> Option<Recurrence> {
    let frame = frame(section, ["zone", "calendar"], calendars);
    let days = match section.text("days") {
        None => Some(days),
        Some(text) => checked(section, "days", &text),
    };
    let on_closed = word(section, "on_closed", OnClosed::ALL);
    let moves_by_cron = days == Some(Days::Business) && matches!(rule, Some(Rule::Cron(_)) | None);
    if on_closed != OnClosed::Skip && days.is_some() && !moves_by_cron {
        section.fault("on_closed", "moves runs of a cron pattern with days = \"business\" only");
    }
    let Frame { zone, calendar } = frame?;
    let (windows, jitter) = (None, Duration::ZERO);
    Some(Recurrence { rule: rule?, zone, calendar, days: days?, on_closed, windows, jitter })
}

/// What never happens is a mistake.
fn runs(section: &Section<'_>, times: &Recurrence) -> bool {
    let is_ever = times.next(Timestamp::now()).is_some();
    if !is_ever {
        section.fault_here("never happens: nothing fits its times, days and windows together");
    }
    is_ever
}

/// The zone of who names none.
const ZONE: &str = "Europe/Oslo";
