-- What is kept until it is wanted: form sets (sorts 0 to 2) and prefilled fields (3). The content is the item's bytes;
-- whose it is is a hash. Days are texts, which sort as they should. States: 0 kept, 1 used up, 2 replaced, 3 past its last day.
CREATE TABLE held (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    item       INTEGER NOT NULL,
    sort       INTEGER NOT NULL,
    whose      BLOB    NOT NULL,
    identity   BLOB    NOT NULL,
    valid_from TEXT    NOT NULL,
    valid_to   TEXT    NOT NULL,
    state      INTEGER NOT NULL,
    uses       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (shipment, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX held_whose ON held (whose, sort, identity) WHERE state = 0;
CREATE INDEX held_first ON held (valid_from) WHERE state = 0 AND sort = 0;
CREATE INDEX held_last ON held (valid_to) WHERE state = 0;
CREATE INDEX held_kept ON held (shipment) WHERE state = 0;

-- Subscriptions: 0 in force, 1 replaced, 2 over. The days are those of turn 0.
CREATE TABLE subscriptions (
    shipment  INTEGER NOT NULL REFERENCES shipments (seq),
    item      INTEGER NOT NULL,
    whose     BLOB    NOT NULL,
    identity  BLOB    NOT NULL,
    period    INTEGER NOT NULL,
    scheduled TEXT    NOT NULL,
    due       TEXT,
    visible   TEXT,
    ends      TEXT,
    turn      INTEGER NOT NULL,
    next      TEXT,
    state     INTEGER NOT NULL,
    PRIMARY KEY (shipment, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX subscriptions_next ON subscriptions (next) WHERE state = 0;
CREATE INDEX subscriptions_whose ON subscriptions (whose, identity) WHERE state = 0;
CREATE INDEX subscriptions_kept ON subscriptions (shipment) WHERE state = 0;

-- Instances to be made of what was kept, with the states of items. The key is what makes each of them happen once.
CREATE TABLE activations (
    id                  INTEGER PRIMARY KEY,
    key                 BLOB    NOT NULL UNIQUE,
    shipment            INTEGER NOT NULL REFERENCES shipments (seq),
    item                INTEGER NOT NULL,
    asked_by            INTEGER,
    asked_item          INTEGER,
    day                 TEXT    NOT NULL,
    due                 TEXT,
    visible             TEXT,
    state               INTEGER NOT NULL DEFAULT 0,
    code                TEXT,
    receivers_reference TEXT    NOT NULL DEFAULT '',
    attempts            INTEGER NOT NULL DEFAULT 0,
    first_intent        INTEGER,
    last_intent         INTEGER,
    due_at              INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX activations_open ON activations (shipment, id) WHERE state < 2;
CREATE INDEX activations_asked ON activations (asked_by, asked_item, id) WHERE asked_by IS NOT NULL;

-- News of what was kept, until a supplement has told them.
CREATE TABLE held_news (
    id       INTEGER PRIMARY KEY,
    shipment INTEGER NOT NULL REFERENCES shipments (seq),
    item     INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX held_news_of ON held_news (shipment, item, event);

-- Some events may happen to an item again, each at its own time: those keep `at` apart, the others have 0 there.
CREATE TABLE told (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    item       INTEGER NOT NULL,
    event      INTEGER NOT NULL,
    apart      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    supplement INTEGER NOT NULL,
    PRIMARY KEY (shipment, item, event, apart)
) STRICT, WITHOUT ROWID;

INSERT INTO told (shipment, item, event, apart, at, supplement) SELECT shipment, item, event, 0, at, supplement FROM news;

DROP TABLE news;

ALTER TABLE told RENAME TO news;
