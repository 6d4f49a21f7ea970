//! When: cron patterns and intervals in named zones, calendars of business days, windows, and files that are expected.
//!
//! Everything here is computed from what it is given; the time is always an argument. Nothing is kept and nothing waits:
//! the pipeline's conductor does both.
//!
//! What daylight saving time does, in one place (`Recurrence`): a pattern that names hours follows the clock on the wall,
//! so that a run in the hour that is skipped happens once, when the clock has gone forward, and one in the hour that
//! comes twice happens once, the first time. A pattern for every hour, and an interval, follow the time that passes.

mod calendar;
mod day_rule;
mod days;
mod deadline;
mod expected;
mod holidays;
mod misfire;
mod pattern;
mod recurrence;
mod window;
mod zone;

pub use calendar::{Calendar, DayKind};
pub use day_rule::{DayRule, DaySet, read_days};
pub use days::{Days, OnClosed};
pub use deadline::Deadline;
pub use expected::{Expectation, Least, Look, Looked};
pub use holidays::{easter, is_norwegian};
pub use misfire::{Due, Misfire};
pub use pattern::Pattern;
pub use recurrence::{Recurrence, Rule, jitter_of};
pub use window::{WEEKDAYS, Window, Windows};
pub use zone::{at_wall, time_of_day, zone};

/// What says when is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A cron pattern.
    #[error("{pattern:?} is not a cron pattern such as \"30 2 * * MON-FRI\": {why}")]
    BadPattern {
        /// Its text.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A day.
    #[error("{0:?} is not a day such as 2026-05-15, 12-24 or easter-4")]
    BadDay(String),
    /// What a day is, in a file of days.
    #[error(
        "{0:?} is neither closed, half nor open, one of which comes after the day, or after two days with .. between \
         them and no blank; what is to be remembered of it comes last, or after #"
    )]
    BadDayKind(String),
    /// A choice of days.
    #[error(
        "{0:?} is not \"all\", \"business\", \"full-business\", \"closed\", \"first-business\", \"last-business\", \
         \"business-N\" or \"last-business-N\""
    )]
    BadDays(String),
    /// A window.
    #[error("{0:?} is not a window such as \"mon-fri 06:00-22:00\", \"business\" or \"not sun 02:00-06:00\"")]
    BadWindow(String),
    /// A time of day.
    #[error("{0:?} is not a time of day such as 23:00")]
    BadTime(String),
    /// A time zone.
    #[error("{0:?} is not a time zone such as Europe/Oslo")]
    BadZone(String),
    /// One of them, in a file.
    #[error("line {line}: {source}")]
    InLine {
        /// Which line, from 1.
        line: usize,
        /// What is wrong there.
        source: Box<ScheduleError>,
    },
}
