-- What time and rules do by themselves.

-- How long a task is kept after it has ended.
ALTER TABLE projects ADD COLUMN keep_done_ms INTEGER NOT NULL DEFAULT 2592000000 CHECK (keep_done_ms >= 0);
ALTER TABLE projects ADD COLUMN keep_failed_ms INTEGER NOT NULL DEFAULT 7776000000 CHECK (keep_failed_ms >= 0);
ALTER TABLE projects ADD COLUMN keep_cancelled_ms INTEGER NOT NULL DEFAULT 2592000000 CHECK (keep_cancelled_ms >= 0);

-- What makes a task at every tick. `next_at` is the next one; nothing when none is left to come.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 128),
    project TEXT NOT NULL REFERENCES projects (name),
    said TEXT NOT NULL CHECK (length(said) BETWEEN 1 AND 200),
    zone TEXT NOT NULL,
    template TEXT NOT NULL CHECK (json_valid(template)),
    catch_up TEXT NOT NULL CHECK (catch_up IN ('skip', 'one', 'all')),
    overlap TEXT NOT NULL CHECK (overlap IN ('allow', 'skip')),
    starts_at INTEGER NOT NULL,
    next_at INTEGER,
    last_task INTEGER,
    paused_at INTEGER,
    paused_by TEXT,
    pause_reason TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    CHECK ((paused_at IS NULL) = (paused_by IS NULL))
) STRICT;
CREATE INDEX schedules_next ON schedules (next_at, name) WHERE paused_at IS NULL AND next_at IS NOT NULL;

-- The newest ticks of each schedule, each once.
CREATE TABLE ticks (
    schedule TEXT NOT NULL REFERENCES schedules (name) ON DELETE CASCADE,
    tick INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('created', 'overlap', 'refused')),
    task TEXT,
    PRIMARY KEY (schedule, tick),
    CHECK ((outcome = 'created') = (task IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Since when a task that has not ended is past its due date; noted once, with an event.
ALTER TABLE tasks ADD COLUMN overdue_at INTEGER;
-- `project/key`: what no two tasks of a project have in common while both have not ended.
ALTER TABLE tasks ADD COLUMN unique_key TEXT;
-- Which task is overdue next; lists by due date; what is overdue. A task that has ended has left all of them.
CREATE INDEX tasks_due_next ON tasks (due, number)
    WHERE due IS NOT NULL AND overdue_at IS NULL AND finished_at IS NULL;
CREATE INDEX tasks_by_due ON tasks (due, number) WHERE due IS NOT NULL AND finished_at IS NULL;
CREATE INDEX tasks_overdue ON tasks (number) WHERE overdue_at IS NOT NULL AND finished_at IS NULL;
CREATE UNIQUE INDEX tasks_unique ON tasks (unique_key) WHERE unique_key IS NOT NULL AND finished_at IS NULL;

-- What is done by itself when something happens. `failures` counts those in a row.
CREATE TABLE rules (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 128),
    project TEXT REFERENCES projects (name),
    events TEXT NOT NULL CHECK (json_valid(events)),
    conditions TEXT NOT NULL CHECK (json_valid(conditions)),
    acts TEXT NOT NULL CHECK (json_valid(acts)),
    paused_at INTEGER,
    paused_by TEXT,
    pause_reason TEXT,
    runs INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    last_run_at INTEGER,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    CHECK ((paused_at IS NULL) = (paused_by IS NULL))
) STRICT;
