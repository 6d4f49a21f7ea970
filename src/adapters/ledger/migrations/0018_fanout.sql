-- A shipment whose items go to several receivers has a row for each: its own for the first, and for every other a share, over
-- the same bytes and with the same numbers of items. A share has no receipts; `share_of` is the id of its shipment. `receiver`
-- is where the row's items go, and NULL where the route leads to one. `filling` is 1 until a share has its items. `woken` is 1
-- when something happened while the row was in hand, so that it is due at once when it is given back.
ALTER TABLE shipments ADD COLUMN receiver TEXT;
ALTER TABLE shipments ADD COLUMN share_of BLOB;
ALTER TABLE shipments ADD COLUMN filling INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shipments ADD COLUMN woken INTEGER NOT NULL DEFAULT 0;

CREATE INDEX shipments_shares ON shipments (share_of, seq) WHERE share_of IS NOT NULL;

-- Shares are not counted.
DROP INDEX shipments_stage;
CREATE INDEX shipments_stage ON shipments (stage, share_of);
