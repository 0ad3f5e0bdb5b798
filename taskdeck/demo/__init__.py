"""Simulated agents that work a deck over its HTTP API, like anyone."""
