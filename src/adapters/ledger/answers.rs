//! Receipts on their way back to the sources whose files they answer.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::rows::{self, cell, count, form_number, int, receipt_number, uuid};
use super::sql::sources as sql;
use super::takes::longest_delay;
use crate::model::BlobId;
use crate::ports::{DueReceipt, LedgerError, PlacedReceipt, ReceiptEnd, ReceiptFile};

/// Has a placed receipt's file written back, where its shipment came from a source that wants it.
pub(super) async fn send_back(
    connection: &mut SqliteConnection,
    seq: i64,
    receipt: &PlacedReceipt,
    file: &ReceiptFile,
) -> Result<(), LedgerError> {
    sqlx::query(sql::SEND_BACK)
        .bind(seq)
        .bind(receipt_number(receipt.kind))
        .bind(i64::from(receipt.kind.number()))
        .bind(form_number(file.form))
        .bind(file.name.as_str())
        .bind(uuid(&file.blob.0))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn due(
    connection: &mut SqliteConnection,
    source: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<DueReceipt>, LedgerError> {
    let query = sqlx::query(sql::DUE_RECEIPTS).bind(source).bind(now.as_millisecond());
    let query = query.bind(longest_delay(now)).bind(limit);
    let found = query.fetch_all(connection).await?;
    let receipt = |row| {
        Ok(DueReceipt {
            id: count(row, "id")?,
            name: cell(row, "name")?,
            blob: BlobId(rows::to_uuid(cell(row, "blob")?)?),
            replaces: cell::<i64>(row, "replaces")? != 0,
            attempts: rows::small(row, "attempts")?,
        })
    };
    found.iter().map(receipt).collect()
}

pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    (id, blob): (u64, BlobId),
    end: ReceiptEnd,
) -> Result<(), LedgerError> {
    let (state, due_at) = match end {
        ReceiptEnd::Again(at) => (0, at.as_millisecond()),
        ReceiptEnd::Written => (1, 0),
        ReceiptEnd::GivenUp => (2, 0),
    };
    let query = sqlx::query(sql::CONCLUDE_RECEIPT).bind(int(id)).bind(state).bind(due_at).bind(uuid(&blob.0));
    query.execute(connection).await?;
    Ok(())
}
