//! What follows a delivery: notes on the item, later news, contents that lie at a receiver.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::rows::{self, int, uuid};
use super::sql::aftermath as sql;
use super::steps::{self, Step};
use super::{SqliteLedger, shipments};
use crate::codes;
use crate::model::{Note, ShipmentId};
use crate::ports::{Followed, FollowedItem, LedgerError, Looked, Told, Uploads};

/// Records an outcome with what was told of it, in one transaction.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    step: &Step,
    (id, number): (ShipmentId, u64),
    told: &Told,
) -> Result<(), LedgerError> {
    steps::take_one(connection, step).await?;
    let seq = shipments::seq(connection, id).await?;
    // Those of an earlier attempt no longer hold.
    sqlx::query(sql::FORGET_NOTES).bind(seq).bind(int(number)).execute(&mut *connection).await?;
    for (position, note) in (0_i64..).zip(&told.notes) {
        let query = sqlx::query(sql::ADD_NOTE).bind(seq).bind(int(number)).bind(position);
        query.bind(note.code.0).bind(note.text.as_str()).execute(&mut *connection).await?;
    }
    if let Some(follow) = told.follow {
        let query = sqlx::query(sql::FOLLOW).bind(seq).bind(int(number));
        let query = query.bind(follow.due_at.as_millisecond()).bind(follow.ends_at.as_millisecond());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Forgets some notes on items that are to be sent again: they are of an outcome that no longer holds. How many.
pub(super) async fn forget_some_notes(
    connection: &mut SqliteConnection,
    seq: i64,
    limit: i64,
) -> Result<u64, LedgerError> {
    let query = sqlx::query(sql::FORGET_REPLAYED_NOTES).bind(seq).bind(limit);
    Ok(query.execute(connection).await?.rows_affected())
}

/// Notes on the items from one to another.
pub(super) async fn notes(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    (first, last): (u64, u64),
) -> Result<Vec<(u64, Note)>, LedgerError> {
    let query = sqlx::query(sql::NOTES).bind(uuid(&id.0)).bind(int(first)).bind(int(last));
    query.fetch_all(connection).await?.iter().map(note).collect()
}

fn note(row: &SqliteRow) -> Result<(u64, Note), LedgerError> {
    let code = codes::by_name(&rows::cell::<String>(row, "code")?).ok_or_else(|| rows::corrupt("a code"))?;
    Ok((rows::count(row, "item")?, Note { code, text: rows::cell(row, "text")? }))
}

#[async_trait]
impl Followed for SqliteLedger {
    async fn followed_shipments(&self, now: Timestamp) -> Result<Vec<ShipmentId>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::FOLLOWED_SHIPMENTS).bind(now.as_millisecond()).fetch_all(&mut *reader).await?;
        rows.iter().map(|row| Ok(ShipmentId(rows::to_uuid(rows::cell(row, "id")?)?))).collect()
    }

    async fn due_followed(&self, id: ShipmentId, now: Timestamp, limit: u32) -> Result<Vec<FollowedItem>, LedgerError> {
        let mut reader = self.reader().await?;
        let query = sqlx::query(sql::DUE_FOLLOWED).bind(uuid(&id.0)).bind(now.as_millisecond());
        let rows = query.bind(i64::from(limit)).fetch_all(&mut *reader).await?;
        rows.iter().map(followed).collect()
    }

    async fn looked(&self, id: ShipmentId, looked: Vec<Looked>) -> Result<(), LedgerError> {
        self.write(move |connection| Box::pin(async move { look(connection, id, &looked).await })).await
    }
}

async fn look(connection: &mut SqliteConnection, id: ShipmentId, looked: &[Looked]) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    for Looked { number, again } in looked {
        let query = match again {
            Some(at) => sqlx::query(sql::LOOK_AGAIN).bind(seq).bind(int(*number)).bind(at.as_millisecond()),
            None => sqlx::query(sql::UNFOLLOW).bind(seq).bind(int(*number)),
        };
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn followed(row: &SqliteRow) -> Result<FollowedItem, LedgerError> {
    Ok(FollowedItem {
        number: rows::count(row, "item")?,
        receivers_reference: rows::cell(row, "receivers_reference")?,
        looks: u32::try_from(rows::count(row, "looks")?).unwrap_or(u32::MAX),
        ends_at: rows::time(row, "ends_at")?,
    })
}

#[async_trait]
impl Uploads for SqliteLedger {
    async fn upload(&self, key: [u8; 32]) -> Result<Option<String>, LedgerError> {
        let mut reader = self.reader().await?;
        let found = sqlx::query_scalar(sql::UPLOAD).bind(key.as_slice()).fetch_optional(&mut *reader).await?;
        Ok(found)
    }

    async fn keep_upload(&self, key: [u8; 32], reference: &str, now: Timestamp) -> Result<(), LedgerError> {
        let reference = reference.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(sql::KEEP_UPLOAD).bind(key.to_vec()).bind(reference);
                query.bind(now.as_millisecond()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn forget_uploads(&self, before: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(sql::FORGET_UPLOADS).bind(before.as_millisecond()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}
