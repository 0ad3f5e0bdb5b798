"""Tasks in memory: each one once, while it is in use, and what of them the database is still to be told.

A claim and what its holder writes under it find their task here. Changes are collected and written with one statement
for many of the same kind; a unit of work that reads or writes by SQL has them written first, so it never sees an older
state. Of a row only what has changed is written: every value costs its way into the database, and every column the
indexes that it stands in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from taskdeck.domain.fields import Get, getter
from taskdeck.domain.task import Task
from taskdeck.domain.worker import Worker
from taskdeck.store.bulk import Bulk, insertion, run_bulk, update
from taskdeck.store.columns import COLD, HOT, LONG_COLUMNS, OUTCOME

KEPT = 4_096
"""How many tasks are kept in memory."""
LONG = 16_384
"""Characters of text past which a task is not kept."""


def _values(names: tuple[str, ...]) -> Get:
    """What gives the values of these columns of a task."""
    return getter(tuple("bucket.number" if name == "bucket" else name for name in names))


_hot = _values(HOT)
_cold = _values(("number", *COLD))
_texts = getter(LONG_COLUMNS)


_INSERT_TASKS = insertion("tasks", HOT)
_INSERT_BODIES = insertion("bodies", ("task", *COLD))
_UPDATE_WORKERS = update("workers", "id", ("last_seen_at",))


class _Update(NamedTuple):
    """A statement that writes some columns, and what gives a task's values for it."""

    bulk: Bulk
    values: Get


@lru_cache(maxsize=1024)
def _updates(fields: tuple[str, ...]) -> tuple[_Update | None, _Update | None]:
    """How a change of `fields` is written to `tasks`, and how to `bodies`; None for one that it leaves alone."""
    hot = tuple(name for name in HOT if name in fields)
    outcome = tuple(name for name in OUTCOME if name in fields)
    return (
        _Update(update("tasks", "number", hot, guard="fence" if "fence" in hot else ""), _values(("number", *hot)))
        if hot
        else None,
        _Update(update("bodies", "task", outcome), _values(("number", *outcome))) if outcome else None,
    )


def _is_long(task: Task) -> bool:
    return sum([len(text) for text in _texts(task) if text]) > LONG


class Spoiled(sqlite3.OperationalError):
    """A change that was collected breaks a rule of the schema, and it is not known whose it was."""


class Rows:
    """The tasks in memory, by number, id and key. Lives on the writer's thread.

    A task that is kept is the only object for its row; units of work change it in place.
    """

    def __init__(self) -> None:
        self.waiting = False
        self._tasks: dict[int, Task] = {}
        self._numbers: dict[str, int] = {}
        self._made: dict[int, Task] = {}
        self._made_keys: set[str] = set()
        self._changed: dict[int, tuple[Task, tuple[str, ...]]] = {}
        self._heard: dict[str, Worker] = {}
        self._outcomes: set[int] = set()

    def get(self, number: int) -> Task | None:
        return self._tasks.get(number)

    def named(self, name: str) -> Task | None:
        """The task of this id or key, if it is in memory."""
        number = self._numbers.get(name)
        return None if number is None else self._tasks.get(number)

    def __contains__(self, number: int) -> bool:
        return number in self._tasks

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def keep(self, task: Task) -> None:
        """Remember `task`, which was just read or made; the longest known make room."""
        if _is_long(task):
            return
        self._tasks[task.number] = task
        self._numbers[task.id] = self._numbers[task.key] = task.number
        if len(self._tasks) > KEPT:
            for number in list(islice(self._tasks, KEPT // 8)):
                self.forget(number)

    def forget(self, number: int) -> None:
        """Let the task be read anew when it is next asked for."""
        task = self._tasks.pop(number, None)
        if task is not None:
            self._numbers.pop(task.id, None)
            self._numbers.pop(task.key, None)

    def drop(self, number: int) -> None:
        """Forget the task and what was to be written of it: it was never made."""
        self.forget(number)
        if made := self._made.pop(number, None):
            self._made_keys.discard(made.key)
        self._changed.pop(number, None)

    def forget_all(self) -> None:
        """Forget every task, and what was to be written: the database is right as it is."""
        self.__init__()  # type: ignore[misc]

    def waits(self, number: int) -> bool:
        """Whether something of this task is to be written yet."""
        return number in self._changed

    def made(self, task: Task) -> None:
        """The rows of `task`, which is new, are to be written."""
        self._made[task.number] = task
        self._made_keys.add(task.key)
        self.waiting = True

    def is_made(self, key: str) -> bool:
        """Whether a new task of this key is to be written yet."""
        return key in self._made_keys

    def changed(self, task: Task, fields: tuple[str, ...]) -> None:
        """`fields` of `task` have come to differ from what its row says."""
        waiting = self._changed.get(task.number)
        if waiting is not None and waiting[1] != fields:
            fields = tuple(dict.fromkeys(waiting[1] + fields))
        self._changed[task.number] = task, fields
        self.waiting = True

    def heard_of(self, worker: Worker) -> None:
        """When `worker` was last seen is to be written."""
        self._heard[worker.id] = worker
        self.waiting = True

    def let_go(self) -> None:
        """Forget, at the end of a batch, what has ended in it: few ask for it again, and results may be long."""
        for number in self._outcomes:
            task = self._tasks.get(number)
            if task is not None and (task.finished_at is not None or _is_long(task)):
                self.forget(number)
        self._outcomes.clear()

    def write_out(self, connection: sqlite3.Connection) -> None:
        """Write what was collected.

        Raises:
            Spoiled: some of it breaks a rule of the schema.
            sqlite3.Error: the database failed.
        """
        self.waiting = False
        made, changed, heard = self._made, self._changed, self._heard
        self._made, self._changed, self._heard = {}, {}, {}
        self._made_keys.clear()
        try:
            if made:
                run_bulk(connection, _INSERT_TASKS, map(_hot, made.values()))
                run_bulk(connection, _INSERT_BODIES, map(_cold, made.values()))
            for fields, some in _alike(changed.values()).items():
                self._update(connection, fields, some)
            if heard:
                seen = ((worker.id, worker.last_seen_at) for worker in heard.values())
                run_bulk(connection, _UPDATE_WORKERS, seen)
        except sqlite3.IntegrityError as error:
            raise Spoiled from error

    def _update(self, connection: sqlite3.Connection, fields: tuple[str, ...], some: list[Task]) -> None:
        """Write `fields` of `some` tasks, each of them.

        Raises:
            Spoiled: one was left out, for its fence would have shrunk: an older claim would be good again.
        """
        hot, outcome = _updates(fields)
        if hot is not None:
            before = connection.total_changes
            run_bulk(connection, hot.bulk, map(hot.values, some))
            if connection.total_changes - before != len(some):
                raise Spoiled("a fence would have shrunk, or a task is gone")
        if outcome is not None:
            run_bulk(connection, outcome.bulk, map(outcome.values, some))
            self._outcomes.update([task.number for task in some])


def _alike(changed: Iterable[tuple[Task, tuple[str, ...]]]) -> dict[tuple[str, ...], list[Task]]:
    """The tasks of which the same has changed, by what it is."""
    found: dict[tuple[str, ...], list[Task]] = {}
    for task, fields in changed:
        alike = found.get(fields)
        if alike is None:
            found[fields] = [task]
        else:
            alike.append(task)
    return found
