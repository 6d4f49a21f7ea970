//! SQL texts of what is kept until it is wanted.

pub(in crate::adapters::ledger) const KEEP: &str = "INSERT INTO held (shipment, item, sort, whose, identity, valid_from, valid_to, same, state) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (shipment, item) DO NOTHING";

/// Those of earlier shipments that are the same and valid on some day that it is.
pub(in crate::adapters::ledger) const REPLACE_HELD: &str = "UPDATE held SET state = 2 WHERE state = 0 AND shipment < $1 AND sort = $2 AND whose = $3 \
     AND same = $4 AND valid_from <= $6 AND valid_to >= $5 RETURNING shipment, item";

/// It came late: a later shipment's is kept already.
pub(in crate::adapters::ledger) const GIVE_WAY: &str = "UPDATE held SET state = 2 WHERE state = 0 AND shipment = $1 AND item = $7 AND EXISTS \
     (SELECT 1 FROM held WHERE state = 0 AND shipment > $1 AND sort = $2 AND whose = $3 AND same = $4 \
     AND valid_from <= $6 AND valid_to >= $5) RETURNING shipment, item";

pub(in crate::adapters::ledger) const SUBSCRIBE: &str = "INSERT INTO subscriptions (shipment, item, whose, identity, period, scheduled, due, visible, ends, \
     turn, next, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (shipment, item) DO NOTHING";

pub(in crate::adapters::ledger) const REPLACE_SUBSCRIPTIONS: &str = "UPDATE subscriptions SET state = 1, next = NULL WHERE state = 0 AND shipment < $1 AND whose = $2 \
     AND identity = $3 RETURNING shipment, item";

pub(in crate::adapters::ledger) const SUBSCRIPTION_GIVES_WAY: &str = "UPDATE subscriptions SET state = 1, next = NULL WHERE state = 0 AND shipment = $1 AND item = $4 AND EXISTS \
     (SELECT 1 FROM subscriptions WHERE shipment > $1 AND whose = $2 AND identity = $3) RETURNING shipment, item";

pub(in crate::adapters::ledger) const WAS_KEPT: &str = "SELECT (SELECT COUNT(*) FROM held WHERE shipment = s.seq AND item = $2) + \
     (SELECT COUNT(*) FROM subscriptions WHERE shipment = s.seq AND item = $2) FROM shipments AS s WHERE s.id = $1";

macro_rules! item_of {
    () => {
        "i.number AS number, i.part AS part, i.kind AS kind, i.range_start AS range_start, i.range_end AS range_end, \
         i.group_start AS group_start, i.group_end AS group_end, i.line AS line, i.col AS col, \
         i.senders_reference AS senders_reference, i.service_code AS service_code, i.service_edition AS service_edition, \
         i.forms AS forms, 0 AS doubtful, NULL AS batch, "
    };
}

pub(in crate::adapters::ledger) const HELD: &str = concat!(
    "SELECT ",
    item_of!(),
    "s.id AS id, s.blob AS blob, i.key AS key, i.state AS state, i.code AS code, i.receivers_reference AS receivers_reference, \
     i.attempts AS attempts, i.first_intent AS first_intent, i.last_intent AS last_intent, h.valid_from, h.valid_to \
     FROM held AS h JOIN shipments AS s ON s.seq = h.shipment JOIN items AS i ON i.shipment = h.shipment AND i.number = h.item \
     WHERE h.state = 0 AND h.whose = $1 AND h.sort = $2 AND h.valid_from <= $3 AND h.valid_to >= $3 \
     ORDER BY h.shipment, h.item LIMIT $4"
);

pub(in crate::adapters::ledger) const USED: &str =
    "UPDATE held SET uses = uses + 1 WHERE shipment = (SELECT seq FROM shipments WHERE id = $1) AND item = $2";

/// One that is past its last day lapses.
pub(in crate::adapters::ledger) const READY_SETS: &str = "SELECT h.shipment AS shipment, h.item AS item, i.key AS key \
     FROM held AS h JOIN items AS i ON i.shipment = h.shipment AND i.number = h.item \
     WHERE h.state = 0 AND h.sort = 0 AND h.valid_from <= $1 AND h.valid_to >= $1 ORDER BY h.valid_from, h.shipment, h.item LIMIT $2";

pub(in crate::adapters::ledger) const USE_UP: &str =
    "UPDATE held SET state = 1, uses = uses + 1 WHERE shipment = $1 AND item = $2 AND state = 0";

pub(in crate::adapters::ledger) const ACTIVATE: &str = "INSERT INTO activations (key, shipment, item, asked_by, asked_item, day, due, visible, due_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO NOTHING";

pub(in crate::adapters::ledger) const LAPSING: &str =
    "SELECT shipment, item, sort, uses FROM held WHERE state = 0 AND valid_to < $1 LIMIT $2";

pub(in crate::adapters::ledger) const LAPSE: &str = "UPDATE held SET state = 3 WHERE shipment = $1 AND item = $2";

macro_rules! subscription_columns {
    () => {
        "s.id AS id, u.item AS item, i.key AS key, u.period AS period, u.scheduled AS scheduled, u.due AS due, \
         u.visible AS visible, u.ends AS ends, u.turn AS turn, u.next AS next"
    };
}

pub(in crate::adapters::ledger) const DUE_SUBSCRIPTIONS: &str = concat!(
    "SELECT ",
    subscription_columns!(),
    " FROM subscriptions AS u JOIN shipments AS s ON s.seq = u.shipment \
     JOIN items AS i ON i.shipment = u.shipment AND i.number = u.item \
     WHERE u.state = 0 AND u.next <= $1 ORDER BY u.next, u.shipment, u.item LIMIT $2"
);

/// Only from the turn it is at: a turn is taken once.
pub(in crate::adapters::ledger) const TAKE_TURN: &str = "UPDATE subscriptions SET turn = COALESCE($4, turn), next = $5, state = CASE WHEN $5 IS NULL THEN 2 ELSE 0 END \
     WHERE shipment = (SELECT seq FROM shipments WHERE id = $1) AND item = $2 AND turn = $3 AND next IS NOT NULL AND state = 0 \
     RETURNING shipment, whose, identity";

pub(in crate::adapters::ledger) const NEWEST_SET: &str = "SELECT shipment, item FROM held WHERE state = 0 AND sort = 1 AND whose = $1 AND identity = $2 \
     AND valid_from <= $3 AND valid_to >= $3 ORDER BY shipment DESC, item DESC LIMIT 1";

pub(in crate::adapters::ledger) const USED_BY_TURN: &str =
    "UPDATE held SET uses = uses + 1 WHERE shipment = $1 AND item = $2";

/// From one shipment to the next by the index, however many activations each has.
pub(in crate::adapters::ledger) const ACTIVATED_SHIPMENTS: &str = "WITH RECURSIVE of (seq) AS ( \
       SELECT MIN(shipment) FROM activations WHERE state < 2 \
       UNION ALL SELECT (SELECT MIN(shipment) FROM activations WHERE state < 2 AND shipment > of.seq) FROM of \
       WHERE of.seq IS NOT NULL) \
     SELECT id FROM of JOIN shipments ON shipments.seq = of.seq \
     WHERE EXISTS (SELECT 1 FROM activations WHERE shipment = of.seq AND state < 2 AND due_at <= $1)";

pub(in crate::adapters::ledger) const DUE_ACTIVATIONS: &str = concat!(
    "SELECT ",
    item_of!(),
    "a.id AS activation, a.key AS key, a.state AS state, a.code AS code, a.receivers_reference AS receivers_reference, \
     a.attempts AS attempts, a.first_intent AS first_intent, a.last_intent AS last_intent, a.due AS due, a.visible AS visible, \
     a.removes AS removes \
     FROM activations AS a INDEXED BY activations_open JOIN items AS i ON i.shipment = a.shipment AND i.number = a.item \
     WHERE a.state < 2 AND a.shipment = (SELECT seq FROM shipments WHERE id = $1) AND a.due_at <= $2 AND a.id > $3 \
     ORDER BY a.id LIMIT $4"
);

pub(in crate::adapters::ledger) const INTEND_ACTIVATION: &str = "UPDATE activations SET state = 1, code = NULL, attempts = attempts + 1, \
     first_intent = COALESCE(first_intent, $2), last_intent = $2, due_at = $2 WHERE id = $1 AND state < 2";

pub(in crate::adapters::ledger) const CONCLUDE_ACTIVATION: &str = "UPDATE activations SET state = $2, code = $3, receivers_reference = $4, due_at = $5 \
     WHERE id = $1 AND state < 2 RETURNING shipment, item, asked_by, asked_item, removes";

pub(in crate::adapters::ledger) const ACTIVATION_STATE: &str = "SELECT state FROM activations WHERE id = $1";

/// Two of an item never have the same time, so that each is told.
pub(in crate::adapters::ledger) const ADD_HELD_NEWS: &str = "INSERT INTO held_news (shipment, item, event, at) VALUES ($1, $2, $3, MAX($4, \
     COALESCE((SELECT MAX(at) + 1 FROM held_news WHERE shipment = $1 AND item = $2 AND event = $3), 0), \
     COALESCE((SELECT MAX(at) + 1 FROM news WHERE shipment = $1 AND item = $2 AND event = $3), 0)))";

/// From one shipment to the next by the index, however many news each has. Those without a final receipt wait for it.
pub(in crate::adapters::ledger) const NEWS_SHIPMENT: &str = "WITH RECURSIVE of (seq) AS ( \
       SELECT MIN(shipment) FROM held_news \
       UNION ALL SELECT (SELECT MIN(shipment) FROM held_news WHERE shipment > of.seq) FROM of WHERE of.seq IS NOT NULL) \
     SELECT shipments.id AS id, shipments.seq AS seq FROM of JOIN shipments ON shipments.seq = of.seq \
     WHERE shipments.stage = 2 LIMIT 1";

pub(in crate::adapters::ledger) const HELD_NEWS: &str =
    "SELECT item, event, at FROM held_news WHERE shipment = $1 ORDER BY item, event LIMIT $2";

pub(in crate::adapters::ledger) const FORGET_HELD_NEWS: &str = "DELETE FROM held_news WHERE \
     shipment = (SELECT seq FROM shipments WHERE id = $1) AND item = $2 AND event = $3 AND at = $4";

/// What a shipment that is let go of leaves of hashes.
pub(in crate::adapters::ledger) const FORGET_HELD: &str = "DELETE FROM held WHERE shipment = $1";

pub(in crate::adapters::ledger) const FORGET_SUBSCRIPTIONS: &str = "DELETE FROM subscriptions WHERE shipment = $1";

/// For the operator: without whom it is for.
pub(in crate::adapters::ledger) const SUBSCRIPTIONS: &str = "SELECT s.id AS id, s.partner AS partner, s.route AS route, u.item AS item, \
     i.service_code AS service_code, i.service_edition AS service_edition, u.period AS period, u.scheduled AS scheduled, \
     u.due AS due, u.visible AS visible, u.ends AS ends, u.turn AS turn, u.next AS next, u.state AS stand, \
     a.day AS last_day, a.state AS last_state, a.code AS last_code, \
     EXISTS (SELECT 1 FROM held AS h WHERE h.state = 0 AND h.sort = 1 AND h.whose = u.whose AND h.identity = u.identity) AS has_set \
     FROM subscriptions AS u JOIN shipments AS s ON s.seq = u.shipment \
     JOIN items AS i ON i.shipment = u.shipment AND i.number = u.item \
     LEFT JOIN activations AS a ON a.id = (SELECT MAX(id) FROM activations WHERE asked_by = u.shipment AND asked_item = u.item) \
     WHERE ($1 IS NULL OR s.partner = $1) AND ($2 OR u.state = 0) ORDER BY u.next IS NULL, u.next, u.shipment, u.item LIMIT $3";
