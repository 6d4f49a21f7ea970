-- A login is one partner's: the configuration may have given the user name to another since, or taken it away.
CREATE TABLE owned_logins (
    partner       TEXT    NOT NULL,
    user          TEXT    NOT NULL,
    password_hash TEXT,
    -- 1 where a command made the login, 0 where one gave a login of the configuration another password.
    is_added      INTEGER NOT NULL,
    -- Digest of the configuration's hash that the password was put in place of; NULL where nobody knows.
    in_place_of   BLOB,
    PRIMARY KEY (partner, user)
) STRICT, WITHOUT ROWID;

INSERT INTO owned_logins (partner, user, password_hash, is_added, in_place_of)
SELECT l.partner, l.user, l.password_hash,
       EXISTS (SELECT 1 FROM audit AS a WHERE a.what = 'login added' AND a.detail = l.user AND a.partner = l.partner), NULL
FROM logins AS l;

DROP TABLE logins;
ALTER TABLE owned_logins RENAME TO logins;
