-- Whose login put a file into the tree; what the gateway itself placed has none.
ALTER TABLE nodes ADD COLUMN owner TEXT;

-- Files of ours that were fetched whole: by whom, when first and last, how often.
CREATE TABLE fetches (
    partner  TEXT    NOT NULL,
    dir      TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    user     TEXT    NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    times    INTEGER NOT NULL,
    PRIMARY KEY (partner, dir, name, user)
) STRICT, WITHOUT ROWID;
