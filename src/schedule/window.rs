//! Windows: when something may happen, by the clock on the wall.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::zone::{again_at_wall, at_wall, time_of_day};
use super::{Calendar, DayKind, ScheduleError};

/// A stretch of the day, on some days. One that ends before it begins goes on after midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Nothing may happen in it, whatever other windows say.
    pub is_shut: bool,
    days: WindowDays,
    from: Time,
    /// `None` for midnight.
    until: Option<Time>,
}

/// The days on which a window begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum WindowDays {
    All,
    Week(Vec<Weekday>),
    /// Business days; on half days, or where no time is given, the window ends with the business.
    Business {
        all_day: bool,
    },
    Closed,
}

/// Windows in a zone, by a calendar: open where any of them is, or always where there are shut ones only, but never in a
/// shut one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// The windows.
    pub windows: Vec<Window>,
    /// Whose wall clock.
    pub zone: TimeZone,
    /// Which days are business days.
    pub calendar: Arc<Calendar>,
}

impl Windows {
    /// Tells whether a moment is in an open window.
    pub fn contains(&self, moment: Timestamp) -> bool {
        let civil = self.zone.to_datetime(moment);
        let mut open = self.windows.iter().filter(|window| !window.is_shut).peekable();
        let is_open = open.peek().is_none() || open.any(|window| window.covers(civil, &self.calendar));
        is_open && !self.windows.iter().any(|window| window.is_shut && window.covers(civil, &self.calendar))
    }

    /// The first moment from the given one on that is in an open window; `None` when there is none for years.
    pub fn next_open(&self, moment: Timestamp) -> Option<Timestamp> {
        if self.contains(moment) {
            return Some(moment);
        }
        let first = self.zone.to_datetime(moment).date();
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(HORIZON_DAYS);
        days.filter_map(|day| {
            let turns = self.turns(day).into_iter().filter(|turn| *turn > moment && self.contains(*turn));
            turns.min()
        })
        .next()
    }

    /// When a window has been open for so long from a moment on; `None` where that is not seen.
    pub fn after_open(&self, moment: Timestamp, wait: Duration) -> Option<Timestamp> {
        let (mut from, mut left) = (self.next_open(moment)?, SignedDuration::try_from(wait).ok()?);
        for _stretch in 0..MOST_STRETCHES {
            let end = from.checked_add(left).ok()?;
            let Some(shut) = self.next_shut(from, end) else { return Some(end) };
            left = left.checked_sub(shut.duration_since(from))?;
            from = self.next_open(shut)?;
        }
        None
    }

    /// The first moment after one and before another at which no window is open any more.
    fn next_shut(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let (first, last) = (self.zone.to_datetime(from).date(), self.zone.to_datetime(until).date());
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(HORIZON_DAYS);
        let shut = |day| {
            let turns = self.turns(day).into_iter();
            turns.filter(|turn| *turn > from && *turn < until && !self.contains(*turn)).min()
        };
        days.take_while(|day| *day <= last).filter_map(shut).next()
    }

    /// The moments of a day at which a window may begin or end, and those at which the wall clock is set.
    fn turns(&self, day: Date) -> Vec<Timestamp> {
        let ends = self.windows.iter().flat_map(|window| [Some(window.from), window.until]);
        let times = ends.flatten().chain([Time::midnight()]).chain(self.calendar.cut_off(day));
        let both = |time| {
            let civil = day.to_datetime(time);
            [at_wall(&self.zone, civil), again_at_wall(&self.zone, civil)]
        };
        let mut turns: Vec<_> = times.flat_map(both).flatten().collect();
        // The wall clock is set at most a few times a day, and nearly always never.
        if let Some(midnight) = at_wall(&self.zone, day.to_datetime(Time::midnight())) {
            let set = self.zone.following(midnight).take(2).map(|transition| transition.timestamp());
            turns.extend(set.take_while(|set| self.zone.to_datetime(*set).date() <= day));
        }
        turns
    }
}

impl Window {
    fn covers(&self, civil: DateTime, calendar: &Calendar) -> bool {
        let (date, time) = (civil.date(), civil.time());
        let begun = self.begins_on(date, calendar)
            && time >= self.from
            && self.end(date, calendar).is_none_or(|end| time < end);
        let goes_on = || {
            let crosses = self.until.is_some_and(|until| until <= self.from && time < until);
            let from = |before| self.begins_on(before, calendar) && !self.ends_with_business(before, calendar);
            crosses && date.yesterday().is_ok_and(from)
        };
        begun || goes_on()
    }

    fn begins_on(&self, date: Date, calendar: &Calendar) -> bool {
        match &self.days {
            WindowDays::All => true,
            WindowDays::Week(days) => days.contains(&date.weekday()),
            WindowDays::Business { .. } => calendar.is_business(date),
            WindowDays::Closed => !calendar.is_business(date),
        }
    }

    /// When what began on a day ends on the same day; `None` where it goes on to midnight, or over it.
    fn end(&self, date: Date, calendar: &Calendar) -> Option<Time> {
        let until = self.until.filter(|until| *until > self.from);
        let cut_off = if self.ends_with_business(date, calendar) { calendar.cut_off(date) } else { None };
        [until, cut_off].into_iter().flatten().min()
    }

    /// Tells whether what begins on a day ends with its business, and never goes on after midnight.
    fn ends_with_business(&self, date: Date, calendar: &Calendar) -> bool {
        match self.days {
            WindowDays::Business { all_day } => all_day || calendar.kind(date) == DayKind::Half,
            WindowDays::All | WindowDays::Week(_) | WindowDays::Closed => false,
        }
    }
}

impl FromStr for Window {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError::BadWindow(text.to_owned());
        let mut words = text.split_whitespace().peekable();
        let is_shut = words.next_if_eq(&"not").is_some();
        let (first, second) = (words.next().ok_or_else(wrong)?, words.next());
        if words.next().is_some() {
            return Err(wrong());
        }
        let is_time = |word: &str| word.contains(':');
        let (days, times) = match (first, second) {
            (days, Some(times)) if !is_time(days) && is_time(times) => (Some(days), Some(times)),
            (times, None) if is_time(times) => (None, Some(times)),
            (days, None) => (Some(days), None),
            _ => return Err(wrong()),
        };
        let (from, until) = match times {
            None => (Time::midnight(), None),
            Some(times) => stretch(times).ok_or_else(wrong)?,
        };
        let days = match days {
            None => WindowDays::All,
            Some("business") => WindowDays::Business { all_day: times.is_none() },
            Some("closed") => WindowDays::Closed,
            Some(days) => WindowDays::Week(weekdays(days).ok_or_else(wrong)?),
        };
        Ok(Self { is_shut, days, from, until })
    }
}

/// `06:00-22:00`, where the end may be `24:00`.
fn stretch(text: &str) -> Option<(Time, Option<Time>)> {
    let (from, until) = text.split_once('-')?;
    let from = time_of_day(from).ok()?;
    if matches!(until, "24:00" | "00:00") {
        return Some((from, None));
    }
    let until = time_of_day(until).ok()?;
    (from != until).then_some((from, Some(until)))
}

/// `mon-fri,sun`; a range may go over the end of the week.
fn weekdays(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first)?, weekday(last)?);
        days.push(day);
        while day != last {
            day = day.next();
            days.push(day);
        }
    }
    Some(days)
}

fn weekday(word: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(name, _)| *name == word).map(|(_, day)| *day)
}

/// The words for days of the week.
pub const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// What takes more windows than this has no end that anybody could tell.
const MOST_STRETCHES: u32 = 400;

/// How far an open window is looked for.
const HORIZON_DAYS: usize = 800;

#[cfg(test)]
mod tests {
    use super::super::{DayRule, zone};
    use super::*;

    fn windows(texts: &[&str]) -> Windows {
        let rules = vec![DayRule { days: "12-24".parse().unwrap(), kind: DayKind::Half }];
        Windows {
            windows: texts.iter().map(|text| text.parse().unwrap()).collect(),
            zone: zone("Europe/Oslo").unwrap(),
            calendar: Arc::new(Calendar { rules, ..Calendar::default() }),
        }
    }

    fn opens(texts: &[&str], from: &str) -> String {
        let windows = windows(texts);
        let open = windows.next_open(from.parse().unwrap()).unwrap();
        windows.zone.to_datetime(open).to_string()
    }

    #[test]
    fn a_window_opens_when_its_day_and_time_come() {
        // Saturday.
        assert_eq!(opens(&["mon-fri 06:00-22:00"], "2026-11-28T12:00Z"), "2026-11-30T06:00:00");
        assert_eq!(opens(&["mon-fri 06:00-22:00"], "2026-11-30T12:00Z"), "2026-11-30T13:00:00");
        assert_eq!(opens(&["22:00-06:00"], "2026-11-28T06:30Z"), "2026-11-28T22:00:00");
        assert_eq!(opens(&["fri 22:00-06:00"], "2026-11-28T04:30Z"), "2026-11-28T05:30:00");
        assert_eq!(opens(&["fri 22:00-06:00"], "2026-11-28T05:00Z"), "2026-12-04T22:00:00");
        assert_eq!(opens(&["business 08:00-16:00"], "2026-04-01T16:00Z"), "2026-04-07T08:00:00");
        assert_eq!(opens(&["closed"], "2026-04-01T16:00Z"), "2026-04-02T00:00:00");
        assert_eq!(opens(&["sat-mon 08:00-24:00"], "2026-11-24T00:00Z"), "2026-11-28T08:00:00");
    }

    #[test]
    fn a_half_day_ends_business_early() {
        let business = windows(&["business 08:00-16:00"]);
        assert!(business.contains("2026-12-23T14:59Z".parse().unwrap()));
        assert!(business.contains("2026-12-24T10:59Z".parse().unwrap()));
        assert!(!business.contains("2026-12-24T11:00Z".parse().unwrap()));
        assert_eq!(opens(&["not business 08:00-16:00"], "2026-12-24T10:00Z"), "2026-12-24T12:00:00");
        assert_eq!(opens(&["not business"], "2026-12-24T10:00Z"), "2026-12-24T12:00:00");
        // Also where it goes on after midnight on other days. The 25th is no business day.
        let late = windows(&["business 08:00-02:00"]);
        let open = |moment: &str| late.contains(moment.parse().unwrap());
        assert!(open("2026-12-23T20:00Z") && open("2026-12-24T00:59Z") && !open("2026-12-24T01:00Z"));
        assert!(open("2026-12-24T10:59Z") && !open("2026-12-24T11:00Z") && !open("2026-12-24T23:30Z"));
        assert!(!windows(&["business 22:00-06:00"]).contains("2026-12-24T21:30Z".parse().unwrap()));
    }

    #[test]
    fn what_is_shut_stays_shut() {
        let night = ["mon-fri", "not 02:00-05:00", "not tue"];
        assert_eq!(opens(&night, "2026-11-30T01:30Z"), "2026-11-30T05:00:00");
        assert_eq!(opens(&night, "2026-11-30T23:00Z"), "2026-12-02T00:00:00");
        assert_eq!(opens(&["not 02:00-05:00"], "2026-11-28T12:00Z"), "2026-11-28T13:00:00");
        assert_eq!(windows(&["mon", "not mon"]).next_open(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn windows_follow_the_wall_clock_where_it_is_set() {
        assert_eq!(opens(&["02:30-04:00"], "2026-03-29T00:59Z"), "2026-03-29T03:00:00");
        // The clock goes from 03:00 back to 02:00, which is open, and is shut again at 02:30.
        let again = windows(&["not 02:30-03:00"]);
        assert_eq!(again.next_open("2026-10-25T00:45Z".parse().unwrap()), "2026-10-25T01:00Z".parse().ok());
        assert_eq!(again.next_open("2026-10-25T01:45Z".parse().unwrap()), "2026-10-25T02:00Z".parse().ok());
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for wrong in [
            "",
            "not",
            "mon-fri 06:00",
            "06:00-06:00",
            "06:00-25:00",
            "mon tue",
            "man 06:00-07:00",
            "06:00-07:00 mon",
            "a b c",
        ] {
            assert!(wrong.parse::<Window>().is_err(), "{wrong}");
        }
    }
}
