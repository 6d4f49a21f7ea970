//! Sends notices of alarms; one that cannot be sent is tried again for a day.

use std::time::Duration;

use super::Timekeeper;
use crate::forward::after;
use crate::ports::{ChannelError, LedgerError, Notice, NoticeEnd};

impl Timekeeper {
    /// Sends what is to be sent now.
    pub(super) async fn post(&self) {
        let due = match self.ledger.due_notices(self.clock.now(), AT_ONCE).await {
            Ok(due) => due,
            Err(error) => return tracing::warn!(%error, "the ledger does not say which notices are to be sent"),
        };
        // Side by side, so that a mail server that does not answer keeps nothing else back.
        futures::future::join_all(due.iter().map(|notice| self.post_one(notice))).await;
    }

    async fn post_one(&self, notice: &Notice) {
        let end = match self.channels.get(&notice.channel) {
            Some(channel) => {
                if let Err(error) = self.ledger.begin_notice(notice.id).await {
                    return tracing::warn!(%error, channel = notice.channel, "a notice is not sent for now");
                }
                let sent = tokio::time::timeout(channel.longest(), channel.send(notice)).await;
                self.end_of(notice, sent.unwrap_or_else(|_| Err(ChannelError("it took too long".to_owned()))))
            }
            None => {
                tracing::warn!(channel = notice.channel, "a notice has no channel any more");
                NoticeEnd::GivenUp
            }
        };
        let concluded: Result<(), LedgerError> = self.ledger.conclude_notice(notice.id, end).await;
        if let Err(error) = concluded {
            tracing::warn!(%error, channel = notice.channel, "a notice may be sent again");
        }
    }

    fn end_of(&self, notice: &Notice, sent: Result<(), ChannelError>) -> NoticeEnd {
        let Err(error) = sent else { return NoticeEnd::Sent };
        let (channel, attempts) = (notice.channel.as_str(), notice.attempts.saturating_add(1));
        if attempts >= MOST_ATTEMPTS {
            tracing::error!(channel, subject = notice.subject, %error, "a notice is given up");
            return NoticeEnd::GivenUp;
        }
        let wait = (FIRST_WAIT * (1 << notice.attempts.min(10))).min(LONGEST_WAIT);
        tracing::warn!(channel, subject = notice.subject, %error, attempts, "a notice is not sent yet");
        NoticeEnd::Again(after(self.clock.now(), wait))
    }
}

/// Notices sent at once.
const AT_ONCE: u32 = 20;

/// The wait after the first failure; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// After so many attempts, which take a good day, a notice is given up.
const MOST_ATTEMPTS: u32 = 32;
