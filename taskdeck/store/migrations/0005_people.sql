-- Work that passes through people: reviews, delegation, goals, gates, assignees in turn, forms.

ALTER TABLE projects ADD COLUMN review TEXT NOT NULL DEFAULT 'none'
    CHECK (review IN ('none', 'optional', 'required', 'four_eyes'));

ALTER TABLE bodies ADD COLUMN review TEXT NOT NULL DEFAULT 'none'
    CHECK (review IN ('none', 'optional', 'required', 'four_eyes'));
-- Whose completion the result is, and what its review came to.
ALTER TABLE bodies ADD COLUMN completed_by TEXT CHECK (completed_by IS NULL OR json_valid(completed_by));
ALTER TABLE bodies ADD COLUMN verdict TEXT CHECK (verdict IS NULL OR json_valid(verdict));

-- Tasks delegated from others: `parent` and `root` are keys, which never change and are not given again while in use.
ALTER TABLE tasks ADD COLUMN parent TEXT;
ALTER TABLE tasks ADD COLUMN root TEXT;
ALTER TABLE tasks ADD COLUMN depth INTEGER NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 10);
ALTER TABLE tasks ADD COLUMN children INTEGER NOT NULL DEFAULT 0 CHECK (children BETWEEN 0 AND 1000);
CREATE INDEX tasks_children ON tasks (parent, state, number) WHERE parent IS NOT NULL;
CREATE INDEX tasks_chain ON tasks (root, depth, number) WHERE root IS NOT NULL;
ALTER TABLE bodies ADD COLUMN kind TEXT NOT NULL DEFAULT 'task' CHECK (kind IN ('task', 'goal'));
ALTER TABLE bodies ADD COLUMN accountable TEXT;

-- Cancelled parents whose children are still being cancelled, some at a time.
CREATE TABLE cancelling (
    parent INTEGER PRIMARY KEY REFERENCES tasks (number) ON DELETE CASCADE,
    actor TEXT NOT NULL,
    reason TEXT
) STRICT;

-- What must be shown before which verb, and what was shown in the last attempt.
ALTER TABLE projects ADD COLUMN gates TEXT CHECK (gates IS NULL OR json_valid(gates));
ALTER TABLE bodies ADD COLUMN gates TEXT CHECK (gates IS NULL OR json_valid(gates));
ALTER TABLE bodies ADD COLUMN proof TEXT CHECK (proof IS NULL OR json_valid(proof));

-- Tasks offered to one assignee after another, each for a time, which runs while the task is ready.
ALTER TABLE tasks ADD COLUMN turn_ends_at INTEGER CHECK (turn_ends_at IS NULL OR state = 'ready');
CREATE INDEX tasks_turns ON tasks (turn_ends_at, number) WHERE state = 'ready' AND turn_ends_at IS NOT NULL;
ALTER TABLE bodies ADD COLUMN assignees TEXT CHECK (assignees IS NULL OR json_valid(assignees));
ALTER TABLE bodies ADD COLUMN turn INTEGER CHECK (turn BETWEEN 0 AND 19);
ALTER TABLE bodies ADD COLUMN at_end TEXT CHECK (at_end IN ('open', 'stay', 'give_up'));

-- What people fill in: forms by name and version, and which one a task has, with what was filled in so far.
CREATE TABLE forms (
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 1000),
    schema TEXT NOT NULL CHECK (json_valid(schema)),
    layout TEXT NOT NULL CHECK (json_valid(layout)),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
ALTER TABLE bodies ADD COLUMN form TEXT CHECK (form IS NULL OR json_valid(form));
ALTER TABLE bodies ADD COLUMN draft TEXT CHECK (draft IS NULL OR json_valid(draft));
