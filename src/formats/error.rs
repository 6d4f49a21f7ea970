//! Why an item of a judged batch could not be read again.

use std::io;

use crate::codes;
use crate::model::Code;

/// An item could not be read out of the staged file.
#[derive(Debug, thiserror::Error)]
pub enum ReadItemError {
    /// The staged file could not be read; the same call may succeed later.
    #[error("the staged file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The bytes are not those that were judged.
    #[error("the staged file does not hold what was judged: {0}")]
    Changed(&'static str),
    /// The item has more of something than one item may, which judging should have refused.
    #[error("the item has more {0} than can be handled")]
    TooMuch(&'static str),
    /// It has a time that the schema takes and no calendar here.
    #[error("the item has a time that cannot be read")]
    NoTime,
}

/// What is no trouble of reading keeps its kind: the same bytes will fail again.
impl From<ReadItemError> for io::Error {
    fn from(error: ReadItemError) -> Self {
        match error {
            ReadItemError::Unreadable(error) => error,
            ReadItemError::Changed(_) | ReadItemError::TooMuch(_) | ReadItemError::NoTime => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
}

impl ReadItemError {
    /// Tells whether the trouble is ours, and not in what the sender wrote.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::Changed(_) => true,
            Self::TooMuch(_) | Self::NoTime => false,
        }
    }

    /// The code for the receipt when the item is given up because of it.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable(_) | Self::Changed(_) => codes::STAGED_UNREADABLE,
            Self::TooMuch(_) => codes::ITEM_TOO_LARGE,
            Self::NoTime => codes::MESSAGE_TIME,
        }
    }
}
