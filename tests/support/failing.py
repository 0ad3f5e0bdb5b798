"""A store that really fails: another connection holds its lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from taskdeck.app import RunningDeck
from taskdeck.store.folder import DATABASE


@contextmanager
def failing(served: RunningDeck) -> Iterator[None]:
    """Let every transaction of the deck fail while the block runs, without waiting for the lock first."""
    served.deck._writer.busy_ms = 0
    with closing(sqlite3.connect(served.data / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
