-- Schedules, and the time up to which their runs are settled.
CREATE TABLE schedules (
    name          TEXT    NOT NULL PRIMARY KEY,
    settled_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Runs; the index is what makes the run of a time happen once. `asked` is the number of who asked for it.
CREATE TABLE schedule_runs (
    id       INTEGER PRIMARY KEY,
    schedule TEXT    NOT NULL,
    due      INTEGER NOT NULL,
    cause    INTEGER NOT NULL,
    asked    INTEGER,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    ending   INTEGER,
    note     TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX schedule_runs_once ON schedule_runs (schedule, due) WHERE cause = 0;
CREATE UNIQUE INDEX schedule_runs_asked ON schedule_runs (asked) WHERE asked IS NOT NULL;
CREATE INDEX schedule_runs_open ON schedule_runs (id) WHERE ended_at IS NULL;
CREATE INDEX schedule_runs_last ON schedule_runs (schedule, id);

-- Runs that were asked for by hand, and by whom; rows are only ever added.
CREATE TABLE schedule_asked (
    id       INTEGER PRIMARY KEY,
    schedule TEXT    NOT NULL,
    asked_by TEXT    NOT NULL,
    asked_at INTEGER NOT NULL,
    begun    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX schedule_asked_open ON schedule_asked (id) WHERE begun = 0;

-- Files that are expected: the time that is watched now, and how the one before ended when it ended badly.
CREATE TABLE expected_watches (
    name            TEXT    NOT NULL PRIMARY KEY,
    counts_from     INTEGER NOT NULL,
    due             INTEGER NOT NULL,
    behind_standing INTEGER,
    behind_due      INTEGER
) STRICT, WITHOUT ROWID;

-- What became of them.
CREATE TABLE expected_settled (
    name       TEXT    NOT NULL,
    due        INTEGER NOT NULL,
    standing   INTEGER NOT NULL,
    settled_at INTEGER NOT NULL,
    shipment   BLOB,
    arrived_at INTEGER,
    size_bytes INTEGER,
    items      INTEGER,
    PRIMARY KEY (name, due)
) STRICT, WITHOUT ROWID;

-- Which files of a partner came since a time.
CREATE INDEX shipments_arrived ON shipments (partner, claimed_at);

-- What is or was wrong; one thing at a time with a subject.
CREATE TABLE alarms (
    id         INTEGER PRIMARY KEY,
    subject    TEXT    NOT NULL,
    level      TEXT    NOT NULL,
    due        INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    raised_at  INTEGER NOT NULL,
    cleared_at INTEGER
) STRICT;

CREATE UNIQUE INDEX alarms_open ON alarms (subject) WHERE cleared_at IS NULL;

-- What is told of an alarm, a row per channel; the key is what makes each be told once.
CREATE TABLE notices (
    id       INTEGER PRIMARY KEY,
    alarm    INTEGER NOT NULL REFERENCES alarms (id),
    channel  TEXT    NOT NULL,
    is_over  INTEGER NOT NULL,
    state    INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at   INTEGER NOT NULL,
    UNIQUE (alarm, channel, is_over)
) STRICT;

CREATE INDEX notices_due ON notices (due_at, id) WHERE state = 0;
