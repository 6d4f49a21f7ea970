//! SQL texts of what is sent or placed again.

pub(in crate::adapters::ledger) const IS_EXPIRED: &str = "SELECT expired FROM shipments WHERE seq = $1";

/// References of a shipment's rest file that another shipment has.
pub(in crate::adapters::ledger) const REST_TAKEN: &str = "SELECT COUNT(*) FROM reference_uses AS own JOIN reference_uses AS other \
     ON other.partner = own.partner AND other.part = own.part AND other.sender_name = own.sender_name \
     AND other.reference = own.reference || $2 WHERE own.shipment = $1 AND other.shipment <> $1";

pub(in crate::adapters::ledger) const TAKE_REST: &str = "INSERT INTO reference_uses (partner, part, sender_name, reference, shipment) \
     SELECT partner, part, sender_name, reference || $2, shipment FROM reference_uses WHERE shipment = $1 \
     ON CONFLICT (partner, part, sender_name, reference) DO NOTHING";

/// Whether a shipment has references by which a second one would be known.
pub(in crate::adapters::ledger) const HAS_REFERENCES: &str =
    "SELECT EXISTS (SELECT 1 FROM reference_uses WHERE shipment = $1)";

/// The shipment goes back to where its items are sent.
pub(in crate::adapters::ledger) const REOPEN: &str = "UPDATE shipments SET stage = 1, standing = 0, replayed_at = $2, wake_at = 0 \
     WHERE seq = $1 AND stage = 2";

/// Also with items that are sent again.
pub(in crate::adapters::ledger) const REPRINT: &str =
    "UPDATE shipments SET stage = 1, reprint = 1, wake_at = 0 WHERE seq = $1";

pub(in crate::adapters::ledger) const CLOSE_AGAIN: &str = "UPDATE shipments SET stage = 2, reprint = 0, worker = NULL, lease_until = 0 \
     WHERE seq = $1 AND stage = 1";

/// Whether there are failed items from a number on, or such as are open again already.
pub(in crate::adapters::ledger) const ANY_TO_REPLAY: &str = "SELECT EXISTS (SELECT 1 FROM items AS i LEFT JOIN batches AS b \
     ON b.shipment = i.shipment AND b.number = i.batch \
     WHERE i.shipment = $1 AND (i.replayed = 1 OR i.state = $3 AND COALESCE(b.last_item, i.number) >= $2))";

/// The last of some items that follow a number.
pub(in crate::adapters::ledger) const NEXT_ITEMS: &str = "SELECT MAX(number) FROM \
     (SELECT number FROM items WHERE shipment = $1 AND number > $2 ORDER BY number LIMIT $3)";

/// The end of batches that would be cut in two behind a number.
pub(in crate::adapters::ledger) const CUT_IN_TWO: &str =
    "SELECT MAX(last_item) FROM batches WHERE shipment = $1 AND first_item <= $2 AND last_item > $2";

/// Failed items behind one number, up to another, become open again: those that may have been sent are looked up first. A batch
/// is sent as a whole.
pub(in crate::adapters::ledger) const REPLAY_SOME: &str = "UPDATE items SET state = CASE WHEN last_intent IS NULL THEN 0 ELSE 1 END, due_at = 0, \
     replayed = 1 WHERE shipment = $1 AND number IN (SELECT i.number FROM items AS i LEFT JOIN batches AS b \
     ON b.shipment = i.shipment AND b.number = i.batch \
     WHERE i.shipment = $1 AND i.number > $4 AND i.number <= $5 AND i.state = $3 AND COALESCE(b.last_item, i.number) >= $2)";

/// An item that was in no rest file: one of its receivers has it, is being sent it again, or has failed with a code of those that
/// are never offered. It stays so until it is sent again.
macro_rules! not_offered {
    ($item:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM shipments AS s JOIN items AS o ON o.shipment = s.seq AND o.number = ",
            $item,
            ".number WHERE (s.id = $6 OR s.share_of = $6) \
             AND (o.state < 3 OR o.state = 5 AND o.code IN (SELECT value FROM json_each($7))))"
        )
    };
}

/// The same of those that were in no rest file; of a batch when that is so of all its items.
pub(in crate::adapters::ledger) const REPLAY_SOME_KEPT_BACK: &str = concat!(
    "UPDATE items SET state = CASE WHEN last_intent IS NULL THEN 0 ELSE 1 END, due_at = 0, \
     replayed = 1 WHERE shipment = $1 AND number IN (SELECT i.number FROM items AS i LEFT JOIN batches AS b \
     ON b.shipment = i.shipment AND b.number = i.batch \
     WHERE i.shipment = $1 AND i.number > $4 AND i.number <= $5 AND i.state = $3 AND COALESCE(b.last_item, i.number) >= $2 AND ",
    not_offered!("i"),
    " AND (i.batch IS NULL OR i.batch NOT IN (SELECT m.batch FROM items AS m WHERE m.shipment = $1 AND m.number > $4 \
     AND m.number <= $5 AND m.batch IS NOT NULL AND NOT ",
    not_offered!("m"),
    ")))"
);

/// Failed items from a number on.
pub(in crate::adapters::ledger) const LEFT_FAILED: &str = "SELECT COUNT(*) FROM items AS i LEFT JOIN batches AS b \
     ON b.shipment = i.shipment AND b.number = i.batch \
     WHERE i.shipment = $1 AND i.state = $3 AND COALESCE(b.last_item, i.number) >= $2";

pub(in crate::adapters::ledger) const REPLAYED_COUNT: &str =
    "SELECT COUNT(*) FROM items INDEXED BY items_replayed WHERE shipment = $1 AND replayed = 1";

pub(in crate::adapters::ledger) const REPLAYED_ITEMS: &str = concat!(
    "SELECT ",
    item_columns!(),
    " FROM items INDEXED BY items_replayed WHERE shipment = ",
    seq!(),
    " AND number > $2 AND replayed = 1 ORDER BY number LIMIT $3"
);

/// What is still open keeps its mark, by which the next replay finds it.
pub(in crate::adapters::ledger) const TOLD_SOME: &str = "UPDATE items SET replayed = 0 WHERE shipment = $1 AND number IN \
     (SELECT number FROM items INDEXED BY items_replayed WHERE shipment = $1 AND replayed = 1 AND state > 1 LIMIT $2)";
