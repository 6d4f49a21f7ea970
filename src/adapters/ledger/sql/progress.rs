//! SQL texts of what is under way.

/// Counted in the index of open items, which holds those alone. What goes to further receivers follows its shipment.
pub(in crate::adapters::ledger) const UNDER_WAY: &str = "SELECT COALESCE(share_of, id) AS id, receiver, partner, route, claimed_at, \
     (SELECT COUNT(*) FROM items WHERE shipment = s.seq AND state < 2) AS open FROM shipments AS s \
     WHERE stage < 2 AND stage = 1 AND preflight = 0 AND route IS NOT NULL \
     ORDER BY COALESCE((SELECT l.seq FROM shipments AS l WHERE l.id = s.share_of), s.seq), s.seq LIMIT $1";

pub(in crate::adapters::ledger) const EXPECT_ENDS: &str = "UPDATE shipments SET ends_at = expected.value ->> 1 \
     FROM json_each($1) AS expected WHERE shipments.id = unhex(expected.value ->> 0)";

pub(in crate::adapters::ledger) const EXPECTED_END: &str = "SELECT ends_at FROM shipments WHERE id = $1 AND stage = 1";
