//! Activations: instances to be made of what was kept, from the moment they are wanted to their outcome.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::held::{day, tell, text};
use super::instances;
use super::rows::{self, cell, int, state_number, to_state, uuid};
use super::sql::held as sql;
use super::steps::{state_after, told_of};
use crate::model::{Deadlines, ItemState, LateEvent, Outcome, ShipmentId};
use crate::ports::{Activation, LedgerError};

/// What is to be made of what.
pub(super) struct Wanted {
    pub(super) key: Vec<u8>,
    /// The item it is made of.
    pub(super) place: (i64, i64),
    /// The subscription that asks for it.
    pub(super) asked: Option<(i64, i64)>,
    pub(super) day: Date,
    pub(super) occasion: Deadlines,
    pub(super) now: Timestamp,
}

/// Adds one; its key is taken once.
pub(super) async fn add(connection: &mut SqliteConnection, wanted: Wanted) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::ACTIVATE).bind(wanted.key).bind(wanted.place.0).bind(wanted.place.1);
    let query = query.bind(wanted.asked.map(|(seq, _)| seq)).bind(wanted.asked.map(|(_, item)| item));
    let query = query.bind(text(wanted.day)).bind(wanted.occasion.due.map(text));
    let query = query.bind(wanted.occasion.visible.map(text)).bind(wanted.now.as_millisecond());
    query.execute(connection).await?;
    Ok(())
}

/// Makes activations of form sets whose first day has come.
pub(super) async fn release(
    connection: &mut SqliteConnection,
    today: Date,
    now: Timestamp,
    limit: u32,
) -> Result<u64, LedgerError> {
    let ready = sqlx::query(sql::READY_SETS).bind(text(today)).bind(i64::from(limit));
    let ready = ready.fetch_all(&mut *connection).await?;
    for row in &ready {
        let (seq, item): (i64, i64) = (cell(row, "shipment")?, cell(row, "item")?);
        let (key, place, occasion) = (cell(row, "key")?, (seq, item), Deadlines::default());
        add(connection, Wanted { key, place, asked: None, day: today, occasion, now }).await?;
        sqlx::query(sql::USE_UP).bind(seq).bind(item).execute(&mut *connection).await?;
    }
    Ok(ready.len() as u64)
}

pub(super) async fn shipments(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<ShipmentId>, LedgerError> {
    let rows = sqlx::query(sql::ACTIVATED_SHIPMENTS).bind(now.as_millisecond()).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(ShipmentId(rows::to_uuid(cell(row, "id")?)?))).collect()
}

pub(super) async fn due(
    connection: &mut SqliteConnection,
    shipment: ShipmentId,
    now: Timestamp,
    (after, limit): (u64, u32),
) -> Result<Vec<Activation>, LedgerError> {
    let query = sqlx::query(sql::DUE_ACTIVATIONS).bind(uuid(&shipment.0)).bind(now.as_millisecond());
    let rows = query.bind(int(after)).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().map(activation).collect()
}

fn activation(row: &SqliteRow) -> Result<Activation, LedgerError> {
    Ok(Activation {
        id: rows::count(row, "activation")?,
        item: rows::item(row)?,
        occasion: Deadlines { due: day(row, "due")?, visible: day(row, "visible")? },
        removes: cell(row, "removes")?,
    })
}

pub(super) async fn intend(connection: &mut SqliteConnection, id: u64, now: Timestamp) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::INTEND_ACTIVATION).bind(int(id)).bind(now.as_millisecond());
    match query.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(LedgerError::Corrupt(format!("activation {id} is not open"))),
    }
}

/// Records an outcome and leaves news of one that is settled; the same again is no error.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    id: u64,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let (state, (at, code, reference)) = (state_after(outcome), told_of(outcome, now));
    let query = sqlx::query(sql::CONCLUDE_ACTIVATION).bind(int(id)).bind(state_number(state)).bind(code.0);
    let query = query.bind(reference).bind(at.as_millisecond());
    let Some(row) = query.fetch_optional(&mut *connection).await? else { return is_same(connection, id, state).await };
    if let Some(reference) = cell::<Option<String>>(&row, "removes")? {
        let place = (cell(&row, "shipment")?, cell(&row, "item")?);
        return instances::ended(connection, place, (reference, code), (state, now)).await;
    }
    let event = match state {
        ItemState::Delivered => LateEvent::Instantiated,
        ItemState::Failed => LateEvent::NotInstantiated,
        ItemState::Ready | ItemState::Sending | ItemState::Refused | ItemState::Ignored => return Ok(()),
    };
    tell(connection, (cell(&row, "shipment")?, cell(&row, "item")?), (event, now)).await?;
    let asked = cell::<Option<i64>>(&row, "asked_by")?.zip(cell::<Option<i64>>(&row, "asked_item")?);
    let made_of = Some((cell(&row, "shipment")?, cell(&row, "item")?));
    match asked.filter(|_| asked != made_of) {
        Some(subscription) => tell(connection, subscription, (event, now)).await,
        None => Ok(()),
    }
}

async fn is_same(connection: &mut SqliteConnection, id: u64, state: ItemState) -> Result<(), LedgerError> {
    let query = sqlx::query_scalar(sql::ACTIVATION_STATE).bind(int(id));
    let found: Option<i64> = query.fetch_optional(connection).await?;
    match found.map(to_state).transpose()? {
        Some(found) if found == state => Ok(()),
        Some(found) => Err(LedgerError::Corrupt(format!("activation {id} is already {found:?}"))),
        None => Err(LedgerError::Corrupt(format!("there is no activation {id}"))),
    }
}
