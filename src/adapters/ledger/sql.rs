//! Every SQL text. Portable but for the last section; parameters are `$n`, which SQLite and PostgreSQL both read.

pub(super) mod aftermath;
pub(super) mod held;
pub(super) mod instances;
pub(super) mod partners;
pub(super) mod progress;
pub(super) mod sources;
pub(super) mod times;
pub(super) mod transfers;

use sqlx::SqliteConnection;

/// Runs a text without parameters.
pub(super) async fn execute(connection: &mut SqliteConnection, text: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(text).execute(connection).await.map(drop)
}

macro_rules! shipment_columns {
    () => {
        "id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage, verdict, code, route, sha256, \
         envelope, findings_total, receiver, share_of"
    };
}

macro_rules! item_columns {
    () => {
        "number, part, kind, key, range_start, range_end, group_start, group_end, line, col, senders_reference, \
         service_code, service_edition, forms, state, code, receivers_reference, attempts, first_intent, last_intent, \
         doubtful, batch"
    };
}

macro_rules! node_columns {
    () => {
        "dir, name, state, size_bytes, scratch_bytes, modified, blob, scratch, shipment, owner"
    };
}

/// The inner key of the shipment whose id is the first parameter.
macro_rules! seq {
    () => {
        "(SELECT seq FROM shipments WHERE id = $1)"
    };
}

// Behind the macros that they use.
pub(super) mod area;
pub(super) mod replays;
pub(super) mod shares;

// Transactions.

/// Rows that the connection has changed; SQLite's.
pub(super) const TOTAL_CHANGES: &str = "SELECT total_changes()";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
pub(super) const SAVEPOINT: &str = "SAVEPOINT change";
/// Keeps what was done since the savepoint and sets it anew: two texts, one trip.
pub(super) const NEXT_SAVEPOINT: &str = "RELEASE change; SAVEPOINT change";
/// Leaves the savepoint set.
pub(super) const UNDO: &str = "ROLLBACK TO change";

// Shipments.

pub(super) const SEQ: &str = "SELECT seq FROM shipments WHERE id = $1";

pub(super) const SHIPMENT: &str = concat!("SELECT ", shipment_columns!(), " FROM shipments WHERE id = $1");

pub(super) const CLAIM: &str = "INSERT INTO shipments (id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub(super) const RENEW: &str = "UPDATE shipments SET lease_until = $3 WHERE id = $1 AND worker = $2 AND stage < 2";

/// Due at once when something has happened meanwhile.
pub(super) const RELEASE_LEASE: &str = "UPDATE shipments SET worker = NULL, lease_until = 0, \
     wake_at = CASE woken WHEN 1 THEN 0 ELSE $3 END WHERE id = $1 AND worker = $2";

pub(super) const RELEASE_ALL: &str = "UPDATE shipments SET worker = NULL, lease_until = 0, wake_at = 0 \
     WHERE stage < 2 AND (worker IS NULL OR $1 IS NULL OR worker <> $1)";

/// Items of shipments that nobody holds. Without the hint SQLite reads all items of each.
pub(super) const DUE_NOW: &str = "UPDATE items INDEXED BY items_open SET due_at = 0 WHERE state < 2 AND due_at > 0 \
     AND shipment IN (SELECT seq FROM shipments WHERE stage < 2 AND worker IS NULL)";

pub(super) const JUDGE: &str = "UPDATE shipments SET stage = $2, verdict = $3, code = $4, route = $5, sha256 = $6, \
     envelope = $7, findings_total = $8 WHERE id = $1 AND stage = 0";

pub(super) const STAGE: &str = "SELECT stage FROM shipments WHERE id = $1";

/// A share stands as its shipment does.
pub(super) const ORDERS: &str = "SELECT standing, replayed_at, reprint, \
     (SELECT MAX(at) FROM events WHERE shipment = s.seq AND what = 'released') AS released_at FROM shipments AS s \
     WHERE id = COALESCE((SELECT share_of FROM shipments WHERE id = $1), $1)";

/// Due at once with its shares, so that whoever works on them hears.
pub(super) const STAND: &str = "UPDATE shipments SET standing = CASE id WHEN $1 THEN $2 ELSE standing END, wake_at = 0, \
     woken = 1 WHERE id = $1 OR share_of = $1";

/// A use before the fifth parameter no longer counts. That of a replay, for the rest file, is as old as the replay.
pub(super) const REFERENCE_HOLDER: &str = "SELECT s.id FROM reference_uses u JOIN shipments s ON s.seq = u.shipment \
     WHERE u.partner = $1 AND u.part = $2 AND u.sender_name = $3 AND u.reference = $4 \
     AND MAX(s.claimed_at, COALESCE(s.replayed_at, s.claimed_at)) >= $5";

pub(super) const TAKE_REFERENCE: &str = "INSERT INTO reference_uses (partner, part, sender_name, reference, shipment) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (partner, part, sender_name, reference) DO UPDATE SET shipment = excluded.shipment";

// Sequence numbers.

pub(super) const LAST_NUMBER: &str = "SELECT MAX(number) FROM sequence_uses WHERE partner = $1 AND scope = $2";

/// Goes from scope to scope by the index, however many numbers each has.
pub(super) const NEXT_NUMBERS: &str = "WITH RECURSIVE scopes (scope) AS (\
     SELECT MIN(scope) FROM sequence_uses WHERE partner = $1 UNION ALL \
     SELECT (SELECT MIN(u.scope) FROM sequence_uses u WHERE u.partner = $1 AND u.scope > scopes.scope) \
     FROM scopes WHERE scopes.scope IS NOT NULL LIMIT $2) \
     SELECT scope, (SELECT MAX(number) FROM sequence_uses u WHERE u.partner = $1 AND u.scope = scopes.scope) AS last \
     FROM scopes WHERE scope IS NOT NULL";

pub(super) const NUMBER_HOLDER: &str = "SELECT s.id FROM sequence_uses u JOIN shipments s ON s.seq = u.shipment \
     WHERE u.partner = $1 AND u.scope = $2 AND u.number = $3";

pub(super) const TAKE_NUMBER: &str = "INSERT INTO sequence_uses (partner, scope, number, shipment) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (partner, scope, number) DO NOTHING";

pub(super) const HOLD: &str = "INSERT INTO sequence_waits (shipment, partner, scope, number, until) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (shipment) DO UPDATE SET scope = excluded.scope, number = excluded.number, until = excluded.until";

pub(super) const WAIT: &str =
    concat!("SELECT partner, scope, number, until FROM sequence_waits WHERE shipment = ", seq!());

pub(super) const END_WAIT: &str = concat!("DELETE FROM sequence_waits WHERE shipment = ", seq!());

/// Those that waited for a number are due at once, also while somebody still has them in hand.
pub(super) const WAKE_NEXT: &str = "UPDATE shipments SET wake_at = 0, woken = 1 WHERE stage = 0 AND seq IN \
     (SELECT shipment FROM sequence_waits WHERE partner = $1 AND scope = $2 AND number <= $3 + 1)";

/// A shipment that was claimed earlier in the same directory, is not judged yet, and is not held itself.
pub(super) const EARLIER_UNJUDGED: &str = "SELECT EXISTS (SELECT 1 FROM shipments AS a JOIN shipments AS b ON b.id = $1 \
     WHERE a.stage = 0 AND a.seq < b.seq AND a.partner = b.partner AND a.dir = b.dir \
     AND NOT EXISTS (SELECT 1 FROM sequence_waits AS w WHERE w.shipment = a.seq))";

pub(super) const COUNTS: &str = "SELECT stage, COUNT(*) AS n FROM shipments WHERE share_of IS NULL GROUP BY stage";

/// Without those of routes that are left out.
pub(super) const OVERDUE: &str = concat!(
    "SELECT ",
    shipment_columns!(),
    " FROM shipments WHERE stage < 2 AND share_of IS NULL AND COALESCE(replayed_at, claimed_at) < $1 \
     AND (route IS NULL OR route NOT IN (SELECT value FROM json_each($2))) ORDER BY seq LIMIT $3"
);

/// The latest ones of a partner or of all, at the stages of a bit set.
pub(super) const LATEST: &str = concat!(
    "SELECT ",
    shipment_columns!(),
    " FROM shipments WHERE ($1 IS NULL OR partner = $1) AND ($2 & (1 << stage)) <> 0 AND share_of IS NULL ORDER BY seq DESC LIMIT $3"
);

/// Shipments with a final receipt of before a time, whose bytes are still kept and no longer needed for what is, nor for a
/// replay that has begun to open their items. Without the hint SQLite asks all that there ever were.
pub(super) const EXPIRING: &str = "SELECT s.seq, s.blob FROM shipments AS s INDEXED BY shipments_kept \
     JOIN receipt_files AS r ON r.shipment = s.seq AND r.kind = $3 AND r.number = 0 AND r.form = 0 \
     WHERE s.stage = 2 AND s.expired = 0 AND r.placed_at < $1 \
     AND NOT EXISTS (SELECT 1 FROM held WHERE shipment = s.seq AND state = 0) \
     AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE shipment = s.seq AND state = 0) \
     AND NOT EXISTS (SELECT 1 FROM instances WHERE shipment = s.seq AND state < 2) \
     AND NOT EXISTS (SELECT 1 FROM activations WHERE shipment = s.seq AND state < 2) \
     AND NOT EXISTS (SELECT 1 FROM items INDEXED BY items_replayed WHERE replayed = 1 \
     AND shipment IN (SELECT seq FROM shipments WHERE id = s.id OR share_of = s.id)) ORDER BY s.seq LIMIT $2";

/// Its shares are of the same bytes.
pub(super) const EXPIRE: &str = "UPDATE shipments SET expired = 1 \
     WHERE seq = $1 OR share_of = (SELECT id FROM shipments WHERE seq = $1)";

pub(super) const ADD_EVENT: &str = "INSERT INTO events (shipment, number, at, what, detail) \
     SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4 FROM events WHERE shipment = $1";

pub(super) const EVENTS: &str =
    concat!("SELECT at, what, detail FROM events WHERE shipment = ", seq!(), " ORDER BY number");

pub(super) const COUNT_UP: &str = "INSERT INTO counters (partner, name, value) VALUES ($1, $2, $3) \
     ON CONFLICT (partner, name) DO UPDATE SET value = counters.value + excluded.value RETURNING value";

// Items and findings.

pub(super) const FORGET_ITEMS: &str = "DELETE FROM items WHERE shipment = $1 AND number IN \
     (SELECT number FROM items WHERE shipment = $1 ORDER BY number LIMIT $2)";

pub(super) const FORGET_FINDINGS: &str = "DELETE FROM findings WHERE shipment = $1 AND number IN \
     (SELECT number FROM findings WHERE shipment = $1 ORDER BY number LIMIT $2)";

/// Completed by [`insert_items`].
const ADD_ITEMS: &str = "INSERT INTO items (shipment, number, part, kind, key, range_start, range_end, group_start, \
     group_end, line, col, senders_reference, service_code, service_edition, forms, state, code) VALUES ";
const ITEM_PARAMETERS: usize = 17;

pub(super) const FORGET_ATTACHMENTS: &str = "DELETE FROM attachments WHERE shipment = $1 AND number IN \
     (SELECT number FROM attachments WHERE shipment = $1 ORDER BY number LIMIT $2)";

pub(super) const ADD_ATTACHMENT: &str = "INSERT INTO attachments (shipment, number, reference, range_start, range_end, line, col) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) const LAST_ATTACHMENT: &str = "SELECT COALESCE(MAX(number), 0) FROM attachments WHERE shipment = $1";

pub(super) const ATTACHMENTS_OF: &str = concat!(
    "SELECT number, reference, range_start, range_end, line, col FROM attachments WHERE shipment = ",
    seq!(),
    " AND reference = $2 AND number > $3 ORDER BY number LIMIT $4"
);

/// Those that belong to no item.
pub(super) const LOOSE_ATTACHMENTS: &str = concat!(
    "SELECT number, reference, range_start, range_end, line, col FROM attachments AS a WHERE shipment = ",
    seq!(),
    " AND NOT EXISTS (SELECT 1 FROM items AS i WHERE i.shipment = a.shipment AND i.kind = 3 AND i.senders_reference = a.reference) \
     ORDER BY number LIMIT $2"
);

pub(super) const FORGET_GROUPS: &str = "DELETE FROM finding_groups WHERE shipment = $1 AND number IN \
     (SELECT number FROM finding_groups WHERE shipment = $1 ORDER BY number LIMIT $2)";

pub(super) const ADD_FINDING: &str = "INSERT INTO findings (shipment, number, code, line, col, at_byte, path, item, rule, text) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub(super) const LAST_FINDING: &str = "SELECT COALESCE(MAX(number), 0) FROM findings WHERE shipment = $1";

pub(super) const ADD_GROUP: &str = "INSERT INTO finding_groups (shipment, number, code, rule, text, path, count, places) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(super) const LAST_GROUP: &str = "SELECT COALESCE(MAX(number), 0) FROM finding_groups WHERE shipment = $1";

pub(super) const GROUPS: &str = concat!(
    "SELECT code, rule, text, path, count, places FROM finding_groups WHERE shipment = ",
    seq!(),
    " AND number > $2 ORDER BY number LIMIT $3"
);

pub(super) const FINDINGS: &str = concat!(
    "SELECT code, line, col, at_byte, path, item, rule, text FROM findings WHERE shipment = ",
    seq!(),
    " AND number > $2 ORDER BY number LIMIT $3"
);

/// `$3` is a set of states, a bit each.
pub(super) const ITEMS: &str = concat!(
    "SELECT ",
    item_columns!(),
    " FROM items WHERE shipment = ",
    seq!(),
    " AND number > $2 AND ((1 << state) & $3) <> 0 ORDER BY number LIMIT $4"
);

pub(super) const ITEM_STATE: &str = concat!("SELECT state FROM items WHERE shipment = ", seq!(), " AND number = $2");

pub(super) const TALLY: &str =
    concat!("SELECT state, COUNT(*) AS n FROM items WHERE shipment = ", seq!(), " GROUP BY state");

/// Counts by part, state and code; few rows, however many items.
pub(super) const OUTCOMES: &str = concat!(
    "SELECT part, state, code, COUNT(*) AS n, SUM(number IN (SELECT item FROM findings WHERE shipment = ",
    seq!(),
    " AND item IS NOT NULL)) AS with_findings FROM items WHERE shipment = ",
    seq!(),
    " GROUP BY part, state, code ORDER BY part, state, code"
);

/// One sort instead of an index on random keys.
pub(super) const REPEATS: &str = concat!(
    "SELECT number FROM (SELECT number, ROW_NUMBER() OVER (PARTITION BY key ORDER BY number) AS place FROM items \
     WHERE shipment = ",
    seq!(),
    ") AS placed WHERE place > 1"
);

pub(super) const KEYS: &str =
    "SELECT number, key FROM items WHERE shipment = $1 AND number > $2 ORDER BY number LIMIT $3";

/// Made before the items are looked at: else SQLite would walk all items of the shipment for each.
pub(super) const SET_KEYS: &str = "WITH e AS MATERIALIZED \
     (SELECT value ->> 0 AS number, unhex(value ->> 1) AS key FROM json_each($1)) \
     UPDATE items SET key = e.key FROM e WHERE items.shipment = $2 AND items.number = e.number";

pub(super) const REFUSE_READY: &str = "UPDATE items SET state = 3, code = $2 WHERE shipment = $1 AND state = 0";

// Batches.

pub(super) const ADD_BATCH: &str = "INSERT INTO batches (shipment, number, key, first_item, last_item, size) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (shipment, number) DO NOTHING";

/// The items of a batch that is made: those between its first and its last that wait.
pub(super) const GROUP_ITEMS: &str = "UPDATE items SET batch = $2 \
     WHERE shipment = $1 AND number >= $3 AND number <= $4 AND state = 0 AND batch IS NULL";

pub(super) const BATCH: &str = concat!(
    "SELECT number, key, first_item, last_item, size FROM batches WHERE shipment = ",
    seq!(),
    " AND number = $2"
);

pub(super) const LAST_BATCH: &str = concat!(
    "SELECT number, key, first_item, last_item, size FROM batches WHERE shipment = ",
    seq!(),
    " ORDER BY number DESC LIMIT 1"
);

/// Batches with their first items, which stand for the others.
pub(super) const DUE_BATCHES: &str = concat!(
    "SELECT ",
    item_columns!(),
    ", batch_key, first_item, last_item, size FROM (SELECT shipment AS of, number AS which, \
     key AS batch_key, first_item, last_item, size FROM batches WHERE shipment = ",
    seq!(),
    " AND number > $2) JOIN items ON shipment = of AND number = first_item \
     WHERE state < 2 AND due_at <= $3 ORDER BY which LIMIT $4"
);

pub(super) const INTEND_BATCH: &str = "UPDATE items SET state = 1, code = NULL, attempts = attempts + 1, \
     first_intent = COALESCE(first_intent, $5), last_intent = $5, due_at = $5, doubtful = $6 \
     WHERE shipment = $1 AND number >= $3 AND number <= $4 AND batch = $2 AND state < 2";

pub(super) const CONCLUDE_BATCH: &str = "UPDATE items SET state = $6, code = $7, receivers_reference = $8, due_at = $5, \
     doubtful = COALESCE($9, doubtful) \
     WHERE shipment = $1 AND number >= $3 AND number <= $4 AND batch = $2 AND state < 2";

/// What is held up stays so until it is settled.
pub(super) const MARK_BATCH: &str =
    "UPDATE batches SET held_up = $3 WHERE shipment = $1 AND number = $2 AND held_up <> $3";

/// Those that are still open.
pub(super) const HELD_UP_BATCHES: &str = "SELECT s.id, s.route, s.receiver, b.number, i.due_at FROM batches AS b \
     INDEXED BY batches_held_up JOIN shipments AS s ON s.seq = b.shipment \
     JOIN items AS i ON i.shipment = b.shipment AND i.number = b.first_item \
     WHERE b.held_up = 1 AND i.state < 2 AND s.route IS NOT NULL";

// Receipts.

pub(super) const HAS_RECEIPT: &str = concat!(
    "SELECT COUNT(*) FROM receipt_files WHERE shipment = ",
    seq!(),
    " AND kind = $2 AND number = $3 AND form = 0"
);

pub(super) const ADD_RECEIPT: &str = "INSERT INTO receipt_files \
     (shipment, kind, number, form, dir, name, size_bytes, sha256, placed_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (shipment, kind, number, form) DO NOTHING";

pub(super) const RENEW_RECEIPT: &str = "UPDATE receipt_files SET size_bytes = $4, sha256 = $5 \
     WHERE shipment = $1 AND kind = $2 AND number = 0 AND form = $3";

pub(super) const LAST_SUPPLEMENT: &str =
    concat!("SELECT COALESCE(MAX(number), 0) FROM receipt_files WHERE kind = $2 AND shipment = ", seq!());

/// Walks all of them: asked by hand, for one file.
pub(super) const RECEIPTS_OF: &str = "SELECT s.id, r.kind, r.number, r.form, r.name, r.placed_at FROM receipt_files AS r \
     JOIN shipments AS s ON s.seq = r.shipment WHERE r.sha256 = $1 ORDER BY r.shipment, r.kind, r.number, r.form LIMIT 20";

pub(super) const RECEIPTS_OF_SHIPMENT: &str = concat!(
    "SELECT $1 AS id, kind, number, form, name, placed_at FROM receipt_files WHERE shipment = ",
    seq!(),
    " ORDER BY placed_at, kind, number, form"
);

pub(super) const ADD_NEWS: &str = "INSERT INTO news (shipment, item, event, apart, at, supplement) VALUES ($1, $2, $3, $6, $4, $5) \
     ON CONFLICT (shipment, item, event, apart) DO NOTHING";

pub(super) const FINISH: &str = "UPDATE shipments SET stage = 2, worker = NULL, lease_until = 0 WHERE seq = $1";

// Bans.

pub(super) const BAN: &str = "INSERT INTO bans (address, until, times) VALUES ($1, $2, $3) \
     ON CONFLICT (address) DO UPDATE SET until = excluded.until, times = excluded.times";

pub(super) const BANS: &str = "SELECT address, until, times FROM bans WHERE until > $1 ORDER BY address";

// SQLite's dialect. PostgreSQL: FOR UPDATE SKIP LOCKED, jsonb_array_elements, decode(…, 'hex').

/// Begins a transaction and sets its first savepoint, in one trip.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT change";
/// The same for one whose COMMIT waits for the disk, when the one before did not.
pub(super) const BEGIN_DURABLE: &str = "PRAGMA synchronous = FULL; BEGIN IMMEDIATE; SAVEPOINT change";
/// The same for one whose COMMIT does not wait: it is on disk with the next one that does.
pub(super) const BEGIN_LAZY: &str = "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; SAVEPOINT change";

/// Shipments of a stage that may be leased, in their order.
macro_rules! due {
    ($but:literal) => {
        concat!(
            "(SELECT seq FROM shipments WHERE stage < 2 AND stage = $4 AND wake_at <= $2 AND lease_until <= $2",
            $but,
            " ORDER BY wake_at, seq LIMIT 1)"
        )
    };
}

/// The one writer needs no lock on the row it picks.
pub(super) const LEASE: &str = concat!(
    "UPDATE shipments SET worker = $1, lease_until = $3, woken = 0 WHERE seq = COALESCE(",
    due!(" AND partner NOT IN (SELECT partner FROM shipments WHERE stage < 2 AND stage = $4 AND lease_until > $2)"),
    ", ",
    due!(""),
    ") RETURNING ",
    shipment_columns!()
);

/// The steps' rows: see `steps.rs`. No CROSS JOIN here: it would make SQLite walk the items first.
macro_rules! step_rows {
    () => {
        "(SELECT s.seq AS shipment, e.value ->> 1 AS number, e.value ->> 2 AS state, e.value ->> 3 AS at, \
         e.value ->> 4 AS code, e.value ->> 5 AS reference, e.value ->> 6 AS doubt \
         FROM json_each($1) AS e, shipments AS s WHERE s.id = unhex(e.value ->> 0)) AS step"
    };
}

/// Due at once: when the process dies now, the next one looks the item up. The code of the attempt before says nothing of
/// this one.
pub(super) const INTEND: &str = concat!(
    "UPDATE items SET state = step.state, code = step.code, attempts = attempts + 1, \
     first_intent = COALESCE(first_intent, step.at), last_intent = step.at, due_at = step.at, \
     doubtful = step.doubt FROM ",
    step_rows!(),
    " WHERE items.shipment = step.shipment AND items.number = step.number AND items.state < 2"
);

pub(super) const CONCLUDE: &str = concat!(
    "UPDATE items SET state = step.state, code = step.code, receivers_reference = step.reference, due_at = step.at, \
     doubtful = COALESCE(step.doubt, doubtful) FROM ",
    step_rows!(),
    " WHERE items.shipment = step.shipment AND items.number = step.number AND items.state < 2"
);

/// Without the hints SQLite reads every item of the shipment.
pub(super) const DUE_ITEMS: &str = concat!(
    "SELECT ",
    item_columns!(),
    " FROM items INDEXED BY items_open WHERE shipment = ",
    seq!(),
    " AND number > $2 AND state < 2 AND due_at <= $3 AND batch IS NULL ORDER BY number LIMIT $4"
);

pub(super) const NEXT_DUE: &str =
    concat!("SELECT MIN(due_at) FROM items INDEXED BY items_open WHERE shipment = ", seq!(), " AND state < 2");

/// At all of its receivers.
pub(super) const OPEN_ITEMS: &str = "SELECT COUNT(*) AS n FROM items INDEXED BY items_open \
     WHERE shipment IN (SELECT seq FROM shipments WHERE id = $1 OR share_of = $1) AND state < 2";

/// Walks all ids: asked by hand.
pub(super) const ENDING_WITH: &str = concat!(
    "SELECT ",
    shipment_columns!(),
    " FROM shipments WHERE substr(hex(id), -$1) = $2 AND share_of IS NULL ORDER BY seq DESC LIMIT 2"
);

pub(super) const SETTLE_OPEN: &str = "UPDATE items SET state = 2, code = $2 WHERE shipment = $1 AND number IN \
     (SELECT number FROM items INDEXED BY items_open WHERE shipment = $1 AND state < 2 ORDER BY number LIMIT $3)";

/// Some of them, up to the end of a batch: its items change together. What may have had its effect says so, and not the code.
pub(super) const FAIL_OPEN: &str = "WITH some AS (SELECT MAX(number) AS number FROM (SELECT number FROM items \
     INDEXED BY items_open WHERE shipment = $1 AND state < 2 AND state = $4 ORDER BY number LIMIT $3)), \
     till AS (SELECT COALESCE((SELECT b.last_item FROM items AS i JOIN batches AS b ON b.shipment = i.shipment \
     AND b.number = i.batch WHERE i.shipment = $1 AND i.number = some.number), some.number) AS number FROM some) \
     UPDATE items SET state = 5, code = CASE doubtful WHEN 1 THEN $5 ELSE $2 END WHERE shipment = $1 \
     AND number IN (SELECT number FROM items INDEXED BY items_open WHERE shipment = $1 AND state < 2 AND state = $4 AND number <= (SELECT number FROM till))";

pub(super) const REFUSE_NUMBERS: &str = "UPDATE items SET state = 3, code = $2 WHERE shipment = $1 AND state = 0 \
     AND number IN (SELECT value FROM json_each($3))";

pub(super) const TOLD: &str = concat!(
    "SELECT item, event, at FROM news WHERE shipment = ",
    seq!(),
    " AND item IN (SELECT value FROM json_each($2)) ORDER BY item, event"
);

/// An upload that a CLOSE sealed and the ledger did not take lies under the number of its scratch file: who resumes it
/// finds it there.
pub(super) const REFERENCED_BLOBS: &str = "SELECT DISTINCT unhex(e.value) AS id FROM json_each($1) AS e WHERE \
     EXISTS (SELECT 1 FROM nodes WHERE blob = unhex(e.value)) \
     OR EXISTS (SELECT 1 FROM shipments WHERE blob = unhex(e.value) AND expired = 0) \
     OR EXISTS (SELECT 1 FROM nodes WHERE scratch = unhex(e.value)) \
     OR EXISTS (SELECT 1 FROM takes WHERE scratch = unhex(e.value)) \
     OR EXISTS (SELECT 1 FROM source_receipts WHERE blob = unhex(e.value) AND state = 0)";

pub(super) const REFERENCED_SCRATCHES: &str = "SELECT DISTINCT unhex(e.value) AS id FROM json_each($1) AS e WHERE \
     EXISTS (SELECT 1 FROM nodes WHERE scratch = unhex(e.value)) \
     OR EXISTS (SELECT 1 FROM takes WHERE scratch = unhex(e.value))";

/// The text that inserts so many items; an item that is there already stays as it is. Its parameters have no numbers:
/// SQLite looks a numbered one up among all others, which for a thousand of them takes longer than the insert.
pub(super) fn insert_items(count: usize) -> String {
    let row = format!("({})", vec!["?"; ITEM_PARAMETERS].join(", "));
    format!("{ADD_ITEMS}{} ON CONFLICT (shipment, number) DO NOTHING", vec![row; count].join(", "))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, Row};

    use super::*;

    /// What SQLite does for a text, a line each.
    async fn plan(text: &str) -> Vec<String> {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        super::super::migrate(&mut connection).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"))).bind("[]");
        rows.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get("detail")).collect()
    }

    #[tokio::test]
    async fn what_runs_for_every_item_finds_it_by_key() {
        for text in [INTEND, CONCLUDE] {
            let plan = plan(text).await;
            assert!(
                plan.iter().any(|step| step == "SEARCH items USING PRIMARY KEY (shipment=? AND number=?)"),
                "{plan:#?}"
            );
        }
        for text in [sources::SET_WAITS, sources::STAMPS] {
            let plan = plan(text).await;
            assert!(plan.iter().any(|step| step.contains("(source=? AND path=?)")), "{plan:#?}");
        }
        let forgotten = plan(instances::FORGET).await;
        for index in ["instances_kept (shipment=?)", "instances_claimed (claim_shipment=?)"] {
            assert!(forgotten.iter().any(|step| step.ends_with(index)), "{forgotten:#?}");
        }
        let keys = plan(SET_KEYS).await;
        assert!(keys.iter().any(|step| step.ends_with("(shipment=? AND number=?)")), "{keys:#?}");
        let plan = plan(REFUSE_NUMBERS).await;
        assert!(plan.iter().any(|step| step.ends_with("(shipment=? AND number=?)")), "{plan:#?}");
    }

    #[tokio::test]
    async fn pages_walk_an_index_and_sort_nothing() {
        let pages = [
            (ITEMS, "SEARCH items USING PRIMARY KEY (shipment=? AND number>?)"),
            (DUE_ITEMS, "SEARCH items USING INDEX items_open (shipment=? AND number>?)"),
            (DUE_BATCHES, "SEARCH batches USING PRIMARY KEY (shipment=? AND number>?)"),
            (NEXT_DUE, "SEARCH items USING COVERING INDEX items_open (shipment=?)"),
            (FINDINGS, "SEARCH findings USING PRIMARY KEY (shipment=? AND number>?)"),
            (GROUPS, "SEARCH finding_groups USING PRIMARY KEY (shipment=? AND number>?)"),
            (aftermath::NOTES, "SEARCH notes USING PRIMARY KEY (shipment=? AND item>? AND item<?)"),
            (aftermath::DUE_FOLLOWED, "SEARCH followed USING INDEX followed_due (shipment=? AND due_at<?)"),
            (area::LIST, "SEARCH nodes USING PRIMARY KEY (partner=? AND dir=? AND name>?)"),
            (sources::UNREADY, "SEARCH sightings USING INDEX sightings_waiting (source=? AND path>?)"),
            (sources::TURNS_BY_AGE, "SEARCH sightings USING INDEX sightings_turn (source=?)"),
            (sources::DUE_RECEIPTS, "SEARCH source_receipts USING INDEX source_receipts_due (source=?)"),
            (LEASE, "SEARCH shipments USING COVERING INDEX shipments_waiting (stage=? AND wake_at<?)"),
            (EXPIRING, "SCAN s USING INDEX shipments_kept"),
            (DUE_NOW, "SEARCH items USING INDEX items_open (shipment=?)"),
            (COUNTS, "SCAN shipments USING COVERING INDEX shipments_stage"),
            (shares::UNSHARED, "SEARCH items USING PRIMARY KEY (shipment=? AND number>?)"),
            (shares::SHARES, "SEARCH shipments USING INDEX shipments_shares (share_of=?)"),
            (OPEN_ITEMS, "SEARCH items USING COVERING INDEX items_open (shipment=?)"),
        ];
        for (text, expected) in pages {
            let plan = plan(text).await;
            assert!(plan.iter().any(|step| step == expected), "{text}: {plan:#?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{text}: {plan:#?}");
        }
    }
}
