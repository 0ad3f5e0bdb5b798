"""Tasks in memory: each one once, while it is in use, and what of them the database is still to be told.

A claim and what its holder writes under it find their task here. Changes are collected and written with one statement
for many of them; a unit of work that reads or writes by SQL has them written first, so it never sees an older state.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import Any

from taskdeck.domain.task import Task
from taskdeck.domain.worker import Worker
from taskdeck.store.bulk import Bulk, insertion, run_bulk, update
from taskdeck.store.columns import CHANGING, COLD, HELD, HOT, LONG_COLUMNS, OUTCOME

KEPT = 4_096
"""How many tasks are kept in memory."""
LONG = 16_384
"""Characters of text past which a task is not kept."""

_hot = attrgetter(*("bucket.number" if name == "bucket" else name for name in HOT))
_cold = attrgetter("number", *COLD)
_changing = attrgetter("number", *("bucket.number" if name == "bucket" else name for name in CHANGING))
_held = attrgetter("number", *HELD)
_outcome = attrgetter("number", *OUTCOME)
_texts = attrgetter(*LONG_COLUMNS)


_INSERT_TASKS = insertion("tasks", HOT)
_INSERT_BODIES = insertion("bodies", ("task", *COLD))
_UPDATE_TASKS = update("tasks", "number", CHANGING, guard="fence")
_UPDATE_HELD = update("tasks", "number", HELD, guard="fence")
_UPDATE_BODIES = update("bodies", "task", OUTCOME)
_UPDATE_WORKERS = update("workers", "id", ("last_seen_at",))


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
        self._changed: dict[int, Task] = {}
        self._arranged: dict[int, Task] = {}
        self._ended: dict[int, Task] = {}
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
        for waiting in (self._changed, self._arranged, self._ended):
            waiting.pop(number, None)

    def forget_all(self) -> None:
        """Forget every task, and what was to be written: the database is right as it is."""
        self.__init__()  # type: ignore[misc]

    def waits(self, number: int) -> bool:
        """Whether something of this task is to be written yet."""
        return number in self._changed or number in self._arranged

    def made(self, task: Task) -> None:
        """The rows of `task`, which is new, are to be written."""
        self._made[task.number] = task
        self._made_keys.add(task.key)
        self.waiting = True

    def is_made(self, key: str) -> bool:
        """Whether a new task of this key is to be written yet."""
        return key in self._made_keys

    def changed(self, task: Task, *, ended: bool, arranged: bool) -> None:
        """The row of `task` is to be written: all of it if it was `arranged`, and its outcome if it `ended`."""
        if arranged:
            self._arranged[task.number] = task
        else:
            self._changed[task.number] = task
        if ended:
            self._ended[task.number] = task
            self._outcomes.add(task.number)
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
        made, changed, arranged, ended, heard = self._made, self._changed, self._arranged, self._ended, self._heard
        self._made, self._changed, self._arranged, self._ended, self._heard = {}, {}, {}, {}, {}
        self._made_keys.clear()
        try:
            if made:
                run_bulk(connection, _INSERT_TASKS, map(_hot, made.values()))
                run_bulk(connection, _INSERT_BODIES, map(_cold, made.values()))
            if arranged:
                _write(connection, _UPDATE_TASKS, [_changing(task) for task in arranged.values()])
            if changed:
                held = [_held(task) for number, task in changed.items() if number not in arranged]
                _write(connection, _UPDATE_HELD, held)
            if ended:
                run_bulk(connection, _UPDATE_BODIES, map(_outcome, ended.values()))
            if heard:
                seen = ((worker.id, worker.last_seen_at) for worker in heard.values())
                run_bulk(connection, _UPDATE_WORKERS, seen)
        except sqlite3.IntegrityError as error:
            raise Spoiled from error


def _write(connection: sqlite3.Connection, bulk: Bulk, rows: list[tuple[Any, ...]]) -> None:
    """Write `rows` of tasks, all of them.

    Raises:
        Spoiled: one was left out, for its fence would have shrunk: an older claim would be good again.
    """
    before = connection.total_changes
    run_bulk(connection, bulk, rows)
    if connection.total_changes - before != len(rows):
        raise Spoiled("a fence would have shrunk, or a task is gone")
