//! Files that are taken from sources, from the claim to the end.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::area::{self, Entry};
use super::rows::{self, cell, corrupt, count, int, uuid};
use super::shipments;
use super::shipments::Claim;
use super::sightings::{hash, stamp};
use super::sql::sources as sql;
use crate::codes;
use crate::model::{AreaPath, Code, NodeState, ScratchId, ShipmentId, Stamp, Tried, WorkerId};
use crate::ports::{LONGEST_DELAY, LedgerError, Take, TakeClaim, TakeStage};

pub(super) async fn begin(
    connection: &mut SqliteConnection,
    (source, worker): (&str, WorkerId),
    (path, stamp): (&str, Stamp),
    now: Timestamp,
) -> Result<Option<Take>, LedgerError> {
    let row = sqlx::query(sql::BEGIN_TAKE)
        .bind(source)
        .bind(uuid(&worker.0))
        .bind(path)
        .bind(int(stamp.size_bytes))
        .bind(stamp.modified.as_microsecond())
        .bind(now.as_millisecond())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(take).transpose()
}

pub(super) async fn open(
    connection: &mut SqliteConnection,
    source: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Take>, LedgerError> {
    let query =
        sqlx::query(sql::OPEN_TAKES).bind(source).bind(now.as_millisecond()).bind(longest_delay(now)).bind(limit);
    query.fetch_all(connection).await?.iter().map(take).collect()
}

/// What is put off until after this was put off by a clock that was ahead.
pub(super) fn longest_delay(now: Timestamp) -> i64 {
    now.saturating_add(LONGEST_DELAY).unwrap_or(Timestamp::MAX).as_millisecond()
}

pub(super) async fn fetched(
    connection: &mut SqliteConnection,
    id: u64,
    scratch: ScratchId,
    bytes: u64,
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::FETCHED).bind(int(id)).bind(uuid(&scratch.0)).bind(int(bytes));
    query.execute(connection).await?;
    Ok(())
}

pub(super) async fn put_back(
    connection: &mut SqliteConnection,
    take: &Take,
    look: u64,
    tried: Option<Tried>,
    now: Timestamp,
) -> Result<Option<ScratchId>, LedgerError> {
    let scratch = drop_take(connection, take).await?;
    let (text, file) = (if tried.is_some() { sql::TRIED } else { sql::WAIT_AGAIN }, take.stamp);
    let query = sqlx::query(text).bind(take.source.as_str()).bind(take.path.as_str());
    let query = query.bind(int(file.size_bytes)).bind(file.modified.as_microsecond());
    let query = match tried {
        None => query.bind(int(look)).bind(now.as_millisecond()),
        Some(Tried { at, waits, checksum_file }) => query
            .bind(rows::wait_number(waits))
            .bind(at.as_millisecond())
            .bind(checksum_file.map(|stamp| int(stamp.size_bytes)))
            .bind(checksum_file.map(|stamp| stamp.modified.as_microsecond())),
    };
    query.execute(connection).await?;
    Ok(scratch)
}

pub(super) async fn same_again(
    connection: &mut SqliteConnection,
    take: &Take,
) -> Result<Option<ScratchId>, LedgerError> {
    let scratch = drop_take(connection, take).await?;
    with_stamp(connection, sql::TAKEN_BEFORE, take).await?;
    Ok(scratch)
}

async fn drop_take(connection: &mut SqliteConnection, take: &Take) -> Result<Option<ScratchId>, LedgerError> {
    let query = sqlx::query_scalar(sql::DROP_TAKE).bind(int(take.id));
    let scratch: Option<Option<Vec<u8>>> = query.fetch_optional(connection).await?;
    Ok(scratch.flatten().map(rows::to_uuid).transpose()?.map(ScratchId))
}

/// Runs a text about the file as it was when it was taken.
async fn with_stamp(connection: &mut SqliteConnection, text: &'static str, take: &Take) -> Result<(), LedgerError> {
    let query = sqlx::query(text).bind(take.source.as_str()).bind(take.path.as_str());
    query.bind(int(take.stamp.size_bytes)).bind(take.stamp.modified.as_microsecond()).execute(connection).await?;
    Ok(())
}

/// A file of the partner's, its claim, and the end of fetching it: as CLOSE does for an upload.
pub(super) async fn claim(connection: &mut SqliteConnection, claim: &TakeClaim) -> Result<AreaPath, LedgerError> {
    let TakeClaim { take, partner, blob, size_bytes, shipment, preflight, now, .. } = claim;
    if let Some(path) = claimed_as(connection, take.id).await? {
        return Ok(path);
    }
    let query = sqlx::query_scalar(sql::HOLDS_SOURCE).bind(take.source.as_str()).bind(uuid(&claim.worker.0));
    let holds: bool = query.fetch_one(&mut *connection).await?;
    let is_open = sqlx::query(sql::TAKE).bind(int(take.id)).fetch_optional(&mut *connection).await?.is_some();
    if !holds || !is_open {
        return Err(LedgerError::Unavailable("the source is another worker's by now".to_owned()));
    }
    let path = free_path(connection, claim).await?;
    let new = Entry {
        path: path.clone(),
        state: NodeState::Claimed,
        size_bytes: *size_bytes,
        scratch_bytes: 0,
        modified: *now,
        blob: Some(*blob),
        scratch: None,
        shipment: Some(*shipment),
        owner: Some(take.source.clone()),
    };
    area::put(connection, partner, &new).await?;
    let row = Claim {
        id: *shipment,
        preflight: *preflight,
        partner: partner.clone(),
        path: path.clone(),
        blob: *blob,
        size_bytes: *size_bytes,
        now: *now,
    };
    shipments::claim(connection, &row).await?;
    let seq = shipments::seq(connection, *shipment).await?;
    shipments::add_event(connection, seq, *now, "taken-from", &take.source).await?;
    record_claim(connection, claim).await?;
    Ok(path)
}

async fn record_claim(connection: &mut SqliteConnection, claim: &TakeClaim) -> Result<(), LedgerError> {
    let TakeClaim { take, sha256, .. } = claim;
    sqlx::query(sql::CLAIM_TAKE)
        .bind(int(take.id))
        .bind(sha256.to_vec())
        .bind(uuid(&claim.shipment.0))
        .bind(claim.refusal.map(|code| code.0))
        .bind(i64::from(claim.answers))
        .execute(&mut *connection)
        .await?;
    sqlx::query(sql::TAKEN)
        .bind(take.source.as_str())
        .bind(take.path.as_str())
        .bind(int(take.stamp.size_bytes))
        .bind(take.stamp.modified.as_microsecond())
        .bind(sha256.to_vec())
        .execute(connection)
        .await?;
    Ok(())
}

async fn claimed_as(connection: &mut SqliteConnection, take: u64) -> Result<Option<AreaPath>, LedgerError> {
    let row = sqlx::query(sql::CLAIMED_AS).bind(int(take)).fetch_optional(connection).await?;
    row.as_ref().map(rows::path).transpose()
}

/// The first of the names that nobody has in the directory.
async fn free_path(connection: &mut SqliteConnection, claim: &TakeClaim) -> Result<AreaPath, LedgerError> {
    for name in &claim.names {
        let path = AreaPath::new(&claim.dir, name).map_err(|_| corrupt("a name for an inbox"))?;
        if area::entry(connection, &claim.partner, &path).await?.is_none() {
            return Ok(path);
        }
    }
    Err(LedgerError::Unavailable("every name for the file is taken".to_owned()))
}

pub(super) async fn delay(connection: &mut SqliteConnection, id: u64, until: Timestamp) -> Result<(), LedgerError> {
    sqlx::query(sql::DELAY_TAKE).bind(int(id)).bind(until.as_millisecond()).execute(connection).await?;
    Ok(())
}

pub(super) async fn end(
    connection: &mut SqliteConnection,
    take: &Take,
    is_gone: bool,
    now: Timestamp,
) -> Result<(), LedgerError> {
    sqlx::query(sql::END_TAKE).bind(int(take.id)).bind(now.as_millisecond()).execute(&mut *connection).await?;
    if is_gone { with_stamp(connection, sql::GONE, take).await } else { Ok(()) }
}

pub(super) async fn foreseen(
    connection: &mut SqliteConnection,
    shipment: ShipmentId,
) -> Result<Option<Code>, LedgerError> {
    let query = sqlx::query_scalar(sql::FORESEEN).bind(uuid(&shipment.0));
    let name: Option<Option<String>> = query.fetch_optional(connection).await?;
    let code = |name: String| codes::by_name(&name).ok_or_else(|| corrupt("a code"));
    name.flatten().map(code).transpose()
}

fn take(row: &SqliteRow) -> Result<Take, LedgerError> {
    Ok(Take {
        id: count(row, "id")?,
        source: cell(row, "source")?,
        path: cell(row, "path")?,
        stamp: stamp(row)?,
        stage: match cell(row, "state")? {
            0_i64 => TakeStage::Fetching,
            1 => TakeStage::Claimed,
            2 => TakeStage::Done,
            _ => return Err(corrupt("a take's state")),
        },
        scratch: cell::<Option<Vec<u8>>>(row, "scratch")?.map(rows::to_uuid).transpose()?.map(ScratchId),
        fetched_bytes: count(row, "fetched_bytes")?,
        attempts: rows::small(row, "attempts")?,
        sha256: hash(row, "sha256")?,
    })
}

/// Gives back what other workers held.
pub(super) async fn release_all(
    connection: &mut SqliteConnection,
    except: Option<WorkerId>,
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::RELEASE_SOURCES).bind(except.map(|worker| uuid(&worker.0)));
    query.execute(connection).await?;
    Ok(())
}
