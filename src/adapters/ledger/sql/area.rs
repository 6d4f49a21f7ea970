//! SQL texts of the tree, and of the bytes that lie in the ledger.

pub(in crate::adapters::ledger) const LIST: &str = concat!(
    "SELECT ",
    node_columns!(),
    " FROM nodes WHERE partner = $1 AND dir = $2 AND name > $3 ORDER BY name LIMIT $4"
);

pub(in crate::adapters::ledger) const NODE: &str =
    concat!("SELECT ", node_columns!(), " FROM nodes WHERE partner = $1 AND dir = $2 AND name = $3");

pub(in crate::adapters::ledger) const PUT_NODE: &str = concat!(
    "INSERT INTO nodes (partner, ",
    node_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (partner, dir, name) DO UPDATE SET \
     state = excluded.state, size_bytes = excluded.size_bytes, scratch_bytes = excluded.scratch_bytes, \
     modified = excluded.modified, blob = excluded.blob, scratch = excluded.scratch, shipment = excluded.shipment, \
     owner = excluded.owner"
);

pub(in crate::adapters::ledger) const DROP_NODE: &str =
    "DELETE FROM nodes WHERE partner = $1 AND dir = $2 AND name = $3";

pub(in crate::adapters::ledger) const FETCHED: &str = "INSERT INTO fetches (partner, dir, name, user, first_at, last_at, times) \
     VALUES ($1, $2, $3, $4, $5, $5, 1) ON CONFLICT (partner, dir, name, user) \
     DO UPDATE SET last_at = excluded.last_at, times = fetches.times + 1";

pub(in crate::adapters::ledger) const FETCHES: &str =
    "SELECT user, first_at, last_at, times FROM fetches WHERE partner = $1 AND dir = $2 AND name = $3 ORDER BY user";

pub(in crate::adapters::ledger) const TOUCH: &str =
    "UPDATE nodes SET modified = $4 WHERE partner = $1 AND dir = $2 AND name = $3 AND state <> 2";

pub(in crate::adapters::ledger) const USAGE: &str = "SELECT bytes, files FROM usages WHERE partner = $1";

/// One row, whether or not either is there.
pub(in crate::adapters::ledger) const NODE_AND_USAGE: &str = concat!(
    "SELECT bytes, files, ",
    node_columns!(),
    " FROM (SELECT $1 AS whose) LEFT JOIN usages ON usages.partner = whose \
     LEFT JOIN nodes ON nodes.partner = whose AND dir = $2 AND name = $3"
);

pub(in crate::adapters::ledger) const SMALL_BLOB: &str = "SELECT bytes FROM small_blobs WHERE id = $1";

pub(in crate::adapters::ledger) const HAS_SMALL_BLOB: &str = "SELECT 1 FROM small_blobs WHERE id = $1";

pub(in crate::adapters::ledger) const SMALL_BLOBS: &str =
    "SELECT id FROM small_blobs WHERE id > $1 ORDER BY id LIMIT $2";

pub(in crate::adapters::ledger) const PUT_SMALL_BLOB: &str =
    "INSERT INTO small_blobs (id, bytes) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes";

/// Only where the upload is the one in progress.
pub(in crate::adapters::ledger) const SAFEGUARD: &str = "INSERT INTO small_blobs (id, bytes) SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM nodes \
     WHERE partner = $3 AND dir = $4 AND name = $5 AND scratch = $6) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes";

pub(in crate::adapters::ledger) const REMOVE_SMALL_BLOB: &str = "DELETE FROM small_blobs WHERE id = $1";

/// A step of an upload as one statement; see the view.
pub(in crate::adapters::ledger) const STEP_OF_SMALL_UPLOAD: &str = "INSERT INTO small_uploads (partner, dir, name, state, size_bytes, modified, blob, scratch, shipment, owner, is_new, \
     former, id, bytes, quota_bytes, quota_files, preflight, stage, detail) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
