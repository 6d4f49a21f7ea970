//! Cron patterns, taken apart: which days, and which times of such a day.
//!
//! `croner` reads the text and judges days. It is not asked for the next run: a time within fixed hours whose minutes are
//! a range or a step (`*/15 2 * * *`) it leaves out when the clock goes forward and repeats when it goes back, and a
//! range of hours (`0 2-4 * * *`) it repeats. With days and times apart, what a run in such an hour means is decided in
//! one place, `Recurrence`, and so is what a day off does.

use std::str::FromStr;

use croner::{CronPattern, Weekday};
use jiff::civil::{Date, Time};

use super::ScheduleError;

/// A cron pattern of five fields, or of six with seconds first, or of seven with years last.
#[derive(Debug, Clone)]
pub struct Pattern {
    cron: CronPattern,
    hours: Vec<i8>,
    minutes: Vec<i8>,
    seconds: Vec<i8>,
}

impl Pattern {
    /// Tells whether its days include this one.
    pub fn has_day(&self, date: Date) -> bool {
        let (year, month, day) = (i32::from(date.year()), unsigned(date.month()), unsigned(date.day()));
        let weekday = Weekday::from_days_from_sunday(unsigned(date.weekday().to_sunday_zero_offset()));
        let matches = self.cron.month_match(month).unwrap_or(false) && self.cron.year_match(year).unwrap_or(false);
        matches && self.cron.day_match(year, month, day, weekday).unwrap_or(false)
    }

    /// Its first time of day that is not before the given one.
    pub fn time_from(&self, from: Time) -> Option<Time> {
        let hour = self.hours.iter().find(|hour| **hour >= from.hour())?;
        if *hour > from.hour() {
            return self.first_of(*hour);
        }
        for minute in self.minutes.iter().filter(|minute| **minute >= from.minute()) {
            let least = if *minute > from.minute() { 0 } else { ceiling(from) };
            if let Some(second) = self.seconds.iter().find(|second| **second >= least) {
                return Time::new(*hour, *minute, *second, 0).ok();
            }
        }
        let later = self.hours.iter().find(|hour| **hour > from.hour())?;
        self.first_of(*later)
    }

    /// Tells whether it names no hours: such a pattern runs by the hour, not by the clock on the wall.
    pub fn is_hourly(&self) -> bool {
        self.hours.len() == 24
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.cron.as_str()
    }

    fn first_of(&self, hour: i8) -> Option<Time> {
        Time::new(hour, *self.minutes.first()?, *self.seconds.first()?, 0).ok()
    }
}

impl FromStr for Pattern {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = |why: String| ScheduleError::BadPattern { pattern: text.to_owned(), why };
        if text.len() > LONGEST {
            return Err(wrong("it is too long".to_owned()));
        }
        let cron = croner::Cron::from_str(text).map_err(|error| wrong(error.to_string()))?.pattern;
        let small = |values: Vec<u16>| values.into_iter().filter_map(|value| i8::try_from(value).ok()).collect();
        let (hours, minutes) = (small(cron.hours.values()), small(cron.minutes.values()));
        let seconds = small(cron.seconds.values());
        Ok(Self { cron, hours, minutes, seconds })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.cron == other.cron
    }
}

impl Eq for Pattern {}

/// The first whole second that is not before a time's own.
fn ceiling(time: Time) -> i8 {
    if time.subsec_nanosecond() > 0 { time.second() + 1 } else { time.second() }
}

fn unsigned(value: i8) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// Longest text that is read as a pattern.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    /// The days of a month that a pattern has.
    fn days(pattern: &str, year: i16, month: i8) -> Vec<i8> {
        let pattern: Pattern = pattern.parse().unwrap();
        let first = date(year, month, 1);
        let all = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(|day| day.month() == month);
        all.filter(|day| pattern.has_day(*day)).map(|day| day.day()).collect()
    }

    #[test]
    fn days_are_counted_as_every_crontab_counts() {
        for sunday in ["0 6 * * 0", "0 6 * * 7", "0 6 * * SUN", "0 6 * * sun"] {
            assert_eq!(days(sunday, 2026, 3), [1, 8, 15, 22, 29], "{sunday}");
        }
        assert_eq!(days("0 6 * * FRI-SUN", 2026, 3), [1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28, 29]);
        assert_eq!(days("0 6 * * 5-7", 2026, 3), days("0 6 * * FRI-SUN", 2026, 3));
        assert_eq!(days("0 6 * * MON#2", 2026, 3), [9]);
        assert_eq!(days("0 6 * * 7#1", 2026, 3), [1]);
        assert_eq!(days("0 6 * * FRIL", 2026, 3), [27]);
        assert_eq!(days("0 6 * * 7L", 2026, 3), [29]);
        assert_eq!(days("0 6 L * *", 2028, 2), [29]);
        assert_eq!(days("0 6 LW * *", 2026, 1), [30]);
        assert_eq!(days("0 6 15W * *", 2026, 2), [16]);
        assert_eq!(days("0 6 1W * *", 2026, 8), [3]);
        assert_eq!(days("0 6 13 * FRI", 2026, 3), [6, 13, 20, 27]);
        assert_eq!(days("0 6 1 * FRI", 2026, 4), [1, 3, 10, 17, 24]);
        assert_eq!(days("0 6 13 * +FRI", 2026, 4), [0_i8; 0]);
        assert_eq!(days("0 6 13 * +FRI", 2026, 11), [13]);
        assert_eq!(days("0 6 1 JAN-MAR *", 2026, 4), [0_i8; 0]);
        assert_eq!(days("0 0 6 1 4 * 2027", 2026, 4), [0_i8; 0]);
    }

    #[test]
    fn times_follow_each_other() {
        let next = |pattern: &str, from| pattern.parse::<Pattern>().unwrap().time_from(from);
        assert_eq!(next("30 2 * * *", time(0, 0, 0, 0)), Some(time(2, 30, 0, 0)));
        assert_eq!(next("30 2 * * *", time(2, 30, 0, 0)), Some(time(2, 30, 0, 0)));
        assert_eq!(next("30 2 * * *", time(2, 30, 0, 1)), None);
        assert_eq!(next("*/20 1-3 * * *", time(1, 41, 0, 0)), Some(time(2, 0, 0, 0)));
        assert_eq!(next("5,35 10-20 * * * *", time(1, 20, 36, 0)), Some(time(2, 10, 5, 0)));
        assert_eq!(next("5,35 * * * * *", time(23, 59, 35, 1)), None);
        assert_eq!(next("5,35 * * * * *", time(22, 59, 35, 1)), Some(time(23, 0, 5, 0)));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in
            ["", "x", "* * * *", "60 * * * *", "0 24 * * *", "*/0 * * * *", "0 6 * * 8", "0 6 0 * *", "@reboot"]
        {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
        assert!("1".repeat(300).parse::<Pattern>().is_err());
        assert!("@daily".parse::<Pattern>().is_ok());
    }
}
