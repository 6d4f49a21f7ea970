//! Transfers that were begun at a receiver.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::SqliteLedger;
use super::rows::{to_uuid, uuid};
use super::sql::transfers as sql;
use crate::model::ItemKey;
use crate::ports::{LedgerError, Transfers};

#[async_trait]
impl Transfers for SqliteLedger {
    async fn transfer(&self, item: ItemKey) -> Result<Option<Uuid>, LedgerError> {
        let mut reader = self.reader().await?;
        let found: Option<Vec<u8>> =
            sqlx::query_scalar(sql::TRANSFER).bind(uuid(&item.0)).fetch_optional(&mut *reader).await?;
        found.map(to_uuid).transpose()
    }

    async fn keep_transfer(&self, item: ItemKey, id: Uuid, now: Timestamp) -> Result<(), LedgerError> {
        self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(sql::KEEP_TRANSFER).bind(uuid(&item.0)).bind(uuid(&id));
                query.bind(now.as_millisecond()).execute(&mut *connection).await?;
                let before = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN).as_millisecond();
                sqlx::query(sql::FORGET_TRANSFERS).bind(before).execute(&mut *connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn known_transfers(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, LedgerError> {
        let mut reader = self.reader().await?;
        let mut known = Vec::new();
        for id in ids {
            let found: Option<i64> =
                sqlx::query_scalar(sql::IS_TRANSFER).bind(uuid(id)).fetch_optional(&mut *reader).await?;
            known.extend(found.map(|_| *id));
        }
        Ok(known)
    }
}

/// Longer than any item is tried, and than most resources keep a file.
const KEPT: SignedDuration = SignedDuration::from_hours(180 * 24);
