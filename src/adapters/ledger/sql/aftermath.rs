//! SQL texts of what follows a delivery: notes, later news, contents that lie at a receiver.

pub(in crate::adapters::ledger) const FORGET_NOTES: &str = "DELETE FROM notes WHERE shipment = $1 AND item = $2";

/// Here and not when they are concluded: no outcome but the last leaves notes, and a million items are concluded once.
pub(in crate::adapters::ledger) const FORGET_REPLAYED_NOTES: &str = "DELETE FROM notes WHERE (shipment, item, number) IN \
     (SELECT n.shipment, n.item, n.number FROM items AS i INDEXED BY items_replayed JOIN notes AS n \
     ON n.shipment = i.shipment AND n.item = i.number WHERE i.shipment = $1 AND i.replayed = 1 AND i.state < 2 LIMIT $2)";

pub(in crate::adapters::ledger) const ADD_NOTE: &str =
    "INSERT INTO notes (shipment, item, number, code, text) VALUES ($1, $2, $3, $4, $5)";

pub(in crate::adapters::ledger) const NOTES: &str = "SELECT item, code, text FROM notes WHERE shipment = \
     (SELECT seq FROM shipments WHERE id = $1) AND item >= $2 AND item <= $3 ORDER BY item, number";

pub(in crate::adapters::ledger) const FOLLOW: &str = "INSERT INTO followed (shipment, item, due_at, ends_at) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (shipment, item) DO NOTHING";

/// From one shipment to the next by the index, however many items each has. Those without a final receipt wait for it.
pub(in crate::adapters::ledger) const FOLLOWED_SHIPMENTS: &str = "WITH RECURSIVE of (seq) AS ( \
       SELECT MIN(shipment) FROM followed \
       UNION ALL SELECT (SELECT MIN(shipment) FROM followed WHERE shipment > of.seq) FROM of WHERE of.seq IS NOT NULL) \
     SELECT id FROM of JOIN shipments ON shipments.seq = of.seq WHERE shipments.stage = 2 \
     AND EXISTS (SELECT 1 FROM followed WHERE shipment = of.seq AND due_at <= $1)";

pub(in crate::adapters::ledger) const DUE_FOLLOWED: &str = "SELECT followed.item AS item, ends_at, looks, receivers_reference \
     FROM followed JOIN items ON items.shipment = followed.shipment AND items.number = followed.item \
     WHERE followed.shipment = (SELECT seq FROM shipments WHERE id = $1) AND followed.due_at <= $2 \
     ORDER BY followed.due_at LIMIT $3";

pub(in crate::adapters::ledger) const LOOK_AGAIN: &str =
    "UPDATE followed SET due_at = $3, looks = looks + 1 WHERE shipment = $1 AND item = $2";

pub(in crate::adapters::ledger) const UNFOLLOW: &str = "DELETE FROM followed WHERE shipment = $1 AND item = $2";

pub(in crate::adapters::ledger) const UPLOAD: &str = "SELECT reference FROM uploads WHERE key = $1";

pub(in crate::adapters::ledger) const KEEP_UPLOAD: &str = "INSERT INTO uploads (key, reference, made_at) \
     VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET reference = excluded.reference, made_at = excluded.made_at";

pub(in crate::adapters::ledger) const FORGET_UPLOADS: &str = "DELETE FROM uploads WHERE made_at < $1";
