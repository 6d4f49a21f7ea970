//! Ways in which generated items are wrong, and which items are.

use std::fmt;
use std::str::FromStr;

use super::{Format, Options};

/// A way in which an item is wrong; each is refused for a reason of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mistake {
    /// The reportee's check digit is wrong.
    BadCheckDigit,
    /// An element that must be there is left out.
    MissingElement,
    /// Two elements have changed places.
    WrongOrder,
    /// A date is none of the calendar's.
    BadDate,
    /// The service code is longer than the format allows.
    LongCode,
    /// The service is one no route knows.
    UnknownService,
    /// The item before it has the same reportee and reference.
    RepeatedReference,
    /// ValidTo is the earlier day.
    ReversedValidity,
    /// A value is none of those the format lists, or no number or truth value where it wants one.
    BadValue,
    /// An attachment's bytes are no base64.
    BadBase64,
}

impl Mistake {
    /// Every mistake.
    pub const ALL: [Self; 10] = [
        Self::BadCheckDigit,
        Self::MissingElement,
        Self::WrongOrder,
        Self::BadDate,
        Self::LongCode,
        Self::UnknownService,
        Self::RepeatedReference,
        Self::ReversedValidity,
        Self::BadValue,
        Self::BadBase64,
    ];

    /// Those a FormTask can have.
    pub(super) const OF_FORM_TASKS: [Self; 8] = [
        Self::BadCheckDigit,
        Self::MissingElement,
        Self::WrongOrder,
        Self::BadDate,
        Self::LongCode,
        Self::UnknownService,
        Self::RepeatedReference,
        Self::ReversedValidity,
    ];

    /// Those a Field can have: it shares its reportee with others and has neither service nor reference.
    pub(super) const OF_FIELDS: [Self; 4] =
        [Self::MissingElement, Self::WrongOrder, Self::BadDate, Self::ReversedValidity];

    /// The word used in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadCheckDigit => "bad-check-digit",
            Self::MissingElement => "missing-element",
            Self::WrongOrder => "wrong-order",
            Self::BadDate => "bad-date",
            Self::LongCode => "long-code",
            Self::UnknownService => "unknown-service",
            Self::RepeatedReference => "repeated-reference",
            Self::ReversedValidity => "reversed-validity",
            Self::BadValue => "bad-value",
            Self::BadBase64 => "bad-base64",
        }
    }

    /// Tells whether the format's schema is enough to find it; the others take rules or a route.
    pub fn is_of_schema(self) -> bool {
        match self {
            Self::MissingElement
            | Self::WrongOrder
            | Self::BadDate
            | Self::LongCode
            | Self::BadValue
            | Self::BadBase64 => true,
            Self::BadCheckDigit | Self::UnknownService | Self::RepeatedReference | Self::ReversedValidity => false,
        }
    }
}

/// Which items of a batch are wrong, and how: spread evenly, the mistakes in turn.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    errors: Share,
    choice: &'static [Mistake],
}

impl Turns {
    pub(super) fn of(options: &Options) -> Self {
        Self { errors: options.errors, choice: options.format.mistakes(options.profile) }
    }

    /// What is wrong with the item of a number, from 1.
    pub(super) fn mistake(&self, number: u64) -> Option<Mistake> {
        let before = self.errors.of(number - 1);
        if self.errors.of(number) == before {
            return None;
        }
        let turn = usize::try_from(before % self.choice.len() as u64).unwrap_or_default();
        let mistake = *self.choice.get(turn)?;
        // With so many wrong items that the one before is wrong too, there is no right one to repeat.
        let can_repeat = number > 1 && before == self.errors.of(number - 2);
        if mistake == Mistake::RepeatedReference && !can_repeat { self.choice.last().copied() } else { Some(mistake) }
    }
}

/// The items of a batch that are wrong, by number from 1, and how.
pub fn planted(options: &Options) -> impl Iterator<Item = (u64, Mistake)> {
    let turns = Turns::of(options);
    let items = if options.format == Format::OnlineReceipt { 1 } else { options.items };
    (1..=items).filter_map(move |number| Some((number, turns.mistake(number)?)))
}

/// A share of items, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share(u32);

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a share is 0 or a number of per cent up to 100%, such as 0.1%")]
pub struct BadShare;

impl Share {
    /// A share in millionths, at most a million.
    pub fn of_million(millionths: u32) -> Result<Self, BadShare> {
        if millionths <= 1_000_000 { Ok(Self(millionths)) } else { Err(BadShare) }
    }

    /// How many of the first `count` items are wrong: spread evenly, rounded to the nearest.
    pub(super) fn of(self, count: u64) -> u64 {
        let millionths = u128::from(count) * u128::from(self.0) + 500_000;
        u64::try_from(millionths / 1_000_000).unwrap_or(u64::MAX)
    }
}

impl FromStr for Share {
    type Err = BadShare;

    /// Reads `0.1%`.
    fn from_str(text: &str) -> Result<Self, BadShare> {
        if text == "0" {
            return Ok(Self(0));
        }
        let number = text.strip_suffix('%').ok_or(BadShare)?;
        // By digits, not by floating point: the same text gives the same batch everywhere.
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(BadShare);
        }
        let whole: u32 = whole.parse().map_err(|_| BadShare)?;
        let part: u32 = format!("{part:0<4}").parse().map_err(|_| BadShare)?;
        Self::of_million(whole * 10_000 + part)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}%", self.0 / 10_000, self.0 % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_in_per_cent() {
        let of = |text: &str| text.parse::<Share>().map(|share| share.of(1_000_000));
        assert_eq!(of("0.1%"), Ok(1_000));
        assert_eq!(of("100%"), Ok(1_000_000));
        assert_eq!(of("0"), Ok(0));
        for bad in ["0.1", "101%", "-1%", "%", "1,5%", "0.00001%", "1.%"] {
            assert_eq!(of(bad), Err(BadShare), "{bad}");
        }
    }

    #[test]
    fn wrong_items_are_spread_evenly() {
        let share: Share = "1%".parse().unwrap();
        assert_eq!(share.of(49), 0);
        assert_eq!(share.of(50), 1);
        assert_eq!(share.of(1_000), 10);
    }
}
