//! How often a subscription comes round.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

/// A period of the old platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Every twelve months.
    Annual,
    /// Every six months.
    Semiannual,
    /// Every four months.
    Tertiary,
    /// Every three months.
    Quarterly,
    /// Every two months.
    Bimonthly,
    /// Every month.
    Monthly,
    /// Every fourteen days.
    Fortnightly,
    /// Every seven days.
    Weekly,
    /// Every day.
    Daily,
    /// One time only.
    Once,
}

/// How far apart two turns are.
enum Step {
    Months(i64),
    Days(i64),
    Never,
}

impl Period {
    /// Every period.
    pub const ALL: [Self; 10] = [
        Self::Annual,
        Self::Semiannual,
        Self::Tertiary,
        Self::Quarterly,
        Self::Bimonthly,
        Self::Monthly,
        Self::Fortnightly,
        Self::Weekly,
        Self::Daily,
        Self::Once,
    ];

    /// The word in a batch.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Annual => "Annual",
            Self::Semiannual => "Semiannual",
            Self::Tertiary => "Tertiary",
            Self::Quarterly => "Quarterly",
            Self::Bimonthly => "Bimonthly",
            Self::Monthly => "Monthly",
            Self::Fortnightly => "Fortnightly",
            Self::Weekly => "Weekly",
            Self::Daily => "Daily",
            Self::Once => "Once",
        }
    }

    /// The period of a batch's word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str().eq_ignore_ascii_case(word.trim_ascii()))
    }

    /// The period as the old platform's guide words it: Quarterly three times a year, Tertiary four times.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Self::Quarterly => Self::Tertiary,
            Self::Tertiary => Self::Quarterly,
            Self::Annual
            | Self::Semiannual
            | Self::Bimonthly
            | Self::Monthly
            | Self::Fortnightly
            | Self::Weekly
            | Self::Daily
            | Self::Once => self,
        }
    }

    /// The day of a turn, the first being turn 0; `None` when there is no such turn. Each is counted from the first, so that
    /// a month too short for its day of the month does not move those after it.
    pub fn turn(self, first: Date, turn: u32) -> Option<Date> {
        if turn == 0 {
            return Some(first);
        }
        let span: Span = match self.step() {
            Step::Months(months) => Span::new().try_months(months.checked_mul(i64::from(turn))?).ok()?,
            Step::Days(days) => Span::new().try_days(days.checked_mul(i64::from(turn))?).ok()?,
            Step::Never => return None,
        };
        first.checked_add(span).ok()
    }

    /// The first turn on the day or after it, not before a given turn; `None` when there is none.
    pub fn first_turn_from(self, first: Date, day: Date, least: u32) -> Option<u32> {
        let apart = match self.step() {
            Step::Months(months) => months * LONGEST_MONTH,
            Step::Days(days) => days,
            Step::Never => return (least == 0).then_some(0),
        };
        let days = i64::from(first.until(day).ok()?.get_days());
        // No turn before this one is late enough; from there they are looked at one by one.
        let mut turn = u32::try_from(days.max(0) / apart).ok()?.max(least);
        while self.turn(first, turn)? < day {
            turn = turn.checked_add(1)?;
        }
        Some(turn)
    }

    fn step(self) -> Step {
        match self {
            Self::Annual => Step::Months(12),
            Self::Semiannual => Step::Months(6),
            Self::Tertiary => Step::Months(4),
            Self::Quarterly => Step::Months(3),
            Self::Bimonthly => Step::Months(2),
            Self::Monthly => Step::Months(1),
            Self::Fortnightly => Step::Days(14),
            Self::Weekly => Step::Days(7),
            Self::Daily => Step::Days(1),
            Self::Once => Step::Never,
        }
    }
}

/// The next day; the last there is has none after it.
pub fn day_after(day: Date) -> Date {
    day.checked_add(1.day()).unwrap_or(Date::MAX)
}

/// Days of the longest month.
const LONGEST_MONTH: i64 = 31;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn turns_are_as_the_table_has_them() {
        let starts = [date(2027, 1, 31), date(2028, 2, 29), date(2027, 8, 30), date(2027, 3, 15)];
        let mut table = String::new();
        for (period, start) in Period::ALL.iter().flat_map(|period| starts.map(|start| (period, start))) {
            write!(table, "{} {start}:", period.as_str()).unwrap();
            for turn in 1..=13 {
                match period.turn(start, turn) {
                    Some(day) => write!(table, " {day}").unwrap(),
                    None => write!(table, " -").unwrap(),
                }
            }
            table.push('\n');
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schedules/periods.txt");
        if std::env::var_os("SLUSE_BLESS").is_some() {
            std::fs::write(&path, &table).unwrap();
        }
        assert_eq!(table, std::fs::read_to_string(path).unwrap());
    }

    #[test]
    fn a_short_month_moves_no_other() {
        let days: Vec<_> = (0..5).map(|turn| Period::Monthly.turn(date(2027, 1, 31), turn).unwrap().day()).collect();
        assert_eq!(days, [31, 28, 31, 30, 31]);
    }

    #[test]
    fn words_are_read_as_they_are_written_and_swapped_where_that_is_wanted() {
        for period in Period::ALL {
            assert_eq!(Period::of(period.as_str()), Some(period));
            assert_eq!(period.swapped().swapped(), period);
        }
        assert_eq!(Period::of(" weekly\n"), Some(Period::Weekly));
        assert_eq!(Period::of("Biweekly"), None);
        assert_eq!(Period::Quarterly.swapped(), Period::Tertiary);
    }

    fn day() -> impl Strategy<Value = Date> {
        (1900_i16..2200, 1_i8..=12, 1_i8..=31).prop_filter_map("no such day", |(y, m, d)| Date::new(y, m, d).ok())
    }

    proptest! {
        #[test]
        fn the_first_turn_from_a_day_is_the_first(first in day(), from in day(), which in 0_usize..10, least in 0_u32..9) {
            let period = Period::ALL[which];
            match period.first_turn_from(first, from, least) {
                Some(turn) if period == Period::Once => prop_assert_eq!((turn, least), (0, 0)),
                Some(turn) => {
                    prop_assert!(turn >= least && period.turn(first, turn).unwrap() >= from);
                    prop_assert!(turn == least || period.turn(first, turn - 1).unwrap() < from);
                }
                None => prop_assert_eq!(period, Period::Once),
            }
        }

        #[test]
        fn turns_go_forward_and_keep_their_day_of_the_month(first in day(), which in 0_usize..9, turn in 0_u32..400) {
            let period = Period::ALL[which];
            let (one, next) = (period.turn(first, turn).unwrap(), period.turn(first, turn + 1).unwrap());
            prop_assert!(one < next);
            if matches!(period.step(), Step::Months(_)) {
                prop_assert_eq!(next.day(), first.day().min(next.days_in_month()));
            }
        }
    }
}
