//! Keeps the timetable: runs schedules when their time comes, watches for expected files, and tells of alarms.
//!
//! What is done is in the ledger before it begins: a restart or a clock that is set makes no run happen twice, and what was
//! cut off is done again. Each schedule has a task of its own, so that none waits for another; one of them never runs
//! twice at once.

mod concerns;
mod expected;
mod notices;
mod runs;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alarm;
use super::setback::guarded;
use crate::model::{Alarm, PartnerId, RouteName};
use crate::ports::{Channel, Clock, Job, LedgerError, Receiver, Timetable};
use crate::schedule::{Expectation, Misfire, Recurrence};
use runs::Runner;

/// What runs when.
#[derive(Clone)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// When.
    pub times: Recurrence,
    /// What becomes of runs that are missed.
    pub misfire: Misfire,
    /// What.
    pub job: Arc<dyn Job>,
    /// A run that takes longer is broken off.
    pub longest: Duration,
    /// Who is told when it fails.
    pub channels: Vec<String>,
}

/// A file that should come, and from where.
#[derive(Debug, Clone)]
pub struct Expected {
    /// When, and what it should hold.
    pub expectation: Expectation,
    /// From whom.
    pub partner: PartnerId,
    /// By which route, with its inbox; `None` for any.
    pub route: Option<(RouteName, String)>,
    /// Who is told when it does not come.
    pub channels: Vec<String>,
}

/// Keeps the timetable.
#[derive(Clone)]
pub struct Timekeeper {
    /// What it remembers.
    pub ledger: Arc<dyn Timetable>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How often it looks at the clock, and whether somebody asked for a run.
    pub look: Duration,
    /// What runs.
    pub schedules: Vec<Schedule>,
    /// What should come.
    pub expected: Vec<Expected>,
    /// What is looked after, by name.
    pub receivers: Vec<(String, Arc<dyn Receiver>)>,
    /// How people are told, by name.
    pub channels: HashMap<String, Arc<dyn Channel>>,
    /// What others raise alarms about: `deadline/<route>`, `source/<name>` and `source/<name>/rest`.
    pub others: HashSet<String>,
}

/// A schedule at work.
struct Slot {
    schedule: Arc<Schedule>,
    /// Held by its run.
    place: Arc<Semaphore>,
    /// Up to when its runs are settled, and the next after that; `None` when the ledger must say.
    known: Option<(Timestamp, Timestamp)>,
}

impl Timekeeper {
    /// Keeps the timetable until asked to stop. A run that is under way then is cut off, and done again at the next start.
    pub async fn run(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let mut slots: Vec<_> = self.schedules.iter().map(|schedule| Slot::new(schedule.clone())).collect();
        let posting = Arc::new(Semaphore::new(1));
        let looking = self.clone().look_after_receivers();
        let until = stop.clone();
        tasks.spawn(async move { until.run_until_cancelled(looking).await });
        let runner = Runner { keeper: self.clone(), stop: stop.clone() };
        if let Err(error) = runner.take_up(&slots, &tasks).await {
            tracing::warn!(%error, "runs that were cut off are not taken up");
        }
        for round in 0_u64.. {
            start(&runner, &mut slots, &tasks).await;
            if round.is_multiple_of(ROUNDS_PER_WATCH) {
                self.watch_expected().await;
            }
            if let Ok(place) = Arc::clone(&posting).try_acquire_owned() {
                let keeper = self.clone();
                // Not cut off by a stop: what is sent and not recorded would be sent again.
                tasks.spawn(async move {
                    keeper.post().await;
                    drop(place);
                });
            }
            if stop.run_until_cancelled(tokio::time::sleep(self.look)).await.is_none() {
                break;
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Runs a schedule once, here and now, for somebody who asked for it with this number.
    pub async fn run_now(&self, name: &str, asked: u64, stop: CancellationToken) -> Result<(), LedgerError> {
        let runner = Runner { keeper: self.clone(), stop };
        runner.run_asked(self.schedules.iter().find(|schedule| schedule.name == name), name, asked).await
    }

    /// Sets an alarm and says so in the log.
    async fn set_alarm(&self, subject: &str, alarm: Option<&Alarm>, channels: &[String]) -> Result<(), LedgerError> {
        alarm::set_alarm(self.ledger.as_ref(), (subject, alarm), channels, self.clock.now()).await
    }
}

/// Starts what is due, and what somebody asked for. What goes wrong with one keeps no other from its run.
async fn start(runner: &Runner, slots: &mut [Slot], tasks: &TaskTracker) {
    for slot in &mut *slots {
        let schedule = Arc::clone(&slot.schedule);
        if let Err(error) = guarded(async { Ok(runner.start_due(slot, tasks).await?) }).await {
            tracing::warn!(schedule = schedule.name, %error, "what is due is not started for now");
        }
    }
    if let Err(error) = guarded(async { Ok(runner.start_asked(slots, tasks).await?) }).await {
        tracing::warn!(%error, "the runs that were asked for are not started for now");
    }
}

impl Slot {
    fn new(schedule: Schedule) -> Self {
        Self { schedule: Arc::new(schedule), place: Arc::new(Semaphore::new(1)), known: None }
    }
}

/// Expected files are looked for in one round of so many: each look asks the ledger for each of them.
const ROUNDS_PER_WATCH: u64 = 10;
