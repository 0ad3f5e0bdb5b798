-- What time and rules do by themselves.

-- How long a task is kept after it has ended.
ALTER TABLE projects ADD COLUMN keep_done_ms INTEGER NOT NULL DEFAULT 2592000000 CHECK (keep_done_ms >= 0);
ALTER TABLE projects ADD COLUMN keep_failed_ms INTEGER NOT NULL DEFAULT 7776000000 CHECK (keep_failed_ms >= 0);
ALTER TABLE projects ADD COLUMN keep_cancelled_ms INTEGER NOT NULL DEFAULT 2592000000 CHECK (keep_cancelled_ms >= 0);
