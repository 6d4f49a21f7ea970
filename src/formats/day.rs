//! Days as XML Schema writes them.

use jiff::civil::Date;

/// A day of the calendar, ordered by time; an offset from UTC is left out of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: i64,
    month: i8,
    day: i8,
}

impl Day {
    /// Reads an `xs:date`, such as `2026-01-31`, `2026-01-31Z` or `2026-01-31+01:00`.
    #[inline]
    pub fn parse(text: &str) -> Option<Self> {
        // Nearly always it is this.
        match *text.as_bytes() {
            [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
                Self::of_digits(u64::from_le_bytes([y1, y2, y3, y4, m1, m2, d1, d2]))
            }
            _ => Self::parse_any(text),
        }
    }

    fn parse_any(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        if let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, ..] = text.as_bytes() {
            return Self::of_digits(u64::from_le_bytes([y1, y2, y3, y4, m1, m2, d1, d2]));
        }
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let mut fields = digits.splitn(3, '-');
        let year: i64 = fields.next().filter(|year| year.len() >= 4)?.parse().ok()?;
        let month = fields.next()?.parse().ok()?;
        // What follows the two digits is an offset, which the schema has judged.
        let day = fields.next()?.get(..2)?.parse().ok()?;
        Some(Self { year: sign * year, month, day })
    }

    /// Reads the digits of year, month and day, all of them at once.
    #[inline]
    fn of_digits(text: u64) -> Option<Self> {
        const ONES: u64 = u64::MAX / 0xFF;
        let digits = text ^ (ONES * u64::from(b'0'));
        // Ten and more carry into the highest bit.
        if (digits | ((digits & (ONES * 0x7F)) + ONES * 0x76)) & (ONES * 0x80) != 0 {
            return None;
        }
        // Each number is left in the lower byte of two.
        const TENS: u64 = u64::MAX / 0xFFFF * 0xFF;
        let [century, _, year, _, month, _, day, _] = ((digits & TENS) * 10 + ((digits >> 8) & TENS)).to_le_bytes();
        Some(Self { year: i64::from(century) * 100 + i64::from(year), month: month as i8, day: day as i8 })
    }

    /// The same day for arithmetic; one beyond the calendar's ends is its first or last.
    pub fn date(self) -> Option<Date> {
        match i16::try_from(self.year) {
            Ok(year @ -9999..=9999) => Date::new(year, self.month, self.day).ok(),
            _ if self.year < 0 => Some(Date::MIN),
            _ => Some(Date::MAX),
        }
    }

    /// The same day; `None` beyond the calendar's ends.
    pub(super) fn exact_date(self) -> Option<Date> {
        self.date().filter(|date| i64::from(date.year()) == self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn days_are_ordered_by_time() {
        assert!(day("2026-01-31") < day("2026-02-01"));
        assert!(day("-0002-01-01") < day("-0001-01-01"));
        assert!(day("9999-12-31") < day("12026-01-01"));
        assert_eq!(day(" 2026-01-31+01:00\n"), day("2026-01-31Z"));
        assert_eq!(day("2026-01-31-05:00"), day("2026-01-31"));
    }

    #[test]
    fn days_become_dates_of_the_calendar() {
        assert_eq!(day("2026-01-31Z").date(), Some(jiff::civil::date(2026, 1, 31)));
        assert_eq!(day("12026-01-31").date(), Some(Date::MAX));
        for bad in ["", "2026", "2026-01", "2026-xx-01", "26-01-01", "2026-01-æ1", "99999999999999999999-01-01"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}
