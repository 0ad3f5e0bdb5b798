"""A deck with life in it: simulated agents, a producer and an operator, all plain clients of the API."""
