-- What attempts have left of a batch. `doubtful`: one may have had its effect, though no clear answer came. `held_up`: the
-- receiver said that it is down, and nothing else goes there while the batch is open.
ALTER TABLE batches ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN held_up INTEGER NOT NULL DEFAULT 0;

CREATE INDEX batches_held_up ON batches (shipment, number) WHERE held_up = 1;
