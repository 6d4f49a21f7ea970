//! What failures mean: when to try again, and when to tell people.

use std::time::Duration;

use jiff::Timestamp;

use super::{Taker, Trouble};
use crate::model::Alarm;
use crate::pipeline::alarm::set_alarm;
use crate::ports::{LedgerError, StoreError};

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

/// How long to wait after so many failures, one after the other.
pub(super) fn backoff(failures: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_WAIT)
}

/// It keeps failing.
const FAILING: &str = "failing";

/// Somebody else may answer in its place.
const HOST_KEY: &str = "host-key";

const FIRST_WAIT: Duration = Duration::from_secs(2);

const LONGEST_WAIT: Duration = Duration::from_secs(900);
