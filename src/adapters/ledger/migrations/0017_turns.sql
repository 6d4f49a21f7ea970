-- Partners take turns: who has nothing in hand is found without reading the rows of those who have.
DROP INDEX shipments_waiting;
CREATE INDEX shipments_waiting ON shipments (stage, wake_at, seq, lease_until, partner) WHERE stage < 2;

-- When a shipment whose items are on their way is expected to be through.
ALTER TABLE shipments ADD COLUMN ends_at INTEGER;
