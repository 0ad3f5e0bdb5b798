"""The unit of work: what a use case sees of the database while it runs on the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from itertools import compress
from operator import is_not
from typing import Any

from taskdeck.domain.events import Event
from taskdeck.domain.fields import exchanger
from taskdeck.domain.ids import Ids
from taskdeck.domain.task import Task
from taskdeck.store.front import Place
from taskdeck.store.mirror import Kinds, Mirror
from taskdeck.store.rows import Rows
from taskdeck.store.words import Unlearnt

Sql = Sequence[Any]
Step = tuple[Callable[..., object], *tuple[Any, ...]]
"""What is to be called, and the values to call it with."""


class Unit:
    """One unit of work inside a batch of them.

    All units of a batch share `now` (milliseconds since the epoch), one transaction and one sync. A unit that
    raises is undone alone. Its events are numbered and written when it has succeeded. What it was given or made of
    tasks belongs to the writer's thread: whatever leaves the unit is a copy, a public shape or an encoded reply.

    Whoever changes what is kept in memory appends to `undo` how to take it back: what is to be called, and with what.
    """

    __slots__ = (
        "act",
        "after_commit",
        "connection",
        "events",
        "ids",
        "mirror",
        "now",
        "opened",
        "rows",
        "saved",
        "undo",
        "unlearnt",
    )

    def __init__(
        self, connection: sqlite3.Connection, mirror: Mirror, rows: Rows, unlearnt: Unlearnt, ids: Ids, now: int
    ) -> None:
        self.connection = connection
        self.mirror = mirror
        self.rows = rows
        self.unlearnt = unlearnt
        self.ids = ids
        self.now = now
        self.events: list[Event] = []
        self.act = ""
        """What its events are to be told as one with, together with those of other units; empty for nothing."""
        self.undo: list[Step] = []
        self.after_commit: list[Callable[[], None]] = []
        self.opened = 0
        self.saved = False

    def read(self, sql: str, values: Sql = ()) -> sqlite3.Cursor:
        """Run a query; it sees every change made before it."""
        if self.rows.waiting:
            self.rows.write_out(self.connection)
        return self.connection.execute(sql, values)

    def beside(self, sql: str, values: Sql = ()) -> sqlite3.Cursor:
        """Run a query that waits for no task's row to be written: of what stands beside tasks, or has none waiting."""
        return self.connection.execute(sql, values)

    def write(self, sql: str, values: Sql = ()) -> sqlite3.Cursor:
        """Run a statement that changes something; it is taken back if the unit raises."""
        self._save()
        if self.rows.waiting:
            self.rows.write_out(self.connection)
        return self.connection.execute(sql, values)

    def write_out(self) -> None:
        """Write what the unit changed so far, so that a broken rule of the schema shows here.

        Raises:
            Spoiled: one is broken, by this unit if none ran before it in the batch.
        """
        self._save()
        self.rows.write_out(self.connection)

    def learn(self) -> None:
        """Add the words of new tasks to the index now, for one of them is about to change or to go."""
        unlearnt = self.unlearnt
        if unlearnt.first is not None:
            first = unlearnt.first
            self._save()
            self.undo.append((unlearnt.note, first))
            unlearnt.learn(self.connection)

    def _save(self) -> None:
        if not self.saved:
            if self.rows.waiting:  # what came before the unit is not to be taken back with it
                self.rows.write_out(self.connection)
            self.connection.execute("SAVEPOINT unit")
            self.saved = True

    def make(self, task: Task) -> None:
        """Give `task`, which is new, its number; its rows are written with those of others."""
        self._save()
        self.mirror.last_task += 1
        number = task.number = self.mirror.last_task
        self.rows.made(task)
        self.unlearnt.note(number)
        self.undo.append((self._unmake, number))

    def _unmake(self, number: int) -> None:
        self.rows.drop(number)
        self.mirror.last_task = number - 1

    def change(self, task: Task, names: tuple[str, ...], values: Collection[Any]) -> None:
        """Set the fields `names` of `task` to `values`; what of them differs is written with the changes of others."""
        before = exchanger(names)(task, values)
        task.shown = None
        differing = tuple(compress(names, map(is_not, before, values)))
        self.rows.changed(task, differing)
        self.undo.append((self._change_back, task, names, before, differing))

    def _change_back(
        self, task: Task, names: tuple[str, ...], before: tuple[Any, ...], differing: tuple[str, ...]
    ) -> None:
        exchanger(names)(task, before)
        task.shown = None
        # perhaps it was written already, on behalf of a query: let it be written as it was
        self.rows.forget(task.number)
        self.rows.changed(task, differing)

    def recount(self, before: Kinds, after: Kinds) -> None:
        """Count a task as `after` that was counted as `before`, in memory now and in the database at the end."""
        self.mirror.recount(before, after)
        self.undo.append((self.mirror.recount, after, before))

    def moves(self, before: tuple[int, Place] | None, after: tuple[int, Place] | None) -> None:
        """A task changed its place (bucket, place in it) among the claimable ones; None for none."""
        if before is not None:
            self.mirror.left(*before)
            self.undo.append((self.mirror.forget_front, before[0]))
        if after is not None:
            self.mirror.entered(*after)
            self.undo.append((self.mirror.forget_front, after[0]))

    def remember(self, task: Task) -> Task:
        """Keep `task`, which was read just now, for those who ask next."""
        self.rows.keep(task)
        if self.saved:  # what was read may be taken back
            self.undo.append((self.rows.forget, task.number))
        return task

    @property
    def next_seq(self) -> int:
        """The number that the next event to be appended will have."""
        return self.mirror.last_seq + len(self.events) + 1

    def append(self, event: Event) -> None:
        """Put `event` at the end of the log, with this unit's changes."""
        event.act = self.act
        self.events.append(event)

    def keep(self) -> None:
        """The unit has succeeded: what it wrote is not to be taken back any more."""
        if self.saved:
            self.connection.execute("RELEASE unit")
        self.undo.clear()  # its steps refer to the unit: let go, or only the search for cyclic garbage finds it

    def take_back(self) -> None:
        """Undo what the unit did, in the database and in memory."""
        if self.saved and self.connection.in_transaction:
            self.connection.execute("ROLLBACK TO unit")
            self.connection.execute("RELEASE unit")
        for step, *values in reversed(self.undo):
            step(*values)
        self.undo.clear()
