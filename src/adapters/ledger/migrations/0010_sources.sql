-- Sources: who looks at each, and how the last look went. `asked` counts the looks that were asked for by hand.
CREATE TABLE sources (
    name        TEXT    NOT NULL PRIMARY KEY,
    worker      BLOB,
    lease_until INTEGER NOT NULL DEFAULT 0,
    look        INTEGER NOT NULL DEFAULT 0,
    looked_at   INTEGER,
    next_at     INTEGER,
    failures    INTEGER NOT NULL DEFAULT 0,
    note        TEXT    NOT NULL DEFAULT '',
    asked       INTEGER NOT NULL DEFAULT 0,
    answered    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Files that lie in a source as the looks showed them. Times of the store are microseconds since 1970.
CREATE TABLE sightings (
    source         TEXT    NOT NULL,
    path           TEXT    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    modified       INTEGER NOT NULL,
    first_look     INTEGER NOT NULL,
    since          INTEGER NOT NULL,
    seen_at        INTEGER NOT NULL,
    look           INTEGER NOT NULL,
    waits          INTEGER NOT NULL,
    tried_at       INTEGER,
    tried_waits    INTEGER,
    tried_size     INTEGER,
    tried_modified INTEGER,
    taken_sha256   BLOB,
    PRIMARY KEY (source, path)
) STRICT, WITHOUT ROWID;

-- Those that are still looked at, and those that wait for their turn.
CREATE INDEX sightings_waiting ON sightings (source, path) WHERE waits > 2;
CREATE INDEX sightings_turn ON sightings (source, modified, path) WHERE waits = 0;

-- Files that are being taken, or were: the row is the claim. `state`: 0 fetched, 1 a shipment, 2 done with.
CREATE TABLE takes (
    id            INTEGER PRIMARY KEY,
    source        TEXT    NOT NULL,
    path          TEXT    NOT NULL,
    size_bytes    INTEGER NOT NULL,
    modified      INTEGER NOT NULL,
    state         INTEGER NOT NULL,
    scratch       BLOB,
    fetched_bytes INTEGER NOT NULL DEFAULT 0,
    sha256        BLOB,
    shipment      BLOB,
    refusal       TEXT,
    answers       INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    due_at        INTEGER NOT NULL DEFAULT 0,
    begun_at      INTEGER NOT NULL,
    ended_at      INTEGER
) STRICT;

CREATE UNIQUE INDEX takes_once ON takes (source, path) WHERE state < 2;
CREATE INDEX takes_open ON takes (source, due_at) WHERE state < 2;
CREATE INDEX takes_scratch ON takes (scratch) WHERE scratch IS NOT NULL;
CREATE UNIQUE INDEX takes_shipment ON takes (shipment) WHERE shipment IS NOT NULL;

-- Receipts on their way back to where the file came from. `state`: 0 waits, 1 is there, 2 given up.
CREATE TABLE source_receipts (
    id         INTEGER PRIMARY KEY,
    source     TEXT    NOT NULL,
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    kind       INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    form       INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    blob       BLOB    NOT NULL,
    replaces   INTEGER NOT NULL DEFAULT 0,
    state      INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (shipment, kind, number, form)
) STRICT;

CREATE INDEX source_receipts_due ON source_receipts (source, due_at, id) WHERE state = 0;
CREATE INDEX source_receipts_blob ON source_receipts (blob) WHERE state = 0;
