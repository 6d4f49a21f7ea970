-- Addresses that are kept out for a while after too many refused logins.
CREATE TABLE bans (
    address TEXT    NOT NULL PRIMARY KEY,
    until   INTEGER NOT NULL,
    times   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
