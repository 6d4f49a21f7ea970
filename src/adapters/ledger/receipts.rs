//! Receipts: placed once, together with what they end.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::model::{AreaPath, BlobId, News, NodeState, ReceiptKind, Shipment, ShipmentId};
use crate::ports::{KnownReceipt, LedgerError, PlacedReceipt, Placing, ReceiptFile};

use super::area::{self, Entry};
use super::rows::{self, event_number, form_number, int, receipt_number, uuid};
use super::{answers, sequences, shipments, sql};

pub(super) async fn has(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    kind: ReceiptKind,
) -> Result<bool, LedgerError> {
    let query = sqlx::query_scalar(sql::HAS_RECEIPT)
        .bind(uuid(&id.0))
        .bind(receipt_number(kind))
        .bind(i64::from(kind.number()));
    Ok(query.fetch_one(connection).await.map(|n: i64| n > 0)?)
}

/// Places a receipt, unless one of its kind is placed, or its news were told.
pub(super) async fn place(connection: &mut SqliteConnection, receipt: &PlacedReceipt) -> Result<Placing, LedgerError> {
    let seq = shipments::seq(connection, receipt.shipment).await?;
    if has(connection, receipt.shipment, receipt.kind).await? {
        return Ok(Placing::Known);
    }
    if let Some(list) = &receipt.numbers
        && sequences::next(connection, &receipt.partner).await? != list.numbers
    {
        return Ok(Placing::Outdated);
    }
    if !tell(connection, seq, receipt).await? {
        return Ok(Placing::Known);
    }
    for file in &receipt.files {
        add(connection, seq, receipt, file).await?;
        answers::send_back(connection, seq, receipt, file).await?;
        put(connection, receipt, (&file.name, file.blob, file.size_bytes)).await?;
    }
    if receipt.kind == ReceiptKind::Final {
        finish(connection, receipt.shipment, seq).await?;
    }
    let (what, number) = (format!("receipt-{}", receipt.kind.as_str()), receipt.kind.number());
    let detail = if number > 0 { number.to_string() } else { String::new() };
    shipments::add_event(connection, seq, receipt.now, &what, &detail).await?;
    let numbers = receipt.numbers.as_ref().map(|list| (list.name.as_str(), list.blob, list.size_bytes));
    Ok(Placing::Placed(match numbers {
        Some(file) => put(connection, receipt, file).await?,
        None => None,
    }))
}

/// Places the files of a receipt again that was placed before: a file that is there is replaced, one that was removed is back.
/// Returns the blobs of those that were replaced.
pub(super) async fn place_again(
    connection: &mut SqliteConnection,
    receipt: &PlacedReceipt,
) -> Result<Vec<BlobId>, LedgerError> {
    let mut before = Vec::new();
    let seq = shipments::seq(connection, receipt.shipment).await?;
    for file in &receipt.files {
        sqlx::query(sql::RENEW_RECEIPT)
            .bind(seq)
            .bind(receipt_number(receipt.kind))
            .bind(form_number(file.form))
            .bind(int(file.size_bytes))
            .bind(file.sha256.to_vec())
            .execute(&mut *connection)
            .await?;
        answers::send_back(connection, seq, receipt, file).await?;
        before.extend(put(connection, receipt, (&file.name, file.blob, file.size_bytes)).await?);
    }
    shipments::add_event(connection, seq, receipt.now, "receipt-placed-again", receipt.kind.as_str()).await?;
    Ok(before)
}

/// Records what a supplement tells; `false`, and nothing is recorded, when some of it was told before.
async fn tell(connection: &mut SqliteConnection, seq: i64, receipt: &PlacedReceipt) -> Result<bool, LedgerError> {
    for chunk in receipt.news.chunks(NEWS_AT_ONCE) {
        let items: Vec<u64> = chunk.iter().map(|news| news.item).collect();
        let before = told(connection, receipt.shipment, &items).await?;
        if chunk.iter().any(|news| before.iter().any(|told| news.is(told))) {
            return Ok(false);
        }
    }
    for news in &receipt.news {
        sqlx::query(sql::ADD_NEWS)
            .bind(seq)
            .bind(int(news.item))
            .bind(event_number(news.event))
            .bind(news.at.as_millisecond())
            .bind(i64::from(receipt.kind.number()))
            .bind(if news.event.repeats() { news.at.as_millisecond() } else { 0 })
            .execute(&mut *connection)
            .await?;
    }
    Ok(true)
}

async fn add(
    connection: &mut SqliteConnection,
    seq: i64,
    receipt: &PlacedReceipt,
    file: &ReceiptFile,
) -> Result<(), LedgerError> {
    sqlx::query(sql::ADD_RECEIPT)
        .bind(seq)
        .bind(receipt_number(receipt.kind))
        .bind(i64::from(receipt.kind.number()))
        .bind(form_number(file.form))
        .bind(receipt.dir.as_str())
        .bind(file.name.as_str())
        .bind(int(file.size_bytes))
        .bind(file.sha256.to_vec())
        .bind(receipt.now.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

/// Puts a file into the tree; returns the blob of the one before it. The name of a receipt's carries the shipment's id, so
/// nothing unrelated has it; if something does, the receipt is what counts.
async fn put(
    connection: &mut SqliteConnection,
    receipt: &PlacedReceipt,
    (name, blob, size_bytes): (&str, BlobId, u64),
) -> Result<Option<BlobId>, LedgerError> {
    let path = AreaPath::new(&receipt.dir, name).map_err(|_| rows::corrupt("a receipt's path"))?;
    let old = area::entry(connection, &receipt.partner, &path).await?;
    let new = Entry {
        path,
        state: NodeState::Whole,
        size_bytes,
        scratch_bytes: 0,
        modified: receipt.now,
        blob: Some(blob),
        scratch: None,
        shipment: None,
        owner: None,
    };
    area::put(connection, &receipt.partner, &new).await?;
    Ok(old.and_then(|old| old.blob))
}

pub(super) async fn last_supplement(connection: &mut SqliteConnection, id: ShipmentId) -> Result<u32, LedgerError> {
    let kind = receipt_number(ReceiptKind::Supplement(0));
    let query = sqlx::query_scalar(sql::LAST_SUPPLEMENT).bind(uuid(&id.0)).bind(kind);
    let number: i64 = query.fetch_one(connection).await?;
    u32::try_from(number).map_err(|_| rows::corrupt("a supplement's number"))
}

pub(super) async fn told(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    items: &[u64],
) -> Result<Vec<News>, LedgerError> {
    let items = serde_json::Value::from_iter(items.iter().copied()).to_string();
    let query = sqlx::query(sql::TOLD).bind(uuid(&id.0)).bind(items);
    query.fetch_all(connection).await?.iter().map(rows::told).collect()
}

pub(super) async fn of_hash(
    connection: &mut SqliteConnection,
    sha256: [u8; 32],
) -> Result<Vec<KnownReceipt>, LedgerError> {
    let query = sqlx::query(sql::RECEIPTS_OF).bind(sha256.to_vec());
    query.fetch_all(connection).await?.iter().map(rows::known_receipt).collect()
}

pub(super) async fn of_shipment(
    connection: &mut SqliteConnection,
    id: ShipmentId,
) -> Result<Vec<KnownReceipt>, LedgerError> {
    let query = sqlx::query(sql::RECEIPTS_OF_SHIPMENT).bind(rows::uuid(&id.0));
    query.fetch_all(connection).await?.iter().map(rows::known_receipt).collect()
}

/// Ends a shipment: its file leaves the tree, unless the name belongs to a later one by now.
async fn finish(connection: &mut SqliteConnection, id: ShipmentId, seq: i64) -> Result<(), LedgerError> {
    sqlx::query(sql::FINISH).bind(seq).execute(&mut *connection).await?;
    let shipment = shipments::shipment(connection, id).await?.ok_or_else(|| shipments::unknown(id))?;
    let Shipment { partner, path, .. } = shipment;
    match area::entry(connection, &partner, &path).await? {
        Some(entry) if entry.shipment == Some(id) => area::drop_entry(connection, &partner, &path).await,
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
        for statement in [sql::EXPIRE, sql::held::FORGET_HELD, sql::held::FORGET_SUBSCRIPTIONS, sql::instances::FORGET]
        {
            sqlx::query(statement).bind(seq).execute(&mut *connection).await?;
        }
        shipments::add_event(connection, seq, now, "expired", "the bytes are no longer kept").await?;
        blobs.push(BlobId(rows::to_uuid(blob)?));
    }
    Ok(blobs)
}

/// Items asked about at once.
const NEWS_AT_ONCE: usize = 512;
