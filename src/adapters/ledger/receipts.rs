//! Receipts: placed once, together with what they end.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::model::{AreaPath, BlobId, NodeState, ReceiptKind, Shipment, ShipmentId};
use crate::ports::{LedgerError, PlacedReceipt};

use super::area::{self, Entry};
use super::rows::{self, int, receipt_number, uuid};
use super::{shipments, sql};

pub(super) async fn has(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    kind: ReceiptKind,
) -> Result<bool, LedgerError> {
    let query = sqlx::query_scalar(sql::HAS_RECEIPT).bind(uuid(&id.0)).bind(receipt_number(kind));
    Ok(query.fetch_one(connection).await.map(|n: i64| n > 0)?)
}

/// Places a receipt, unless one of its kind is placed.
pub(super) async fn place(connection: &mut SqliteConnection, receipt: &PlacedReceipt) -> Result<bool, LedgerError> {
    let seq = shipments::seq(connection, receipt.shipment).await?;
    let added = sqlx::query(sql::ADD_RECEIPT)
        .bind(seq)
        .bind(receipt_number(receipt.kind))
        .bind(receipt.dir.as_str())
        .bind(receipt.name.as_str())
        .bind(int(receipt.size_bytes))
        .bind(receipt.now.as_millisecond())
        .execute(&mut *connection)
        .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    let path = AreaPath::new(&receipt.dir, &receipt.name).map_err(|_| rows::corrupt("a receipt's path"))?;
    // The name carries the shipment's id, so nothing unrelated has it; if something does, the receipt is what counts.
    let old = area::entry(connection, &receipt.partner, &path).await?;
    let new = Entry {
        path,
        state: NodeState::Whole,
        size_bytes: receipt.size_bytes,
        scratch_bytes: 0,
        modified: receipt.now,
        blob: Some(receipt.blob),
        scratch: None,
        shipment: None,
    };
    area::replace(connection, &receipt.partner, old.as_ref(), &new).await?;
    if receipt.kind == ReceiptKind::Final {
        finish(connection, receipt.shipment, seq).await?;
    }
    let what = format!("receipt-{}", receipt.kind.as_str());
    shipments::add_event(connection, seq, receipt.now, &what, "").await?;
    Ok(true)
}

/// Ends a shipment: its file leaves the tree, unless the name belongs to a later one by now.
async fn finish(connection: &mut SqliteConnection, id: ShipmentId, seq: i64) -> Result<(), LedgerError> {
    sqlx::query(sql::FINISH).bind(seq).execute(&mut *connection).await?;
    let shipment = shipments::shipment(connection, id).await?.ok_or_else(|| shipments::unknown(id))?;
    let Shipment { partner, path, .. } = shipment;
    match area::entry(connection, &partner, &path).await? {
        Some(entry) if entry.shipment == Some(id) => area::drop_entry(connection, &partner, &entry).await,
        Some(_) | None => Ok(()),
    }
}

/// Lets go of the bytes of shipments that have had their answer for long.
pub(super) async fn expire(
    connection: &mut SqliteConnection,
    receipted_before: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<BlobId>, LedgerError> {
    let query = sqlx::query_as(sql::EXPIRING).bind(receipted_before.as_millisecond()).bind(i64::from(limit));
    let expiring: Vec<(i64, Vec<u8>)> =
        query.bind(receipt_number(ReceiptKind::Final)).fetch_all(&mut *connection).await?;
    let mut blobs = Vec::with_capacity(expiring.len());
    for (seq, blob) in expiring {
        sqlx::query(sql::EXPIRE).bind(seq).execute(&mut *connection).await?;
        shipments::add_event(connection, seq, now, "expired", "the bytes are no longer kept").await?;
        blobs.push(BlobId(rows::to_uuid(blob)?));
    }
    Ok(blobs)
}
