//! How far shipments have come.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::SqliteLedger;
use super::rows::{self, uuid};
use super::sql::progress as sql;
use crate::model::ShipmentId;
use crate::ports::{LedgerError, Progress, UnderWay};

#[async_trait]
impl Progress for SqliteLedger {
    async fn under_way(&self, of_each_route: u32) -> Result<Vec<UnderWay>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::UNDER_WAY).bind(i64::from(of_each_route)).fetch_all(&mut *reader).await?;
        rows.iter().map(under_way).collect()
    }

    async fn expect_ends(&self, ends: Vec<(ShipmentId, Option<Timestamp>)>) -> Result<(), LedgerError> {
        if ends.is_empty() {
            return Ok(());
        }
        // What is lost with the machine's memory is found out anew within a minute.
        self.write_lazily(move |connection| Box::pin(async move { expect_ends(connection, &ends).await })).await
    }
}

async fn expect_ends(
    connection: &mut SqliteConnection,
    ends: &[(ShipmentId, Option<Timestamp>)],
) -> Result<(), LedgerError> {
    let rows = ends.iter().map(|(id, end)| json!([id.0.simple().to_string(), end.map(Timestamp::as_millisecond)]));
    sqlx::query(sql::EXPECT_ENDS).bind(rows.collect::<Value>().to_string()).execute(connection).await?;
    Ok(())
}

/// When a shipment is expected to be through.
pub(super) async fn expected_end(
    connection: &mut SqliteConnection,
    id: ShipmentId,
) -> Result<Option<Timestamp>, LedgerError> {
    let row = sqlx::query(sql::EXPECTED_END).bind(uuid(&id.0)).fetch_optional(connection).await?;
    let millis = row.map(|row| row.try_get::<Option<i64>, _>("ends_at")).transpose()?.flatten();
    Ok(millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()))
}

fn under_way(row: &SqliteRow) -> Result<UnderWay, LedgerError> {
    Ok(UnderWay {
        id: ShipmentId(rows::to_uuid(rows::cell(row, "id")?)?),
        receiver: rows::cell(row, "receiver")?,
        partner: rows::cell::<String>(row, "partner")?.parse().map_err(|_| rows::corrupt("a partner"))?,
        route: rows::cell::<String>(row, "route")?.parse().map_err(|_| rows::corrupt("a route"))?,
        claimed_at: rows::time(row, "claimed_at")?,
        open: rows::count(row, "open")?,
    })
}
