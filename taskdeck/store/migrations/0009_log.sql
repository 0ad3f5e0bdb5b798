-- What a worker is called and known by, tokens for one worker alone, and what holders tell of their work as they go.

ALTER TABLE workers ADD COLUMN label TEXT CHECK (length(label) BETWEEN 1 AND 128);
ALTER TABLE workers ADD COLUMN extra TEXT CHECK (extra IS NULL OR json_valid(extra));

-- The one worker that a token may act as.
ALTER TABLE tokens ADD COLUMN worker TEXT;
CREATE INDEX tokens_of_worker ON tokens (worker, id) WHERE worker IS NOT NULL;

-- How many entries the task's log has, so that a claim of one that has none asks nothing more.
ALTER TABLE tasks ADD COLUMN entries INTEGER NOT NULL DEFAULT 0 CHECK (entries >= 0);

-- Append-only, one log a task, over all its claims. `sequence` counts the entries up to this one that are not quiet,
-- `bytes` what they all take, so that the last row says how it stands with the whole log.
CREATE TABLE log_entries (
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL CHECK (number >= 1),
    sequence INTEGER NOT NULL CHECK (sequence BETWEEN 0 AND number),
    bytes INTEGER NOT NULL,
    fence INTEGER NOT NULL CHECK (fence >= 1),
    at INTEGER NOT NULL,
    type TEXT NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
    body TEXT NOT NULL CHECK (json_valid(body)),
    UNIQUE (task, number)
) STRICT;
CREATE INDEX log_entries_by_sequence ON log_entries (task, sequence, number);
CREATE INDEX log_entries_by_fence ON log_entries (task, fence, number);

CREATE TRIGGER log_entries_are_not_rewritten BEFORE UPDATE ON log_entries
BEGIN
    SELECT RAISE(ABORT, 'a log is append-only');
END;
