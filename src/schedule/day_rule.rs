//! Days that a calendar treats in a way of its own, as configuration and closing-day files name them.

use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::holidays::easter;
use super::{DayKind, ScheduleError};

/// Which days a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaySet {
    /// One day: `2026-05-15`.
    Day(Date),
    /// A day of every year: `12-24`.
    Yearly(i8, i8),
    /// So many days from Easter Sunday, every year: `easter-4`.
    Easter(i32),
}

/// Days and what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRule {
    /// Which.
    pub days: DaySet,
    /// What they are.
    pub kind: DayKind,
}

impl DaySet {
    /// Tells whether a day is among them.
    pub fn contains(self, date: Date) -> bool {
        match self {
            Self::Day(day) => day == date,
            Self::Yearly(month, day) => (date.month(), date.day()) == (month, day),
            Self::Easter(days) => {
                easter(date.year()).and_then(|easter| easter.checked_add(days.days()).ok()) == Some(date)
            }
        }
    }
}

impl FromStr for DaySet {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError::BadDay(text.to_owned());
        if let Some(days) = text.strip_prefix("easter") {
            let days: i32 = if days.is_empty() { 0 } else { days.parse().map_err(|_| wrong())? };
            return if days.abs() <= FROM_EASTER { Ok(Self::Easter(days)) } else { Err(wrong()) };
        }
        match *text.split('-').collect::<Vec<_>>() {
            [month, day] => {
                let (month, day) = (month.parse().map_err(|_| wrong())?, day.parse().map_err(|_| wrong())?);
                // A leap year, so that the 29th of February is a day.
                Date::new(2024, month, day).map_err(|_| wrong())?;
                Ok(Self::Yearly(month, day))
            }
            [_, _, _] => text.parse().map(Self::Day).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// Reads a file of closing days: a line each, of a day or of two with `..` between them, then `closed`, `half` or `open`,
/// then whatever is to be remembered of it. A day that stands alone is closed. `#` begins a comment.
pub fn read_days(text: &str) -> Result<Vec<DayRule>, ScheduleError> {
    let mut rules = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let at = |error| ScheduleError::InLine { line: number + 1, source: Box::new(error) };
            read_line(line, &mut rules).map_err(at)?;
        }
    }
    Ok(rules)
}

fn read_line(line: &str, rules: &mut Vec<DayRule>) -> Result<(), ScheduleError> {
    let (days, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let kind = match rest.split_whitespace().next() {
        None => DayKind::Closed,
        Some(word) => kind(word)?,
    };
    let Some((first, last)) = days.split_once("..") else {
        rules.push(DayRule { days: days.parse()?, kind });
        return Ok(());
    };
    let wrong = || ScheduleError::BadDay(days.to_owned());
    let (first, last): (Date, Date) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    let length = first.until(last).map_err(|_| wrong())?.get_days();
    if !(0..=LONGEST_RANGE).contains(&length) {
        return Err(wrong());
    }
    rules.extend(
        first.series(1.day()).take_while(|day| *day <= last).map(|day| DayRule { days: DaySet::Day(day), kind }),
    );
    Ok(())
}

/// What a word says of a day. One that is not known is refused: it may be `halfday`, or the rest of `2026-12-28 ..
/// 2026-12-30`, and a day taken for closed delays a deadline or opens a window in silence.
fn kind(word: &str) -> Result<DayKind, ScheduleError> {
    let known = [("closed", DayKind::Closed), ("half", DayKind::Half), ("open", DayKind::Business)];
    let found = known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
    found.map(|(_, kind)| *kind).ok_or_else(|| ScheduleError::BadDayKind(word.to_owned()))
}

/// Most days between Easter and a feast that moves with it.
const FROM_EASTER: i32 = 80;

/// Most days from the first to the last of a line.
const LONGEST_RANGE: i32 = 366;

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_are_named_in_three_ways() {
        assert_eq!("2026-05-15".parse(), Ok(DaySet::Day(date(2026, 5, 15))));
        assert_eq!("02-29".parse(), Ok(DaySet::Yearly(2, 29)));
        assert_eq!("easter-4".parse(), Ok(DaySet::Easter(-4)));
        assert_eq!("easter+49".parse(), Ok(DaySet::Easter(49)));
        assert!(DaySet::Easter(-4).contains(date(2026, 4, 1)) && !DaySet::Easter(-4).contains(date(2027, 4, 1)));
        for wrong in ["", "2026", "2026-13-01", "13-01", "02-30", "easter*4", "easter+99", "1-2-3-4", "x-y"] {
            assert!(wrong.parse::<DaySet>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_of_days_has_a_line_each() {
        let text = "# closed days\n2026-05-15\n\n12-24 half Christmas Eve # every year\n2026-12-28..2026-12-30 closed\n2026-05-01 open";
        let rules = read_days(text).unwrap();
        let kinds: Vec<_> = rules.iter().map(|rule| rule.kind).collect();
        use DayKind::{Business, Closed, Half};
        assert_eq!(kinds, [Closed, Half, Closed, Closed, Closed, Business]);
        assert_eq!(rules[4].days, DaySet::Day(date(2026, 12, 30)));
    }

    #[test]
    fn what_a_day_is_stands_first_and_in_any_case() {
        let kinds = |text: &str| read_days(text).unwrap().into_iter().map(|rule| rule.kind).collect::<Vec<_>>();
        assert_eq!(
            kinds("12-23 Half day\n2026-05-01 OPEN\n05-02 Closed week"),
            [DayKind::Half, DayKind::Business, DayKind::Closed]
        );
        for wrong in
            ["2026-12-28 .. 2026-12-30 closed", "2026-12-28 ..2026-12-30", "12-24 halfday", "12-24 Christmas Eve"]
        {
            let error = read_days(wrong).unwrap_err().to_string();
            assert!(error.starts_with("line 1: ") && error.contains("neither closed, half nor open"), "{error}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        for wrong in ["\n2026-02-30", "\n2026-05-02..2026-05-01", "\n2026-01-01..2028-01-01", "\n12-24..12-26"] {
            let error = read_days(wrong).unwrap_err().to_string();
            assert!(error.starts_with("line 2: "), "{error}");
        }
    }
}
