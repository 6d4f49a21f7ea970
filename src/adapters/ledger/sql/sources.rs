//! SQL texts of sources: looks, files seen there, takes, and receipts on their way back.

// Looks.

/// Whoever holds it, whose time is over, or who takes it again.
pub(in crate::adapters::ledger) const LEASE_SOURCE: &str = "INSERT INTO sources (name, worker, lease_until) VALUES ($1, $2, $4) \
     ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, lease_until = excluded.lease_until \
     WHERE worker IS NULL OR worker = excluded.worker OR lease_until <= $3";

pub(in crate::adapters::ledger) const RELEASE_SOURCES: &str =
    "UPDATE sources SET worker = NULL, lease_until = 0 WHERE $1 IS NULL OR worker <> $1";

pub(in crate::adapters::ledger) const SOURCE: &str = "SELECT look, looked_at, next_at, failures, note, asked, answered, \
     (SELECT MIN(due_at) FROM takes WHERE source = $1 AND state < 2) AS take_due, \
     (SELECT MIN(due_at) FROM source_receipts WHERE source = $1 AND state = 0) AS receipt_due \
     FROM sources WHERE name = $1";

pub(in crate::adapters::ledger) const BEGIN_LOOK: &str = "INSERT INTO sources (name, look, next_at) VALUES ($1, 1, $2) \
     ON CONFLICT (name) DO UPDATE SET look = look + 1, next_at = excluded.next_at RETURNING look";

pub(in crate::adapters::ledger) const LOOK_BY: &str =
    "UPDATE sources SET next_at = MIN(COALESCE(next_at, $2), $2) WHERE name = $1";

pub(in crate::adapters::ledger) const END_LOOK: &str =
    "UPDATE sources SET looked_at = $2, next_at = $3, failures = $4, note = $5, answered = $6 WHERE name = $1";

pub(in crate::adapters::ledger) const ASK_LOOK: &str = "INSERT INTO sources (name, asked) VALUES ($1, 1) \
     ON CONFLICT (name) DO UPDATE SET asked = asked + 1 RETURNING asked";

// Files seen.

macro_rules! sighting_columns {
    () => {
        "path, size_bytes, modified, first_look, since, waits, tried_at, tried_waits, tried_size, tried_modified, \
         taken_sha256"
    };
}

macro_rules! changed {
    () => {
        "sightings.size_bytes <> excluded.size_bytes OR sightings.modified <> excluded.modified"
    };
}

/// What is as it was, and waits for nothing that may come, is not written: half a million such rows cost a look nothing
/// but reading them.
pub(in crate::adapters::ledger) const SEE: &str = concat!(
    "INSERT INTO sightings (source, path, size_bytes, modified, first_look, since, seen_at, look, waits) \
     SELECT $2, e.value ->> 0, e.value ->> 1, e.value ->> 2, $3, $4, $4, $3, CASE e.value ->> 3 WHEN 1 THEN 2 ELSE 3 END \
     FROM json_each($1) AS e WHERE true ON CONFLICT (source, path) DO UPDATE SET \
     first_look = CASE WHEN ",
    changed!(),
    " THEN excluded.first_look ELSE first_look END, since = CASE WHEN ",
    changed!(),
    " THEN excluded.since ELSE since END, tried_at = CASE WHEN ",
    changed!(),
    " THEN NULL ELSE tried_at END, tried_waits = CASE WHEN ",
    changed!(),
    " THEN NULL ELSE tried_waits END, waits = CASE WHEN excluded.waits = 2 THEN 2 WHEN sightings.waits = 2 OR ",
    changed!(),
    " THEN 3 ELSE waits END, size_bytes = excluded.size_bytes, modified = excluded.modified, \
     seen_at = excluded.seen_at, look = excluded.look \
     WHERE sightings.waits > 1 OR excluded.waits = 2 OR sightings.seen_at < $5 OR ",
    changed!()
);

/// What may come or go at any time is forgotten at once.
pub(in crate::adapters::ledger) const FORGET_UNSEEN: &str = "DELETE FROM sightings WHERE source = $1 AND \
     (waits > 1 AND look < $2 OR waits = 0 AND seen_at < $3 OR waits = 1 AND seen_at < $4)";

pub(in crate::adapters::ledger) const UNREADY: &str = concat!(
    "SELECT ",
    sighting_columns!(),
    " FROM sightings INDEXED BY sightings_waiting WHERE source = $1 AND path > $2 AND waits > 2 ORDER BY path LIMIT $3"
);

pub(in crate::adapters::ledger) const SIGHTING: &str =
    concat!("SELECT ", sighting_columns!(), " FROM sightings WHERE source = $1 AND path = $2");

/// Of the same stem are the stem alone, and what has one extension behind it: a slash comes next after a dot.
pub(in crate::adapters::ledger) const OTHERS_WAIT: &str = "SELECT EXISTS (SELECT 1 FROM sightings \
     WHERE source = $1 AND path <> $2 AND waits NOT IN (1, 2) AND (path = $3 OR path > $3 || '.' AND path < $3 || '/' \
     AND instr(substr(path, length($3) + 2), '.') = 0))";

/// While listings break off nothing is forgotten: what is long gone must not count as there. A look writes what is there
/// for others' sake every time.
pub(in crate::adapters::ledger) const STAMPS: &str = "SELECT path, size_bytes, modified FROM sightings \
     WHERE source = $1 AND path IN (SELECT value FROM json_each($2)) AND look = $3";

pub(in crate::adapters::ledger) const SET_WAITS: &str = "UPDATE sightings SET waits = $3 \
     WHERE source = $1 AND path IN (SELECT value FROM json_each($2)) AND waits > 2";

macro_rules! turns {
    ($order:literal) => {
        concat!(
            "SELECT ",
            sighting_columns!(),
            " FROM sightings WHERE source = $1 AND waits = 0 AND NOT EXISTS (SELECT 1 FROM takes AS t \
             WHERE t.source = $1 AND t.path = sightings.path AND t.state < 2) ORDER BY ",
            $order,
            " LIMIT $2"
        )
    };
}

pub(in crate::adapters::ledger) const TURNS_BY_NAME: &str = turns!("path");
pub(in crate::adapters::ledger) const TURNS_BY_AGE: &str = turns!("modified, path");
pub(in crate::adapters::ledger) const TURNS_BY_SIZE: &str = turns!("size_bytes, path");

/// By what they wait for, and the first of each.
pub(in crate::adapters::ledger) const WAITING: &str = "SELECT path, waits FROM (SELECT path, waits, \
     ROW_NUMBER() OVER (PARTITION BY waits ORDER BY path) AS place FROM sightings WHERE source = $1 AND waits NOT IN (1, 2)) \
     WHERE place <= $2 ORDER BY waits, path";

pub(in crate::adapters::ledger) const WAITING_COUNTS: &str =
    "SELECT waits, COUNT(*) AS n FROM sightings WHERE source = $1 GROUP BY waits ORDER BY waits";

// Takes.

macro_rules! take_columns {
    () => {
        "id, source, path, size_bytes, modified, state, scratch, fetched_bytes, attempts, sha256"
    };
}

/// The source must be the worker's, and the file nobody's.
pub(in crate::adapters::ledger) const BEGIN_TAKE: &str = concat!(
    "INSERT INTO takes (source, path, size_bytes, modified, state, begun_at) SELECT $1, $3, $4, $5, 0, $6 \
     FROM sources WHERE name = $1 AND worker = $2 ON CONFLICT DO NOTHING RETURNING ",
    take_columns!()
);

pub(in crate::adapters::ledger) const TAKE: &str = concat!("SELECT ", take_columns!(), " FROM takes WHERE id = $1");

pub(in crate::adapters::ledger) const OPEN_TAKES: &str = concat!(
    "SELECT ",
    take_columns!(),
    " FROM takes WHERE source = $1 AND state < 2 AND (due_at <= $2 OR due_at > $3) ORDER BY due_at, id LIMIT $4"
);

pub(in crate::adapters::ledger) const FETCHED: &str = "UPDATE takes SET scratch = $2, attempts = CASE WHEN $3 > fetched_bytes THEN 0 ELSE attempts END, fetched_bytes = $3 \
     WHERE id = $1 AND state = 0";

pub(in crate::adapters::ledger) const DROP_TAKE: &str =
    "DELETE FROM takes WHERE id = $1 AND state = 0 RETURNING scratch";

pub(in crate::adapters::ledger) const WAIT_AGAIN: &str = "UPDATE sightings SET waits = 3, first_look = $5, since = $6 \
     WHERE source = $1 AND path = $2 AND size_bytes = $3 AND modified = $4";

pub(in crate::adapters::ledger) const TRIED: &str = "UPDATE sightings SET waits = $5, tried_at = $6, tried_waits = $5, \
     tried_size = $7, tried_modified = $8 WHERE source = $1 AND path = $2 AND size_bytes = $3 AND modified = $4";

pub(in crate::adapters::ledger) const TAKEN_BEFORE: &str = "UPDATE sightings SET waits = 1 \
     WHERE source = $1 AND path = $2 AND size_bytes = $3 AND modified = $4";

pub(in crate::adapters::ledger) const TAKEN: &str = "UPDATE sightings SET taken_sha256 = $5, \
     waits = CASE WHEN size_bytes = $3 AND modified = $4 THEN 1 ELSE waits END WHERE source = $1 AND path = $2";

pub(in crate::adapters::ledger) const HOLDS_SOURCE: &str =
    "SELECT EXISTS (SELECT 1 FROM sources WHERE name = $1 AND worker = $2)";

pub(in crate::adapters::ledger) const CLAIMED_AS: &str =
    "SELECT s.dir, s.name FROM takes AS t JOIN shipments AS s ON s.id = t.shipment WHERE t.id = $1";

pub(in crate::adapters::ledger) const CLAIM_TAKE: &str = "UPDATE takes SET state = 1, scratch = NULL, sha256 = $2, \
     shipment = $3, refusal = $4, answers = $5, attempts = 0, due_at = 0 WHERE id = $1";

pub(in crate::adapters::ledger) const DELAY_TAKE: &str =
    "UPDATE takes SET attempts = attempts + 1, due_at = $2 WHERE id = $1 AND state < 2";

pub(in crate::adapters::ledger) const END_TAKE: &str =
    "UPDATE takes SET state = 2, ended_at = $2 WHERE id = $1 AND state = 1";

pub(in crate::adapters::ledger) const GONE: &str = "DELETE FROM sightings WHERE source = $1 AND path = $2 \
     AND size_bytes = $3 AND modified = $4 AND waits = 1";

pub(in crate::adapters::ledger) const FORESEEN: &str = "SELECT refusal FROM takes WHERE shipment = $1";

// Receipts on their way back.

/// Of a shipment whose file was taken from a source that wants them.
pub(in crate::adapters::ledger) const SEND_BACK: &str = "INSERT INTO source_receipts (source, shipment, kind, number, form, name, blob) \
     SELECT t.source, s.seq, $2, $3, $4, $5, $6 FROM shipments AS s JOIN takes AS t ON t.shipment = s.id \
     WHERE s.seq = $1 AND t.answers = 1 ON CONFLICT (shipment, kind, number, form) DO UPDATE SET \
     blob = excluded.blob, replaces = 1, state = 0, attempts = 0, due_at = 0";

pub(in crate::adapters::ledger) const DUE_RECEIPTS: &str = "SELECT id, name, blob, replaces, attempts FROM source_receipts \
     WHERE source = $1 AND state = 0 AND (due_at <= $2 OR due_at > $3) ORDER BY due_at, id LIMIT $4";

/// One that was placed anew meanwhile is to be written once more.
pub(in crate::adapters::ledger) const CONCLUDE_RECEIPT: &str = "UPDATE source_receipts SET state = $2, due_at = $3, attempts = attempts + 1 \
     WHERE id = $1 AND state = 0 AND blob = $4";
