//! Replays: failed items of a shipment that has its final receipt are sent again, or the receipt is placed again.
//!
//! Like every operator's order it is written from beside the gateway. Nobody works on a receipted shipment, so its items
//! can be opened piece by piece; the last change puts the shipment back among those that are forwarded. Of a shipment that
//! went to several receivers, what failed at one goes to that one alone.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use crate::codes::{self, Effect};
use crate::model::{Item, ItemState, REST_SUFFIX, ReceiptKind, ReceiptStatus, ShipmentId};
use crate::ports::LedgerError;

use super::orders::{Said, is_receipted};
use super::rows::{self, int, state_number, uuid};
use super::{aftermath, receipts, shares, shipments, sql};

/// An operator's wish to have failed items sent again.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Whose.
    pub shipment: ShipmentId,
    /// From this item on; in a batch of several all go.
    pub from_item: u64,
    /// Who says so, and why.
    pub said: Said,
}

/// What a replay came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// So many items are sent again.
    Items(u64),
    /// So many are, and others are not: the rest file has them, or one that goes in their batch, and its sender has dropped it
    /// or may have.
    Some {
        /// How many are sent again.
        items: u64,
        /// How many are not.
        left: u64,
    },
    /// The shipment has no final receipt yet: its items are still on their way.
    NotReceipted,
    /// Its bytes are no longer kept.
    Expired,
    /// Nothing of it has failed there.
    NothingFailed,
    /// The sender has dropped the rest file: its items would take effect twice.
    RestDropped,
    /// A rest file was offered that cannot be told from a new shipment, since the format has no shipment reference: its sender
    /// may have dropped it, or may still.
    RestOffered,
}

/// Has failed items sent again. What may have been sent before is looked up first. Where a rest file was offered its
/// references are taken, so that it cannot be dropped any more.
pub async fn replay(path: &Path, replay: &Replay) -> Result<Replayed, LedgerError> {
    let mut connection = super::beside(path).await?;
    let replayed = open_items(&mut connection, replay).await;
    connection.close().await?;
    replayed
}

/// Has the final receipt placed again; `false` when there is none yet.
pub async fn reprint(path: &Path, replay: &Replay) -> Result<bool, LedgerError> {
    let mut connection = super::beside(path).await?;
    let done = transaction(&mut connection, Change::Reprint, replay).await;
    connection.close().await?;
    Ok(done?.is_some_and(|changed| changed > 0))
}

async fn open_items(connection: &mut SqliteConnection, replay: &Replay) -> Result<Replayed, LedgerError> {
    if !is_receipted(connection, replay.shipment).await? {
        return Ok(Replayed::NotReceipted);
    }
    let seq = shipments::seq(connection, replay.shipment).await?;
    if !has_bytes(connection, seq).await? {
        return Ok(Replayed::Expired);
    }
    // Else the rest file of items that were only refused could not be dropped any more.
    let members = shares::members(connection, replay.shipment).await?;
    if !any_failed(connection, &members, replay.from_item).await? {
        return Ok(Replayed::NothingFailed);
    }
    let Some(taken) = transaction(connection, Change::TakeRest, replay).await? else { return Ok(Replayed::Expired) };
    let is_dropped = taken > 0;
    let is_unguarded = is_unguarded(connection, seq, replay.shipment).await?;
    // What was in no rest file is sent again all the same.
    let is_offered = is_dropped || is_unguarded;
    for of in &members {
        for change in [Change::OpenSome { of: *of, is_offered }, Change::ForgetNotes { of: *of }] {
            while transaction(connection, change, replay).await?.is_some_and(|changed| changed > 0) {}
        }
    }
    let Some(items) = transaction(connection, Change::Reopen, replay).await? else { return Ok(Replayed::Expired) };
    let left = if is_offered { left_failed(connection, &members, replay.from_item).await? } else { 0 };
    Ok(match (items, left) {
        (0, _) if is_dropped => Replayed::RestDropped,
        (0, _) if is_unguarded => Replayed::RestOffered,
        (0, _) => Replayed::NothingFailed,
        (items, 0) => Replayed::Items(items),
        (items, left) => Replayed::Some { items, left },
    })
}

/// Tells whether the bytes of a shipment are still kept.
async fn has_bytes(connection: &mut SqliteConnection, seq: i64) -> Result<bool, LedgerError> {
    Ok(sqlx::query_scalar::<_, i64>(sql::replays::IS_EXPIRED).bind(seq).fetch_one(connection).await? == 0)
}

/// Tells whether a rest file was offered whose references the shipment cannot take, since it has none.
async fn is_unguarded(connection: &mut SqliteConnection, seq: i64, id: ShipmentId) -> Result<bool, LedgerError> {
    let has_references: i64 =
        sqlx::query_scalar(sql::replays::HAS_REFERENCES).bind(seq).fetch_one(&mut *connection).await?;
    Ok(has_references == 0 && receipts::has(connection, id, ReceiptKind::Rest).await?)
}

async fn left_failed(connection: &mut SqliteConnection, members: &[i64], from_item: u64) -> Result<u64, LedgerError> {
    let mut left = 0;
    for seq in members {
        let query = sqlx::query_scalar::<_, i64>(sql::replays::LEFT_FAILED).bind(seq).bind(int(from_item));
        left += query.bind(state_number(ItemState::Failed)).fetch_one(&mut *connection).await?;
    }
    rows::to_count(left)
}

async fn any_failed(connection: &mut SqliteConnection, members: &[i64], from_item: u64) -> Result<bool, LedgerError> {
    for seq in members {
        let query = sqlx::query_scalar::<_, i64>(sql::replays::ANY_TO_REPLAY).bind(seq).bind(int(from_item));
        if query.bind(state_number(ItemState::Failed)).fetch_one(&mut *connection).await? != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What one transaction does.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Takes the references of the rest file; how many another shipment has.
    TakeRest,
    /// Opens some failed items of the shipment or of a share; how many.
    OpenSome {
        /// Its inner key.
        of: i64,
        /// The sender has dropped the rest file, or may have.
        is_offered: bool,
    },
    /// Forgets some of what was said of its items that are open again; how much.
    ForgetNotes {
        /// Its inner key.
        of: i64,
    },
    /// Puts the shipment back; how many items are open again.
    Reopen,
    /// Puts the shipment back for its receipt; 1, or 0 when it has none.
    Reprint,
}

/// Makes a change; `None`, and nothing is changed, when retention has let go of the bytes meanwhile.
async fn transaction(
    connection: &mut SqliteConnection,
    change: Change,
    replay: &Replay,
) -> Result<Option<u64>, LedgerError> {
    sql::execute(connection, sql::BEGIN).await?;
    let done = make(connection, change, replay).await;
    sql::execute(connection, if done.is_ok() { sql::COMMIT } else { sql::ROLLBACK }).await?;
    done
}

async fn make(connection: &mut SqliteConnection, change: Change, replay: &Replay) -> Result<Option<u64>, LedgerError> {
    let seq = shipments::seq(connection, replay.shipment).await?;
    if !matches!(change, Change::Reprint) && !has_bytes(connection, seq).await? {
        return Ok(None);
    }
    let done = match change {
        Change::TakeRest => take_rest(connection, seq, replay.shipment).await,
        Change::OpenSome { of, is_offered } => open_some(connection, (of, is_offered), replay).await,
        Change::ForgetNotes { of } => aftermath::forget_some_notes(connection, of, AT_ONCE).await,
        Change::Reopen => reopen(connection, seq, replay).await,
        Change::Reprint => begin_reprint(connection, seq, replay).await,
    };
    done.map(Some)
}

/// Where a rest file was offered: from now on its references are the shipment's own.
async fn take_rest(connection: &mut SqliteConnection, seq: i64, id: ShipmentId) -> Result<u64, LedgerError> {
    if !receipts::has(connection, id, ReceiptKind::Rest).await? {
        return Ok(0);
    }
    let query = sqlx::query_scalar(sql::replays::REST_TAKEN).bind(seq).bind(REST_SUFFIX);
    let taken: i64 = query.fetch_one(&mut *connection).await?;
    if taken == 0 {
        sqlx::query(sql::replays::TAKE_REST).bind(seq).bind(REST_SUFFIX).execute(connection).await?;
    }
    rows::to_count(taken)
}

async fn open_some(
    connection: &mut SqliteConnection,
    (seq, is_offered): (i64, bool),
    replay: &Replay,
) -> Result<u64, LedgerError> {
    let text = if is_offered { sql::replays::REPLAY_SOME_KEPT_BACK } else { sql::replays::REPLAY_SOME };
    let query = sqlx::query(text).bind(seq).bind(int(replay.from_item));
    let query = query.bind(state_number(ItemState::Failed)).bind(AT_ONCE);
    let query = if is_offered { query.bind(uuid(&replay.shipment.0)).bind(never_offered()) } else { query };
    Ok(query.execute(connection).await?.rows_affected())
}

/// The codes of failed items that no version of this program has put into a rest file, as a JSON list.
fn never_offered() -> String {
    let failures = codes::TABLE.iter().filter(|row| row.status == ReceiptStatus::UnExpectedError);
    let codes: Vec<_> = failures.filter(|row| row.effect == Effect::Perhaps).map(|row| row.code.0).collect();
    Value::from(codes).to_string()
}

async fn reopen(connection: &mut SqliteConnection, seq: i64, replay: &Replay) -> Result<u64, LedgerError> {
    let mut items = 0;
    for seq in shares::members(connection, replay.shipment).await? {
        let opened: i64 =
            sqlx::query_scalar(sql::replays::REPLAYED_COUNT).bind(seq).fetch_one(&mut *connection).await?;
        items += opened;
    }
    if items > 0 {
        shares::reopen(connection, replay.shipment).await?;
        sqlx::query(sql::replays::REOPEN)
            .bind(seq)
            .bind(replay.said.now.as_millisecond())
            .execute(&mut *connection)
            .await?;
        let detail = format!("{items} items, {}", replay.said);
        shipments::add_event(connection, seq, replay.said.now, "replayed", &detail).await?;
    }
    rows::to_count(items)
}

async fn begin_reprint(connection: &mut SqliteConnection, seq: i64, replay: &Replay) -> Result<u64, LedgerError> {
    let changed = sqlx::query(sql::replays::REPRINT).bind(seq).execute(&mut *connection).await?.rows_affected();
    if changed > 0 {
        let detail = replay.said.to_string();
        shipments::add_event(connection, seq, replay.said.now, "receipt-asked-again", &detail).await?;
    }
    Ok(changed)
}

/// Items that were sent again and not told of.
pub(super) async fn items(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    after: u64,
    limit: u32,
) -> Result<Vec<Item>, LedgerError> {
    let query = sqlx::query(sql::replays::REPLAYED_ITEMS).bind(uuid(&id.0)).bind(int(after)).bind(i64::from(limit));
    query.fetch_all(connection).await?.iter().map(rows::item).collect()
}

/// Forgets some marks of a replay that is done, and ends the shipment when there are none left; `false` then.
pub(super) async fn end_some(
    connection: &mut SqliteConnection,
    id: ShipmentId,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let seq = shipments::seq(connection, id).await?;
    for member in shares::members(connection, id).await? {
        let told = sqlx::query(sql::replays::TOLD_SOME).bind(member).bind(AT_ONCE).execute(&mut *connection).await?;
        if told.rows_affected() > 0 {
            return Ok(true);
        }
    }
    let ended = sqlx::query(sql::replays::CLOSE_AGAIN).bind(seq).execute(&mut *connection).await?;
    if ended.rows_affected() > 0 {
        shipments::add_event(connection, seq, now, "ended-again", "").await?;
    }
    Ok(false)
}

/// Items changed in one transaction: others wait no longer than for this many.
const AT_ONCE: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A shipment of one failed item whose final receipt was placed at 2 seconds.
    const FAILED: [&str; 3] = [
        "INSERT INTO shipments (seq, id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage) \
         VALUES (7, zeroblob(16), 'etat', 'inbox', 'a.xml', zeroblob(16), 5, 0, 1000, 2)",
        "INSERT INTO items (shipment, number, part, kind, key, range_start, range_end, group_start, group_end, line, col, \
         senders_reference, state) VALUES (7, 1, 0, 0, randomblob(16), 0, 0, 0, 0, 1, 1, '', 5)",
        "INSERT INTO receipt_files (shipment, kind, number, form, dir, name, size_bytes, sha256, placed_at) \
         VALUES (7, $1, 0, 0, 'receipts', 'a.final.xml', 1, zeroblob(32), 2000)",
    ];

    #[tokio::test]
    async fn a_replay_and_retention_exclude_each_other() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let said = Said { who: "kari".to_owned(), reason: "again".to_owned(), now: second(9) };
        let replay = Replay { shipment: ShipmentId(uuid::Uuid::nil()), from_item: 1, said };
        let open = Change::OpenSome { of: 7, is_offered: false };
        for expired_first in [false, true] {
            let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            super::super::migrate(&mut connection).await.unwrap();
            for text in FAILED {
                sqlx::query(text)
                    .bind(rows::receipt_number(ReceiptKind::Final))
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            let mut expired = 0;
            if expired_first {
                expired += receipts::expire(&mut connection, second(5), second(6), 9).await.unwrap().len();
            }
            let opened = transaction(&mut connection, open, &replay).await.unwrap();
            expired += receipts::expire(&mut connection, second(5), second(6), 9).await.unwrap().len();
            let reopened = transaction(&mut connection, Change::Reopen, &replay).await.unwrap();
            let expected = if expired_first { (None, 1, None) } else { (Some(1), 0, Some(1)) };
            assert_eq!((opened, expired, reopened), expected);
        }
    }
}
