//! SQL texts of what is under way.

/// Counted in the index of open items, which holds those alone.
pub(in crate::adapters::ledger) const UNDER_WAY: &str = "SELECT id, partner, route, claimed_at, \
     (SELECT COUNT(*) FROM items WHERE shipment = shipments.seq AND state < 2) AS open FROM shipments \
     WHERE stage < 2 AND stage = 1 AND preflight = 0 AND route IS NOT NULL ORDER BY seq LIMIT $1";

pub(in crate::adapters::ledger) const EXPECT_ENDS: &str = "UPDATE shipments SET ends_at = expected.value ->> 1 \
     FROM json_each($1) AS expected WHERE shipments.id = unhex(expected.value ->> 0)";

pub(in crate::adapters::ledger) const EXPECTED_END: &str = "SELECT ends_at FROM shipments WHERE id = $1 AND stage = 1";
