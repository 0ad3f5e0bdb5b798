"""taskdeck: a task-claim server for AI agents, scripts and people, and the deck from which operators run it."""

from importlib.metadata import version

__version__ = version("taskdeck")
