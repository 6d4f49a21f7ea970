//! Shares: what of a shipment goes to each of its further receivers, in rows of its own.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::model::{NewItem, Share, ShipmentId};
use crate::ports::LedgerError;

use super::rows::{self, cell, to_uuid, uuid};
use super::sql::shares as sql;
use super::{items, shipments};

/// Gives a shipment that passed a share for each receiver but the first, which is its own.
pub(super) async fn add(connection: &mut SqliteConnection, seq: i64, receivers: &[String]) -> Result<(), LedgerError> {
    let [first, further @ ..] = receivers else { return Ok(()) };
    if further.is_empty() {
        return Ok(());
    }
    sqlx::query(sql::SET_RECEIVER).bind(seq).bind(first.as_str()).execute(&mut *connection).await?;
    for receiver in further {
        let query = sqlx::query(sql::ADD_SHARE).bind(seq).bind(uuid(&ShipmentId::new().0)).bind(receiver.as_str());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Gives a share some of its shipment's items; `false` when it has them all. What becomes of an item at one receiver says
/// nothing of the others, so here all of them wait, under keys of their own.
pub(super) async fn fill_some(connection: &mut SqliteConnection, id: ShipmentId) -> Result<bool, LedgerError> {
    let filling = sqlx::query_scalar(sql::FILLING).bind(uuid(&id.0)).fetch_optional(&mut *connection).await?;
    let Some(receiver): Option<String> = filling else { return Ok(false) };
    let found = sqlx::query(sql::UNSHARED).bind(uuid(&id.0)).bind(AT_ONCE).fetch_all(&mut *connection).await?;
    let shared = |row| rows::item(row).map(|item| share(item.found, &receiver));
    let shared = found.iter().map(shared).collect::<Result<Vec<_>, _>>()?;
    if shared.is_empty() {
        sqlx::query(sql::FILLED).bind(uuid(&id.0)).execute(connection).await?;
        return Ok(false);
    }
    items::add(connection, id, &shared).await?;
    Ok(true)
}

/// An item as it goes to a further receiver.
fn share(item: NewItem, receiver: &str) -> NewItem {
    NewItem { key: item.key.at(receiver), ..item }
}

/// Whether a share still gets its items.
pub(super) async fn is_filling(connection: &mut SqliteConnection, id: ShipmentId) -> Result<bool, LedgerError> {
    let filling = sqlx::query(sql::FILLING).bind(uuid(&id.0)).fetch_optional(connection).await?;
    Ok(filling.is_some())
}

/// Ends a share none of whose items is open, and wakes its shipment.
pub(super) async fn end(connection: &mut SqliteConnection, id: ShipmentId, now: Timestamp) -> Result<(), LedgerError> {
    let Some(row) = sqlx::query(sql::END_SHARE).bind(uuid(&id.0)).fetch_optional(&mut *connection).await? else {
        return Ok(());
    };
    let (shipment, receiver) = (ShipmentId(to_uuid(cell(&row, "share_of")?)?), cell::<String>(&row, "receiver")?);
    sqlx::query(sql::WAKE).bind(uuid(&shipment.0)).execute(&mut *connection).await?;
    let seq = shipments::seq(connection, shipment).await?;
    shipments::add_event(connection, seq, now, "receiver-done", &receiver).await
}

/// How many shares of a shipment have items on their way.
pub(super) async fn open(connection: &mut SqliteConnection, id: ShipmentId) -> Result<u64, LedgerError> {
    let open: i64 = sqlx::query_scalar(sql::OPEN_SHARES).bind(uuid(&id.0)).fetch_one(connection).await?;
    rows::to_count(open)
}

/// A shipment's shares, in the order of its receivers.
pub(super) async fn of(connection: &mut SqliteConnection, id: ShipmentId) -> Result<Vec<Share>, LedgerError> {
    let rows = sqlx::query(sql::SHARES).bind(uuid(&id.0)).fetch_all(connection).await?;
    let share = |row| Ok(Share { id: ShipmentId(to_uuid(cell(row, "id")?)?), receiver: cell(row, "receiver")? });
    rows.iter().map(share).collect()
}

/// The inner keys of a shipment and of its shares, its own first.
pub(super) async fn members(connection: &mut SqliteConnection, id: ShipmentId) -> Result<Vec<i64>, LedgerError> {
    Ok(sqlx::query_scalar(sql::MEMBERS).bind(uuid(&id.0)).fetch_all(connection).await?)
}

/// Puts the shares back that have items to be sent again.
pub(super) async fn reopen(connection: &mut SqliteConnection, id: ShipmentId) -> Result<(), LedgerError> {
    sqlx::query(sql::REOPEN_SHARES).bind(uuid(&id.0)).execute(connection).await?;
    Ok(())
}

/// Items given to a share in one change: others wait no longer than for this many.
const AT_ONCE: i64 = 2_048;

#[cfg(test)]
mod tests {
    use crate::ports::Ledger as _;

    use super::super::SqliteLedger;
    use super::*;

    #[tokio::test]
    async fn a_share_gets_all_that_goes_anywhere_in_several_changes_and_under_keys_of_its_own() {
        const ITEMS: i64 = 2 * AT_ONCE + 50;
        let dir = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        let id = ShipmentId::new();
        let shared = ledger.write(move |connection| {
            Box::pin(async move {
                let shipment = "INSERT INTO shipments (seq, id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage) \
                     VALUES (7, $1, 'etat', 'inbox', 'a.xml', $1, 5, 0, 1000, 1)";
                sqlx::query(shipment).bind(uuid(&id.0)).execute(&mut *connection).await?;
                // Every tenth is refused.
                let items = "WITH RECURSIVE counted (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM counted \
                     WHERE value < $1) INSERT INTO items (shipment, number, part, kind, key, range_start, range_end, group_start, \
                     group_end, line, col, senders_reference, state) SELECT 7, value, 0, 0, randomblob(16), 0, 0, 0, 0, \
                     1, 1, '', CASE WHEN value % 10 = 0 THEN 3 ELSE 2 END FROM counted";
                sqlx::query(items).bind(ITEMS).execute(&mut *connection).await?;
                add(connection, 7, &["first".to_owned(), "second".to_owned()]).await
            })
        });
        shared.await.unwrap();
        let share = ledger.shares(id).await.unwrap().remove(0);
        assert_eq!(share.receiver, "second");
        for _again in 0..2 {
            ledger.fill_share(share.id).await.unwrap();
            let mut all = ledger.items(id, &[], 0, u32::MAX).await.unwrap();
            all.retain(|item| item.found.number % 10 != 0);
            let expected = all.iter().map(|item| (item.found.number, item.found.key.at("second")));
            let filled = ledger.items(share.id, &[], 0, u32::MAX).await.unwrap();
            assert!(filled.iter().map(|item| (item.found.number, item.found.key)).eq(expected));
            assert!(filled.iter().all(|item| item.state == crate::model::ItemState::Ready));
        }
        ledger.close().await;
    }
}
