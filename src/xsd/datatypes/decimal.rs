//! Decimal numbers of any length.

use std::cmp::Ordering;

/// A decimal number, without the zeros that do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xsd) struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    /// Reads `[+-]digits[.digits]`, with digits on one side of the point at least.
    pub(in crate::xsd) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        // There is one zero.
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// Digits of the value, as `totalDigits` counts them.
    pub(in crate::xsd) fn total_digits(&self) -> usize {
        let digits = match self.whole.is_empty() {
            true => self.fraction.trim_start_matches('0').len(),
            false => self.whole.len() + self.fraction.len(),
        };
        digits.max(self.fraction.len())
    }

    /// Digits behind the point.
    pub(in crate::xsd) fn fraction_digits(&self) -> usize {
        self.fraction.len()
    }

    /// Digits before the point; those of a negative number say nothing here.
    pub(super) fn whole_digits(&self) -> u64 {
        if self.negative { 0 } else { self.whole.len() as u64 }
    }

    /// Tells whether it is zero.
    pub(super) fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The whole part, or the nearest that an `i64` holds.
    pub(super) fn to_i64(&self) -> i64 {
        let end = if self.negative { i64::MIN } else { i64::MAX };
        let digits = if self.whole.is_empty() { "0" } else { &self.whole };
        digits.parse::<i64>().map_or(end, |number| if self.negative { -number } else { number })
    }

    /// A text that is equal for equal numbers only.
    pub(super) fn canonical(&self) -> String {
        format!("{}{}.{}", if self.negative { "-" } else { "" }, self.whole, self.fraction)
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let whole = (self.whole.len(), &self.whole).cmp(&(other.whole.len(), &other.whole));
        whole.then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let order =
            ["-10", "-9.5", "-9.49", "-0", "0.001", "00.01", ".1", "1", "1.000001", "9", "10", "100000000000000000000"];
        for pair in order.windows(2) {
            let [one, other] = [pair[0], pair[1]].map(|text| Decimal::parse(text).unwrap());
            assert!(one < other, "{pair:?}");
        }
        assert_eq!(Decimal::parse("+01.50"), Decimal::parse("1.5"));
        assert_eq!(Decimal::parse("-0"), Decimal::parse("0."));
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", ".", "+", "-.", "1e5", "1,0", "0x1", "--1", " 1", "1.2.3", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn digits_are_those_of_the_value() {
        for (text, total, fraction) in [("0", 0, 0), ("0012.3400", 4, 2), ("0.005", 3, 3), ("100", 3, 0)] {
            let number = Decimal::parse(text).unwrap();
            assert_eq!((number.total_digits(), number.fraction_digits()), (total, fraction), "{text}");
        }
    }
}
