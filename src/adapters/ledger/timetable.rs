//! The timetable's calls: which connection each uses, and what it runs there.

use std::ops::ControlFlow;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{SqliteLedger, alarms, expected, schedules, sql};
use crate::measures;
use crate::model::{Alarm, AlarmChange, Arrival, PartnerId, PastFile, RouteName, Settled, Watch};
use crate::ports::{AskedRun, LedgerError, NewRun, Notice, NoticeEnd, Run, RunEnd, Timetable};

#[async_trait]
impl Timetable for SqliteLedger {
    async fn settled_until(&self, schedule: &str) -> Result<Option<Timestamp>, LedgerError> {
        schedules::settled_until(&mut *self.reader().await?, schedule).await
    }

    async fn settle(&self, schedule: &str, until: Timestamp) -> Result<(), LedgerError> {
        let schedule = schedule.to_owned();
        self.write(move |connection| Box::pin(async move { schedules::settle(connection, &schedule, until).await }))
            .await
    }

    async fn begin_run(&self, run: &NewRun) -> Result<Option<u64>, LedgerError> {
        let run = run.clone();
        self.write(move |connection| Box::pin(async move { schedules::begin(connection, &run).await })).await
    }

    async fn end_run(&self, id: u64, end: RunEnd, note: &str, now: Timestamp) -> Result<(), LedgerError> {
        let note = note.to_owned();
        self.write(move |connection| Box::pin(async move { schedules::end(connection, id, end, &note, now).await }))
            .await
    }

    async fn open_runs(&self) -> Result<Vec<Run>, LedgerError> {
        schedules::open_runs(&mut *self.reader().await?).await
    }

    async fn runs(&self, schedule: &str, limit: u32) -> Result<Vec<Run>, LedgerError> {
        schedules::runs(&mut *self.reader().await?, schedule, limit).await
    }

    async fn asked(&self) -> Result<Vec<AskedRun>, LedgerError> {
        schedules::asked(&mut *self.reader().await?).await
    }

    async fn ask(&self, schedule: &str, by: &str, now: Timestamp) -> Result<u64, LedgerError> {
        let (schedule, by) = (schedule.to_owned(), by.to_owned());
        self.write(move |connection| Box::pin(async move { schedules::ask(connection, &schedule, &by, now).await }))
            .await
    }

    async fn run_asked(&self, asked: u64) -> Result<Option<Run>, LedgerError> {
        schedules::run_asked(&mut *self.reader().await?, asked).await
    }

    async fn watch(&self, expected: &str) -> Result<Option<Watch>, LedgerError> {
        expected::watch(&mut *self.reader().await?, expected).await
    }

    async fn set_watch(
        &self,
        expected: &str,
        watch: &Watch,
        settled: &[Settled],
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let (name, watch, settled) = (expected.to_owned(), *watch, settled.to_vec());
        let change = expected::Change { name, watch, settled, now };
        self.write(move |connection| Box::pin(async move { expected::set_watch(connection, &change).await })).await
    }

    async fn arrivals(
        &self,
        partner: &PartnerId,
        route: Option<(&RouteName, &str)>,
        after: Timestamp,
        tell: &mut (dyn FnMut(Arrival) -> ControlFlow<()> + Send),
    ) -> Result<(), LedgerError> {
        expected::arrivals(&mut *self.reader().await?, (partner, route), after, tell).await
    }

    async fn past_files(&self, expected: &str, limit: u32) -> Result<Vec<PastFile>, LedgerError> {
        expected::past_files(&mut *self.reader().await?, expected, limit).await
    }

    async fn set_alarm(
        &self,
        subject: &str,
        alarm: Option<&Alarm>,
        channels: &[String],
        now: Timestamp,
    ) -> Result<AlarmChange, LedgerError> {
        // Nearly always nothing changes, and then nothing is written.
        if alarms::stands(&mut *self.reader().await?, subject, alarm).await? {
            return Ok(AlarmChange::None);
        }
        let change =
            alarms::Change { subject: subject.to_owned(), alarm: alarm.cloned(), channels: channels.to_vec(), now };
        let changed =
            self.write(move |connection| Box::pin(async move { alarms::set(connection, &change).await })).await?;
        measures::alarm(subject, alarm.is_some());
        Ok(changed)
    }

    async fn alarm(&self, subject: &str) -> Result<Option<Alarm>, LedgerError> {
        Ok(alarms::open(&mut *self.reader().await?, subject).await?.map(|(_, alarm)| alarm))
    }

    async fn open_alarms(&self) -> Result<Vec<String>, LedgerError> {
        let mut reader = self.reader().await?;
        Ok(sqlx::query_scalar(sql::times::OPEN_ALARMS).fetch_all(&mut *reader).await?)
    }

    async fn due_notices(&self, now: Timestamp, limit: u32) -> Result<Vec<Notice>, LedgerError> {
        alarms::due_notices(&mut *self.reader().await?, now, limit).await
    }

    async fn begin_notice(&self, id: u64) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(alarms::begin(connection, id))).await
    }

    async fn conclude_notice(&self, id: u64, end: NoticeEnd) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(alarms::conclude(connection, id, end))).await
    }
}
