//! Schedules in the ledger: which runs happened, what was asked for by hand, files that are expected, and alarms.

use std::ops::ControlFlow;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::LedgerError;
use crate::model::{Alarm, AlarmChange, Arrival, PartnerId, PastFile, RouteName, Settled, Watch};

/// What the conductor's schedules remember. Every change is on disk before the call returns.
#[async_trait]
pub trait Timetable: Send + Sync {
    /// The time up to which a schedule's runs are settled; `None` for one that is new.
    async fn settled_until(&self, schedule: &str) -> Result<Option<Timestamp>, LedgerError>;

    /// Settles a schedule's runs up to a time, whether or not they happened.
    async fn settle(&self, schedule: &str, until: Timestamp) -> Result<(), LedgerError>;

    /// Records that a run is about to happen; `None` when the run of this time has begun before, so that it does not
    /// happen twice, or when somebody else began what was asked for.
    async fn begin_run(&self, run: &NewRun) -> Result<Option<u64>, LedgerError>;

    /// Records how a run ended.
    async fn end_run(&self, id: u64, end: RunEnd, note: &str, now: Timestamp) -> Result<(), LedgerError>;

    /// The runs that have begun and not ended: at a start, those that the process before was cut off in.
    async fn open_runs(&self) -> Result<Vec<Run>, LedgerError>;

    /// The last runs of a schedule, newest first.
    async fn runs(&self, schedule: &str, limit: u32) -> Result<Vec<Run>, LedgerError>;

    /// What was asked for by hand and has not begun.
    async fn asked(&self) -> Result<Vec<AskedRun>, LedgerError>;

    /// Asks for a run by hand; returns the number to follow it by.
    async fn ask(&self, schedule: &str, by: &str, now: Timestamp) -> Result<u64, LedgerError>;

    /// The run that was asked for with the number; `None` until it begins.
    async fn run_asked(&self, asked: u64) -> Result<Option<Run>, LedgerError>;

    /// How far an expectation has come; `None` for one that is new.
    async fn watch(&self, expected: &str) -> Result<Option<Watch>, LedgerError>;

    /// Records how far an expectation has come and what was settled on the way.
    async fn set_watch(
        &self,
        expected: &str,
        watch: &Watch,
        settled: &[Settled],
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Tells of the files of a partner that were claimed after a time, oldest first, until who is told has heard enough;
    /// with a route of those that it took, or could take.
    async fn arrivals(
        &self,
        partner: &PartnerId,
        route: Option<(&RouteName, &str)>,
        after: Timestamp,
        tell: &mut (dyn FnMut(Arrival) -> ControlFlow<()> + Send),
    ) -> Result<(), LedgerError>;

    /// What the last files were like that an expectation took, newest first.
    async fn past_files(&self, expected: &str, limit: u32) -> Result<Vec<PastFile>, LedgerError>;

    /// Sets what is wrong with a subject, or that nothing is; what changes is told to the channels.
    async fn set_alarm(
        &self,
        subject: &str,
        alarm: Option<&Alarm>,
        channels: &[String],
        now: Timestamp,
    ) -> Result<AlarmChange, LedgerError>;

    /// What is wrong with a subject.
    async fn alarm(&self, subject: &str) -> Result<Option<Alarm>, LedgerError>;

    /// The subjects something is wrong with.
    async fn open_alarms(&self) -> Result<Vec<String>, LedgerError>;

    /// Notices that are to be sent, oldest first.
    async fn due_notices(&self, now: Timestamp, limit: u32) -> Result<Vec<Notice>, LedgerError>;

    /// Records that a notice is about to be sent: whoever may have been told that something is wrong is told that it is over.
    async fn begin_notice(&self, id: u64) -> Result<(), LedgerError>;

    /// Records what became of sending a notice.
    async fn conclude_notice(&self, id: u64, end: NoticeEnd) -> Result<(), LedgerError>;
}

/// Does what a schedule is for. It may be cut off at any time and is then done again: what it does must bear that.
#[async_trait]
pub trait Job: Send + Sync {
    /// Does it; returns what was done, in a few words without personal data.
    async fn run(&self, occasion: &Occasion) -> Result<String, JobError>;
}

/// Why a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// By which schedule.
    pub schedule: String,
    /// The time that it is the run of.
    pub due: Timestamp,
    /// When it begins.
    pub now: Timestamp,
}

/// A job could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);

/// Tells people of alarms.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Sends a notice. One that is sent again, because nobody knows whether it arrived, bears the same id.
    async fn send(&self, notice: &Notice) -> Result<(), ChannelError>;

    /// How long sending one may take before it counts as failed.
    fn longest(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// A notice could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChannelError(pub String);

/// What is told of an alarm through one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: u64,
    /// Through which channel.
    pub channel: String,
    /// What the alarm is about, such as `expected/etat-nightly`.
    pub subject: String,
    /// What is wrong, or was.
    pub alarm: Alarm,
    /// The alarm is over.
    pub is_over: bool,
    /// When it was raised, or ended.
    pub at: Timestamp,
    /// How often sending it was tried.
    pub attempts: u32,
}

/// What became of sending a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeEnd {
    /// It is sent.
    Sent,
    /// It is tried again at this time.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

/// A run about to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Of which schedule.
    pub schedule: String,
    /// The time that it is the run of.
    pub due: Timestamp,
    /// Why it happens.
    pub cause: Cause,
    /// When it begins.
    pub now: Timestamp,
}

/// Why a run happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its time has come; it settles everything before.
    Time,
    /// It was asked for by hand, with this number.
    Asked(u64),
    /// It was cut off.
    Again,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Well.
    Done,
    /// With an error.
    Failed,
    /// The process ended first; it happens again.
    CutOff,
}

/// A run that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// Of which schedule.
    pub schedule: String,
    /// The time that it is the run of.
    pub due: Timestamp,
    /// When it began.
    pub began_at: Timestamp,
    /// How and when it ended; `None` while it runs.
    pub ended: Option<(RunEnd, Timestamp)>,
    /// What was done, or why it was not.
    pub note: String,
}

/// A run that was asked for by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRun {
    /// Its number.
    pub id: u64,
    /// Of which schedule.
    pub schedule: String,
}
