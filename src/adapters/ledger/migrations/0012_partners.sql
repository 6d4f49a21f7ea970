-- What operators say of partners beside the configuration, and what they did.
CREATE TABLE partners (
    id        TEXT NOT NULL PRIMARY KEY,
    pattern   TEXT NOT NULL,
    addresses TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE partners_disabled (
    id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    user          TEXT NOT NULL PRIMARY KEY,
    partner       TEXT NOT NULL,
    password_hash TEXT
) STRICT, WITHOUT ROWID;

-- A row of a key that the configuration has, too, gives it a last moment.
CREATE TABLE login_keys (
    user    TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    comment TEXT    NOT NULL,
    until   INTEGER,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    partner TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    reason  TEXT    NOT NULL
) STRICT;
