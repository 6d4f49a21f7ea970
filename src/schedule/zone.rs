//! From the clock on the wall to moments, also where that clock is set forward or back.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::ScheduleError;

/// The zone of a name in the bundled time zone database.
pub fn zone(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::BadZone(name.to_owned()))
}

/// When the wall clock shows a time: the first time where it does so twice, and where it never does the moment at which it
/// is set forward.
pub fn at_wall(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            let before = after.to_timestamp(civil).ok()?;
            Some(zone.following(before).next()?.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

/// When it shows it the second time.
pub(super) fn again_at_wall(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. }).then(|| ambiguous.later().ok())?
}

/// A time of day such as `06:00`.
pub fn time_of_day(text: &str) -> Result<Time, ScheduleError> {
    let wrong = || ScheduleError::BadTime(text.to_owned());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse::<i8>().map_err(|_| wrong()) } else { Err(wrong()) }
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_wall_clock_is_followed_where_it_jumps() {
        let oslo = zone("Europe/Oslo").unwrap();
        let at = |civil| at_wall(&oslo, civil).unwrap().to_string();
        assert_eq!(at(date(2026, 3, 29).at(1, 59, 0, 0)), "2026-03-29T00:59:00Z");
        assert_eq!(at(date(2026, 3, 29).at(2, 0, 0, 0)), "2026-03-29T01:00:00Z");
        assert_eq!(at(date(2026, 3, 29).at(2, 59, 59, 0)), "2026-03-29T01:00:00Z");
        assert_eq!(at(date(2026, 10, 25).at(2, 30, 0, 0)), "2026-10-25T00:30:00Z");
        let again = again_at_wall(&oslo, date(2026, 10, 25).at(2, 30, 0, 0)).unwrap();
        assert_eq!(again.to_string(), "2026-10-25T01:30:00Z");
        assert_eq!(again_at_wall(&oslo, date(2026, 10, 24).at(2, 30, 0, 0)), None);
        assert!(zone("Europe/Olso").is_err());
    }

    #[test]
    fn times_of_day_are_plain() {
        assert_eq!(time_of_day("6:05"), Ok(Time::constant(6, 5, 0, 0)));
        for wrong in ["", "6", "24:00", "6:60", "+6:00", "006:00", "6:00:00", "6:"] {
            assert!(time_of_day(wrong).is_err(), "{wrong}");
        }
    }
}
