//! What is kept until it is wanted: form sets and prefilled fields.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, cell, corrupt, event_number, int, uuid};
use super::sql::held as sql;
use super::{SqliteLedger, activations, shipments, subscriptions};
use crate::model::{BlobId, HeldKey, LateEvent, News, Outcome, ShipmentId};
use crate::ports::{Activation, Firing, Held, HeldItem, LedgerError, NewHeld, NewSubscription, Sort, Subscription};

#[async_trait]
impl Held for SqliteLedger {
    async fn keep(&self, held: NewHeld) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { keep(connection, &held).await })).await
    }

    async fn subscribe(&self, subscription: NewSubscription) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { subscriptions::add(connection, &subscription).await })).await
    }

    async fn was_kept(&self, shipment: ShipmentId, item: u64) -> Result<bool, LedgerError> {
        let query = sqlx::query_scalar(sql::WAS_KEPT).bind(uuid(&shipment.0)).bind(int(item));
        let found: Option<i64> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(found.is_some_and(|rows| rows > 0))
    }

    async fn held(&self, whose: HeldKey, sort: Sort, day: Date, limit: u32) -> Result<Vec<HeldItem>, LedgerError> {
        let query = sqlx::query(sql::HELD).bind(uuid(&whose.0.0)).bind(number(sort)).bind(text(day));
        let rows = query.bind(i64::from(limit)).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(held_item).collect()
    }

    async fn served(&self, items: Vec<(ShipmentId, u64)>) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move {
                for (shipment, item) in items {
                    let query = sqlx::query(sql::USED).bind(uuid(&shipment.0)).bind(int(item));
                    query.execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn release(&self, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError> {
        // An empty change would be a sync of the disk at every look.
        if is_empty(&mut *self.reader().await?, sql::READY_SETS, today).await? {
            return Ok(0);
        }
        self.write(move |connection| Box::pin(activations::release(connection, today, now, limit))).await
    }

    async fn due_subscriptions(&self, today: Date, limit: u32) -> Result<Vec<Subscription>, LedgerError> {
        subscriptions::due(&mut *self.reader().await?, today, limit).await
    }

    async fn fire(&self, firings: Vec<Firing>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { subscriptions::fire(connection, &firings).await })).await
    }

    async fn lapse(&self, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError> {
        if is_empty(&mut *self.reader().await?, sql::LAPSING, today).await? {
            return Ok(0);
        }
        self.write(move |connection| Box::pin(lapse(connection, today, now, limit))).await
    }

    async fn activated_shipments(&self, now: Timestamp) -> Result<Vec<ShipmentId>, LedgerError> {
        activations::shipments(&mut *self.reader().await?, now).await
    }

    async fn due_activations(
        &self,
        shipment: ShipmentId,
        now: Timestamp,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Activation>, LedgerError> {
        activations::due(&mut *self.reader().await?, shipment, now, (after, limit)).await
    }

    async fn intend_activation(&self, id: u64, now: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(activations::intend(connection, id, now))).await
    }

    async fn conclude_activation(&self, id: u64, outcome: Outcome, now: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move { activations::conclude(connection, id, &outcome, now).await })
        })
        .await
    }

    async fn held_news(&self, limit: u32) -> Result<Option<(ShipmentId, Vec<News>)>, LedgerError> {
        news(&mut *self.reader().await?, limit).await
    }

    async fn forget_held_news(&self, shipment: ShipmentId, news: Vec<News>) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move {
                for one in news {
                    let query = sqlx::query(sql::FORGET_HELD_NEWS).bind(uuid(&shipment.0)).bind(int(one.item));
                    let query = query.bind(event_number(one.event)).bind(one.at.as_millisecond());
                    query.execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn is_empty(
    connection: &mut SqliteConnection,
    statement: &'static str,
    today: Date,
) -> Result<bool, LedgerError> {
    Ok(sqlx::query(statement).bind(text(today)).bind(1).fetch_optional(connection).await?.is_none())
}

async fn keep(connection: &mut SqliteConnection, held: &NewHeld) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, held.shipment).await?;
    let (whose, identity, same) = (uuid(&held.whose.0.0), uuid(&held.identity.0.0), uuid(&held.same.0.0));
    let (first, last, sort) = (text(held.valid_from), text(held.valid_to), number(held.sort));
    let query = sqlx::query(sql::KEEP).bind(seq).bind(int(held.item)).bind(sort).bind(whose.clone());
    let query = query.bind(identity).bind(first.clone()).bind(last.clone()).bind(same.clone());
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(());
    }
    let mut replaced = Vec::new();
    for statement in [sql::REPLACE_HELD, sql::GIVE_WAY] {
        let query = sqlx::query(statement).bind(seq).bind(sort).bind(whose.clone()).bind(same.clone());
        let query = query.bind(first.clone()).bind(last.clone()).bind(int(held.item));
        replaced.extend(query.fetch_all(&mut *connection).await?);
    }
    if held.sort == Sort::Field {
        // Which of two values of a field counts is nothing to be told of.
        return Ok(());
    }
    tell_all(connection, &replaced, (LateEvent::Replaced, held.now)).await
}

async fn lapse(connection: &mut SqliteConnection, today: Date, now: Timestamp, limit: u32) -> Result<u64, LedgerError> {
    let lapsing = sqlx::query(sql::LAPSING).bind(text(today)).bind(i64::from(limit));
    let lapsing = lapsing.fetch_all(&mut *connection).await?;
    for row in &lapsing {
        let place = (cell(row, "shipment")?, cell(row, "item")?);
        sqlx::query(sql::LAPSE).bind(place.0).bind(place.1).execute(&mut *connection).await?;
        let is_field = cell::<i64>(row, "sort")? == number(Sort::Field);
        if !is_field && cell::<i64>(row, "uses")? == 0 {
            tell(connection, place, (LateEvent::Lapsed, now)).await?;
        }
    }
    Ok(lapsing.len() as u64)
}

/// Leaves news for a supplement, of every row's item.
pub(super) async fn tell_all(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
    what: (LateEvent, Timestamp),
) -> Result<(), LedgerError> {
    for row in rows {
        tell(connection, (cell(row, "shipment")?, cell(row, "item")?), what).await?;
    }
    Ok(())
}

/// The same of one item.
pub(super) async fn tell(
    connection: &mut SqliteConnection,
    (seq, item): (i64, i64),
    (event, at): (LateEvent, Timestamp),
) -> Result<(), LedgerError> {
    let query = sqlx::query(sql::ADD_HELD_NEWS).bind(seq).bind(item).bind(event_number(event));
    query.bind(at.as_millisecond()).execute(connection).await?;
    Ok(())
}

async fn news(connection: &mut SqliteConnection, limit: u32) -> Result<Option<(ShipmentId, Vec<News>)>, LedgerError> {
    let Some(row) = sqlx::query(sql::NEWS_SHIPMENT).fetch_optional(&mut *connection).await? else { return Ok(None) };
    let id = ShipmentId(rows::to_uuid(cell(&row, "id")?)?);
    let query = sqlx::query(sql::HELD_NEWS).bind(cell::<i64>(&row, "seq")?).bind(i64::from(limit));
    let news: Result<Vec<_>, _> = query.fetch_all(connection).await?.iter().map(rows::told).collect();
    Ok(Some((id, news?)))
}

fn held_item(row: &SqliteRow) -> Result<HeldItem, LedgerError> {
    Ok(HeldItem {
        shipment: ShipmentId(rows::to_uuid(cell(row, "id")?)?),
        blob: BlobId(rows::to_uuid(cell(row, "blob")?)?),
        item: rows::item(row)?.found,
        valid_from: day(row, "valid_from")?.ok_or_else(|| corrupt("a day"))?,
        valid_to: day(row, "valid_to")?.ok_or_else(|| corrupt("a day"))?,
    })
}

/// A sort's number, as the tables know it.
fn number(sort: Sort) -> i64 {
    match sort {
        Sort::Day => 0,
        Sort::Subscribed => 1,
        Sort::Served => 2,
        Sort::Field => 3,
    }
}

/// A day as text that sorts as days do; one before the calendar's year 0 is its first.
pub(super) fn text(day: Date) -> String {
    day.max(Date::ZERO).to_string()
}

/// A day that may be missing.
pub(super) fn day(row: &SqliteRow, column: &str) -> Result<Option<Date>, LedgerError> {
    cell::<Option<String>>(row, column)?.map(|text| text.parse().map_err(|_| corrupt("a day"))).transpose()
}
