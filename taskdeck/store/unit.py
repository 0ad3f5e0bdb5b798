"""The unit of work: what a use case sees of the database while it runs on the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskdeck.domain.events import Event
from taskdeck.domain.ids import Ids
from taskdeck.store.mirror import Mirror, Place

Sql = Sequence[Any]


@dataclass(slots=True)
class Unit:
    """One unit of work inside a batch of them.

    All units of a batch share `now` (milliseconds since the epoch), one transaction and one sync. A unit that
    raises is undone alone. Events are numbered and written when the unit has succeeded.
    """

    connection: sqlite3.Connection
    mirror: Mirror
    ids: Ids
    now: int
    events: list[Event] = field(default_factory=list)
    counted: dict[tuple[int, str], int] = field(default_factory=dict)
    opened: int = 0
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    undo: list[Callable[[], None]] = field(default_factory=list)

    def read(self, sql: str, values: Sql = ()) -> sqlite3.Cursor:
        """Run a query."""
        return self.connection.execute(sql, values)

    def write(self, sql: str, values: Sql = ()) -> sqlite3.Cursor:
        """Run a statement that changes something."""
        return self.connection.execute(sql, values)

    def count(self, bucket: int, kind: str, by: int) -> None:
        """Add `by` to the number of tasks of `bucket` in `kind`, in memory now and in the database at the end."""
        self.counted[bucket, kind] = self.counted.get((bucket, kind), 0) + by
        self.mirror.count(bucket, kind, by)

    def moves(self, before: tuple[int, Place] | None, after: tuple[int, Place] | None) -> None:
        """A task changed its place (bucket, place in it) among the claimable ones; None for none."""
        if before is not None:
            self.moved.add(before[0])
            self.mirror.left(*before)
        if after is not None:
            self.moved.add(after[0])
            self.mirror.entered(*after)

    def append(self, event: Event) -> None:
        """Put `event` at the end of the log, with this unit's changes."""
        self.events.append(event)

    def take_back(self) -> None:
        """Undo what the unit did to the mirror; the database is rolled back beside it.

        Whoever changes the mirror otherwise than by `count` appends to `undo` how to take it back.
        """
        for (bucket, kind), by in self.counted.items():
            self.mirror.count(bucket, kind, -by)
        for bucket in self.moved:
            self.mirror.heads.pop(bucket, None)
        for step in reversed(self.undo):
            step()
