//! Runs of schedules, from the moment they are due to their end in the ledger.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Schedule, Slot, Timekeeper};
use crate::kill_point::kill_point;
use crate::model::Alarm;
use crate::ports::{Cause, LedgerError, NewRun, Occasion, RunEnd};

/// Runs schedules.
#[derive(Clone)]
pub(super) struct Runner {
    pub(super) keeper: Timekeeper,
    pub(super) stop: CancellationToken,
}

impl Runner {
    /// Does again what the process before was cut off in.
    pub(super) async fn take_up(&self, slots: &[Slot], tasks: &TaskTracker) -> Result<(), LedgerError> {
        let now = self.keeper.clock.now();
        let mut taken = Vec::new();
        for run in self.keeper.ledger.open_runs().await? {
            let slot = slots.iter().find(|slot| slot.schedule.name == run.schedule);
            let is_fresh = now.duration_since(run.began_at) < LONGEST_CUT_OFF;
            if let Some(slot) = slot.filter(|_| is_fresh && !taken.contains(&(run.schedule.clone(), run.due)))
                && let Ok(place) = Arc::clone(&slot.place).try_acquire_owned()
            {
                taken.push((run.schedule.clone(), run.due));
                self.start(slot, place, vec![(run.due, Cause::Again)], tasks);
            }
            self.keeper.ledger.end_run(run.id, RunEnd::CutOff, "the process ended", now).await?;
        }
        Ok(())
    }

    /// Starts what is due of a schedule, unless it is at work.
    pub(super) async fn start_due(&self, slot: &mut Slot, tasks: &TaskTracker) -> Result<(), LedgerError> {
        let now = self.keeper.clock.now();
        if slot.known.is_some_and(|(settled, next)| now < next && !is_far_ahead(settled, now)) {
            return Ok(());
        }
        let Ok(place) = Arc::clone(&slot.place).try_acquire_owned() else { return Ok(()) };
        let Schedule { name, times, misfire, .. } = slot.schedule.as_ref();
        let settled = self.settled(name, now).await?;
        let Some(due) = misfire.due(times, settled, now, GRACE) else {
            slot.known = Some((settled, times.next(settled).unwrap_or(Timestamp::MAX)));
            return Ok(());
        };
        slot.known = None;
        if due.is_passed_over {
            tracing::warn!(schedule = name, until = %due.until, "runs were missed");
        }
        if due.runs.is_empty() {
            return self.keeper.ledger.settle(name, due.until).await;
        }
        self.start(slot, place, due.runs.into_iter().map(|due| (due, Cause::Time)).collect(), tasks);
        Ok(())
    }

    /// Up to when a schedule's runs are settled: a new one's up to now.
    async fn settled(&self, name: &str, now: Timestamp) -> Result<Timestamp, LedgerError> {
        match self.keeper.ledger.settled_until(name).await? {
            Some(settled) if !is_far_ahead(settled, now) => return Ok(settled),
            Some(settled) => tracing::warn!(schedule = name, %settled, "the clock was far ahead; runs go on from now"),
            None => {}
        }
        self.keeper.ledger.settle(name, now).await?;
        Ok(now)
    }

    /// Starts what was asked for by hand, where that schedule is not at work.
    pub(super) async fn start_asked(&self, slots: &mut [Slot], tasks: &TaskTracker) -> Result<(), LedgerError> {
        for asked in self.keeper.ledger.asked().await? {
            let Some(slot) = slots.iter_mut().find(|slot| slot.schedule.name == asked.schedule) else {
                self.run_asked(None, &asked.schedule, asked.id).await?;
                continue;
            };
            if let Ok(place) = Arc::clone(&slot.place).try_acquire_owned() {
                self.start(slot, place, vec![(self.keeper.clock.now(), Cause::Asked(asked.id))], tasks);
            }
        }
        Ok(())
    }

    /// Runs what was asked for; where there is no such schedule, says so in the place of a run.
    pub(super) async fn run_asked(
        &self,
        schedule: Option<&Schedule>,
        name: &str,
        asked: u64,
    ) -> Result<(), LedgerError> {
        let (due, cause) = (self.keeper.clock.now(), Cause::Asked(asked));
        match schedule {
            Some(schedule) => self.perform(schedule, due, cause).await,
            None => {
                let run = NewRun { schedule: name.to_owned(), due, cause, now: due };
                let Some(id) = self.keeper.ledger.begin_run(&run).await? else { return Ok(()) };
                let note = "the gateway has no schedule of this name";
                self.keeper.ledger.end_run(id, RunEnd::Failed, note, due).await
            }
        }
    }

    fn start(&self, slot: &Slot, place: OwnedSemaphorePermit, runs: Vec<(Timestamp, Cause)>, tasks: &TaskTracker) {
        let (runner, schedule) = (self.clone(), Arc::clone(&slot.schedule));
        tasks.spawn(async move {
            for (due, cause) in runs {
                if runner.stop.is_cancelled() {
                    break;
                }
                if let Err(error) = runner.perform(&schedule, due, cause).await {
                    // Its row, or that it is missing, says what is to be done; the next look finds it.
                    tracing::warn!(schedule = schedule.name, %error, "a run cannot be recorded");
                }
            }
            drop(place);
        });
    }

    async fn perform(&self, schedule: &Schedule, due: Timestamp, cause: Cause) -> Result<(), LedgerError> {
        let (name, keeper) = (schedule.name.as_str(), &self.keeper);
        let now = keeper.clock.now();
        let run = NewRun { schedule: name.to_owned(), due, cause, now };
        let Some(id) = keeper.ledger.begin_run(&run).await? else { return Ok(()) };
        kill_point("schedule-begun");
        let occasion = Occasion { schedule: name.to_owned(), due, now };
        // What the job worked on is its own; a panic in it is an error of this run.
        let job = AssertUnwindSafe(schedule.job.run(&occasion)).catch_unwind();
        let limited = tokio::time::timeout(schedule.longest, job);
        let (end, note) = match self.stop.run_until_cancelled(limited).await {
            // It stays open, and is taken up at the next start.
            None => return Ok(()),
            Some(Err(_elapsed)) => (RunEnd::Failed, "it took too long and was broken off".to_owned()),
            Some(Ok(Err(_panic))) => (RunEnd::Failed, "it panicked".to_owned()),
            Some(Ok(Ok(Err(error)))) => (RunEnd::Failed, error.to_string()),
            Some(Ok(Ok(Ok(note)))) => (RunEnd::Done, note),
        };
        kill_point("schedule-done");
        tracing::info!(schedule = name, %due, ?end, note, "a scheduled run has ended");
        keeper.ledger.end_run(id, end, &note, keeper.clock.now()).await?;
        let text = format!("schedule {name} failed: {note}");
        let alarm =
            (end == RunEnd::Failed).then(|| Alarm { level: FAILED.to_owned(), due: Timestamp::UNIX_EPOCH, text });
        keeper.set_alarm(&format!("schedule/{name}"), alarm.as_ref(), &schedule.channels).await
    }
}

/// Tells whether what is settled is so far ahead that the clock must have been wrong. One that is set back by less makes
/// runs wait, so that none happens twice.
fn is_far_ahead(settled: Timestamp, now: Timestamp) -> bool {
    settled.duration_since(now) > FAR_AHEAD
}

/// A run that begins no later than this after its time is in time.
const GRACE: Duration = Duration::from_secs(60);

/// Longest time that a clock is set back by and trusted to have been right before.
const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(25);

/// A run that began longer ago than this is not done again.
const LONGEST_CUT_OFF: SignedDuration = SignedDuration::from_hours(24);

/// How bad it is that a run fails: one alarm until one ends well.
const FAILED: &str = "failed";
