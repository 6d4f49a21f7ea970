-- Instances that were made of form sets and may still be changed. `key` is that of the set in it, `claim` that of a later one
-- which is being put into it. States: 0 as it was made, 1 to be deleted, 2 nothing more is done to it.
CREATE TABLE instances (
    key            BLOB    NOT NULL PRIMARY KEY,
    shipment       INTEGER NOT NULL REFERENCES shipments (seq),
    item           INTEGER NOT NULL,
    whose          BLOB    NOT NULL,
    same           BLOB    NOT NULL,
    valid_from     TEXT    NOT NULL,
    valid_to       TEXT    NOT NULL,
    reference      TEXT    NOT NULL,
    deletes        INTEGER NOT NULL,
    state          INTEGER NOT NULL DEFAULT 0,
    claim          BLOB    UNIQUE,
    claim_shipment INTEGER,
    claim_item     INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX instances_whose ON instances (whose, same);
CREATE INDEX instances_last ON instances (valid_to) WHERE state = 0;
CREATE INDEX instances_kept ON instances (shipment);

-- What makes sets the same, so that a later one takes the place of an earlier one; `identity` is what subscriptions choose by.
ALTER TABLE held ADD COLUMN same BLOB NOT NULL DEFAULT x'';

UPDATE held SET same = identity;

CREATE INDEX held_same ON held (whose, sort, same) WHERE state = 0;

-- The instance that an activation deletes; without one it makes one.
ALTER TABLE activations ADD COLUMN removes TEXT;
