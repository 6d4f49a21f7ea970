//! Points in time as XML Schema writes them.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::{Day, ReadItemError};

/// Reads an `xs:dateTime`; one without an offset is meant by Norwegian clocks, and one at the end of the calendar is the last
/// there is.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.trim_ascii().split_once('T')?;
    let (time, offset) = rest.split_at_checked(rest.find(['Z', '+', '-']).unwrap_or(rest.len()))?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // The schema's day has an end of its own.
    let ends_day = clock == "24:00:00" && fraction.bytes().all(|b| b == b'0');
    let clock = if ends_day { "00:00:00" } else { clock };
    // The schema's clocks are finer than ours.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let civil: DateTime = format!("{date}T{clock}.{fraction}").parse().ok()?;
    let civil = if ends_day { civil.checked_add(1.day()).unwrap_or(DateTime::MAX) } else { civil };
    if offset.is_empty() {
        return norwegian(civil);
    }
    let time = format!("{civil}{offset}").parse().ok();
    let is_offset = || format!("2026-01-01T00:00:00{offset}").parse::<Timestamp>().is_ok();
    time.or_else(|| (civil.year() == DateTime::MAX.year() && is_offset()).then_some(Timestamp::MAX))
}

/// A time by Norwegian clocks.
fn norwegian(civil: DateTime) -> Option<Timestamp> {
    let zone = TimeZone::get("Europe/Oslo").ok()?;
    let time = civil.to_zoned(zone).ok().map(|zoned| zoned.timestamp());
    // The last hours of the calendar are of days that end elsewhere.
    time.or_else(|| (civil.year() == DateTime::MAX.year()).then_some(Timestamp::MAX))
}

/// The time that an element tells; `None` where it is empty. What cannot be read is no time, and must not be none.
pub(super) fn told(text: &str, read: impl Fn(&str) -> Option<Timestamp>) -> Result<Option<Timestamp>, ReadItemError> {
    if text.trim_ascii().is_empty() { Ok(None) } else { read(text).map(Some).ok_or(ReadItemError::NoTime) }
}

/// Tells whether an element tells a time that we can read, or none.
pub fn is_time(text: &str) -> bool {
    told(text, |text| day_or_moment(text, false)).is_ok()
}

/// Reads an `xs:date` or an `xs:dateTime`; a day alone means its beginning, or its end.
pub(crate) fn day_or_moment(text: &str, its_end: bool) -> Option<Timestamp> {
    if text.contains('T') {
        return moment(text);
    }
    let time = if its_end { Time::constant(23, 59, 59, 0) } else { Time::midnight() };
    norwegian(Day::parse(text)?.exact_date().filter(|date| date.year() > 0)?.to_datetime(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_an_offset_are_norwegian() {
        let shown = |text: &str| moment(text).map(|time| time.to_string());
        assert_eq!(shown("2026-01-31T08:00:00").as_deref(), Some("2026-01-31T07:00:00Z"));
        assert_eq!(shown(" 2026-07-01T08:00:00.5 ").as_deref(), Some("2026-07-01T06:00:00.5Z"));
        assert_eq!(shown("2026-07-01T08:00:00Z").as_deref(), Some("2026-07-01T08:00:00Z"));
        assert_eq!(shown("2026-07-01T08:00:00+05:00").as_deref(), Some("2026-07-01T03:00:00Z"));
        for none in ["", "2026-07-01", "x", "2026-13-01T00:00:00", "12026-01-01T00:00:00Z", "2026-01-01T00:00:00."] {
            assert_eq!(shown(none), None, "{none}");
        }
        for none in ["2026-12-23T24:00:01", "2026-12-23T24:00:00.1", "9999-12-31T23:00:00+x", "2026-01-01T00:00:00.1x"]
        {
            assert_eq!(shown(none), None, "{none}");
        }
    }

    #[test]
    fn every_time_of_the_schema_is_one() {
        let shown = |text: &str| moment(text).map(|time| time.to_string()).unwrap();
        let table = [
            ("2026-12-23T24:00:00", "2026-12-23T23:00:00Z"),
            ("2026-12-31T24:00:00.00Z", "2027-01-01T00:00:00Z"),
            ("2026-02-28T24:00:00+01:00", "2026-02-28T23:00:00Z"),
            ("2026-07-01T08:00:00.12345678901Z", "2026-07-01T08:00:00.123456789Z"),
            ("2026-07-01T08:00:00.0000000000000+14:00", "2026-06-30T18:00:00Z"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
        // The greatest time that some platforms have.
        for text in
            ["9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59Z", "9999-12-31T24:00:00", "9999-12-31T22:00:00-05:00"]
        {
            assert_eq!(moment(text), Some(Timestamp::MAX), "{text}");
        }
        assert_eq!(day_or_moment("9999-12-31", true), Some(Timestamp::MAX));
    }

    #[test]
    fn what_is_no_time_is_not_none() {
        assert!(matches!(told(" ", moment), Ok(None)));
        assert!(matches!(told("2026-07-01T08:00:00Z", moment), Ok(Some(_))));
        assert!(matches!(told("12026-07-01T08:00:00Z", moment), Err(ReadItemError::NoTime)));
        assert!(is_time(" ") && is_time("2026-07-01") && is_time("2026-07-01T08:00:00") && !is_time("12026-07-01"));
    }

    #[test]
    fn a_day_is_its_beginning_or_its_end() {
        let shown = |text: &str, its_end| day_or_moment(text, its_end).map(|time| time.to_string());
        assert_eq!(shown("2026-01-31", false).as_deref(), Some("2026-01-30T23:00:00Z"));
        assert_eq!(shown("2026-01-31", true).as_deref(), Some("2026-01-31T22:59:59Z"));
        assert_eq!(shown("2026-01-31T12:00:00Z", true).as_deref(), Some("2026-01-31T12:00:00Z"));
        for none in ["", "12026-01-31", "-0001-01-31", "2026-02-30"] {
            assert_eq!(shown(none, true), None, "{none}");
        }
    }
}
