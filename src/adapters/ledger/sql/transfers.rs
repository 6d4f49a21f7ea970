//! SQL texts of transfers that were begun at a receiver.

pub(in crate::adapters::ledger) const TRANSFER: &str = "SELECT id FROM transfers WHERE item = $1";

pub(in crate::adapters::ledger) const KEEP_TRANSFER: &str = "INSERT INTO transfers (item, id, made_at) \
     VALUES ($1, $2, $3) ON CONFLICT (item) DO UPDATE SET id = excluded.id, made_at = excluded.made_at";

pub(in crate::adapters::ledger) const IS_TRANSFER: &str = "SELECT 1 FROM transfers WHERE id = $1 LIMIT 1";

pub(in crate::adapters::ledger) const FORGET_TRANSFERS: &str =
    "DELETE FROM transfers WHERE item IN (SELECT item FROM transfers WHERE made_at < $1 LIMIT 10)";
