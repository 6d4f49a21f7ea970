//! Schedules: which of their runs are settled, which happened, and which were asked for.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, cell, corrupt, count, int};
use super::sql::times as sql;
use crate::ports::{AskedRun, Cause, LedgerError, NewRun, Run, RunEnd};

pub(super) async fn settled_until(
    connection: &mut SqliteConnection,
    schedule: &str,
) -> Result<Option<Timestamp>, LedgerError> {
    let query = sqlx::query_scalar(sql::SETTLED_UNTIL).bind(schedule);
    let until: Option<i64> = query.fetch_optional(connection).await?;
    until.map(rows::to_time).transpose()
}

pub(super) async fn settle(
    connection: &mut SqliteConnection,
    schedule: &str,
    until: Timestamp,
) -> Result<(), LedgerError> {
    sqlx::query(sql::SETTLE).bind(schedule).bind(until.as_millisecond()).execute(connection).await?;
    Ok(())
}

/// Records that a run begins, and with one whose time has come that everything up to it is settled.
pub(super) async fn begin(connection: &mut SqliteConnection, run: &NewRun) -> Result<Option<u64>, LedgerError> {
    let (cause, asked) = match run.cause {
        Cause::Time => (0, None),
        Cause::Asked(asked) => (1, Some(int(asked))),
        Cause::Again => (2, None),
    };
    if let Some(asked) = asked {
        sqlx::query(sql::ASKED_BEGINS).bind(asked).execute(&mut *connection).await?;
    }
    if run.cause == Cause::Time {
        settle(connection, &run.schedule, run.due).await?;
    }
    let id: Option<i64> = sqlx::query_scalar(sql::BEGIN_RUN)
        .bind(run.schedule.as_str())
        .bind(run.due.as_millisecond())
        .bind(cause)
        .bind(asked)
        .bind(run.now.as_millisecond())
        .fetch_optional(connection)
        .await?;
    id.map(rows::to_count).transpose()
}

pub(super) async fn end(
    connection: &mut SqliteConnection,
    id: u64,
    end: RunEnd,
    note: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let query = sqlx::query_scalar(sql::END_RUN).bind(int(id)).bind(end_number(end)).bind(note);
    let schedule: Option<String> = query.bind(now.as_millisecond()).fetch_optional(&mut *connection).await?;
    if let Some(schedule) = schedule {
        sqlx::query(sql::FORGET_RUNS).bind(schedule).bind(KEPT_RUNS).execute(connection).await?;
    }
    Ok(())
}

pub(super) async fn open_runs(connection: &mut SqliteConnection) -> Result<Vec<Run>, LedgerError> {
    sqlx::query(sql::OPEN_RUNS).fetch_all(connection).await?.iter().map(run).collect()
}

pub(super) async fn runs(
    connection: &mut SqliteConnection,
    schedule: &str,
    limit: u32,
) -> Result<Vec<Run>, LedgerError> {
    sqlx::query(sql::RUNS).bind(schedule).bind(limit).fetch_all(connection).await?.iter().map(run).collect()
}

pub(super) async fn run_asked(connection: &mut SqliteConnection, asked: u64) -> Result<Option<Run>, LedgerError> {
    let row = sqlx::query(sql::RUN_ASKED).bind(int(asked)).fetch_optional(connection).await?;
    row.as_ref().map(run).transpose()
}

pub(super) async fn ask(
    connection: &mut SqliteConnection,
    schedule: &str,
    by: &str,
    now: Timestamp,
) -> Result<u64, LedgerError> {
    let query = sqlx::query_scalar(sql::ASK).bind(schedule).bind(by).bind(now.as_millisecond());
    rows::to_count(query.fetch_one(connection).await?)
}

pub(super) async fn asked(connection: &mut SqliteConnection) -> Result<Vec<AskedRun>, LedgerError> {
    let found = sqlx::query(sql::ASKED).fetch_all(connection).await?;
    found.iter().map(|row| Ok(AskedRun { id: count(row, "id")?, schedule: cell(row, "schedule")? })).collect()
}

fn run(row: &SqliteRow) -> Result<Run, LedgerError> {
    let ended_at = cell::<Option<i64>>(row, "ended_at")?.map(rows::to_time).transpose()?;
    let end = cell::<Option<i64>>(row, "ending")?.map(to_end).transpose()?;
    Ok(Run {
        id: count(row, "id")?,
        schedule: cell(row, "schedule")?,
        due: rows::time(row, "due")?,
        began_at: rows::time(row, "began_at")?,
        ended: end.zip(ended_at),
        note: cell(row, "note")?,
    })
}

fn end_number(end: RunEnd) -> i64 {
    match end {
        RunEnd::Done => 0,
        RunEnd::Failed => 1,
        RunEnd::CutOff => 2,
    }
}

fn to_end(number: i64) -> Result<RunEnd, LedgerError> {
    match number {
        0 => Ok(RunEnd::Done),
        1 => Ok(RunEnd::Failed),
        2 => Ok(RunEnd::CutOff),
        _ => Err(corrupt("a run's end")),
    }
}

/// Runs of each schedule that are remembered; those asked for by hand are for ever.
const KEPT_RUNS: i64 = 500;
