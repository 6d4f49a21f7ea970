//! SQL texts of schedules, expected files and alarms.

// Schedules.

pub(in crate::adapters::ledger) const SETTLED_UNTIL: &str = "SELECT settled_until FROM schedules WHERE name = $1";

pub(in crate::adapters::ledger) const SETTLE: &str = "INSERT INTO schedules (name, settled_until) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET settled_until = excluded.settled_until";

pub(in crate::adapters::ledger) const BEGIN_RUN: &str = "INSERT INTO schedule_runs (schedule, due, cause, asked, began_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT DO NOTHING RETURNING id";

pub(in crate::adapters::ledger) const END_RUN: &str = "UPDATE schedule_runs SET ending = $2, note = $3, ended_at = $4 WHERE id = $1 AND ended_at IS NULL RETURNING schedule";

/// Old runs by the clock; those that were asked for by hand stay.
pub(in crate::adapters::ledger) const FORGET_RUNS: &str = "DELETE FROM schedule_runs WHERE schedule = $1 AND asked IS NULL AND ended_at IS NOT NULL AND id < \
     (SELECT id FROM schedule_runs WHERE schedule = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";

macro_rules! run_columns {
    () => {
        "id, schedule, due, began_at, ended_at, ending, note"
    };
}

pub(in crate::adapters::ledger) const OPEN_RUNS: &str =
    concat!("SELECT ", run_columns!(), " FROM schedule_runs WHERE ended_at IS NULL ORDER BY id");

pub(in crate::adapters::ledger) const RUNS: &str =
    concat!("SELECT ", run_columns!(), " FROM schedule_runs WHERE schedule = $1 ORDER BY id DESC LIMIT $2");

pub(in crate::adapters::ledger) const RUN_ASKED: &str =
    concat!("SELECT ", run_columns!(), " FROM schedule_runs WHERE asked = $1");

pub(in crate::adapters::ledger) const ASK: &str =
    "INSERT INTO schedule_asked (schedule, asked_by, asked_at) VALUES ($1, $2, $3) RETURNING id";

pub(in crate::adapters::ledger) const ASKED: &str =
    "SELECT id, schedule FROM schedule_asked WHERE begun = 0 ORDER BY id";

pub(in crate::adapters::ledger) const ASKED_BEGINS: &str = "UPDATE schedule_asked SET begun = 1 WHERE id = $1";

// Files that are expected.

pub(in crate::adapters::ledger) const WATCH: &str =
    "SELECT counts_from, due, behind_standing, behind_due FROM expected_watches WHERE name = $1";

pub(in crate::adapters::ledger) const SET_WATCH: &str = "INSERT INTO expected_watches (name, counts_from, due, behind_standing, behind_due) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (name) DO UPDATE SET counts_from = excluded.counts_from, due = excluded.due, \
     behind_standing = excluded.behind_standing, behind_due = excluded.behind_due";

pub(in crate::adapters::ledger) const ADD_SETTLED: &str = "INSERT INTO expected_settled \
     (name, due, standing, settled_at, shipment, arrived_at, size_bytes, items) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
     ON CONFLICT (name, due) DO UPDATE SET standing = excluded.standing, settled_at = excluded.settled_at, \
     shipment = excluded.shipment, arrived_at = excluded.arrived_at, size_bytes = excluded.size_bytes, \
     items = excluded.items";

/// Items are numbered from 1 without gaps. A route has taken a file, or could when it lies in its inbox and no other has.
pub(in crate::adapters::ledger) const ARRIVALS: &str = "SELECT id, claimed_at, size_bytes, stage, verdict, \
     COALESCE((SELECT MAX(number) FROM items WHERE shipment = s.seq), 0) AS items FROM shipments AS s \
     WHERE partner = $1 AND claimed_at > $2 AND preflight = 0 AND share_of IS NULL \
     AND ($3 IS NULL OR route = $3 OR (route IS NULL AND dir = $4)) ORDER BY claimed_at, seq";

pub(in crate::adapters::ledger) const PAST_FILES: &str = "SELECT size_bytes, items FROM expected_settled \
     WHERE name = $1 AND standing = $2 AND size_bytes IS NOT NULL ORDER BY due DESC LIMIT $3";

// Alarms.

pub(in crate::adapters::ledger) const OPEN_ALARM: &str =
    "SELECT id, level, due, text FROM alarms WHERE subject = $1 AND cleared_at IS NULL";

pub(in crate::adapters::ledger) const OPEN_ALARMS: &str = "SELECT subject FROM alarms WHERE cleared_at IS NULL";

pub(in crate::adapters::ledger) const CLEAR_ALARM: &str = "UPDATE alarms SET cleared_at = $2 WHERE id = $1";

pub(in crate::adapters::ledger) const RAISE_ALARM: &str =
    "INSERT INTO alarms (subject, level, due, text, raised_at) VALUES ($1, $2, $3, $4, $5) RETURNING id";

pub(in crate::adapters::ledger) const ADD_NOTICE: &str =
    "INSERT INTO notices (alarm, channel, is_over, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

/// Of an alarm that is over: what nobody was told yet need not be told.
pub(in crate::adapters::ledger) const DROP_NOTICES: &str =
    "UPDATE notices SET state = 3 WHERE alarm = $1 AND state = 0 AND is_over = 0";

/// Only who was told that it began is told that it is over.
pub(in crate::adapters::ledger) const TOLD_CHANNELS: &str =
    "SELECT channel FROM notices WHERE alarm = $1 AND is_over = 0 AND (state = 1 OR attempts > 0) ORDER BY id";

pub(in crate::adapters::ledger) const DUE_NOTICES: &str = "SELECT n.id, n.channel, n.is_over, n.attempts, a.subject, a.level, a.due, a.text, \
     CASE n.is_over WHEN 0 THEN a.raised_at ELSE COALESCE(a.cleared_at, a.raised_at) END AS at \
     FROM notices AS n JOIN alarms AS a ON a.id = n.alarm WHERE n.state = 0 AND n.due_at <= $1 ORDER BY n.due_at, n.id LIMIT $2";

pub(in crate::adapters::ledger) const CONCLUDE_NOTICE: &str =
    "UPDATE notices SET state = $2, due_at = $3 WHERE id = $1 AND state = 0";

pub(in crate::adapters::ledger) const BEGIN_NOTICE: &str = "UPDATE notices SET attempts = attempts + 1 WHERE id = $1";
