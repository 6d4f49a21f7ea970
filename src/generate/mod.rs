//! Writes batches of synthetic identities, byte for byte the same for the same options.
//!
//! It never holds more than one item, and nothing in a batch belongs to anybody: persons and organisations are of the
//! registers' synthetic series. A share of the items can be wrong, in ways that are counted.

mod altut;
mod altut_confirmations;
mod batch;
mod broker;
mod confirmations;
mod content;
mod correspondence;
mod databatch;
mod format;
mod identity;
mod mistake;
mod online_receipt;
mod prefill;
mod random;
mod sheet;
mod usagedata;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub use format::{Format, UnknownFormat};
pub use mistake::{BadShare, Mistake, Share, planted};

/// Services that generated items are for: code, edition, DataFormatId, DataFormatVersion.
pub const SERVICES: [(&str, &str, &str, &str); 2] = [("5001", "1", "1243", "10656"), ("5002", "2", "2087", "11554")];

/// Who sends generated batches, or receives them: the test department.
pub const SENDER_NAME: &str = "TTD";

/// What to write.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which format.
    pub format: Format,
    /// How many items.
    pub items: u64,
    /// Of which kind.
    pub profile: Profile,
    /// How many of them are wrong.
    pub errors: Share,
    /// Where chance begins.
    pub seed: u64,
    /// The batch's own reference, or, where the format has none, what its items' references begin with; `None` makes one
    /// of the other options.
    pub reference: Option<String>,
    /// Its number in the sequence of batches. `None` leaves it out where the format lets it, and is 1 elsewhere.
    pub sequence: Option<u64>,
    /// Whether the control count is one too many, where the format has one.
    pub wrong_count: bool,
    /// Whether the batch's number does not follow the one it names before it, where the format names one.
    pub wrong_sequence: bool,
}

impl Options {
    /// A prefill batch without mistakes.
    pub fn new(items: u64, profile: Profile, seed: u64) -> Self {
        Self::of(Format::Prefill, items, profile, seed)
    }

    /// A batch of a format without mistakes.
    pub fn of(format: Format, items: u64, profile: Profile, seed: u64) -> Self {
        let (errors, reference, sequence) = (Share::default(), None, None);
        Self { format, items, profile, errors, seed, reference, sequence, wrong_count: false, wrong_sequence: false }
    }
}

/// What items look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A form or text of 400 bytes in CDATA; of prefill about 1,000 bytes per reportee.
    Small,
    /// A form or text of 8 kB in CDATA.
    Medium,
    /// As small, and an attachment of 100 kB to 1 MB.
    Attachment,
    /// Twenty Field items per reportee; prefill alone has them.
    Field,
    /// As medium, with markup as references.
    Escaped,
}

/// A word that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the profiles are small, medium, attachment, field and escaped")]
pub struct UnknownProfile;

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] = [Self::Small, Self::Medium, Self::Attachment, Self::Field, Self::Escaped];

    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Attachment => "attachment",
            Self::Field => "field",
            Self::Escaped => "escaped",
        }
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or(UnknownProfile)
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The batch's own reference, or what its items' references begin with.
    pub reference: String,
    /// Items in all.
    pub items: u64,
    /// Items with a mistake; a route that knows [`SERVICES`] refuses exactly these.
    pub wrong: u64,
    /// Items by mistake, in order, those that occur.
    pub mistakes: Vec<(Mistake, u64)>,
    /// Bytes in all.
    pub bytes: u64,
}

impl Summary {
    fn count(&mut self, mistake: Mistake) {
        self.wrong += 1;
        match self.mistakes.iter_mut().find(|(known, _)| *known == mistake) {
            Some((_, count)) => *count += 1,
            None => self.mistakes.push((mistake, 1)),
        }
        self.mistakes.sort_unstable();
    }
}

impl fmt::Display for Summary {
    /// One fact per line: a word, a blank, a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "reference {}", self.reference)?;
        writeln!(f, "bytes {}", self.bytes)?;
        writeln!(f, "items {}", self.items)?;
        writeln!(f, "wrong {}", self.wrong)?;
        self.mistakes.iter().try_for_each(|(mistake, count)| writeln!(f, "{} {count}", mistake.as_str()))
    }
}

/// Writes a batch.
pub fn write(options: &Options, out: &mut dyn Write) -> io::Result<Summary> {
    match options.format {
        Format::Prefill => prefill::write(options, out),
        Format::DataBatch => databatch::write(options, out),
        Format::Correspondence => correspondence::write(options, out),
        Format::Confirmations => confirmations::write(options, out),
        Format::UsageData => usagedata::write(options, out),
        Format::AltUt => altut::write(options, out),
        Format::AltUtConfirmations => altut_confirmations::write(options, out),
        Format::Broker => broker::write(options, out),
        Format::OnlineReceipt => online_receipt::write(options, out),
    }
}

#[cfg(test)]
mod tests;
