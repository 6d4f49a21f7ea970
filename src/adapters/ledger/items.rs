//! Items of a shipment.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::codes;
use crate::model::{Code, Item, ItemKey, ItemState, NewItem, OutcomeCount, ShipmentId, Stage, Tally};
use crate::ports::LedgerError;

use super::rows::{self, int, item_kind_number, state_number, to_stage, to_state, uuid};
use super::{shipments, sql};

/// Adds items; those that are there already stay as they are.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    items: &[NewItem],
) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let mut rest = items;
    for (size, text) in INSERTS.iter() {
        let chunks = rest.chunks_exact(*size);
        let after = chunks.remainder();
        for chunk in chunks {
            insert(connection, seq, chunk, text).await?;
        }
        rest = after;
    }
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    seq: i64,
    items: &[NewItem],
    text: &Arc<str>,
) -> Result<(), LedgerError> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(text)));
    for item in items {
        query = query
            .bind(seq)
            .bind(int(item.number))
            .bind(i64::from(item.part))
            .bind(item_kind_number(item.kind))
            .bind(uuid(&item.key.0))
            .bind(int(item.range.start))
            .bind(int(item.range.end))
            .bind(int(item.group.start))
            .bind(int(item.group.end))
            .bind(int(item.line))
            .bind(int(item.column))
            .bind(item.senders_reference.as_str())
            .bind(item.service.as_ref().map(|service| service.code.as_str()))
            .bind(item.service.as_ref().map(|service| service.edition.as_str()))
            .bind(i64::from(item.forms))
            .bind(state_number(first_state(item)))
            .bind(item.refused.map(|code| code.0));
    }
    query.execute(connection).await?;
    Ok(())
}

fn first_state(item: &NewItem) -> ItemState {
    match item.refused {
        None => ItemState::Ready,
        Some(codes::IGNORED_SERVICE) => ItemState::Ignored,
        Some(_) => ItemState::Refused,
    }
}

/// Forgets some items and findings of a shipment without a verdict; `false` when there are none left.
pub(super) async fn forget_some(connection: &mut SqliteConnection, id: ShipmentId) -> Result<bool, LedgerError> {
    let stage = sqlx::query_scalar(sql::STAGE).bind(uuid(&id.0)).fetch_optional(&mut *connection).await?;
    if to_stage(stage.ok_or_else(|| shipments::unknown(id))?)? != Stage::Claimed {
        return Err(LedgerError::Corrupt(format!("shipment {id} is judged already")));
    }
    let seq = shipments::seq(connection, id).await?;
    let mut forgotten = 0;
    for text in [sql::FORGET_ITEMS, sql::FORGET_ATTACHMENTS, sql::FORGET_FINDINGS, sql::FORGET_GROUPS] {
        let done = sqlx::query(text).bind(seq).bind(AT_ONCE).execute(&mut *connection).await?;
        forgotten += done.rows_affected();
    }
    Ok(forgotten > 0)
}

/// Refuses the ready ones among the numbers (a JSON array); returns how many.
pub(super) async fn refuse(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    code: Code,
    numbers: String,
) -> Result<u64, LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let done = sqlx::query(sql::REFUSE_NUMBERS).bind(seq).bind(code.0).bind(numbers).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Makes the keys of some items after a number the shipment's own; the last of them.
pub(super) async fn own_some_keys(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    after: u64,
) -> Result<Option<u64>, LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let query = sqlx::query(sql::KEYS).bind(seq).bind(int(after)).bind(AT_ONCE);
    let (mut last, mut keys) = (None, Vec::new());
    for row in query.fetch_all(&mut *connection).await? {
        let (number, key) = (rows::count(&row, "number")?, ItemKey(rows::to_uuid(rows::cell(&row, "key")?)?));
        keys.push(json!([number, key.in_shipment(id).0.simple().to_string()]));
        last = Some(number);
    }
    let keys = Value::from(keys).to_string();
    sqlx::query(sql::SET_KEYS).bind(keys).bind(seq).execute(connection).await?;
    Ok(last)
}

/// Settles some open items as delivered; `false` when there are none left.
pub(super) async fn settle_some(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    code: Code,
) -> Result<bool, LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let done = sqlx::query(sql::SETTLE_OPEN).bind(seq).bind(code.0).bind(AT_ONCE).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

/// Fails some items in an open state; `false` when there are none left.
pub(super) async fn fail_some(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    state: ItemState,
    code: Code,
) -> Result<bool, LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let query = sqlx::query(sql::FAIL_OPEN).bind(seq).bind(code.0).bind(AT_ONCE).bind(state_number(state));
    let query = query.bind(codes::OUTCOME_UNKNOWN.0);
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

pub(super) async fn page(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    states: &[ItemState],
    after: u64,
    limit: u32,
) -> Result<Vec<Item>, LedgerError> {
    let states = if states.is_empty() { &ItemState::ALL } else { states };
    let set = states.iter().fold(0_i64, |set, state| set | 1 << state_number(*state));
    let query = sqlx::query(sql::ITEMS).bind(uuid(&id.0)).bind(int(after)).bind(set).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::item).collect()
}

pub(super) async fn due(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    now: Timestamp,
    after: u64,
    limit: u32,
) -> Result<Vec<Item>, LedgerError> {
    let query = sqlx::query(sql::DUE_ITEMS).bind(uuid(&id.0)).bind(int(after));
    let query = query.bind(now.as_millisecond()).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::item).collect()
}

pub(super) async fn next_due(
    connection: &mut SqliteConnection,
    id: ShipmentId,
) -> Result<Option<Timestamp>, LedgerError> {
    let due: Option<i64> = sqlx::query_scalar(sql::NEXT_DUE).bind(uuid(&id.0)).fetch_one(connection).await?;
    due.map(rows::to_time).transpose()
}

pub(super) async fn tally(connection: &mut SqliteConnection, id: ShipmentId) -> Result<Tally, LedgerError> {
    let mut tally = Tally::default();
    for row in sqlx::query(sql::TALLY).bind(uuid(&id.0)).fetch_all(connection).await? {
        tally.add(to_state(rows::cell(&row, "state")?)?, rows::count(&row, "n")?);
    }
    Ok(tally)
}

/// Items by part, state and code.
pub(super) async fn outcomes(
    connection: &mut SqliteConnection,
    id: ShipmentId,
) -> Result<Vec<OutcomeCount>, LedgerError> {
    sqlx::query(sql::OUTCOMES).bind(uuid(&id.0)).fetch_all(connection).await?.iter().map(rows::outcome).collect()
}

/// Three sizes, so that any number of items needs few prepared statements.
static INSERTS: LazyLock<[(usize, Arc<str>); 3]> =
    LazyLock::new(|| [64, 8, 1].map(|size| (size, sql::insert_items(size).into())));

/// Rows forgotten or settled in one change: others wait no longer than for this many.
const AT_ONCE: i64 = 10_000;
