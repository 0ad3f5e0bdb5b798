-- Who has a part in a task, what ended when, and what is told of a principal.

CREATE INDEX bodies_by_maker ON bodies (created_by, task);
CREATE INDEX bodies_by_finisher ON bodies (json_extract(completed_by, '$.by'), task) WHERE completed_by IS NOT NULL;
CREATE INDEX tasks_by_bucket ON tasks (bucket, number);
CREATE INDEX tasks_done_at ON tasks (finished_at) WHERE state = 'done';

ALTER TABLE principals ADD COLUMN title TEXT;
ALTER TABLE principals ADD COLUMN description TEXT NOT NULL DEFAULT '';
