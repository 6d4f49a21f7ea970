-- Equal findings as one row, in the order of their first ones; `places` is a JSON list of [line, col, byte, item].
CREATE TABLE finding_groups (
    shipment INTEGER NOT NULL REFERENCES shipments (seq),
    number   INTEGER NOT NULL,
    code     TEXT    NOT NULL,
    rule     TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    places   TEXT    NOT NULL,
    PRIMARY KEY (shipment, number)
) STRICT, WITHOUT ROWID;

-- Receipts placed, a row per file; the key is what makes each of them happen once. `number` tells supplements apart,
-- `form` the files of one receipt. What was placed before this table has no hash.
CREATE TABLE receipt_files (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    kind       INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    form       INTEGER NOT NULL,
    dir        TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256     BLOB,
    placed_at  INTEGER NOT NULL,
    PRIMARY KEY (shipment, kind, number, form)
) STRICT, WITHOUT ROWID;

INSERT INTO receipt_files (shipment, kind, number, form, dir, name, size_bytes, placed_at)
SELECT shipment, kind, 0, 0, dir, name, size_bytes, placed_at FROM receipts;

DROP TABLE receipts;

-- What supplements have told; the key is what makes each be told once.
CREATE TABLE news (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    item       INTEGER NOT NULL,
    event      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    supplement INTEGER NOT NULL,
    PRIMARY KEY (shipment, item, event)
) STRICT, WITHOUT ROWID;
