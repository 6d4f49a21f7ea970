//! On which days of a calendar something happens.

use std::str::FromStr;

use jiff::civil::Date;

use super::{Calendar, DayKind, ScheduleError};

/// A choice of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Days {
    /// Every day.
    #[default]
    All,
    /// Business days, half ones too.
    Business,
    /// Business days that are no half days.
    FullBusiness,
    /// Days without business.
    Closed,
    /// One business day of each month.
    OfMonth {
        /// Which, from 1.
        place: u8,
        /// Counted from the month's end.
        from_end: bool,
    },
}

/// What becomes of a run that would fall on a day without business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnClosed {
    /// It does not happen.
    #[default]
    Skip,
    /// It happens at its time on the next business day.
    Next,
    /// It happens at its time on the business day before.
    Previous,
}

impl OnClosed {
    /// Every choice, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] =
        [("skip", Self::Skip), ("next", Self::Next), ("previous", Self::Previous)];
}

impl Days {
    /// Tells whether a day is among them.
    pub fn contains(self, calendar: &Calendar, date: Date) -> bool {
        match self {
            Self::All => true,
            Self::Business => calendar.is_business(date),
            Self::FullBusiness => calendar.kind(date) == DayKind::Business,
            Self::Closed => !calendar.is_business(date),
            Self::OfMonth { place, from_end } => calendar.place_in_month(date, from_end) == Some(place),
        }
    }
}

impl FromStr for Days {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let of_month = |place: &str, from_end| match place.parse() {
            Ok(place @ 1..=23) => Ok(Self::OfMonth { place, from_end }),
            Ok(_) | Err(_) => Err(ScheduleError::BadDays(text.to_owned())),
        };
        match text {
            "all" => Ok(Self::All),
            "business" => Ok(Self::Business),
            "full-business" => Ok(Self::FullBusiness),
            "closed" => Ok(Self::Closed),
            "first-business" => Ok(Self::OfMonth { place: 1, from_end: false }),
            "last-business" => Ok(Self::OfMonth { place: 1, from_end: true }),
            _ => match (text.strip_prefix("last-business-"), text.strip_prefix("business-")) {
                (Some(place), _) => of_month(place, true),
                (None, Some(place)) => of_month(place, false),
                (None, None) => Err(ScheduleError::BadDays(text.to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_words() {
        assert_eq!("last-business-2".parse(), Ok(Days::OfMonth { place: 2, from_end: true }));
        assert_eq!("business-15".parse(), Ok(Days::OfMonth { place: 15, from_end: false }));
        for wrong in ["", "businessdays", "business-0", "business-24", "last-business-", "last"] {
            assert!(wrong.parse::<Days>().is_err(), "{wrong}");
        }
    }
}
