-- Forms of an item, in formats that count them.
ALTER TABLE items ADD COLUMN forms INTEGER NOT NULL DEFAULT 0;

-- Attachments that stand behind all items, joined to theirs by the sender's reference.
CREATE TABLE attachments (
    shipment    INTEGER NOT NULL REFERENCES shipments (seq),
    number      INTEGER NOT NULL,
    reference   TEXT    NOT NULL,
    range_start INTEGER NOT NULL,
    range_end   INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    col         INTEGER NOT NULL,
    PRIMARY KEY (shipment, number)
) STRICT, WITHOUT ROWID;

-- Attachments stand far behind their items. Only shipments that have any ask for items by reference.
CREATE INDEX items_reference ON items (shipment, senders_reference) WHERE kind = 3;
CREATE INDEX attachments_item ON attachments (shipment, reference, number);
