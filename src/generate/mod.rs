//! Writes batches of synthetic identities, byte for byte the same for the same options.
//!
//! It never holds more than one item, and nothing in a batch belongs to anybody: persons and organisations are of the
//! registers' synthetic series. A share of the items can be wrong, in ways that are counted.

mod content;
mod identity;
mod mistake;
mod prefill;
mod random;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::model::FormatName;

pub use mistake::{BadShare, Mistake, Share};

/// Services that generated items are for: code, edition, DataFormatId, DataFormatVersion.
pub const SERVICES: [(&str, &str, &str, &str); 2] = [("5001", "1", "1243", "10656"), ("5002", "2", "2087", "11554")];

/// ServiceOwnerName of generated batches: the test department's.
pub const SENDER_NAME: &str = "TTD";

/// What to write.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which format.
    pub format: FormatName,
    /// How many items.
    pub items: u64,
    /// Of which kind.
    pub profile: Profile,
    /// How many of them are wrong.
    pub errors: Share,
    /// Where chance begins.
    pub seed: u64,
    /// ExternalShipmentReference; `None` makes one of the other options.
    pub reference: Option<String>,
}

impl Options {
    /// A prefill batch without mistakes.
    pub fn new(items: u64, profile: Profile, seed: u64) -> Self {
        Self { format: FormatName::Prefill, items, profile, errors: Share::default(), seed, reference: None }
    }
}

/// What items look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A form of 400 bytes in CDATA, about 1,000 bytes per reportee.
    Small,
    /// A form of 8 kB in CDATA.
    Medium,
    /// A small form and an attachment of 100 kB to 1 MB.
    Attachment,
    /// Twenty Field items per reportee.
    Field,
    /// As medium, with the form's markup as references.
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
    /// ExternalShipmentReference.
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
        FormatName::Prefill => prefill::write(options, out),
        FormatName::DataBatch
        | FormatName::Correspondence
        | FormatName::Confirmations
        | FormatName::UsageData
        | FormatName::AltUt
        | FormatName::AltUtConfirmations
        | FormatName::OnlineReceipt => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "batches of this format cannot be generated"))
        }
    }
}

#[cfg(test)]
mod tests;
