-- 1 for items that an earlier attempt may have brought to their receiver, though no clear answer came, and of which no look-up
-- has said since that it did not. Such an item is offered in no rest file. It stands in for the mark that batches had: what one
-- attempt leaves of a batch is said of all its items.
ALTER TABLE items ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;

-- Nothing tells what earlier attempts at items left that are not answered for yet: after more than one it may be anything.
UPDATE items SET doubtful = 1 WHERE shipment IN (SELECT seq FROM shipments WHERE stage < 2)
    AND (state = 1 OR state IN (0, 5) AND (attempts > 1
    OR EXISTS (SELECT 1 FROM batches AS b WHERE b.shipment = items.shipment AND b.number = items.batch AND b.doubtful = 1)));

ALTER TABLE batches DROP COLUMN doubtful;
