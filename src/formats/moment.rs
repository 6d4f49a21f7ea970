//! Points in time as XML Schema writes them.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::Day;

/// Reads an `xs:dateTime`; one without an offset is meant by Norwegian clocks.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim_ascii();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // A civil time alone: `parse` would pass an offset by.
    let has_offset = text.get(10..).is_some_and(|time| time.contains(['Z', '+', '-']));
    let civil: DateTime = if has_offset || !text.contains('T') { None } else { text.parse().ok() }?;
    Some(civil.to_zoned(TimeZone::get("Europe/Oslo").ok()?).ok()?.timestamp())
}

/// Reads an `xs:date` or an `xs:dateTime`; a day alone means its beginning, or its end.
pub(crate) fn day_or_moment(text: &str, its_end: bool) -> Option<Timestamp> {
    if text.contains('T') {
        return moment(text);
    }
    let time = if its_end { Time::constant(23, 59, 59, 0) } else { Time::midnight() };
    let civil = Day::parse(text)?.date()?.to_datetime(time);
    Some(civil.to_zoned(TimeZone::get("Europe/Oslo").ok()?).ok()?.timestamp())
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
        for none in ["", "2026-07-01", "x", "2026-13-01T00:00:00"] {
            assert_eq!(shown(none), None, "{none}");
        }
    }

    #[test]
    fn a_day_is_its_beginning_or_its_end() {
        let shown = |text: &str, its_end| day_or_moment(text, its_end).map(|time| time.to_string());
        assert_eq!(shown("2026-01-31", false).as_deref(), Some("2026-01-30T23:00:00Z"));
        assert_eq!(shown("2026-01-31", true).as_deref(), Some("2026-01-31T22:59:59Z"));
        assert_eq!(shown("2026-01-31T12:00:00Z", true).as_deref(), Some("2026-01-31T12:00:00Z"));
        assert_eq!(shown("", true), None);
    }
}
