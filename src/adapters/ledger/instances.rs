//! Instances that were made of form sets, as long as a row's options may still change them.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::SqliteConnection;

use super::held::{tell, text};
use super::rows::{self, cell, int, uuid};
use super::sql::instances as sql;
use super::{SqliteLedger, shipments};
use crate::codes;
use crate::model::{Code, ItemKey, ItemState, LateEvent};
use crate::ports::{Claimed, Instances, LedgerError, SetPlace};

#[async_trait]
impl Instances for SqliteLedger {
    async fn note_instance(&self, set: SetPlace, reference: String) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { note(connection, &set, reference).await })).await
    }

    async fn claim_instance(&self, set: SetPlace) -> Result<Claimed, LedgerError> {
        // Most sets are the first; no transaction is spent on those.
        let query = sqlx::query(sql::ANY).bind(uuid(&set.whose.0.0)).bind(uuid(&set.same.0.0));
        if query.fetch_optional(&mut *self.reader().await?).await?.is_none() {
            return Ok(Claimed::Nothing);
        }
        self.write(move |connection| Box::pin(async move { claim(connection, &set).await })).await
    }

    async fn claimed_instance(&self, key: ItemKey) -> Result<Claimed, LedgerError> {
        own(&mut *self.reader().await?, key).await
    }

    async fn fulfil_claim(&self, set: SetPlace, now: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { fulfil(connection, &set, now).await })).await
    }

    async fn give_up_claim(&self, key: ItemKey, touched: bool) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(sql::GIVE_UP).bind(uuid(&key.0)).bind(touched).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn leave_claimed(&self, key: ItemKey) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(sql::LEAVE).bind(uuid(&key.0)).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn end_instances(&self, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError> {
        // An empty change would be a sync of the disk at every look.
        let query = sqlx::query(sql::ENDING).bind(text(today)).bind(1);
        if query.fetch_optional(&mut *self.reader().await?).await?.is_none() {
            return Ok(0);
        }
        self.write(move |connection| Box::pin(end(connection, today, now, limit))).await
    }
}

async fn note(connection: &mut SqliteConnection, set: &SetPlace, reference: String) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, set.shipment).await?;
    let query = sqlx::query(sql::NOTE).bind(uuid(&set.key.0)).bind(seq).bind(int(set.item));
    let query = query.bind(uuid(&set.whose.0.0)).bind(uuid(&set.same.0.0));
    let query = query.bind(text(set.valid_from)).bind(text(set.valid_to)).bind(set.is_deleted);
    query.bind(reference).execute(connection).await?;
    Ok(())
}

async fn own(connection: &mut SqliteConnection, key: ItemKey) -> Result<Claimed, LedgerError> {
    let found = sqlx::query(sql::OWN).bind(uuid(&key.0)).fetch_optional(connection).await?;
    let Some(row) = found else { return Ok(Claimed::Nothing) };
    let reference = cell(&row, "reference")?;
    Ok(if cell(&row, "is_there")? { Claimed::There(reference) } else { Claimed::Again(reference) })
}

async fn claim(connection: &mut SqliteConnection, set: &SetPlace) -> Result<Claimed, LedgerError> {
    let own = own(&mut *connection, set.key).await?;
    if own != Claimed::Nothing {
        return Ok(own);
    }
    let seq = shipments::seq(connection, set.shipment).await?;
    let asked = |statement| {
        let query = sqlx::query(statement).bind(seq).bind(uuid(&set.whose.0.0)).bind(uuid(&set.same.0.0));
        query.bind(text(set.valid_from)).bind(text(set.valid_to))
    };
    if let Some(row) = asked(sql::LATER).fetch_optional(&mut *connection).await? {
        return Ok(Claimed::Outdated(cell(&row, "reference")?));
    }
    let Some(row) = asked(sql::EARLIER).fetch_optional(&mut *connection).await? else { return Ok(Claimed::Nothing) };
    if cell(&row, "is_claimed")? {
        return Ok(Claimed::Busy);
    }
    let query = sqlx::query(sql::CLAIM).bind(cell::<Vec<u8>>(&row, "key")?).bind(uuid(&set.key.0));
    query.bind(seq).bind(int(set.item)).execute(connection).await?;
    Ok(Claimed::New(cell(&row, "reference")?))
}

async fn fulfil(connection: &mut SqliteConnection, set: &SetPlace, now: Timestamp) -> Result<(), LedgerError> {
    let claimed = sqlx::query(sql::CLAIMED).bind(uuid(&set.key.0)).fetch_optional(&mut *connection).await?;
    let Some(before) = claimed else { return Ok(()) };
    let seq = shipments::seq(connection, set.shipment).await?;
    let query = sqlx::query(sql::FULFIL).bind(uuid(&set.key.0)).bind(seq).bind(int(set.item));
    let query = query.bind(text(set.valid_from)).bind(text(set.valid_to)).bind(set.is_deleted);
    query.execute(&mut *connection).await?;
    let place = (cell(&before, "shipment")?, cell(&before, "item")?);
    tell(connection, place, (LateEvent::Overwritten, now)).await
}

async fn end(connection: &mut SqliteConnection, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError> {
    let ending = sqlx::query(sql::ENDING).bind(text(today)).bind(i64::from(limit));
    let ending = ending.fetch_all(&mut *connection).await?;
    for row in &ending {
        let key: Vec<u8> = cell(row, "key")?;
        let deletes: bool = cell(row, "deletes")?;
        let state = if deletes { TO_BE_DELETED } else { OVER };
        sqlx::query(sql::END).bind(key.clone()).bind(state).execute(&mut *connection).await?;
        if !deletes {
            continue;
        }
        let reference: String = cell(row, "reference")?;
        let removal = ItemKey::derive(&["removal", &rows::to_uuid(key)?.to_string(), &reference]);
        let query = sqlx::query(sql::REMOVE).bind(uuid(&removal.0));
        let query = query.bind(cell::<i64>(row, "shipment")?).bind(cell::<i64>(row, "item")?).bind(text(today));
        query.bind(now.as_millisecond()).bind(reference).execute(&mut *connection).await?;
    }
    Ok(ending.len() as u64)
}

/// What became of an instance's end. That somebody uses it is nothing to be told of.
pub(super) async fn ended(
    connection: &mut SqliteConnection,
    place: (i64, i64),
    (reference, code): (String, Code),
    (state, now): (ItemState, Timestamp),
) -> Result<(), LedgerError> {
    let event = match state {
        ItemState::Delivered => Some(LateEvent::Deleted),
        ItemState::Failed if code == codes::INSTANCE_IN_USE => None,
        ItemState::Failed => Some(LateEvent::NotDeleted),
        ItemState::Ready | ItemState::Sending | ItemState::Refused | ItemState::Ignored => return Ok(()),
    };
    let query = sqlx::query(sql::ENDED).bind(place.0).bind(place.1).bind(reference);
    query.execute(&mut *connection).await?;
    match event {
        Some(event) => tell(connection, place, (event, now)).await,
        None => Ok(()),
    }
}

/// An activation is to delete it.
const TO_BE_DELETED: i64 = 1;
/// Nothing more is done to it.
const OVER: i64 = 2;
