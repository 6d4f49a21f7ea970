-- Sequence numbers that batches which went on have taken, within a scope.
CREATE TABLE sequence_uses (
    partner  TEXT    NOT NULL,
    scope    TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    shipment INTEGER NOT NULL REFERENCES shipments (seq),
    PRIMARY KEY (partner, scope, number)
) STRICT, WITHOUT ROWID;

-- Shipments that are held until the number before theirs has come, or a time has.
CREATE TABLE sequence_waits (
    shipment INTEGER NOT NULL PRIMARY KEY REFERENCES shipments (seq),
    partner  TEXT    NOT NULL,
    scope    TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    until    INTEGER NOT NULL
) STRICT;

CREATE INDEX sequence_waits_scope ON sequence_waits (partner, scope, number);
