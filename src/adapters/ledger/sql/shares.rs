//! SQL texts of shares: what of a shipment goes to one of several receivers.

pub(in crate::adapters::ledger) const SET_RECEIVER: &str = "UPDATE shipments SET receiver = $2 WHERE seq = $1";

/// As far as its shipment is judged; its items follow.
pub(in crate::adapters::ledger) const ADD_SHARE: &str = "INSERT INTO shipments (id, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage, \
     verdict, code, route, sha256, envelope, findings_total, receiver, share_of, filling) \
     SELECT $2, partner, dir, name, blob, size_bytes, preflight, claimed_at, stage, verdict, code, route, sha256, envelope, \
     findings_total, $3, id, 1 FROM shipments WHERE seq = $1";

pub(in crate::adapters::ledger) const SHARES: &str =
    "SELECT id, receiver FROM shipments WHERE share_of = $1 ORDER BY seq";

pub(in crate::adapters::ledger) const OPEN_SHARES: &str =
    "SELECT COUNT(*) FROM shipments WHERE share_of = $1 AND stage < 2";

/// A shipment and its shares, itself first.
pub(in crate::adapters::ledger) const MEMBERS: &str =
    "SELECT seq FROM shipments WHERE id = $1 OR share_of = $1 ORDER BY share_of IS NOT NULL, seq";

/// The receiver of a share that has not all of its items; none of any other.
pub(in crate::adapters::ledger) const FILLING: &str = "SELECT receiver FROM shipments WHERE id = $1 AND filling = 1";

/// The shipment's next items that its share does not have: all but those that never go anywhere.
pub(in crate::adapters::ledger) const UNSHARED: &str = concat!(
    "SELECT ",
    item_columns!(),
    " FROM items WHERE shipment = (SELECT l.seq FROM shipments AS l JOIN shipments AS s ON s.share_of = l.id WHERE s.id = $1) \
     AND number > (SELECT COALESCE(MAX(number), 0) FROM items WHERE shipment = ",
    seq!(),
    ") AND state NOT IN (3, 4) ORDER BY number LIMIT $2"
);

pub(in crate::adapters::ledger) const FILLED: &str = "UPDATE shipments SET filling = 0 WHERE id = $1";

pub(in crate::adapters::ledger) const END_SHARE: &str = "UPDATE shipments SET stage = 2, worker = NULL, lease_until = 0 \
     WHERE id = $1 AND stage = 1 AND filling = 0 AND share_of IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM items WHERE shipment = shipments.seq AND state < 2) RETURNING share_of, receiver";

/// Due at once, also when somebody has it in hand just now.
pub(in crate::adapters::ledger) const WAKE: &str = "UPDATE shipments SET wake_at = 0, woken = 1 WHERE id = $1";

/// Shares with items that are sent again go back to where their items are sent.
pub(in crate::adapters::ledger) const REOPEN_SHARES: &str = "UPDATE shipments SET stage = 1, wake_at = 0 \
     WHERE share_of = $1 AND stage = 2 \
     AND EXISTS (SELECT 1 FROM items INDEXED BY items_replayed WHERE shipment = shipments.seq AND replayed = 1)";
