-- For lists of many tasks: what is sorted or told apart by state, priority and bucket is read from the index alone.

DROP INDEX tasks_by_state;
CREATE INDEX tasks_by_state ON tasks (state, number, priority, queued_at, bucket);
