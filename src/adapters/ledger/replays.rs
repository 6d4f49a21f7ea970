//! Replays: failed items of a shipment that has its final receipt are sent again, or the receipt is placed again.
//!
//! Like every operator's order it is written from beside the gateway. Nobody works on a receipted shipment, so its items
//! can be opened piece by piece; the last change puts the shipment back among those that are forwarded.

use std::path::Path;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};

use crate::model::{Item, ItemState, REST_SUFFIX, ReceiptKind, ShipmentId};
use crate::ports::LedgerError;

use super::orders::{Said, is_receipted};
use super::rows::{self, int, state_number, uuid};
use super::{receipts, shipments, sql};

/// An operator's wish to have failed items sent again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Whose.
    pub shipment: ShipmentId,
    /// From this item on; in a batch of several all go.
    pub from_item: u64,
    /// Who says so, and why.
    pub said: Said,
}

/// What a replay came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// So many items are sent again.
    Items(u64),
    /// The shipment has no final receipt yet: its items are still on their way.
    NotReceipted,
    /// Its bytes are no longer kept.
    Expired,
    /// Nothing of it has failed there.
    NothingFailed,
    /// The sender has dropped the rest file: its items would take effect twice.
    RestDropped,
}

/// Has failed items sent again. What may have been sent before is looked up first. Where a rest file was offered its
/// references are taken, so that it cannot be dropped any more.
pub async fn replay(path: &Path, replay: &Replay) -> Result<Replayed, LedgerError> {
    let mut connection = super::beside(path).await?;
    let replayed = open_items(&mut connection, replay).await;
    connection.close().await?;
    replayed
}

/// Has the final receipt placed again; `false` when there is none yet.
pub async fn reprint(path: &Path, replay: &Replay) -> Result<bool, LedgerError> {
    let mut connection = super::beside(path).await?;
    let done = transaction(&mut connection, Change::Reprint, replay).await;
    connection.close().await?;
    Ok(done? > 0)
}

async fn open_items(connection: &mut SqliteConnection, replay: &Replay) -> Result<Replayed, LedgerError> {
    if !is_receipted(connection, replay.shipment).await? {
        return Ok(Replayed::NotReceipted);
    }
    let seq = shipments::seq(connection, replay.shipment).await?;
    if sqlx::query_scalar::<_, i64>(sql::IS_EXPIRED).bind(seq).fetch_one(&mut *connection).await? != 0 {
        return Ok(Replayed::Expired);
    }
    // Else the rest file of items that were only refused could not be dropped any more.
    let query = sqlx::query_scalar::<_, i64>(sql::ANY_TO_REPLAY).bind(seq).bind(int(replay.from_item));
    if query.bind(state_number(ItemState::Failed)).fetch_one(&mut *connection).await? == 0 {
        return Ok(Replayed::NothingFailed);
    }
    if transaction(connection, Change::TakeRest, replay).await? > 0 {
        return Ok(Replayed::RestDropped);
    }
    while transaction(connection, Change::OpenSome, replay).await? > 0 {}
    match transaction(connection, Change::Reopen, replay).await? {
        0 => Ok(Replayed::NothingFailed),
        items => Ok(Replayed::Items(items)),
    }
}

/// What one transaction does.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Takes the references of the rest file; how many another shipment has.
    TakeRest,
    /// Opens some failed items; how many.
    OpenSome,
    /// Puts the shipment back; how many items are open again.
    Reopen,
    /// Puts the shipment back for its receipt; 1, or 0 when it has none.
    Reprint,
}

async fn transaction(connection: &mut SqliteConnection, change: Change, replay: &Replay) -> Result<u64, LedgerError> {
    sql::execute(connection, sql::BEGIN).await?;
    let seq = shipments::seq(connection, replay.shipment).await;
    let done = match (seq, change) {
        (Ok(seq), Change::TakeRest) => take_rest(connection, seq, replay.shipment).await,
        (Ok(seq), Change::OpenSome) => open_some(connection, seq, replay.from_item).await,
        (Ok(seq), Change::Reopen) => reopen(connection, seq, replay).await,
        (Ok(seq), Change::Reprint) => begin_reprint(connection, seq, replay).await,
        (Err(error), _) => Err(error),
    };
    sql::execute(connection, if done.is_ok() { sql::COMMIT } else { sql::ROLLBACK }).await?;
    done
}

/// Where a rest file was offered: from now on its references are the shipment's own.
async fn take_rest(connection: &mut SqliteConnection, seq: i64, id: ShipmentId) -> Result<u64, LedgerError> {
    if !receipts::has(connection, id, ReceiptKind::Rest).await? {
        return Ok(0);
    }
    let query = sqlx::query_scalar(sql::REST_TAKEN).bind(seq).bind(REST_SUFFIX);
    let taken: i64 = query.fetch_one(&mut *connection).await?;
    if taken == 0 {
        sqlx::query(sql::TAKE_REST).bind(seq).bind(REST_SUFFIX).execute(connection).await?;
    }
    rows::to_count(taken)
}

async fn open_some(connection: &mut SqliteConnection, seq: i64, from_item: u64) -> Result<u64, LedgerError> {
    let query = sqlx::query(sql::REPLAY_SOME).bind(seq).bind(int(from_item));
    let query = query.bind(state_number(ItemState::Failed)).bind(AT_ONCE);
    Ok(query.execute(connection).await?.rows_affected())
}

async fn reopen(connection: &mut SqliteConnection, seq: i64, replay: &Replay) -> Result<u64, LedgerError> {
    let items: i64 = sqlx::query_scalar(sql::REPLAYED_COUNT).bind(seq).fetch_one(&mut *connection).await?;
    if items > 0 {
        sqlx::query(sql::REOPEN).bind(seq).bind(replay.said.now.as_millisecond()).execute(&mut *connection).await?;
        let detail = format!("{items} items, {}", replay.said);
        shipments::add_event(connection, seq, replay.said.now, "replayed", &detail).await?;
    }
    rows::to_count(items)
}

async fn begin_reprint(connection: &mut SqliteConnection, seq: i64, replay: &Replay) -> Result<u64, LedgerError> {
    let changed = sqlx::query(sql::REPRINT).bind(seq).execute(&mut *connection).await?.rows_affected();
    if changed > 0 {
        let detail = replay.said.to_string();
        shipments::add_event(connection, seq, replay.said.now, "receipt-asked-again", &detail).await?;
    }
    Ok(changed)
}

/// Items that were sent again and not told of.
pub(super) async fn items(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    after: u64,
    limit: u32,
) -> Result<Vec<Item>, LedgerError> {
    let query = sqlx::query(sql::REPLAYED_ITEMS).bind(uuid(&id.0)).bind(int(after)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::item).collect()
}

/// Forgets some marks of a replay that is done, and ends the shipment when there are none left; `false` then.
pub(super) async fn end_some(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let told = sqlx::query(sql::TOLD_SOME).bind(seq).bind(AT_ONCE).execute(&mut *connection).await?;
    if told.rows_affected() > 0 {
        return Ok(true);
    }
    let ended = sqlx::query(sql::CLOSE_AGAIN).bind(seq).execute(&mut *connection).await?;
    if ended.rows_affected() > 0 {
        shipments::add_event(connection, seq, now, "ended-again", "").await?;
    }
    Ok(false)
}

/// Items changed in one transaction: others wait no longer than for this many.
const AT_ONCE: i64 = 10_000;
