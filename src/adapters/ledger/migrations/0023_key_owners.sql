-- A login's further keys are one partner's: the configuration may have given the user name to another since.
CREATE TABLE owned_keys (
    partner TEXT    NOT NULL,
    user    TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    comment TEXT    NOT NULL,
    until   INTEGER,
    PRIMARY KEY (partner, user, key)
) STRICT, WITHOUT ROWID;

-- Whoever changed a key said of which partner: the last who did is its owner. A key nobody spoke of was never changed.
INSERT INTO owned_keys (partner, user, key, comment, until)
SELECT partner, user, key, comment, until FROM (
    SELECT COALESCE(
               (SELECT a.partner FROM audit AS a
                WHERE (a.what = 'key added' AND a.detail = k.user || ': ' || k.key)
                   OR (a.what = 'key given a last moment'
                       AND substr(a.detail, 1, length(k.user || ': ' || k.key || ' until ')) = k.user || ': ' || k.key || ' until ')
                ORDER BY a.seq DESC LIMIT 1),
               (SELECT l.partner FROM logins AS l WHERE l.user = k.user)
           ) AS partner,
           k.user, k.key, k.comment, k.until
    FROM login_keys AS k
) WHERE partner IS NOT NULL;

DROP TABLE login_keys;
ALTER TABLE owned_keys RENAME TO login_keys;
