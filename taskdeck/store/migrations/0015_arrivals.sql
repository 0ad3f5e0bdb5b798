-- How many events of a source led to a task, and when the last one did.

ALTER TABLE sources ADD COLUMN deliveries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN delivered_at INTEGER;
