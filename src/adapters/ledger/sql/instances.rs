//! SQL texts of instances that may still be changed.

pub(in crate::adapters::ledger) const NOTE: &str = "INSERT INTO instances (key, shipment, item, whose, same, valid_from, valid_to, deletes, reference) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO NOTHING";

pub(in crate::adapters::ledger) const ANY: &str = "SELECT 1 FROM instances WHERE whose = $1 AND same = $2 LIMIT 1";

/// The one it is in, and the one that is reserved for it.
pub(in crate::adapters::ledger) const OWN: &str =
    "SELECT reference, key = $1 AS is_there FROM instances WHERE key = $1 OR claim = $1 ORDER BY is_there DESC LIMIT 1";

pub(in crate::adapters::ledger) const LATER: &str = "SELECT reference FROM instances WHERE state < 2 AND whose = $2 AND same = $3 AND shipment > $1 \
     AND valid_from <= $5 AND valid_to >= $4 ORDER BY shipment DESC LIMIT 1";

/// A claim of what is settled holds no more.
pub(in crate::adapters::ledger) const EARLIER: &str = "SELECT n.key AS key, n.reference AS reference, n.claim IS NOT NULL AND ( \
       EXISTS (SELECT 1 FROM items WHERE shipment = n.claim_shipment AND number = n.claim_item AND state < 2) \
       OR EXISTS (SELECT 1 FROM activations WHERE key = n.claim AND state < 2)) AS is_claimed \
     FROM instances AS n WHERE n.state = 0 AND n.whose = $2 AND n.same = $3 AND n.shipment < $1 \
     AND n.valid_from <= $5 AND n.valid_to >= $4 ORDER BY is_claimed, n.shipment DESC, n.item LIMIT 1";

pub(in crate::adapters::ledger) const CLAIM: &str =
    "UPDATE instances SET claim = $2, claim_shipment = $3, claim_item = $4 WHERE key = $1";

pub(in crate::adapters::ledger) const CLAIMED: &str = "SELECT shipment, item FROM instances WHERE claim = $1";

pub(in crate::adapters::ledger) const FULFIL: &str = "UPDATE instances SET key = $1, shipment = $2, item = $3, valid_from = $4, valid_to = $5, deletes = $6, \
     claim = NULL, claim_shipment = NULL, claim_item = NULL WHERE claim = $1";

pub(in crate::adapters::ledger) const GIVE_UP: &str = "UPDATE instances SET claim = NULL, claim_shipment = NULL, claim_item = NULL, \
     state = CASE WHEN $2 THEN 2 ELSE state END WHERE claim = $1";

pub(in crate::adapters::ledger) const LEAVE: &str = "UPDATE instances SET state = 2 WHERE claim = $1";

pub(in crate::adapters::ledger) const ENDING: &str = "SELECT n.key AS key, n.shipment AS shipment, n.item AS item, n.reference AS reference, n.deletes AS deletes \
     FROM instances AS n WHERE n.state = 0 AND n.valid_to < $1 AND NOT (n.claim IS NOT NULL AND ( \
       EXISTS (SELECT 1 FROM items WHERE shipment = n.claim_shipment AND number = n.claim_item AND state < 2) \
       OR EXISTS (SELECT 1 FROM activations WHERE key = n.claim AND state < 2))) LIMIT $2";

pub(in crate::adapters::ledger) const END: &str = "UPDATE instances SET state = $2 WHERE key = $1";

pub(in crate::adapters::ledger) const REMOVE: &str = "INSERT INTO activations (key, shipment, item, day, due_at, removes) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING";

/// Whatever became of its end, nothing more is done to it.
pub(in crate::adapters::ledger) const ENDED: &str =
    "UPDATE instances SET state = 2 WHERE shipment = $1 AND item = $2 AND state = 1 AND reference = $3";

/// What a shipment that is let go of leaves of hashes, but where it is reserved for a set of one that is not: that may be in it,
/// and is sent nowhere else as long as it can be sent again.
pub(in crate::adapters::ledger) const FORGET: &str = "DELETE FROM instances WHERE shipment = $1 \
     AND NOT EXISTS (SELECT 1 FROM shipments WHERE seq = claim_shipment AND expired = 0) \
     OR claim_shipment = $1 AND EXISTS (SELECT 1 FROM shipments WHERE seq = instances.shipment AND expired = 1)";
