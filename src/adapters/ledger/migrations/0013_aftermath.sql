-- What a receiver made of an item that was delivered, or why it refused it, beyond the code.
CREATE TABLE notes (
    shipment INTEGER NOT NULL REFERENCES shipments (seq),
    item     INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    code     TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (shipment, item, number)
) STRICT, WITHOUT ROWID;

-- Delivered items whose receiver has more to tell of them later.
CREATE TABLE followed (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    item       INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    looks      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (shipment, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX followed_due ON followed (shipment, due_at);

-- Contents that lie at a receiver, to be referred to by items, by what they are.
CREATE TABLE uploads (
    key       BLOB    NOT NULL PRIMARY KEY,
    reference TEXT    NOT NULL,
    made_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
