-- Work that passes through people: reviews.

ALTER TABLE projects ADD COLUMN review TEXT NOT NULL DEFAULT 'none'
    CHECK (review IN ('none', 'optional', 'required', 'four_eyes'));

ALTER TABLE bodies ADD COLUMN review TEXT NOT NULL DEFAULT 'none'
    CHECK (review IN ('none', 'optional', 'required', 'four_eyes'));
-- Whose completion the result is, and what its review came to.
ALTER TABLE bodies ADD COLUMN completed_by TEXT CHECK (completed_by IS NULL OR json_valid(completed_by));
ALTER TABLE bodies ADD COLUMN verdict TEXT CHECK (verdict IS NULL OR json_valid(verdict));
