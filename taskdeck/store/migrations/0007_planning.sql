-- Work that is planned: numbered projects, keys in series, waiting for tasks that are not there yet, reviews that end
-- by themselves, and what a task's work changed.

-- Short, for those who name projects by number; given once and never again.
ALTER TABLE projects ADD COLUMN number INTEGER;
UPDATE projects SET number = (SELECT count(*) FROM projects other WHERE other.rowid <= projects.rowid);
CREATE UNIQUE INDEX projects_by_number ON projects (number);

-- The last number used in each series of a project's keys.
CREATE TABLE key_series (
    project TEXT NOT NULL REFERENCES projects (name),
    series TEXT NOT NULL CHECK (length(series) BETWEEN 1 AND 8),
    last INTEGER NOT NULL CHECK (last >= 1),
    PRIMARY KEY (project, series)
) STRICT, WITHOUT ROWID;

-- Keys of tasks that are waited for and are not there yet, as a JSON list.
ALTER TABLE bodies ADD COLUMN awaits TEXT CHECK (awaits IS NULL OR json_valid(awaits));
CREATE INDEX bodies_awaiting ON bodies (task) WHERE awaits IS NOT NULL;

-- How long a completion may wait to be judged before the deck approves it, and until when one does.
ALTER TABLE bodies ADD COLUMN approve_after_ms INTEGER CHECK (approve_after_ms >= 0);
ALTER TABLE tasks ADD COLUMN review_ends_at INTEGER CHECK (review_ends_at IS NULL OR state = 'review');
CREATE INDEX tasks_reviews ON tasks (review_ends_at, number) WHERE review_ends_at IS NOT NULL;

-- The files that the work on a task changed, each with its diff, for whoever looks at it.
CREATE TABLE changes (
    task INTEGER NOT NULL REFERENCES tasks (number) ON DELETE CASCADE,
    place INTEGER NOT NULL CHECK (place >= 0),
    path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 1024),
    diff TEXT,
    PRIMARY KEY (task, place)
) STRICT;
ALTER TABLE bodies ADD COLUMN changes INTEGER NOT NULL DEFAULT 0 CHECK (changes >= 0);
