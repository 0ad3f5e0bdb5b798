-- How long this task rests after an attempt that failed, where that is not as its project says.

ALTER TABLE bodies ADD COLUMN backoff_ms INTEGER CHECK (backoff_ms >= 0);
ALTER TABLE bodies ADD COLUMN backoff_cap_ms INTEGER CHECK (backoff_cap_ms >= 0);
