//! One round of a source's task: what is due, and when the next look is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::look::Looked;
use super::trouble::{backoff, guarded};
use super::{Taker, Trouble};
use crate::forward::after;
use crate::ports::{LONGEST_DELAY, LookEnd, SourceStand};
use crate::schedule::Rule;

/// What a task knows of its rounds beside the ledger.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    /// Something rang since the last look began.
    is_rung: bool,
    /// The last look's end, and how long it took: a large directory is not listed all the time.
    last: Option<(Instant, Duration)>,
}

impl Rhythm {
    pub(super) fn ring(&mut self) {
        self.is_rung = true;
    }

    /// Whether what rang is a reason to look now.
    fn is_soon(&self) -> bool {
        self.is_rung && self.last.is_none_or(|(end, took)| end.elapsed() >= rest(took))
    }
}

impl Taker {
    /// Does what is due. What goes wrong is in the ledger, or comes again with the next round.
    pub(super) async fn round(&self, rhythm: &mut Rhythm) {
        if let Err(error) = guarded(self.try_round(rhythm)).await {
            tracing::warn!(source = self.name(), %error, "a source is not looked after for now");
            tokio::time::sleep(LEDGER_REST).await;
        }
    }

    async fn try_round(&self, rhythm: &mut Rhythm) -> Result<(), Trouble> {
        let now = self.house.clock.now();
        let stand = self.ledger().source(self.name()).await?;
        let is_open = self.source.times.windows.as_ref().is_none_or(|windows| windows.contains(now));
        let is_soon = rhythm.is_soon() && stand.failures == 0 && is_open;
        let is_due = is_open && self.is_due(&stand, now);
        let looks = stand.asked > stand.answered || is_soon || is_due;
        let has_work = stand.due_at.is_some_and(|due| is_due_by(due, now)) && !is_failing(&stand, now);
        if !(looks || has_work) {
            return Ok(());
        }
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        if !self.ledger().lease_source(self.name(), self.house.worker, now, until).await? {
            return Ok(());
        }
        let worked = if has_work { guarded(self.work(stand.look)).await } else { Ok(None) };
        let looked = match worked {
            Err(trouble) if trouble.is_of_all() || !looks => Err(trouble),
            Ok(again) if !looks => return self.look_within(again).await,
            // What waits was told of and waits on; it keeps nothing else from being seen and taken.
            Ok(_) | Err(_) => guarded(self.look(rhythm)).await,
        };
        if let Err(trouble @ Trouble::Ledger(_)) = looked {
            return Err(trouble);
        }
        self.end(&stand, looked).await
    }

    /// What is left to do with files that are ours; returns when one that was put back may be ready.
    async fn work(&self, look: u64) -> Result<Option<Duration>, Trouble> {
        let gone_on = self.go_on(look).await;
        if gone_on.as_ref().is_err_and(Trouble::is_of_all) {
            return gone_on;
        }
        self.answer().await?;
        let again = gone_on?;
        if self.ledger().source(self.name()).await?.due_at.is_none() {
            self.tell_of_rest(None).await?;
        }
        Ok(again)
    }

    async fn look_within(&self, again: Option<Duration>) -> Result<(), Trouble> {
        let Some(again) = again else { return Ok(()) };
        Ok(self.ledger().look_by(self.name(), after(self.house.clock.now(), again)).await?)
    }

    async fn look(&self, rhythm: &mut Rhythm) -> Result<Looked, Trouble> {
        rhythm.is_rung = false;
        let begun = Instant::now();
        let look = self.ledger().begin_look(self.name(), self.house.clock.now()).await?;
        let looked = self.look_and_take(look).await;
        let took = begun.elapsed();
        rhythm.last = Some((Instant::now(), took));
        let mut looked = looked?;
        looked.again = looked.again.map(|again| again.max(rest(took)));
        Ok(looked)
    }

    /// Records how it went, and tells people where they should know.
    async fn end(&self, stand: &SourceStand, looked: Result<Looked, Trouble>) -> Result<(), Trouble> {
        let now = self.house.clock.now();
        let failures = if looked.is_ok() { 0 } else { stand.failures.saturating_add(1) };
        self.tell(looked.as_ref().err(), failures).await?;
        let note = match &looked {
            Ok(looked) => looked.to_string(),
            Err(trouble) => trouble.to_string(),
        };
        let next_at = match &looked {
            // What waits for its time is in the ledger, and so is that time: a restart does not forget it.
            Ok(looked) => {
                self.source.times.next(now).into_iter().chain(looked.again.map(|again| after(now, again))).min()
            }
            Err(_) => self.retry(now, failures),
        };
        let end = LookEnd { now, next_at, failures, note, answered: stand.asked };
        Ok(self.ledger().end_look(self.name(), &end).await?)
    }

    /// Tells whether the next look is due. A restart does not move it, and a clock that was far ahead does not hold it up.
    fn is_due(&self, stand: &SourceStand, now: Timestamp) -> bool {
        let times = &self.source.times;
        let Some(next) = stand.next_at else {
            // A new source is looked at at once, unless it has times of its own.
            let first = || times.next(self.house.started);
            return matches!(times.rule, Rule::Every(_)) || first().is_some_and(|first| first <= now);
        };
        // One that ended at a time that is yet to come chose the next by that clock, too.
        next <= now || stand.looked_at.is_some_and(|looked_at| looked_at > now)
    }

    /// When it is looked at again after so many failures, one after the other: in its windows, as ever.
    fn retry(&self, now: Timestamp, failures: u32) -> Option<Timestamp> {
        let at = after(now, backoff(failures));
        self.source.times.windows.as_ref().map_or(Some(at), |windows| windows.next_open(at))
    }
}

/// How long there is no other look after one that took so long, but for regular ones.
fn rest(took: Duration) -> Duration {
    took.saturating_mul(2).max(SHORTEST_REST)
}

/// Tells whether it is time for what was put off, perhaps by a clock that was far ahead.
fn is_due_by(due: Timestamp, now: Timestamp) -> bool {
    due <= now || due.duration_since(now) > LONGEST_DELAY
}

/// While looks fail, nothing else is tried there either; windows hold up looks alone.
fn is_failing(stand: &SourceStand, now: Timestamp) -> bool {
    let waits_since = |at: Timestamp| at <= now && now.duration_since(at).unsigned_abs() < backoff(stand.failures);
    stand.failures > 0 && stand.looked_at.is_some_and(waits_since)
}

/// How long a source is ours without a word of us.
const LEASE: SignedDuration = SignedDuration::from_mins(10);

/// When the ledger does not answer, it is not asked all the time.
const LEDGER_REST: Duration = Duration::from_secs(1);

/// Looks that are not regular are no closer than this.
const SHORTEST_REST: Duration = Duration::from_millis(100);
