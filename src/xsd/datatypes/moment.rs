//! Dates and times, with or without a time zone.

use std::cmp::Ordering;

/// Which parts a text gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum Shape {
    DateTime,
    Date,
    Time,
    Year,
    YearMonth,
    Month,
    MonthDay,
    Day,
}

/// A point or span of time, by its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xsd) struct Moment {
    shape: Shape,
    /// Seconds from an arbitrary day, by the clock on the wall.
    seconds: i128,
    /// Digits of the fraction, without trailing zeros.
    fraction: String,
    /// Minutes the wall clock is ahead of UTC.
    zone: Option<i32>,
}

pub(super) const DAY: i128 = 86_400;
/// What a time zone can be ahead or behind at most.
const FARTHEST_SECONDS: i128 = 14 * 3_600;

impl Moment {
    /// Reads a text of the shape.
    pub(in crate::xsd) fn parse(shape: Shape, text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text.as_bytes() };
        // A leap year and a long month, so that every day of a year has its place.
        let (mut year, mut month, mut day, mut clock, mut fraction) = (2_000_i128, 1, 1, 0, String::new());
        match shape {
            Shape::DateTime => {
                (year, month, day) = reader.date()?;
                reader.byte(b'T')?;
                (clock, fraction) = reader.clock()?;
            }
            Shape::Date => (year, month, day) = reader.date()?,
            Shape::Time => (clock, fraction) = reader.clock()?,
            Shape::Year => year = reader.year()?,
            Shape::YearMonth => {
                year = reader.year()?;
                reader.byte(b'-')?;
                month = reader.two(1, 12)?;
            }
            Shape::Month => {
                reader.bytes(b"--")?;
                month = reader.two(1, 12)?;
            }
            Shape::MonthDay => {
                reader.bytes(b"--")?;
                month = reader.two(1, 12)?;
                reader.byte(b'-')?;
                day = reader.two(1, days_in(2_000, month))?;
            }
            Shape::Day => {
                reader.bytes(b"---")?;
                day = reader.two(1, 31)?;
            }
        }
        let zone = reader.zone()?;
        if shape == Shape::Time {
            clock %= DAY;
        }
        Some(Self { shape, seconds: days(year, month, day) * DAY + clock, fraction, zone })
    }

    fn instant(&self, zone_seconds: i128) -> (i128, &str) {
        (self.seconds - zone_seconds, &self.fraction)
    }

    /// A text that is equal for equal moments only.
    pub(super) fn canonical(&self) -> String {
        let (zoned, zone) = (u8::from(self.zone.is_some()), self.zone.unwrap_or(0));
        format!("{:?} {zoned} {}.{}", self.shape, self.seconds - i128::from(zone) * 60, self.fraction)
    }

    /// How two moments compare; with only one time zone known they may not, of different shapes they do not.
    pub(in crate::xsd) fn order(&self, other: &Self) -> Option<Ordering> {
        if self.shape != other.shape {
            return None;
        }
        let seconds = |zone: i32| i128::from(zone) * 60;
        match (self.zone, other.zone) {
            (None, None) => Some(self.instant(0).cmp(&other.instant(0))),
            (Some(one), Some(two)) => Some(self.instant(seconds(one)).cmp(&other.instant(seconds(two)))),
            (Some(zone), None) => {
                let own = self.instant(seconds(zone));
                if own < other.instant(FARTHEST_SECONDS) {
                    Some(Ordering::Less)
                } else if own > other.instant(-FARTHEST_SECONDS) {
                    Some(Ordering::Greater)
                } else {
                    None
                }
            }
            (None, Some(_)) => other.order(self).map(Ordering::reverse),
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self, byte: u8) -> Option<()> {
        self.bytes(&[byte])
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(bytes)?;
        Some(())
    }

    /// Two digits within a range.
    fn two(&mut self, least: i128, most: i128) -> Option<i128> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.rest else { return None };
        self.rest = rest;
        let number = i128::from(tens - b'0') * 10 + i128::from(ones - b'0');
        (least..=most).contains(&number).then_some(number)
    }

    fn year(&mut self) -> Option<i128> {
        let negative = self.byte(b'-').is_some();
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(len);
        // More digits than four only where they are needed; a year of 30 digits is none we can place.
        if len < 4 || (len > 4 && digits.first() == Some(&b'0')) || len > 29 {
            return None;
        }
        self.rest = rest;
        let year = digits.iter().fold(0, |year, digit| year * 10 + i128::from(digit - b'0'));
        // There is no year 0 in XSD 1.0; all the same its algorithms count as if there were one (appendix E).
        (year != 0).then_some(if negative { -year } else { year })
    }

    fn date(&mut self) -> Option<(i128, i128, i128)> {
        let year = self.year()?;
        self.byte(b'-')?;
        let month = self.two(1, 12)?;
        self.byte(b'-')?;
        let day = self.two(1, days_in(year, month))?;
        Some((year, month, day))
    }

    fn clock(&mut self) -> Option<(i128, String)> {
        let hour = self.two(0, 24)?;
        self.byte(b':')?;
        let minute = self.two(0, 59)?;
        self.byte(b':')?;
        let second = self.two(0, 59)?;
        let mut fraction = String::new();
        if self.byte(b'.').is_some() {
            let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = self.rest.split_at(len);
            self.rest = rest;
            if len == 0 {
                return None;
            }
            fraction = std::str::from_utf8(digits).ok()?.trim_end_matches('0').to_owned();
        }
        let midnight_only = hour < 24 || (minute == 0 && second == 0 && fraction.is_empty());
        midnight_only.then(|| (hour * 3_600 + minute * 60 + second, fraction))
    }

    /// The time zone, and the end.
    fn zone(&mut self) -> Option<Option<i32>> {
        let sign = match self.rest {
            [] => return Some(None),
            b"Z" => return Some(Some(0)),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        let hours = self.two(0, 14)?;
        self.byte(b':')?;
        let minutes = self.two(0, if hours == 14 { 0 } else { 59 })?;
        self.rest.is_empty().then(|| Some(sign * (hours * 60 + minutes) as i32))
    }
}

fn days_in(year: i128, month: i128) -> i128 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, from 1 March of year 0.
pub(super) fn days(year: i128, month: i128, day: i128) -> i128 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_texts_are_read() {
        for (shape, text) in [
            (Shape::Date, "2024-02-29"),
            (Shape::Date, "-0001-12-31Z"),
            (Shape::Date, "-0004-02-29"),
            (Shape::Date, "12024-01-01-14:00"),
            (Shape::DateTime, "2012-06-29T03:21:03"),
            (Shape::DateTime, "2015-09-15T13:30:48.910-05:00"),
            (Shape::DateTime, "2015-09-15T24:00:00"),
            (Shape::Time, "23:59:59.5Z"),
            (Shape::Year, "2024"),
            (Shape::YearMonth, "2024-12+01:00"),
            (Shape::Month, "--02"),
            (Shape::MonthDay, "--02-29"),
            (Shape::Day, "---31"),
        ] {
            assert!(Moment::parse(shape, text).is_some(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for (shape, text) in [
            (Shape::Date, "2023-02-29"),
            (Shape::Date, "-0001-02-29"),
            (Shape::Date, "0000-01-01"),
            (Shape::Date, "24-01-01"),
            (Shape::Date, "02024-01-01"),
            (Shape::Date, "2024-13-01"),
            (Shape::Date, "2024-1-1"),
            (Shape::Date, "2024-01-01T00:00:00"),
            (Shape::Date, "2024-01-01+14:01"),
            (Shape::Date, "2024-01-01Z "),
            (Shape::Date, "+2024-01-01"),
            (Shape::DateTime, "2024-01-01"),
            (Shape::DateTime, "2024-01-01T24:00:01"),
            (Shape::DateTime, "2024-01-01T23:60:00"),
            (Shape::DateTime, "2024-01-01T23:59:60"),
            (Shape::DateTime, "2024-01-01T23:59:59."),
            (Shape::Time, "1:00:00"),
            (Shape::MonthDay, "--02-30"),
            // As the first edition of the recommendation had it, by mistake.
            (Shape::Month, "--02--"),
            (Shape::Day, "---32"),
        ] {
            assert!(Moment::parse(shape, text).is_none(), "{text}");
        }
    }

    #[test]
    fn moments_compare_as_far_as_they_can() {
        let order = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| Moment::parse(Shape::DateTime, text).unwrap());
            one.order(&other)
        };
        assert_eq!(order("2024-02-28T24:00:00", "2024-02-29T00:00:00"), Some(Ordering::Equal));
        assert_eq!(order("2024-01-01T12:00:00+01:00", "2024-01-01T11:00:00.0Z"), Some(Ordering::Equal));
        assert_eq!(order("2024-01-01T12:00:00.1", "2024-01-01T12:00:00.09"), Some(Ordering::Greater));
        assert_eq!(order("2024-01-01T12:00:00", "2024-01-01T12:00:00Z"), None);
        assert_eq!(order("2024-01-03T12:00:00", "2024-01-01T12:00:00Z"), Some(Ordering::Greater));
        assert_eq!(order("-0001-12-31T00:00:00", "0001-01-01T00:00:00"), Some(Ordering::Less));
    }
}
