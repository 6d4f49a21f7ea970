//! Alarms, and the notices by which they are told.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, cell, count, int};
use super::sql::times as sql;
use crate::model::{Alarm, AlarmChange};
use crate::ports::{LedgerError, Notice, NoticeEnd};

/// What is now wrong with a subject, or that nothing is.
pub(super) struct Change {
    pub(super) subject: String,
    pub(super) alarm: Option<Alarm>,
    pub(super) channels: Vec<String>,
    pub(super) now: Timestamp,
}

/// Tells whether this is what is known to be wrong already.
pub(super) async fn stands(
    connection: &mut SqliteConnection,
    subject: &str,
    alarm: Option<&Alarm>,
) -> Result<bool, LedgerError> {
    Ok(match (open(connection, subject).await?, alarm) {
        (None, None) => true,
        (Some((_, open)), Some(alarm)) => open.level == alarm.level && open.due == alarm.due,
        (Some(_), None) | (None, Some(_)) => false,
    })
}

/// Raises, exchanges or clears, and writes the notices that tell of it.
pub(super) async fn set(connection: &mut SqliteConnection, change: &Change) -> Result<AlarmChange, LedgerError> {
    if stands(connection, &change.subject, change.alarm.as_ref()).await? {
        return Ok(AlarmChange::None);
    }
    let now = change.now.as_millisecond();
    if let Some((id, _)) = open(connection, &change.subject).await? {
        // What takes its place tells more.
        let told: Vec<String> = match change.alarm {
            Some(_) => Vec::new(),
            None => sqlx::query_scalar(sql::TOLD_CHANNELS).bind(id).fetch_all(&mut *connection).await?,
        };
        sqlx::query(sql::CLEAR_ALARM).bind(id).bind(now).execute(&mut *connection).await?;
        sqlx::query(sql::DROP_NOTICES).bind(id).execute(&mut *connection).await?;
        add_notices(connection, id, &told, true, now).await?;
    }
    let Some(alarm) = &change.alarm else { return Ok(AlarmChange::Cleared) };
    let id: i64 = sqlx::query_scalar(sql::RAISE_ALARM)
        .bind(change.subject.as_str())
        .bind(alarm.level.as_str())
        .bind(alarm.due.as_millisecond())
        .bind(alarm.text.as_str())
        .bind(now)
        .fetch_one(&mut *connection)
        .await?;
    add_notices(connection, id, &change.channels, false, now).await?;
    Ok(AlarmChange::Raised)
}

async fn add_notices(
    connection: &mut SqliteConnection,
    alarm: i64,
    channels: &[String],
    is_over: bool,
    now: i64,
) -> Result<(), LedgerError> {
    for channel in channels {
        let query = sqlx::query(sql::ADD_NOTICE).bind(alarm).bind(channel.as_str()).bind(i64::from(is_over));
        query.bind(now).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What is wrong with a subject, with its number.
pub(super) async fn open(
    connection: &mut SqliteConnection,
    subject: &str,
) -> Result<Option<(i64, Alarm)>, LedgerError> {
    let row = sqlx::query(sql::OPEN_ALARM).bind(subject).fetch_optional(connection).await?;
    row.map(|row| Ok((cell(&row, "id")?, alarm(&row)?))).transpose()
}

pub(super) async fn due_notices(
    connection: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Notice>, LedgerError> {
    let query = sqlx::query(sql::DUE_NOTICES).bind(now.as_millisecond()).bind(limit);
    query.fetch_all(connection).await?.iter().map(notice).collect()
}

pub(super) async fn begin(connection: &mut SqliteConnection, id: u64) -> Result<(), LedgerError> {
    sqlx::query(sql::BEGIN_NOTICE).bind(int(id)).execute(connection).await?;
    Ok(())
}

pub(super) async fn conclude(connection: &mut SqliteConnection, id: u64, end: NoticeEnd) -> Result<(), LedgerError> {
    let (state, due_at) = match end {
        NoticeEnd::Again(at) => (0, at.as_millisecond()),
        NoticeEnd::Sent => (1, 0),
        NoticeEnd::GivenUp => (2, 0),
    };
    sqlx::query(sql::CONCLUDE_NOTICE).bind(int(id)).bind(state).bind(due_at).execute(connection).await?;
    Ok(())
}

fn notice(row: &SqliteRow) -> Result<Notice, LedgerError> {
    Ok(Notice {
        id: count(row, "id")?,
        channel: cell(row, "channel")?,
        subject: cell(row, "subject")?,
        alarm: alarm(row)?,
        is_over: cell::<i64>(row, "is_over")? != 0,
        at: rows::time(row, "at")?,
        attempts: rows::small(row, "attempts")?,
    })
}

fn alarm(row: &SqliteRow) -> Result<Alarm, LedgerError> {
    Ok(Alarm { level: cell(row, "level")?, due: rows::time(row, "due")?, text: cell(row, "text")? })
}
