//! Why there is no session, or no more: told to everyone who waits for it.

use std::time::Duration;

use crate::ports::StoreError;

/// A reason that ends a connection, or keeps it from being.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setback {
    /// A key that is not pinned.
    HostKey(String),
    /// The login is not accepted.
    Login,
    /// No answer.
    Silent(Duration),
    /// An answer that cannot be.
    Nonsense(&'static str),
    /// The line.
    Line(String),
}

impl From<Setback> for StoreError {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::HostKey(fingerprint) => Self::HostKey { fingerprint },
            Setback::Login => Self::Login,
            Setback::Silent(wait) => Self::Silent(wait),
            Setback::Nonsense(what) => Self::Nonsense(what),
            Setback::Line(text) => Self::Unreachable(text),
        }
    }
}

impl From<russh::Error> for Setback {
    fn from(error: russh::Error) -> Self {
        Self::Line(error.to_string())
    }
}

/// Waits for a step, but not for ever.
pub(super) async fn within<T, E: Into<Setback>>(
    longest: Duration,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, Setback> {
    match tokio::time::timeout(longest, step).await {
        Ok(done) => done.map_err(Into::into),
        Err(_elapsed) => Err(Setback::Silent(longest)),
    }
}
