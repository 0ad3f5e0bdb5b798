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

-- What the last holder left to the next: a JSON document, read and written with the rest of the task.
ALTER TABLE bodies ADD COLUMN handoff TEXT;
