-- By which interface a claim and a worker came, and what only one dialect knows of a task.

ALTER TABLE tasks ADD COLUMN via TEXT;
ALTER TABLE workers ADD COLUMN via TEXT NOT NULL DEFAULT 'native';
ALTER TABLE bodies ADD COLUMN extra TEXT CHECK (extra IS NULL OR json_valid(extra));
