-- What an operator has said of a shipment. `standing`, while it is not receipted: 0 nothing, 1 hold it, 2 cancel it. Of one that
-- was receipted: when failed items were told to be sent again, and whether its final receipt is to be placed again. Who and
-- why is history.
ALTER TABLE shipments ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shipments ADD COLUMN replayed_at INTEGER;
ALTER TABLE shipments ADD COLUMN reprint INTEGER NOT NULL DEFAULT 0;

-- 1 for items that are sent again after the final receipt, until what became of them is told.
ALTER TABLE items ADD COLUMN replayed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX items_replayed ON items (shipment, number) WHERE replayed = 1;
