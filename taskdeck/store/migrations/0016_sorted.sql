-- For lists by priority alone, and by how often a task was tried: most tasks are tried once and cost nothing here.

CREATE INDEX tasks_by_priority ON tasks (priority DESC, number);
CREATE INDEX tasks_tried ON tasks (attempt DESC, number) WHERE attempt >= 2;
