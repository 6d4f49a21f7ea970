//! SQL texts of what is under way.

/// Counted in the index of open items, which holds those alone. What goes to further receivers follows its shipment, and
/// takes no place of its own among the route's oldest.
pub(in crate::adapters::ledger) const UNDER_WAY: &str = "WITH going AS ( \
       SELECT seq, COALESCE(share_of, id) AS id, receiver, partner, route, \
       MAX(claimed_at, COALESCE(replayed_at, claimed_at)) AS claimed_at, \
       COALESCE((SELECT l.seq FROM shipments AS l WHERE l.id = s.share_of), s.seq) AS first FROM shipments AS s \
       WHERE stage < 2 AND stage = 1 AND preflight = 0 AND route IS NOT NULL), \
     placed AS (SELECT *, DENSE_RANK() OVER (PARTITION BY route ORDER BY first) AS place FROM going) \
     SELECT id, receiver, partner, route, claimed_at, \
     (SELECT COUNT(*) FROM items WHERE shipment = placed.seq AND state < 2) AS open FROM placed \
     WHERE place <= $1 ORDER BY first, seq";

pub(in crate::adapters::ledger) const EXPECT_ENDS: &str = "UPDATE shipments SET ends_at = expected.value ->> 1 \
     FROM json_each($1) AS expected WHERE shipments.id = unhex(expected.value ->> 0)";

pub(in crate::adapters::ledger) const EXPECTED_END: &str = "SELECT ends_at FROM shipments WHERE id = $1 AND stage = 1";
