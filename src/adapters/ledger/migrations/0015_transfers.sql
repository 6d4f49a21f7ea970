-- Transfers that were begun at a receiver, by the key of the item they are for. They are kept before the first byte goes out.
CREATE TABLE transfers (
    item    BLOB    NOT NULL PRIMARY KEY,
    id      BLOB    NOT NULL,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX transfers_id ON transfers (id);
CREATE INDEX transfers_made ON transfers (made_at);
