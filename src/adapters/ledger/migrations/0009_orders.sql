-- What an operator has said of a shipment that is not receipted: 0 nothing, 1 hold it, 2 cancel it. Who and why is history.
ALTER TABLE shipments ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
