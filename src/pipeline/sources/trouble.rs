//! What failures mean: how far they reach, when to try again, and when to tell people.

use std::io;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;

use super::{Taker, Trouble};
use crate::model::Alarm;
use crate::pipeline::alarm::set_alarm;
use crate::pipeline::setback::survived;
use crate::ports::{LONGEST_DELAY, LedgerError, StoreError};

impl Taker {
    /// Raises an alarm when looks keep failing, and clears it when one ends well. Another host key is told at once.
    pub(super) async fn tell(&self, trouble: Option<&Trouble>, failures: u32) -> Result<(), LedgerError> {
        let is_key = matches!(trouble, Some(Trouble::Store(StoreError::HostKey { .. })));
        let level = if is_key { HOST_KEY } else { FAILING };
        if trouble.is_some() && !is_key && failures < self.source.alarm_after {
            tracing::warn!(
                source = self.name(),
                failures,
                trouble = trouble.map(tracing::field::display),
                "a look failed"
            );
            return Ok(());
        }
        let alarm = trouble.map(|trouble| self.alarm(level, format!("source {} fails: {trouble}", self.name())));
        self.set_alarm("", alarm.as_ref()).await
    }

    /// The same of what is left to do with files that are ours, and of their receipts.
    pub(super) async fn tell_of_rest(&self, trouble: Option<(&Trouble, u32)>) -> Result<(), LedgerError> {
        let alarm = match trouble {
            Some((_, attempts)) if attempts < self.source.alarm_after => return Ok(()),
            Some((trouble, _)) => {
                let text = format!("source {}: files that were taken, or their receipts, wait: {trouble}", self.name());
                Some(self.alarm(FAILING, text))
            }
            None => None,
        };
        self.set_alarm("/rest", alarm.as_ref()).await
    }

    fn alarm(&self, level: &str, text: String) -> Alarm {
        Alarm { level: level.to_owned(), due: Timestamp::UNIX_EPOCH, text }
    }

    async fn set_alarm(&self, of: &str, alarm: Option<&Alarm>) -> Result<(), LedgerError> {
        let subject = format!("source/{}{of}", self.name());
        let now = self.house.clock.now();
        set_alarm(self.alarms.as_ref(), (&subject, alarm), &self.source.channels, now).await
    }
}

/// How far trouble with one file reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// That file, or what there is no room for.
    File,
    /// The line is gone, and nobody knows whether that file is to blame.
    Line,
    /// All of the store.
    Store,
}

impl Reach {
    /// Tells it from what went wrong.
    pub(super) fn of(error: &StoreError) -> Self {
        match error {
            StoreError::NotFound
            | StoreError::Exists
            | StoreError::Denied
            | StoreError::Full
            | StoreError::Nonsense(_)
            | StoreError::Failed(_)
            | StoreError::Unreadable(_) => Self::File,
            StoreError::Silent(_) | StoreError::Unreachable(_) => Self::Line,
            StoreError::HostKey { .. } | StoreError::Login => Self::Store,
        }
    }
}

impl Trouble {
    /// How far it reaches, where it is the store's.
    pub(super) fn reach(&self) -> Option<Reach> {
        match self {
            Self::Store(error) => Some(Reach::of(error)),
            Self::Ledger(_) | Self::Broke(_) | Self::Disk(_) | Self::Lost(_) | Self::Panicked => None,
        }
    }

    /// Tells trouble in which nothing else need be tried. Where the line broke, only a listing tells whether the store is
    /// there at all.
    pub(super) fn is_of_all(&self) -> bool {
        matches!(self, Self::Ledger(_)) || self.reach() == Some(Reach::Store)
    }
}

/// Whether the line broke at the last file. That file may be to blame, so that the next is tried; twice in a row it is the
/// store.
#[derive(Debug, Default)]
pub(super) struct Strike(bool);

impl Strike {
    /// Lets the trouble with a file pass, which has been told already, unless the line broke at the one before, too.
    pub(super) fn pass<T: Default>(&mut self, done: Result<T, Trouble>) -> Result<T, Trouble> {
        let is_line = done.as_ref().err().and_then(Trouble::reach) == Some(Reach::Line);
        let is_second = std::mem::replace(&mut self.0, is_line);
        if is_line && !is_second { Ok(T::default()) } else { done }
    }
}

/// What broke off while bytes came: what the store says of it, else what it looks like.
pub(super) fn broken(error: io::Error) -> StoreError {
    let error = match error.downcast::<StoreError>() {
        Ok(told) => return told,
        Err(error) => error,
    };
    let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
    if is(&[io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof]) {
        StoreError::Nonsense("other bytes than it told of")
    } else if is(&[io::ErrorKind::NotFound]) {
        StoreError::NotFound
    } else if is(&[io::ErrorKind::PermissionDenied]) {
        StoreError::Denied
    } else {
        StoreError::Unreachable(error.to_string())
    }
}

/// A panic is trouble as well, which is told of and tried again: strangers say what a source holds.
pub(super) fn guarded<T>(work: impl Future<Output = Result<T, Trouble>>) -> impl Future<Output = Result<T, Trouble>> {
    survived(work).map(|done| done.unwrap_or(Err(Trouble::Panicked)))
}

/// How long to wait after so many failures, one after the other.
pub(super) fn backoff(failures: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_DELAY.unsigned_abs())
}

/// It keeps failing.
const FAILING: &str = "failing";

/// Somebody else may answer in its place.
const HOST_KEY: &str = "host-key";

const FIRST_WAIT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Result<bool, Trouble> {
        Err(StoreError::Silent(FIRST_WAIT).into())
    }

    #[test]
    fn the_line_may_break_at_one_file_and_not_at_two_in_a_row() {
        let mut strike = Strike::default();
        assert!(matches!(strike.pass(line()), Ok(false)));
        assert!(matches!(strike.pass(Ok(true)), Ok(true)));
        assert!(matches!(strike.pass(line()), Ok(false)));
        assert!(matches!(strike.pass(line()), Err(Trouble::Store(StoreError::Silent(_)))));
        let other: Result<bool, Trouble> = Err(StoreError::Login.into());
        assert!(matches!(Strike::default().pass(other), Err(Trouble::Store(StoreError::Login))));
    }

    #[test]
    fn what_a_store_says_of_bytes_that_break_off_is_not_lost() {
        let told = broken(io::Error::other(StoreError::Failed(4)));
        assert!(matches!(told, StoreError::Failed(4)) && Reach::of(&told) == Reach::File);
        assert!(matches!(broken(io::ErrorKind::UnexpectedEof.into()), StoreError::Nonsense(_)));
        assert_eq!(Reach::of(&broken(io::ErrorKind::ConnectionReset.into())), Reach::Line);
    }
}
