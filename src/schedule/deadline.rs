//! By when what has come must be through.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::zone::at_wall;

/// A time of day, by the clock of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The time.
    pub time: Time,
    /// Whose clock shows it.
    pub zone: TimeZone,
}

impl Deadline {
    /// The first such time after something came.
    pub fn after(&self, came: Timestamp) -> Timestamp {
        let first = came.to_zoned(self.zone.clone()).date();
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(3);
        let mut times = days.filter_map(|day| at_wall(&self.zone, day.to_datetime(self.time)));
        times.find(|time| *time > came).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{time_of_day, zone};

    #[test]
    fn it_is_the_next_time_the_clock_shows_it_also_where_the_clock_is_set() {
        let after = |time: &str, came: &str| {
            let deadline = Deadline { time: time_of_day(time).unwrap(), zone: zone("Europe/Oslo").unwrap() };
            deadline.after(came.parse().unwrap()).to_string()
        };
        assert_eq!(after("06:00", "2026-01-14T22:00:00Z"), "2026-01-15T05:00:00Z");
        assert_eq!(after("06:00", "2026-01-15T04:59:59Z"), "2026-01-15T05:00:00Z");
        assert_eq!(after("06:00", "2026-01-15T05:00:00Z"), "2026-01-16T05:00:00Z");
        // 29 March 2026: there is no 02:30; 25 October 2026: it comes twice, and the first is meant.
        assert_eq!(after("02:30", "2026-03-28T22:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(after("02:30", "2026-10-24T22:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(after("02:30", "2026-10-25T01:00:00Z"), "2026-10-26T01:30:00Z");
    }
}
