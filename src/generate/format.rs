//! The formats that can be written, and which profiles and mistakes each of them can have.

use std::fmt;
use std::str::FromStr;

use super::{Mistake, Profile};
use crate::model::FormatName;

/// A format that batches can be written in: every standard one. A generic format is whatever its schema says, so there is
/// nothing to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `ServiceOwner` with a Prefill part.
    Prefill,
    /// `DataBatch` 2013.06.
    DataBatch,
    /// `Correspondences`.
    Correspondence,
    /// `CorrespondenceConfirmations`, of 2009/10 or 2010/10 by the seed.
    Confirmations,
    /// `CorrespondenceUsageData`.
    UsageData,
    /// `GovOrgan`.
    AltUt,
    /// `AltUtConfirmationBatch`.
    AltUtConfirmations,
    /// A ZIP with a manifest and recipients, which are the items.
    Broker,
    /// `OnlineBatchReceipt`, which is one item.
    OnlineReceipt,
}

/// A word that names no format that can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the formats are {}", Format::ALL.map(Format::as_str).join(", "))]
pub struct UnknownFormat;

impl Format {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Prefill,
        Self::DataBatch,
        Self::Correspondence,
        Self::Confirmations,
        Self::UsageData,
        Self::AltUt,
        Self::AltUtConfirmations,
        Self::Broker,
        Self::OnlineReceipt,
    ];

    /// Its name in configuration.
    pub fn name(self) -> FormatName {
        match self {
            Self::Prefill => FormatName::Prefill,
            Self::DataBatch => FormatName::DataBatch,
            Self::Correspondence => FormatName::Correspondence,
            Self::Confirmations => FormatName::Confirmations,
            Self::UsageData => FormatName::UsageData,
            Self::AltUt => FormatName::AltUt,
            Self::AltUtConfirmations => FormatName::AltUtConfirmations,
            Self::Broker => FormatName::Broker,
            Self::OnlineReceipt => FormatName::OnlineReceipt,
        }
    }

    /// The word used on the command line, the same as in configuration.
    pub fn as_str(self) -> &'static str {
        self.name().as_str()
    }

    /// What items look like when a profile is asked for: the profile, or the nearest that the format has.
    pub fn profile(self, asked: Profile) -> Profile {
        match (self, asked) {
            (Self::Prefill, asked) => asked,
            (Self::DataBatch | Self::Correspondence | Self::AltUt | Self::Broker, Profile::Field) => Profile::Small,
            (Self::DataBatch | Self::Correspondence | Self::AltUt | Self::Broker, asked) => asked,
            (Self::Confirmations | Self::UsageData | Self::AltUtConfirmations | Self::OnlineReceipt, _) => {
                Profile::Small
            }
        }
    }

    /// Which mistakes its items can have, in the order in which a batch makes them.
    pub fn mistakes(self, asked: Profile) -> &'static [Mistake] {
        match self {
            Self::Prefill if asked == Profile::Field => &Mistake::OF_FIELDS,
            Self::Prefill => &Mistake::OF_FORM_TASKS,
            Self::DataBatch => &OF_DATA_BATCH,
            Self::Correspondence if asked == Profile::Attachment => &OF_CORRESPONDENCE,
            Self::Correspondence => OF_CORRESPONDENCE.split_last().map_or(&[], |(_, without)| without),
            Self::Confirmations | Self::AltUtConfirmations => &OF_CONFIRMATIONS,
            Self::UsageData => &OF_USAGE_DATA,
            Self::AltUt if asked == Profile::Attachment => &OF_ALT_UT,
            Self::AltUt => OF_ALT_UT.split_last().map_or(&[], |(_, without)| without),
            Self::Broker => &OF_BROKER,
            Self::OnlineReceipt => &[Mistake::BadValue],
        }
    }

    /// Tells whether the format has a count of its items, which can be wrong.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::DataBatch | Self::Confirmations | Self::AltUtConfirmations)
    }

    /// Tells whether a batch can have a number in a sequence.
    pub fn is_numbered(self) -> bool {
        !matches!(self, Self::UsageData | Self::Broker | Self::OnlineReceipt)
    }

    /// Tells whether a batch gives the number before its own too, which can contradict it.
    pub fn names_the_one_before(self) -> bool {
        self.is_counted()
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(UnknownFormat)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// Where an item cannot be a repeat, the last of its list stands in; the last of these two is left out where there are no
// attachments.
const OF_CORRESPONDENCE: [Mistake; 9] = [
    Mistake::BadCheckDigit,
    Mistake::MissingElement,
    Mistake::WrongOrder,
    Mistake::BadDate,
    Mistake::LongCode,
    Mistake::UnknownService,
    Mistake::RepeatedReference,
    Mistake::BadValue,
    Mistake::BadBase64,
];
const OF_ALT_UT: [Mistake; 6] = [
    Mistake::BadCheckDigit,
    Mistake::MissingElement,
    Mistake::UnknownService,
    Mistake::RepeatedReference,
    Mistake::BadDate,
    Mistake::BadBase64,
];
const OF_DATA_BATCH: [Mistake; 7] = [
    Mistake::BadCheckDigit,
    Mistake::MissingElement,
    Mistake::WrongOrder,
    Mistake::BadDate,
    Mistake::UnknownService,
    Mistake::RepeatedReference,
    Mistake::BadValue,
];
const OF_CONFIRMATIONS: [Mistake; 6] = [
    Mistake::BadCheckDigit,
    Mistake::MissingElement,
    Mistake::WrongOrder,
    Mistake::BadDate,
    Mistake::RepeatedReference,
    Mistake::BadValue,
];
const OF_USAGE_DATA: [Mistake; 4] =
    [Mistake::BadCheckDigit, Mistake::MissingElement, Mistake::WrongOrder, Mistake::BadDate];
const OF_BROKER: [Mistake; 3] = [Mistake::MissingElement, Mistake::RepeatedReference, Mistake::BadCheckDigit];

#[cfg(test)]
mod tests {
    use crate::model::FormatName;

    use super::*;

    #[test]
    fn every_format_of_the_configuration_can_be_written_under_the_same_word() {
        for format in FormatName::ALL.map(FormatName::as_str) {
            assert!(format == "generic" || format.parse::<Format>().is_ok(), "{format}");
        }
        assert_eq!("generic".parse::<Format>(), Err(UnknownFormat));
    }

    #[test]
    fn a_mistake_that_needs_another_item_is_never_the_one_that_stands_in() {
        for format in Format::ALL {
            for profile in Profile::ALL {
                assert_ne!(format.mistakes(profile).last(), Some(&Mistake::RepeatedReference));
                assert_eq!(format.profile(format.profile(profile)), format.profile(profile));
            }
        }
    }
}
