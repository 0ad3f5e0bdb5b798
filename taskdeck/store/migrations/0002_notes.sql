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

-- What the last holder left to the next: a JSON document, read and written with the rest of the task.
ALTER TABLE bodies ADD COLUMN handoff TEXT;
