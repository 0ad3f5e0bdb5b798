"""The same work on what people would otherwise pick for a task queue: one module a peer."""
