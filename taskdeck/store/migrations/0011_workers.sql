-- Workers as they come and go: what they offer, who of them was told to be gone, and their sessions.

ALTER TABLE workers ADD COLUMN roles TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(roles));
-- Which process this is of those that ran under the worker's id, and what it runs; as the worker says.
ALTER TABLE workers ADD COLUMN instance TEXT CHECK (length(instance) BETWEEN 1 AND 128);
ALTER TABLE workers ADD COLUMN client TEXT CHECK (length(client) BETWEEN 1 AND 128);
-- What the log last said of it, so that each silence is told once.
ALTER TABLE workers ADD COLUMN told TEXT NOT NULL DEFAULT 'active' CHECK (told IN ('active', 'late', 'offline'));

-- What becomes of the claims of a worker that went offline: kept until they lapse, or lapsed at once.
ALTER TABLE projects ADD COLUMN offline_claims TEXT NOT NULL DEFAULT 'keep'
    CHECK (offline_claims IN ('keep', 'lapse'));

-- What a worker is at: one run of its program, one conversation, one task; as it tells.
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    worker TEXT NOT NULL REFERENCES workers (id) ON DELETE CASCADE,
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 512),
    status TEXT NOT NULL CHECK (status IN ('active', 'completed', 'failed', 'cancelled')),
    instance TEXT,
    client TEXT,
    task INTEGER REFERENCES tasks (number) ON DELETE SET NULL,
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    UNIQUE (worker, key),
    CHECK ((ended_at IS NULL) = (status = 'active'))
) STRICT;
CREATE INDEX sessions_of_worker ON sessions (worker, number);
CREATE INDEX sessions_open ON sessions (worker, number) WHERE ended_at IS NULL;
CREATE INDEX sessions_of_task ON sessions (task, number) WHERE task IS NOT NULL;

-- The session a claim was made in.
ALTER TABLE tasks ADD COLUMN session TEXT CHECK (session IS NULL OR state = 'claimed');

-- What the holder asks, with the options it offers and the answer it was given, as JSON.
ALTER TABLE tasks ADD COLUMN question TEXT
    CHECK (question IS NULL OR state = 'claimed' AND json_valid(question));

-- What needs a human. Each of these indexes holds the few rows that do; no claim of an ordinary task touches them.
CREATE INDEX tasks_calling ON tasks (work_state, number) WHERE work_state IN ('waiting_input', 'errored');
CREATE INDEX tasks_looping ON tasks (fence DESC, number) WHERE fence >= 3 AND finished_at IS NULL;
CREATE INDEX tasks_failed ON tasks (finished_at, number) WHERE state = 'failed';

-- How much of a project may be held at once; 0 and {} for no limit.
ALTER TABLE projects ADD COLUMN max_claims INTEGER NOT NULL DEFAULT 0 CHECK (max_claims >= 0);
ALTER TABLE projects ADD COLUMN max_claims_per_worker INTEGER NOT NULL DEFAULT 0 CHECK (max_claims_per_worker >= 0);
ALTER TABLE projects ADD COLUMN max_claims_per_label TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(max_claims_per_label));
-- Whether tasks that name the same files are kept from being handed out side by side.
ALTER TABLE projects ADD COLUMN exclusive_files INTEGER NOT NULL DEFAULT 0 CHECK (exclusive_files IN (0, 1));
-- The files a task is about, as a JSON list of paths.
ALTER TABLE bodies ADD COLUMN files TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(files));
