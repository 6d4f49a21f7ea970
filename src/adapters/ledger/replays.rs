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
    let Some(taken) = transaction(connection, Change::Begin, replay).await? else {
        return unchanged(connection, seq).await;
    };
    let is_dropped = taken > 0;
    let is_unguarded = is_unguarded(connection, seq, replay.shipment).await?;
    // What was in no rest file is sent again all the same.
    let is_offered = is_dropped || is_unguarded;
    for of in &members {
        let mut last = 0;
        while let Some(until) = some_after(connection, *of, last).await? {
            let open = Change::OpenSome { of: *of, which: (last, until), is_offered };
            if transaction(connection, open, replay).await?.is_none() {
                break;
            }
            last = until;
        }
        let forget = Change::ForgetNotes { of: *of };
        while transaction(connection, forget, replay).await?.is_some_and(|changed| changed > 0) {}
    }
    let Some(items) = transaction(connection, Change::Reopen, replay).await? else {
        return unchanged(connection, seq).await;
    };
    let left = if is_offered { left_failed(connection, &members, replay.from_item).await? } else { 0 };
    Ok(match (items, left) {
        (0, _) if is_dropped => Replayed::RestDropped,
        (0, _) if is_unguarded => Replayed::RestOffered,
        (0, _) => Replayed::NothingFailed,
        (items, 0) => Replayed::Items(items),
        (items, left) => Replayed::Some { items, left },
    })
}

/// The last of some items that follow a number, in the shipment or in a share; no batch ends behind it that began before. `None`
/// when there are none.
async fn some_after(connection: &mut SqliteConnection, seq: i64, number: u64) -> Result<Option<u64>, LedgerError> {
    let query = sqlx::query_scalar(sql::replays::NEXT_ITEMS).bind(seq).bind(int(number)).bind(AT_ONCE);
    let mut last: Option<i64> = query.fetch_one(&mut *connection).await?;
    let mut further = last;
    while further.is_some() {
        last = further;
        further = sqlx::query_scalar(sql::replays::CUT_IN_TWO).bind(seq).bind(last).fetch_one(&mut *connection).await?;
    }
    last.map(rows::to_count).transpose()
}

/// Why nothing may be changed any more: retention came between, or another operator who had the shipment put back.
async fn unchanged(connection: &mut SqliteConnection, seq: i64) -> Result<Replayed, LedgerError> {
    Ok(if has_bytes(connection, seq).await? { Replayed::NotReceipted } else { Replayed::Expired })
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
    /// Takes the references of the rest file and opens the first items, without which retention could still come between; how
    /// many of those references another shipment has.
    Begin,
    /// Opens some failed items of the shipment or of a share; how many.
    OpenSome {
        /// Its inner key.
        of: i64,
        /// Behind this number, up to that.
        which: (u64, u64),
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

/// Makes a change; `None`, and nothing is changed, when retention has let go of the bytes meanwhile, or the shipment has been put
/// back.
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
    let is_ended = is_receipted(connection, replay.shipment).await?;
    if !is_ended || (!matches!(change, Change::Reprint) && !has_bytes(connection, seq).await?) {
        return Ok(None);
    }
    let done = match change {
        Change::Begin => begin(connection, seq, replay).await,
        Change::OpenSome { of, which, is_offered } => open_some(connection, of, (which, is_offered), replay).await,
        Change::ForgetNotes { of } => aftermath::forget_some_notes(connection, of, AT_ONCE).await,
        Change::Reopen => reopen(connection, seq, replay).await,
        Change::Reprint => begin_reprint(connection, seq, replay).await,
    };
    done.map(Some)
}

/// What may not be done by halves: a rest file whose references are the shipment's, and nothing is sent again, is lost.
async fn begin(connection: &mut SqliteConnection, seq: i64, replay: &Replay) -> Result<u64, LedgerError> {
    let taken = take_rest(connection, seq, replay.shipment).await?;
    if taken > 0 || is_unguarded(connection, seq, replay.shipment).await? {
        return Ok(taken);
    }
    for of in shares::members(connection, replay.shipment).await? {
        let mut last = 0;
        while let Some(until) = some_after(connection, of, last).await? {
            if open_some(connection, of, ((last, until), false), replay).await? > 0 {
                return Ok(taken);
            }
            last = until;
        }
    }
    Ok(taken)
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
    seq: i64,
    ((last, until), is_offered): ((u64, u64), bool),
    replay: &Replay,
) -> Result<u64, LedgerError> {
    let text = if is_offered { sql::replays::REPLAY_SOME_KEPT_BACK } else { sql::replays::REPLAY_SOME };
    let query = sqlx::query(text).bind(seq).bind(int(replay.from_item)).bind(state_number(ItemState::Failed));
    let query = query.bind(int(last)).bind(int(until));
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

/// What a replay opened that was killed is sent first: its receipt could not tell what becomes of it.
async fn begin_reprint(connection: &mut SqliteConnection, seq: i64, replay: &Replay) -> Result<u64, LedgerError> {
    reopen(connection, seq, replay).await?;
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

/// Items looked at in one transaction: others wait no longer than for this many.
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

    async fn failed() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::migrate(&mut connection).await.unwrap();
        for text in FAILED {
            let query = sqlx::query(text).bind(rows::receipt_number(ReceiptKind::Final));
            query.execute(&mut connection).await.unwrap();
        }
        connection
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn wish() -> Replay {
        let said = Said { who: "kari".to_owned(), reason: "again".to_owned(), now: second(9) };
        Replay { shipment: ShipmentId(uuid::Uuid::nil()), from_item: 1, said }
    }

    async fn expired(connection: &mut SqliteConnection) -> usize {
        receipts::expire(connection, second(5), second(6), 9).await.unwrap().len()
    }

    #[tokio::test]
    async fn a_replay_and_retention_exclude_each_other() {
        let replay = wish();
        for expired_first in [false, true] {
            let mut connection = failed().await;
            let mut gone = 0;
            if expired_first {
                gone += expired(&mut connection).await;
            }
            let begun = transaction(&mut connection, Change::Begin, &replay).await.unwrap();
            gone += expired(&mut connection).await;
            let reopened = transaction(&mut connection, Change::Reopen, &replay).await.unwrap();
            let expected = if expired_first { (None, 1, None) } else { (Some(0), 0, Some(1)) };
            assert_eq!((begun, gone, reopened), expected);
        }
    }

    #[tokio::test]
    async fn items_are_looked_at_by_and_by_and_no_batch_is_cut_in_two() {
        let mut connection = failed().await;
        let items = "WITH RECURSIVE counted (value) AS (SELECT 2 UNION ALL SELECT value + 1 FROM counted WHERE value < 25000) \
             INSERT INTO items (shipment, number, part, kind, key, range_start, range_end, group_start, group_end, line, col, \
             senders_reference, state) SELECT 7, value, 0, 0, randomblob(16), 0, 0, 0, 0, 1, 1, '', 5 FROM counted";
        // One that begins within another, as what is sent again may be grouped otherwise.
        let batches = "INSERT INTO batches (shipment, number, key, first_item, last_item, size) \
             VALUES (7, 1, randomblob(16), 9000, 10010, 9), (7, 2, randomblob(16), 10005, 10050, 9)";
        for text in [items, batches] {
            sqlx::query(text).execute(&mut connection).await.unwrap();
        }
        let (mut last, mut ends, mut opened) = (0, Vec::new(), 0);
        while let Some(until) = some_after(&mut connection, 7, last).await.unwrap() {
            let open = Change::OpenSome { of: 7, which: (last, until), is_offered: false };
            opened += transaction(&mut connection, open, &wish()).await.unwrap().unwrap();
            ends.push(until);
            last = until;
        }
        assert_eq!((ends, opened), (vec![10_050, 20_050, 25_000], 25_000));
    }

    #[tokio::test]
    async fn a_rest_files_references_are_taken_only_with_what_is_sent_again() {
        for expired_first in [false, true] {
            let mut connection = failed().await;
            let rest = "INSERT INTO receipt_files (shipment, kind, number, form, dir, name, size_bytes, sha256, placed_at) \
                 VALUES (7, $1, 0, 0, 'receipts', 'a.rest.xml', 1, zeroblob(32), 2000)";
            let rest = sqlx::query(rest).bind(rows::receipt_number(ReceiptKind::Rest));
            rest.execute(&mut connection).await.unwrap();
            let reference = "INSERT INTO reference_uses (partner, part, sender_name, reference, shipment) \
                 VALUES ('etat', 0, 'Etaten', 'R-1', 7)";
            sqlx::query(reference).execute(&mut connection).await.unwrap();
            if expired_first {
                assert_eq!(expired(&mut connection).await, 1);
            }
            // The process may end here, and retention look.
            transaction(&mut connection, Change::Begin, &wish()).await.unwrap();
            assert_eq!(expired(&mut connection).await, 0);
            let references: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM reference_uses").fetch_one(&mut connection).await.unwrap();
            assert_eq!(references, if expired_first { 1 } else { 2 });
        }
    }

    #[tokio::test]
    async fn what_a_replay_opened_that_was_killed_is_sent_before_the_receipt_is_placed_again() {
        let mut connection = failed().await;
        let share = "INSERT INTO shipments (seq, id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage, \
             receiver, share_of) SELECT 8, randomblob(16), partner, dir, name, blob, size_bytes, preflight, claimed_at, 2, \
             'second', id FROM shipments WHERE seq = 7";
        let item = "INSERT INTO items (shipment, number, part, kind, key, range_start, range_end, group_start, group_end, \
             line, col, senders_reference, state) VALUES (8, 1, 0, 0, randomblob(16), 0, 0, 0, 0, 1, 1, '', 5)";
        for text in [share, item] {
            sqlx::query(text).execute(&mut connection).await.unwrap();
        }
        let open = Change::OpenSome { of: 8, which: (0, 9), is_offered: false };
        assert_eq!(transaction(&mut connection, open, &wish()).await.unwrap(), Some(1));
        assert_eq!(transaction(&mut connection, Change::Reprint, &wish()).await.unwrap(), Some(1));
        let stages: Vec<i64> =
            sqlx::query_scalar("SELECT stage FROM shipments ORDER BY seq").fetch_all(&mut connection).await.unwrap();
        assert_eq!(stages, [1, 1]);
        for change in [open, Change::Begin, Change::Reopen, Change::Reprint] {
            assert_eq!(
                transaction(&mut connection, change, &wish()).await.unwrap(),
                None,
                "it is worked on: {change:?}"
            );
        }
        // Even if it were ended by then: what is open is found by the next replay.
        end_some(&mut connection, wish().shipment, second(10)).await.unwrap();
        assert!(any_failed(&mut connection, &[8], 1).await.unwrap());
    }
}
