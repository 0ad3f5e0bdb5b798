-- Since when a task stands in the queue: with its priority that makes its place. A return from a claim keeps it.
ALTER TABLE tasks ADD COLUMN queued_at INTEGER NOT NULL DEFAULT 0;
UPDATE tasks SET queued_at = coalesce(ready_at, created_at);
-- How long waiting takes to raise a priority is a setting, so the indexes of the queue are made when a deck is opened.
DROP INDEX tasks_claimable;
DROP INDEX tasks_claimable_by_bucket;
