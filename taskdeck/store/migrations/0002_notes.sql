-- What is said about a task beside its own fields. Each row goes with its task.
-- Their references to tasks are looked at when a transaction ends, where the tasks of it are written.

CREATE TABLE comments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    author TEXT NOT NULL,
    byline TEXT CHECK (length(byline) BETWEEN 1 AND 128),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 10000),
    created_at INTEGER NOT NULL,
    edited_at INTEGER
) STRICT;
CREATE INDEX comments_of_task ON comments (task, number);

-- `repository` is empty where none is said, for an index takes two NULLs for different.
CREATE TABLE links (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL CHECK (kind IN ('branch', 'commit', 'pr', 'url', 'file')),
    repository TEXT NOT NULL,
    target TEXT NOT NULL CHECK (length(target) BETWEEN 1 AND 1000),
    url TEXT,
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (task, kind, repository, target)
) STRICT;

-- `inline_bytes` is what `text` and `value` take together; they stand last, so that it is found without reading them.
CREATE TABLE attachments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    inline_bytes INTEGER NOT NULL CHECK (inline_bytes BETWEEN 0 AND 65536),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    content_type TEXT,
    size INTEGER CHECK (size >= 0),
    reference TEXT,
    text TEXT,
    value TEXT CHECK (value IS NULL OR json_valid(value)),
    UNIQUE (task, name),
    CHECK (coalesce(reference, text, value) IS NOT NULL)
) STRICT;

-- What is known about a task: a JSON object that many add to. How long its ledger is stands here, not to be counted anew.
CREATE TABLE contexts (
    task INTEGER PRIMARY KEY REFERENCES tasks (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL CHECK (version >= 1),
    entries INTEGER NOT NULL CHECK (entries >= 1),
    ledger_bytes INTEGER NOT NULL CHECK (ledger_bytes >= 0),
    document TEXT NOT NULL CHECK (json_valid(document) AND json_type(document) = 'object')
) STRICT;

-- Who said what of which key, append-only: an entry is superseded by the next one of its key.
CREATE TABLE context_entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    version INTEGER NOT NULL CHECK (version >= 1),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    act TEXT NOT NULL CHECK (act IN ('set', 'removed', 'retracted')),
    value TEXT CHECK ((act = 'set') = (value IS NOT NULL)),
    source TEXT NOT NULL CHECK (source IN ('stated', 'inferred', 'observed', 'imported')),
    author TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX context_entries_of_task ON context_entries (task, number);
CREATE INDEX context_entries_of_key ON context_entries (task, key, number, act, version);

CREATE TRIGGER context_entries_are_not_rewritten BEFORE UPDATE ON context_entries
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- What the last holder left to the next: a JSON document, read and written with the rest of the task.
ALTER TABLE bodies ADD COLUMN handoff TEXT;
