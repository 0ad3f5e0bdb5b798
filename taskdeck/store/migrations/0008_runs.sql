-- Which run of work outside a task belongs to, and what forms are filed under.

ALTER TABLE bodies ADD COLUMN run TEXT CHECK (length(run) BETWEEN 1 AND 128);
CREATE INDEX bodies_run ON bodies (run, task) WHERE run IS NOT NULL;

-- Of all versions of a form.
CREATE TABLE form_tags (
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
    value TEXT NOT NULL CHECK (length(value) <= 500),
    PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID;
