//! Bans: one row per address.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use crate::ports::{Ban, Bans, LedgerError};

use super::{SqliteLedger, rows, sql};

#[async_trait]
impl Bans for SqliteLedger {
    async fn ban(&self, ban: &Ban) -> Result<(), LedgerError> {
        let ban = ban.clone();
        self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(sql::BAN).bind(ban.address.to_string()).bind(ban.until.as_millisecond());
                query.bind(i64::from(ban.times)).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn bans_after(&self, moment: Timestamp) -> Result<Vec<Ban>, LedgerError> {
        let mut reader = self.reader().await?;
        let rows = sqlx::query(sql::BANS).bind(moment.as_millisecond()).fetch_all(&mut *reader).await?;
        rows.iter().map(ban).collect()
    }
}

fn ban(row: &SqliteRow) -> Result<Ban, LedgerError> {
    let address: String = rows::cell(row, "address")?;
    Ok(Ban {
        address: address.parse().map_err(|_| rows::corrupt("a ban's address"))?,
        until: rows::time(row, "until")?,
        times: u32::try_from(rows::count(row, "times")?).unwrap_or(u32::MAX),
    })
}
