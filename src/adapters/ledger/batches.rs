//! Batches that items go in: made once, and every step of one is a step of all its items.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::model::{Batch, HeldUp, Item, Outcome, ShipmentId};
use crate::ports::{Intent, LedgerError};

use super::rows::{self, int, state_number, to_state, uuid};
use super::steps::{doubt_after, state_after, told_of};
use super::{shipments, sql};

/// Adds batches of items that wait; those that are there already stay as they are.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    batches: &[Batch],
) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    for batch in batches {
        let (number, first, last) = (int(batch.number), int(batch.first), int(batch.last));
        let query = sqlx::query(sql::ADD_BATCH).bind(seq).bind(number).bind(uuid(&batch.key.0));
        let added = query.bind(first).bind(last).bind(int(batch.items)).execute(&mut *connection).await?;
        if added.rows_affected() == 0 {
            continue;
        }
        let query = sqlx::query(sql::GROUP_ITEMS).bind(seq).bind(number).bind(first).bind(last);
        let grouped = query.execute(&mut *connection).await?.rows_affected();
        if grouped != batch.items {
            let (number, items) = (batch.number, batch.items);
            return Err(LedgerError::Corrupt(format!("batch {number} of {id} has {grouped} items and not {items}")));
        }
    }
    Ok(())
}

/// The last one.
pub(super) async fn last(connection: &mut SqliteConnection, id: ShipmentId) -> Result<Option<Batch>, LedgerError> {
    let row = sqlx::query(sql::LAST_BATCH).bind(uuid(&id.0)).fetch_optional(connection).await?;
    row.map(|row| rows::batch(&row, "number", "key")).transpose()
}

/// Open ones whose wait is over.
pub(super) async fn due(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    now: Timestamp,
    after: u64,
    limit: u32,
) -> Result<Vec<(Batch, Item)>, LedgerError> {
    let query = sqlx::query(sql::DUE_BATCHES).bind(uuid(&id.0)).bind(int(after));
    let rows = query.bind(now.as_millisecond()).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((rows::batch(row, "batch", "batch_key")?, rows::item(row)?))).collect()
}

/// Records that all items of a batch are about to be sent.
pub(super) async fn intend(connection: &mut SqliteConnection, intent: Intent) -> Result<(), LedgerError> {
    let batch = one(connection, intent.shipment, intent.number).await?;
    let seq = shipments::seq(connection, intent.shipment).await?;
    let query = sqlx::query(sql::INTEND_BATCH).bind(seq).bind(int(batch.number)).bind(int(batch.first));
    let query = query.bind(int(batch.last)).bind(intent.now.as_millisecond()).bind(intent.is_doubtful);
    let changed = query.execute(connection).await?.rows_affected();
    if changed == batch.items { Ok(()) } else { Err(settled(intent.shipment, &batch)) }
}

/// Records what became of all items of a batch. The same outcome again is no error.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    number: u64,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let batch = one(connection, id, number).await?;
    let seq = shipments::seq(connection, id).await?;
    let (at, code, reference) = told_of(outcome, now);
    let query = sqlx::query(sql::CONCLUDE_BATCH).bind(seq).bind(int(number)).bind(int(batch.first));
    let query = query.bind(int(batch.last)).bind(at.as_millisecond());
    let query = query.bind(state_number(state_after(outcome))).bind(code.0).bind(reference);
    let query = query.bind(doubt_after(outcome));
    match query.execute(&mut *connection).await?.rows_affected() {
        changed if changed == batch.items => mark(connection, seq, number, outcome).await,
        0 => {
            let query = sqlx::query_scalar(sql::ITEM_STATE).bind(uuid(&id.0)).bind(int(batch.first));
            let state: Option<i64> = query.fetch_optional(connection).await?;
            let same = state.map(to_state).transpose()? == Some(state_after(outcome));
            if same { Ok(()) } else { Err(settled(id, &batch)) }
        }
        _ => Err(settled(id, &batch)),
    }
}

/// What the outcome leaves of the batch itself: it goes before all others of a receiver that is down.
async fn mark(connection: &mut SqliteConnection, seq: i64, number: u64, outcome: &Outcome) -> Result<(), LedgerError> {
    let is_held_up = match outcome {
        Outcome::Down { .. } => true,
        Outcome::Retry { .. } | Outcome::Unknown { .. } => return Ok(()),
        Outcome::Delivered(_) | Outcome::Failed(_) | Outcome::NotThere(_) | Outcome::Doubtful(_) => false,
    };
    let query = sqlx::query(sql::MARK_BATCH).bind(seq).bind(int(number)).bind(is_held_up);
    query.execute(connection).await?;
    Ok(())
}

/// Those that go before all others of their receivers.
pub(super) async fn held_up(connection: &mut SqliteConnection) -> Result<Vec<HeldUp>, LedgerError> {
    let rows = sqlx::query(sql::HELD_UP_BATCHES).fetch_all(connection).await?;
    rows.iter().map(rows::held_up).collect()
}

async fn one(connection: &mut SqliteConnection, id: ShipmentId, number: u64) -> Result<Batch, LedgerError> {
    let row = sqlx::query(sql::BATCH).bind(uuid(&id.0)).bind(int(number)).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| LedgerError::Corrupt(format!("there is no batch {number} of {id}")))?;
    rows::batch(&row, "number", "key")
}

fn settled(id: ShipmentId, batch: &Batch) -> LedgerError {
    LedgerError::Corrupt(format!("not every item of batch {} of {id} is open", batch.number))
}
