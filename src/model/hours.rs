//! Hours of the week, such as `mon-fri 18:00-06:00`.

use std::str::FromStr;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Hours that come back every week; hours over midnight belong to the day on which they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekHours {
    from_day: Weekday,
    to_day: Weekday,
    from: Time,
    to: Time,
}

/// A text that names no hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no hours of the week, such as \"mon-fri 18:00-06:00\" or \"sat 08:00-12:00\"")]
pub struct BadHours;

impl WeekHours {
    /// Whether they hold a moment, as the clock of a time zone shows it.
    pub fn contain(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = at.to_zoned(zone.clone());
        let (day, time) = (local.weekday(), local.time());
        if self.from < self.to {
            return self.has_day(day) && (self.from..self.to).contains(&time);
        }
        let day_before = local.date().checked_sub(1.day()).map_or(day, |date| date.weekday());
        (self.has_day(day) && time >= self.from) || (self.has_day(day_before) && time < self.to)
    }

    fn has_day(&self, day: Weekday) -> bool {
        // How far behind the first day, around the week.
        let behind = |day: Weekday| day.since(self.from_day);
        behind(day) <= behind(self.to_day)
    }
}

impl FromStr for WeekHours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let (days, hours) = text.trim().split_once(' ').ok_or(BadHours)?;
        let (from_day, to_day) = days.split_once('-').unwrap_or((days, days));
        let (from, to) = hours.trim().split_once('-').ok_or(BadHours)?;
        Ok(Self { from_day: day(from_day)?, to_day: day(to_day)?, from: time(from)?, to: time(to)? })
    }
}

fn day(text: &str) -> Result<Weekday, BadHours> {
    Ok(match text.trim().to_ascii_lowercase().as_str() {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return Err(BadHours),
    })
}

fn time(text: &str) -> Result<Time, BadHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(BadHours)?;
    let (hour, minute) = (hour.parse().map_err(|_| BadHours)?, minute.parse().map_err(|_| BadHours)?);
    Time::new(hour, minute, 0, 0).map_err(|_| BadHours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(hours: &str, local: &str) -> bool {
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        let at = local.parse::<jiff::civil::DateTime>().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
        hours.parse::<WeekHours>().unwrap().contain(at, &zone)
    }

    #[test]
    fn hours_hold_what_lies_in_them() {
        // 2026-11-27 is a Friday.
        assert!(holds("mon-fri 08:00-16:00", "2026-11-27T08:00"));
        assert!(!holds("mon-fri 08:00-16:00", "2026-11-27T16:00"));
        assert!(!holds("mon-fri 08:00-16:00", "2026-11-28T09:00"));
        assert!(holds("fri 22:00-04:00", "2026-11-27T23:00"));
        assert!(holds("fri 22:00-04:00", "2026-11-28T03:59"));
        assert!(!holds("fri 22:00-04:00", "2026-11-27T03:00"));
        assert!(holds("sat-mon 00:00-00:00", "2026-11-29T12:00"));
        assert!(!holds("sat-mon 00:00-00:00", "2026-12-01T12:00"));
    }

    #[test]
    fn what_is_no_hours_is_said() {
        for odd in ["", "mon", "mon 8-16", "man 08:00-16:00", "mon 25:00-26:00", "mon-fri"] {
            assert_eq!(odd.parse::<WeekHours>(), Err(BadHours), "{odd}");
        }
    }
}
