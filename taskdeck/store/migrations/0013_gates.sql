-- What must be shown before a claim decides who may have a task, so it belongs to the bucket: a claim passes over what
-- it cannot have without looking at the tasks.

CREATE TABLE new_buckets (
    number INTEGER PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (name),
    labels TEXT NOT NULL CHECK (json_valid(labels)),
    capabilities TEXT NOT NULL CHECK (json_valid(capabilities)),
    assignee TEXT,
    gates TEXT CHECK (gates IS NULL OR json_valid(gates)),
    UNIQUE (project, labels, capabilities, assignee, gates)
) STRICT;
INSERT INTO new_buckets SELECT number, project, labels, capabilities, assignee, NULL FROM buckets;
DROP TABLE buckets;
ALTER TABLE new_buckets RENAME TO buckets;

-- Tasks that have such gates already.
CREATE TABLE gated AS
    SELECT t.number AS task, k.project, k.labels, k.capabilities, k.assignee, (
        SELECT json_group_array(json(g.value)) FROM json_each(b.gates) g
        WHERE json_extract(g.value, '$.before') = 'claim' AND coalesce(json_extract(g.value, '$.blocking'), 1)
    ) AS gates
    FROM bodies b JOIN tasks t ON t.number = b.task JOIN buckets k ON k.number = t.bucket WHERE b.gates IS NOT NULL;
DELETE FROM gated WHERE gates = '[]';
INSERT INTO buckets (project, labels, capabilities, assignee, gates)
    SELECT DISTINCT project, labels, capabilities, assignee, gates FROM gated;
UPDATE tasks SET bucket = (
    SELECT k.number FROM gated g JOIN buckets k ON k.project = g.project AND k.labels = g.labels
        AND k.capabilities = g.capabilities AND k.assignee IS g.assignee AND k.gates = g.gates
    WHERE g.task = tasks.number
) WHERE number IN (SELECT task FROM gated);
DELETE FROM counts WHERE EXISTS (SELECT 1 FROM gated);
INSERT INTO counts (bucket, kind, n)
    SELECT bucket, state, count(*) FROM tasks WHERE EXISTS (SELECT 1 FROM gated) GROUP BY 1, 2
    UNION ALL SELECT bucket, 'lapsed', count(*) FROM tasks WHERE lapsed = 1 AND EXISTS (SELECT 1 FROM gated) GROUP BY 1;
DROP TABLE gated;
