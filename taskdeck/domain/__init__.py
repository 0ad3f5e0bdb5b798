"""What a task, a claim, a worker and an event are: types, the state table, the errors. No I/O, no clock, no SQL."""
