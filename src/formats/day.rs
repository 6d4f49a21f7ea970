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
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        if let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, ..] = text.as_bytes() {
            let mut are_digits = true;
            let mut digit = |byte: u8| {
                are_digits &= byte.is_ascii_digit();
                i64::from(byte) - i64::from(b'0')
            };
            let mut two = |tens: u8, ones: u8| digit(tens) * 10 + digit(ones);
            let (year, month, day) = (two(y1, y2) * 100 + two(y3, y4), two(m1, m2) as i8, two(d1, d2) as i8);
            return are_digits.then_some(Self { year, month, day });
        }
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let mut fields = digits.splitn(3, '-');
        let year: i64 = fields.next().filter(|year| year.len() >= 4)?.parse().ok()?;
        let month = fields.next()?.parse().ok()?;
        // What follows the two digits is an offset, which the schema has judged.
        let day = fields.next()?.get(..2)?.parse().ok()?;
        Some(Self { year: sign * year, month, day })
    }

    /// The same day for arithmetic; one beyond the calendar's ends is its first or last.
    pub fn date(self) -> Option<Date> {
        match i16::try_from(self.year) {
            Ok(year @ -9999..=9999) => Date::new(year, self.month, self.day).ok(),
            _ if self.year < 0 => Some(Date::MIN),
            _ => Some(Date::MAX),
        }
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
