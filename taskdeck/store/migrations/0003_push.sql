-- Who is told of events. The outbox is the event log itself with a cursor for each webhook: the number of the last
-- event that was looked at for it. Secrets are kept as they are, since messages are signed with them.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    patterns TEXT NOT NULL CHECK (json_valid(patterns)),
    projects TEXT CHECK (projects IS NULL OR json_valid(projects)),
    description TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_until INTEGER,
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    disabled_reason TEXT,
    cursor INTEGER NOT NULL CHECK (cursor >= 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since INTEGER,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL)),
    CHECK (active = 0 OR disabled_reason IS NULL)
) STRICT;

-- An event on its way to a webhook, written in the transaction that moves the cursor past it. `id` stays the same
-- from try to try, so that a receiver can tell a repetition.
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    webhook INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at INTEGER NOT NULL,
    next_at INTEGER,
    tried_at INTEGER,
    status INTEGER,
    error TEXT,
    CHECK ((state = 'pending') = (next_at IS NOT NULL))
) STRICT;
CREATE INDEX deliveries_of ON deliveries (webhook, number);
-- Which is to be tried next, and how many wait.
CREATE INDEX deliveries_pending ON deliveries (webhook, next_at, number) WHERE state = 'pending';
CREATE INDEX deliveries_ended ON deliveries (webhook, number) WHERE state <> 'pending';

-- Who outside may send events that become tasks. Secrets are kept as they are, since signatures are checked with them.
CREATE TABLE sources (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    project TEXT NOT NULL REFERENCES projects (name),
    description TEXT NOT NULL DEFAULT '',
    scheme TEXT NOT NULL CHECK (scheme IN ('standard', 'github')),
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_until INTEGER,
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    template TEXT NOT NULL CHECK (json_valid(template)),
    filters TEXT NOT NULL CHECK (json_valid(filters)),
    unique_text TEXT,
    per_minute INTEGER NOT NULL CHECK (per_minute BETWEEN 1 AND 6000),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    CHECK ((old_secret IS NULL) = (old_until IS NULL))
) STRICT;

-- Which events have arrived and which task each led to, so that one sent again makes no second task.
CREATE TABLE arrivals (
    source TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 255),
    task INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT;
CREATE INDEX arrivals_by_age ON arrivals (at);

-- The newest task of a source's events that are about the same thing. `seen_at`: when its task was last found alive.
CREATE TABLE source_tasks (
    source TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
    about TEXT NOT NULL,
    task INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (source, about)
) STRICT;
CREATE INDEX source_tasks_by_age ON source_tasks (seen_at);
