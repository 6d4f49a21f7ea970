//! Why a request was not done, as the client is told.

use std::io;

use russh_sftp::protocol::StatusCode;

use crate::ports::AreaError;

/// Why a request was not done; the texts are for the partner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nothing of that name.
    #[error("no such file")]
    NoSuchFile,
    /// Agreed otherwise; trying again does not help.
    #[error("{0}")]
    Denied(&'static str),
    /// Not now, or not like this; the text says what to do.
    #[error("{0}")]
    Refused(String),
    /// We do not have it.
    #[error("{0} is not supported here")]
    Unsupported(&'static str),
    /// The request makes no sense.
    #[error("the request cannot be understood: {0}")]
    BadMessage(&'static str),
}

impl Failure {
    /// The protocol's code for it.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchFile => StatusCode::NoSuchFile,
            Self::Denied(_) => StatusCode::PermissionDenied,
            Self::Refused(_) => StatusCode::Failure,
            Self::Unsupported(_) => StatusCode::OpUnsupported,
            Self::BadMessage(_) => StatusCode::BadMessage,
        }
    }
}

impl From<AreaError> for Failure {
    fn from(error: AreaError) -> Self {
        match error {
            AreaError::NotFound => Self::NoSuchFile,
            AreaError::Ledger(ref cause) => {
                tracing::error!(%cause, "the ledger failed a file request");
                Self::Refused(error.to_string())
            }
            AreaError::Exists
            | AreaError::Claimed
            | AreaError::Superseded
            | AreaError::Incomplete
            | AreaError::QuotaBytes(_)
            | AreaError::QuotaFiles(_) => Self::Refused(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            tracing::error!("the disk of the blob store is full");
            return Self::Refused(DISK_FULL.to_owned());
        }
        tracing::error!(%error, "the blob store failed a file request");
        Self::Refused(STORE_FAILED.to_owned())
    }
}

const DISK_FULL: &str = "the server's disk is full; what has been received is kept and can be resumed later";
const STORE_FAILED: &str = "the server could not store or read this just now; try again later";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_for_people_and_codes_for_clients() {
        let quota = Failure::from(AreaError::QuotaBytes(10_000_000_000));
        assert_eq!((quota.to_string().as_str(), quota.status()), ("quota of 10 GB reached", StatusCode::Failure));
        assert_eq!(Failure::from(AreaError::NotFound).status(), StatusCode::NoSuchFile);
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.to_string(), DISK_FULL);
    }
}
