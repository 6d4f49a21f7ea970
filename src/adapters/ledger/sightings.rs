//! Sources and the files that looks showed there.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, cell, corrupt, count, int, uuid};
use super::sql::sources as sql;
use crate::model::{Sighting, Stamp, TakeOrder, Tried, Wait, WorkerId};
use crate::ports::{LedgerError, LookEnd, Seen, SourceStand, Take};

pub(super) async fn lease(
    connection: &mut SqliteConnection,
    source: &str,
    worker: WorkerId,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, LedgerError> {
    let query = sqlx::query(sql::LEASE_SOURCE).bind(source).bind(uuid(&worker.0));
    let query = query.bind(now.as_millisecond()).bind(until.as_millisecond());
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

/// One that was never looked at stands as if it was about to be.
pub(super) async fn stand(connection: &mut SqliteConnection, source: &str) -> Result<SourceStand, LedgerError> {
    let Some(row) = sqlx::query(sql::SOURCE).bind(source).fetch_optional(connection).await? else {
        return Ok(SourceStand::default());
    };
    let time = |column| cell::<Option<i64>>(&row, column)?.map(rows::to_time).transpose();
    let due = [time("take_due")?, time("receipt_due")?];
    Ok(SourceStand {
        look: count(&row, "look")?,
        looked_at: time("looked_at")?,
        next_at: time("next_at")?,
        failures: rows::small(&row, "failures")?,
        note: cell(&row, "note")?,
        asked: count(&row, "asked")?,
        answered: count(&row, "answered")?,
        due_at: due.into_iter().flatten().min(),
    })
}

pub(super) async fn begin_look(
    connection: &mut SqliteConnection,
    source: &str,
    now: Timestamp,
) -> Result<u64, LedgerError> {
    let query = sqlx::query_scalar(sql::BEGIN_LOOK).bind(source).bind(now.as_millisecond());
    rows::to_count(query.fetch_one(connection).await?)
}

pub(super) async fn look_by(connection: &mut SqliteConnection, source: &str, at: Timestamp) -> Result<(), LedgerError> {
    sqlx::query(sql::LOOK_BY).bind(source).bind(at.as_millisecond()).execute(connection).await?;
    Ok(())
}

pub(super) async fn end_look(
    connection: &mut SqliteConnection,
    source: &str,
    end: &LookEnd,
) -> Result<(), LedgerError> {
    sqlx::query(sql::END_LOOK)
        .bind(source)
        .bind(end.now.as_millisecond())
        .bind(end.next_at.map(Timestamp::as_millisecond))
        .bind(end.failures)
        .bind(end.note.as_str())
        .bind(int(end.answered))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn ask(connection: &mut SqliteConnection, source: &str) -> Result<u64, LedgerError> {
    rows::to_count(sqlx::query_scalar(sql::ASK_LOOK).bind(source).fetch_one(connection).await?)
}

pub(super) async fn see(
    connection: &mut SqliteConnection,
    source: &str,
    look: u64,
    now: Timestamp,
    seen: &[Seen],
) -> Result<(), LedgerError> {
    let row = |seen: &Seen| {
        let Stamp { size_bytes, modified } = seen.stamp;
        Value::from_iter([
            Value::from(seen.path.as_str()),
            int(size_bytes).into(),
            modified.as_microsecond().into(),
            i64::from(seen.is_beside).into(),
        ])
    };
    sqlx::query(sql::SEE)
        .bind(Value::from_iter(seen.iter().map(row)).to_string())
        .bind(source)
        .bind(int(look))
        .bind(now.as_millisecond())
        .bind(before(now, REFRESHED))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn forget_unseen(
    connection: &mut SqliteConnection,
    source: &str,
    look: u64,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::FORGET_UNSEEN).bind(source).bind(int(look));
    query.bind(before(now, FORGOTTEN)).bind(before(now, TAKEN_FORGOTTEN)).execute(connection).await?;
    Ok(())
}

fn before(now: Timestamp, age: SignedDuration) -> i64 {
    now.checked_sub(age).unwrap_or(Timestamp::MIN).as_millisecond()
}

pub(super) async fn unready(
    connection: &mut SqliteConnection,
    source: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Sighting>, LedgerError> {
    let query = sqlx::query(sql::UNREADY).bind(source).bind(after).bind(limit);
    query.fetch_all(connection).await?.iter().map(sighting).collect()
}

pub(super) async fn one(
    connection: &mut SqliteConnection,
    source: &str,
    path: &str,
) -> Result<Option<Sighting>, LedgerError> {
    let row = sqlx::query(sql::SIGHTING).bind(source).bind(path).fetch_optional(connection).await?;
    row.as_ref().map(sighting).transpose()
}

pub(super) async fn others_wait(
    connection: &mut SqliteConnection,
    take: &Take,
    stem: &str,
) -> Result<bool, LedgerError> {
    let query = sqlx::query_scalar(sql::OTHERS_WAIT).bind(take.source.as_str()).bind(take.path.as_str()).bind(stem);
    Ok(query.fetch_one(connection).await?)
}

pub(super) async fn stamps(
    connection: &mut SqliteConnection,
    source: &str,
    look: u64,
    paths: Vec<String>,
) -> Result<HashMap<String, Stamp>, LedgerError> {
    let query = sqlx::query(sql::STAMPS).bind(source).bind(Value::from(paths).to_string()).bind(int(look));
    let found = query.fetch_all(connection).await?;
    found.iter().map(|row| Ok((cell(row, "path")?, stamp(row)?))).collect()
}

pub(super) async fn set_waits(
    connection: &mut SqliteConnection,
    source: &str,
    waits: Vec<(String, Wait)>,
) -> Result<(), LedgerError> {
    let mut by_wait: HashMap<Wait, Vec<String>> = HashMap::new();
    for (path, wait) in waits {
        by_wait.entry(wait).or_default().push(path);
    }
    for (wait, paths) in by_wait {
        let query = sqlx::query(sql::SET_WAITS).bind(source).bind(Value::from(paths).to_string());
        query.bind(rows::wait_number(wait)).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn turns(
    connection: &mut SqliteConnection,
    source: &str,
    order: TakeOrder,
    limit: u32,
) -> Result<Vec<Sighting>, LedgerError> {
    let text = match order {
        TakeOrder::Name => sql::TURNS_BY_NAME,
        TakeOrder::Age => sql::TURNS_BY_AGE,
        TakeOrder::Size => sql::TURNS_BY_SIZE,
    };
    sqlx::query(text).bind(source).bind(limit).fetch_all(connection).await?.iter().map(sighting).collect()
}

/// How many wait for what, and the first of them.
pub(super) async fn waiting(
    connection: &mut SqliteConnection,
    source: &str,
    shown: u32,
) -> Result<Vec<(Wait, u64, Vec<String>)>, LedgerError> {
    let counts = sqlx::query(sql::WAITING_COUNTS).bind(source).fetch_all(&mut *connection).await?;
    let first = sqlx::query(sql::WAITING).bind(source).bind(shown).fetch_all(connection).await?;
    let first: Vec<(i64, String)> =
        first.iter().map(|row| Ok((cell(row, "waits")?, cell(row, "path")?))).collect::<Result<_, LedgerError>>()?;
    let mut waiting = Vec::new();
    for row in &counts {
        let number = cell(row, "waits")?;
        let paths = first.iter().filter(|(waits, _)| *waits == number).map(|(_, path)| path.clone()).collect();
        waiting.push((rows::to_wait(number)?, count(row, "n")?, paths));
    }
    Ok(waiting)
}

fn sighting(row: &SqliteRow) -> Result<Sighting, LedgerError> {
    Ok(Sighting {
        path: cell(row, "path")?,
        stamp: stamp(row)?,
        first_look: count(row, "first_look")?,
        since: rows::time(row, "since")?,
        waits: rows::to_wait(cell(row, "waits")?)?,
        tried: tried(row)?,
        taken: hash(row, "taken_sha256")?,
    })
}

fn tried(row: &SqliteRow) -> Result<Option<Tried>, LedgerError> {
    let Some(waits) = cell::<Option<i64>>(row, "tried_waits")? else { return Ok(None) };
    let checksum_file = match cell::<Option<i64>>(row, "tried_modified")? {
        None => None,
        Some(modified) => Some(Stamp { size_bytes: count(row, "tried_size")?, modified: microseconds(modified)? }),
    };
    Ok(Some(Tried { at: rows::time(row, "tried_at")?, waits: rows::to_wait(waits)?, checksum_file }))
}

pub(super) fn hash(row: &SqliteRow, name: &str) -> Result<Option<[u8; 32]>, LedgerError> {
    let hash = cell::<Option<Vec<u8>>>(row, name)?.map(<[u8; 32]>::try_from).transpose();
    hash.map_err(|_| corrupt("a hash"))
}

pub(super) fn stamp(row: &SqliteRow) -> Result<Stamp, LedgerError> {
    Ok(Stamp { size_bytes: count(row, "size_bytes")?, modified: microseconds(cell(row, "modified")?)? })
}

fn microseconds(number: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_microsecond(number).map_err(|_| corrupt("a time"))
}

/// How old the word may be that a file is still there, where nothing hangs on it.
const REFRESHED: SignedDuration = SignedDuration::from_hours(1);

/// A file that waits for its turn and was not seen for so long is forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(2);

/// One that was taken: a listing may have been wrong, and what comes back is not taken twice.
const TAKEN_FORGOTTEN: SignedDuration = SignedDuration::from_hours(30 * 24);
