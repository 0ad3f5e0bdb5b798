-- The deck's first schema. Times are INTEGER milliseconds since the epoch, documents are JSON text.

CREATE TABLE projects (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    prefix TEXT NOT NULL UNIQUE CHECK (length(prefix) BETWEEN 1 AND 8),
    last_key INTEGER NOT NULL DEFAULT 0 CHECK (last_key >= 0),
    description TEXT NOT NULL DEFAULT '',
    lease_ms INTEGER NOT NULL CHECK (lease_ms BETWEEN 5000 AND 86400000),
    max_attempts INTEGER NOT NULL CHECK (max_attempts BETWEEN 1 AND 1000),
    backoff_ms INTEGER NOT NULL CHECK (backoff_ms >= 0),
    backoff_cap_ms INTEGER NOT NULL CHECK (backoff_cap_ms >= backoff_ms),
    paused_at INTEGER,
    paused_by TEXT,
    pause_reason TEXT,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    CHECK ((paused_at IS NULL) = (paused_by IS NULL))
) STRICT;

-- What decides who may have a task, interned: tasks that are alike to every claimer share a bucket.
CREATE TABLE buckets (
    number INTEGER PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (name),
    labels TEXT NOT NULL CHECK (json_valid(labels)),
    capabilities TEXT NOT NULL CHECK (json_valid(capabilities)),
    assignee TEXT,
    UNIQUE (project, labels, capabilities, assignee)
) STRICT;

-- Hot: short rows, written at every step of a task's life.
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    key TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 64),
    bucket INTEGER NOT NULL REFERENCES buckets (number),
    state TEXT NOT NULL,
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt BETWEEN 0 AND max_attempts),
    max_attempts INTEGER NOT NULL CHECK (max_attempts BETWEEN 1 AND 1000),
    fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
    not_before INTEGER,
    due INTEGER,
    created_at INTEGER NOT NULL,
    ready_at INTEGER,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    version INTEGER NOT NULL DEFAULT 1,
    worker TEXT,
    principal TEXT,
    claimed_at INTEGER,
    heartbeat_at INTEGER,
    expires_at INTEGER,
    lease_ms INTEGER,
    lapsed INTEGER NOT NULL DEFAULT 0 CHECK (lapsed IN (0, 1)),
    work_state TEXT CHECK (work_state IN ('working', 'waiting_input', 'errored')),
    detail TEXT,
    progress INTEGER CHECK (progress BETWEEN 0 AND 100),
    -- One expression with a rule for each state: it is weighed at every step of a task's life, and many are slower.
    CHECK (CASE
        WHEN state = 'claimed' THEN worker IS NOT NULL AND principal IS NOT NULL AND claimed_at IS NOT NULL
            AND heartbeat_at IS NOT NULL AND work_state IS NOT NULL AND (expires_at IS NULL) = (lease_ms IS NULL)
            AND finished_at IS NULL AND (lapsed = 0 OR attempt < max_attempts)
        WHEN lapsed = 1 OR coalesce(worker, principal, claimed_at, heartbeat_at, expires_at, lease_ms, work_state,
            detail, progress) IS NOT NULL THEN 0
        ELSE CASE state
            WHEN 'ready' THEN finished_at IS NULL AND ready_at IS NOT NULL AND attempt < max_attempts
            WHEN 'done' THEN finished_at IS NOT NULL
            WHEN 'scheduled' THEN finished_at IS NULL AND not_before IS NOT NULL
            WHEN 'blocked' THEN finished_at IS NULL
            WHEN 'failed' THEN finished_at IS NOT NULL
            WHEN 'cancelled' THEN finished_at IS NOT NULL
            WHEN 'backlog' THEN finished_at IS NULL
            WHEN 'review' THEN finished_at IS NULL
            ELSE 0
        END
    END)
) STRICT;

-- What a claim may take, best first: ready tasks, and claimed ones whose lease has lapsed.
CREATE INDEX tasks_claimable ON tasks (priority DESC, number) WHERE state = 'ready' OR lapsed = 1;
CREATE INDEX tasks_claimable_by_bucket ON tasks (bucket, priority DESC, number) WHERE state = 'ready' OR lapsed = 1;
-- Which leases end next, lapsed ones first.
CREATE INDEX tasks_leases ON tasks (lapsed DESC, expires_at, number) WHERE state = 'claimed';
-- What a worker holds.
CREATE INDEX tasks_held ON tasks (worker) WHERE state = 'claimed';
-- Which scheduled task comes due next.
CREATE INDEX tasks_scheduled ON tasks (not_before, number) WHERE state = 'scheduled';
-- Lists by state, and the oldest ready task.
CREATE INDEX tasks_by_state ON tasks (state, number);

CREATE TRIGGER fence_never_shrinks BEFORE UPDATE OF fence ON tasks WHEN NEW.fence < OLD.fence
BEGIN
    SELECT RAISE(ABORT, 'a fence never shrinks');
END;

-- Cold: long rows, written once or at the end.
CREATE TABLE bodies (
    task INTEGER PRIMARY KEY REFERENCES tasks (number) ON DELETE CASCADE,
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    description TEXT NOT NULL,
    payload TEXT NOT NULL,
    metadata TEXT NOT NULL,
    result TEXT,
    error TEXT,
    created_by TEXT NOT NULL
) STRICT;

-- `task` waits for `parent`; `open` until the parent is done.
CREATE TABLE dependencies (
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE,
    parent INTEGER NOT NULL REFERENCES tasks (number),
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    PRIMARY KEY (task, parent)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_of ON dependencies (parent, task);
CREATE INDEX dependencies_open ON dependencies (parent, task) WHERE open = 1;

-- Done parents whose children are still being unblocked, some at a time.
CREATE TABLE unblocking (parent INTEGER PRIMARY KEY REFERENCES tasks (number)) STRICT;

-- How many tasks of a bucket are in a state; counting a million rows would take most of a second.
-- `lapsed` counts, beside the states, the claimed tasks whose lease has lapsed.
CREATE TABLE counts (
    bucket INTEGER NOT NULL REFERENCES buckets (number),
    kind TEXT NOT NULL,
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (bucket, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE workers (
    id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 128),
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'human', 'service')),
    capabilities TEXT NOT NULL CHECK (json_valid(capabilities)),
    principal TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('idle', 'working', 'waiting_input', 'errored')),
    detail TEXT,
    draining INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
    heartbeat_ms INTEGER NOT NULL CHECK (heartbeat_ms BETWEEN 1000 AND 86400000),
    registered_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE principals (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 128),
    role TEXT NOT NULL CHECK (role IN ('reader', 'agent', 'operator', 'admin')),
    projects TEXT CHECK (projects IS NULL OR json_valid(projects)),
    capabilities TEXT NOT NULL CHECK (json_valid(capabilities)),
    groups TEXT NOT NULL CHECK (json_valid(groups)),
    created_at INTEGER NOT NULL
) STRICT;

-- Only a token's hash is kept; `prefix` is its public beginning, by which people tell tokens apart.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prefix TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    principal TEXT NOT NULL REFERENCES principals (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- Append-only. `body` is the event's public form, encoded once; the other columns are for finding it.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    task INTEGER,
    project TEXT,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX events_of_task ON events (task, seq) WHERE task IS NOT NULL;

CREATE TRIGGER events_are_not_rewritten BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;

-- The first answer to a write that carried an Idempotency-Key, written with the change itself.
CREATE TABLE answers (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT;
CREATE INDEX answers_by_age ON answers (created_at);
