//! Spans of time: months and seconds, which do not always compare.

use std::cmp::Ordering;

use super::moment::{DAY, days};

/// A span of time (XSD 1.0 part 2, section 3.2.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xsd) struct Duration {
    negative: bool,
    months: i128,
    seconds: i128,
    /// Digits of the fraction, without trailing zeros.
    fraction: String,
}

/// The months from whose beginnings two spans are compared: the recommendation's four moments.
const REFERENCES: [(i128, i128); 4] = [(1696, 9), (1697, 2), (1903, 3), (1903, 7)];
/// No part may be longer: sums and days of it still have their place in an `i128`.
const MOST_DIGITS: usize = 28;

impl Duration {
    /// Reads `-?PnYnMnDTnHnMnS`, with one part at least and one behind a `T`.
    pub(in crate::xsd) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let rest = rest.strip_prefix('P')?;
        let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
        if time.unwrap_or(date).is_empty() {
            return None;
        }
        let mut parts = Parts { rest: date };
        let months = parts.next(b'Y')? * 12 + parts.next(b'M')?;
        let days = parts.next(b'D')?;
        if !parts.rest.is_empty() {
            return None;
        }
        let mut parts = Parts { rest: time.unwrap_or_default() };
        let minutes = (days * 24 + parts.next(b'H')?) * 60 + parts.next(b'M')?;
        let (seconds, fraction) = parts.last()?;
        let fraction = fraction.trim_end_matches('0').to_owned();
        let seconds = minutes * 60 + seconds;
        // There is one zero.
        let negative = negative && (months != 0 || seconds != 0 || !fraction.is_empty());
        Some(Self { negative, months, seconds, fraction })
    }

    /// How two spans compare: as they do from each of four moments, if they agree.
    pub(in crate::xsd) fn order(&self, other: &Self) -> Option<Ordering> {
        let mut orders = REFERENCES.iter().map(|reference| self.order_from(other, *reference));
        let first = orders.next()?;
        orders.all(|order| order == first).then_some(first)
    }

    fn order_from(&self, other: &Self, reference: (i128, i128)) -> Ordering {
        let (one, two) = (self.seconds_from(reference), other.seconds_from(reference));
        // The fraction has the sign of the span, so the whole seconds cannot speak for it across the signs.
        match (self.negative, other.negative) {
            (false, false) => (one, &self.fraction).cmp(&(two, &other.fraction)),
            (true, true) => (-two, &other.fraction).cmp(&(-one, &self.fraction)),
            (true, false) => one.cmp(&two).then(match self.fraction.is_empty() && other.fraction.is_empty() {
                true => Ordering::Equal,
                false => Ordering::Less,
            }),
            (false, true) => other.order_from(self, reference).reverse(),
        }
    }

    /// Whole seconds from the beginning of a month.
    fn seconds_from(&self, (year, month): (i128, i128)) -> i128 {
        let sign = if self.negative { -1 } else { 1 };
        let months = year * 12 + month - 1 + sign * self.months;
        let end = days(months.div_euclid(12), months.rem_euclid(12) + 1, 1);
        (end - days(year, month, 1)) * DAY + sign * self.seconds
    }

    /// A text that is equal for equal spans only.
    pub(super) fn canonical(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{} {}.{}", self.months, self.seconds, self.fraction)
    }
}

struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Parts<'a> {
    /// The number before a letter, 0 if there is none such; `None` if it is too long to count with.
    fn next(&mut self, letter: u8) -> Option<i128> {
        let Some((digits, rest)) = self.digits() else { return Some(0) };
        let Some(rest) = rest.strip_prefix(char::from(letter)) else { return Some(0) };
        self.rest = rest;
        number(digits)
    }

    /// Seconds and their fraction, and the end.
    fn last(mut self) -> Option<(i128, &'a str)> {
        if self.rest.is_empty() {
            return Some((0, ""));
        }
        let (whole, rest) = self.digits()?;
        let mut fraction = "";
        self.rest = rest;
        if let Some(rest) = rest.strip_prefix('.') {
            self.rest = rest;
            (fraction, self.rest) = self.digits()?;
        }
        (self.rest == "S").then_some(())?;
        Some((number(whole)?, fraction))
    }

    fn digits(&self) -> Option<(&'a str, &'a str)> {
        let len = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        self.rest.split_at_checked(len).filter(|_| len > 0)
    }
}

fn number(digits: &str) -> Option<i128> {
    let digits = digits.trim_start_matches('0');
    let fits = digits.len() <= MOST_DIGITS;
    fits.then(|| digits.bytes().fold(0, |number, digit| number * 10 + i128::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_texts_are_read() {
        for text in
            ["P1Y", "-P1Y2M3DT4H5M6.7S", "PT1M", "P0D", "PT0.50S", "P1M", "P1YT1S", "P00000000000000000000000000001Y"]
        {
            assert!(Duration::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "P",
            "-P",
            "PT",
            "P1",
            "P1S",
            "P1YT",
            "PT1.5H",
            "P1D2M",
            "1Y",
            "P-1Y",
            "P1.5Y",
            "PT.5S",
            "PT1.S",
            "PT1S2",
            "+P1Y",
            "P1Y ",
            "PT1SS",
            "P1M1Y",
            "p1y",
            "PT1D",
            "P1H",
            "P10000000000000000000000000000Y",
        ] {
            assert!(Duration::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn spans_compare_as_far_as_they_can() {
        let order = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| Duration::parse(text).unwrap());
            assert_eq!(other.order(&one).map(Ordering::reverse), one.order(&other));
            one.order(&other)
        };
        for (one, other, expected) in [
            ("P1Y", "P12M", Some(Ordering::Equal)),
            ("PT24H", "P1D", Some(Ordering::Equal)),
            ("PT1.50S", "PT1.5S", Some(Ordering::Equal)),
            ("-PT0S", "P0Y", Some(Ordering::Equal)),
            ("P1Y", "P364D", Some(Ordering::Greater)),
            ("P1Y", "P365D", None),
            ("P1Y", "P366D", None),
            ("P1Y", "P367D", Some(Ordering::Less)),
            ("P1M", "P27D", Some(Ordering::Greater)),
            ("P1M", "P28D", None),
            ("P1M", "P31D", None),
            ("P1M", "P32D", Some(Ordering::Less)),
            ("P5M", "P149D", Some(Ordering::Greater)),
            ("P5M", "P150D", None),
            ("P5M", "P153D", None),
            ("P5M", "P154D", Some(Ordering::Less)),
            ("-P1M", "-P27D", Some(Ordering::Less)),
            ("-PT0.5S", "PT0S", Some(Ordering::Less)),
            ("-PT0.5S", "-PT0.25S", Some(Ordering::Less)),
            ("-PT1S", "-PT0.9S", Some(Ordering::Less)),
            ("-PT0.1S", "PT0.1S", Some(Ordering::Less)),
        ] {
            assert_eq!(order(one, other), expected, "{one} {other}");
        }
    }
}
