-- Times are milliseconds since 1970, ids are 16 bytes, flags are 0 and 1; states are the numbers in rows.rs.

-- One received file; `seq` is its order of claim and what the other tables refer to.
CREATE TABLE shipments (
    seq            INTEGER PRIMARY KEY,
    id             BLOB    NOT NULL UNIQUE,
    partner        TEXT    NOT NULL,
    dir            TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    blob           BLOB    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    preflight      INTEGER NOT NULL,
    claimed_at     INTEGER NOT NULL,
    stage          INTEGER NOT NULL,
    verdict        INTEGER,
    code           TEXT,
    route          TEXT,
    sha256         BLOB,
    envelope       TEXT,
    findings_total INTEGER NOT NULL DEFAULT 0,
    worker         BLOB,
    lease_until    INTEGER NOT NULL DEFAULT 0,
    wake_at        INTEGER NOT NULL DEFAULT 0,
    expired        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX shipments_unfinished ON shipments (seq) WHERE stage < 2;
CREATE INDEX shipments_waiting ON shipments (stage, wake_at, seq, lease_until) WHERE stage < 2;
CREATE INDEX shipments_stage ON shipments (stage);
CREATE INDEX shipments_kept ON shipments (seq) WHERE stage = 2 AND expired = 0;
CREATE INDEX shipments_blob ON shipments (blob);

-- The smallest part forwarded alone. No index on `key`: repeats are found by one sort.
CREATE TABLE items (
    shipment            INTEGER NOT NULL REFERENCES shipments (seq),
    number              INTEGER NOT NULL,
    part                INTEGER NOT NULL,
    kind                INTEGER NOT NULL,
    key                 BLOB    NOT NULL,
    range_start         INTEGER NOT NULL,
    range_end           INTEGER NOT NULL,
    group_start         INTEGER NOT NULL,
    group_end           INTEGER NOT NULL,
    line                INTEGER NOT NULL,
    col                 INTEGER NOT NULL,
    senders_reference   TEXT    NOT NULL,
    service_code        TEXT,
    service_edition     TEXT,
    state               INTEGER NOT NULL,
    code                TEXT,
    receivers_reference TEXT    NOT NULL DEFAULT '',
    attempts            INTEGER NOT NULL DEFAULT 0,
    first_intent        INTEGER,
    last_intent         INTEGER,
    due_at              INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (shipment, number)
) STRICT, WITHOUT ROWID;

-- Open items only, so that what is left of a million is found without walking the million.
CREATE INDEX items_open ON items (shipment, number, due_at, state) WHERE state < 2;

-- What is wrong in a batch, in the order it was found.
CREATE TABLE findings (
    shipment INTEGER NOT NULL REFERENCES shipments (seq),
    number   INTEGER NOT NULL,
    code     TEXT    NOT NULL,
    line     INTEGER,
    col      INTEGER,
    at_byte  INTEGER,
    path     TEXT,
    item     INTEGER,
    rule     TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (shipment, number)
) STRICT, WITHOUT ROWID;

-- Shipment references that are taken.
CREATE TABLE reference_uses (
    partner     TEXT    NOT NULL,
    part        INTEGER NOT NULL,
    sender_name TEXT    NOT NULL,
    reference   TEXT    NOT NULL,
    shipment    INTEGER NOT NULL REFERENCES shipments (seq),
    PRIMARY KEY (partner, part, sender_name, reference)
) STRICT, WITHOUT ROWID;

-- Receipts placed; the key is what makes each of them happen once.
CREATE TABLE receipts (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    kind       INTEGER NOT NULL,
    dir        TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    size_bytes INTEGER NOT NULL,
    placed_at  INTEGER NOT NULL,
    PRIMARY KEY (shipment, kind)
) STRICT, WITHOUT ROWID;

-- History; rows are only ever added.
CREATE TABLE events (
    shipment INTEGER NOT NULL REFERENCES shipments (seq),
    number   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    what     TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    PRIMARY KEY (shipment, number)
) STRICT, WITHOUT ROWID;

-- Sequence numbers and the like.
CREATE TABLE counters (
    partner TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    value   INTEGER NOT NULL,
    PRIMARY KEY (partner, name)
) STRICT, WITHOUT ROWID;

-- The tree: one row per file. `size_bytes` is of the blob, `scratch_bytes` of the upload as last recorded.
CREATE TABLE nodes (
    partner       TEXT    NOT NULL,
    dir           TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    state         INTEGER NOT NULL,
    size_bytes    INTEGER NOT NULL,
    scratch_bytes INTEGER NOT NULL,
    modified      INTEGER NOT NULL,
    blob          BLOB,
    scratch       BLOB,
    shipment      BLOB,
    PRIMARY KEY (partner, dir, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX nodes_blob ON nodes (blob) WHERE blob IS NOT NULL;
CREATE INDEX nodes_scratch ON nodes (scratch) WHERE scratch IS NOT NULL;

-- What each partner holds: kept beside the nodes, so that a quota costs the same for one file and for 100,000.
CREATE TABLE usages (
    partner TEXT    NOT NULL PRIMARY KEY,
    bytes   INTEGER NOT NULL,
    files   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
