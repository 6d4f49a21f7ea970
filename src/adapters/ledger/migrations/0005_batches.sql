-- The batch an item goes to its receiver in; none when it goes alone.
ALTER TABLE items ADD COLUMN batch INTEGER;

-- Batches of items, for receivers that take several at once: `size` items between the first and the last. How far one has
-- come is what its items say.
CREATE TABLE batches (
    shipment   INTEGER NOT NULL REFERENCES shipments (seq),
    number     INTEGER NOT NULL,
    key        BLOB    NOT NULL,
    first_item INTEGER NOT NULL,
    last_item  INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    PRIMARY KEY (shipment, number)
) STRICT, WITHOUT ROWID;
