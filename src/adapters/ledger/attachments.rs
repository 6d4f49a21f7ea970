//! Attachments that stand behind all items of a batch.

use sqlx::SqliteConnection;

use crate::model::{NewAttachment, ShipmentId};
use crate::ports::LedgerError;

use super::rows::{self, int, uuid};
use super::{shipments, sql};

/// Adds attachments behind those that are there.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    attachments: &[NewAttachment],
) -> Result<(), LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    let last: i64 = sqlx::query_scalar(sql::LAST_ATTACHMENT).bind(seq).fetch_one(&mut *connection).await?;
    for (number, attachment) in (last + 1..).zip(attachments) {
        sqlx::query(sql::ADD_ATTACHMENT)
            .bind(seq)
            .bind(number)
            .bind(attachment.reference.as_str())
            .bind(int(attachment.range.start))
            .bind(int(attachment.range.end))
            .bind(int(attachment.line))
            .bind(int(attachment.column))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Those of one item behind a number, with theirs.
pub(super) async fn of_item(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    reference: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, NewAttachment)>, LedgerError> {
    let query = sqlx::query(sql::ATTACHMENTS_OF).bind(uuid(&id.0)).bind(reference);
    let rows = query.bind(int(after)).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().map(rows::attachment).collect()
}

/// The first of those that belong to no item.
pub(super) async fn loose(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    limit: u32,
) -> Result<Vec<NewAttachment>, LedgerError> {
    let rows = sqlx::query(sql::LOOSE_ATTACHMENTS).bind(uuid(&id.0)).bind(i64::from(limit)).fetch_all(connection);
    rows.await?.iter().map(|row| Ok(rows::attachment(row)?.1)).collect()
}
