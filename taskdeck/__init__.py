"""taskdeck: a task-claim server for AI agents, scripts and people, and the deck from which operators run it."""

__version__ = "0.1.0"
