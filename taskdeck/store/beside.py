"""What stands beside tasks: the numbers of their parents, whether they wait, the states of their children."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from taskdeck.domain.states import State
from taskdeck.domain.task import Kind, Task
from taskdeck.store.reader import Reader, Row
from taskdeck.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Beside:
    """`parent` is the number of the task above, `waits` tells of one in the backlog whether it waits for others,
    `below` of a goal in which states its children are.
    """

    parent: int | None = None
    waits: bool = False
    below: frozenset[State] = frozenset()


_PARENTS = "SELECT key, number FROM tasks WHERE key IN (SELECT value FROM json_each(?))"
_WAITING = "SELECT DISTINCT task FROM dependencies WHERE open = 1 AND task IN (SELECT value FROM json_each(?))"
_BELOW = (
    "SELECT DISTINCT parent, state FROM tasks INDEXED BY tasks_children"
    " WHERE parent IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True, slots=True)
class _Questions:
    """What is to be asked about some tasks, in the order of the answers; empty lists are not asked."""

    parents: list[str]
    waiting: list[int]
    goals: list[str]

    def asked(self) -> list[tuple[str, tuple[str]]]:
        wanted: list[tuple[str, Sequence[Any]]] = [
            (_PARENTS, self.parents),
            (_WAITING, self.waiting),
            (_BELOW, self.goals),
        ]
        return [(sql, (json.dumps(values),)) for sql, values in wanted if values]


def _questions(tasks: Iterable[Task]) -> _Questions:
    parents, waiting, goals = set(), [], []
    for task in tasks:
        if task.parent is not None:
            parents.add(task.parent)
        if task.state is State.BACKLOG and task.depends_on:
            waiting.append(task.number)
        if task.kind == Kind.GOAL and task.children:
            goals.append(task.key)
    return _Questions(sorted(parents), waiting, goals)


def _answers(tasks: Iterable[Task], questions: _Questions, rows: list[list[Row]]) -> dict[int, Beside]:
    found = iter(rows)
    numbers: dict[str, int] = dict(next(found)) if questions.parents else {}
    waiting = {row[0] for row in next(found)} if questions.waiting else set()
    below: dict[str, set[State]] = {}
    for parent, state in next(found) if questions.goals else ():
        below.setdefault(parent, set()).add(State(state))
    return {
        task.number: Beside(
            numbers.get(task.parent or ""),
            task.number in waiting or (task.state is State.BACKLOG and task.awaits is not None),
            frozenset(below.get(task.key, ())),
        )
        for task in tasks
    }


def around(unit: Unit, task: Task) -> Beside:
    """What stands beside `task`; no query for one without parent that is no goal and not in the backlog."""
    if task.parent is None and task.kind != Kind.GOAL and task.state is not State.BACKLOG:
        return Beside()
    questions = _questions([task])
    rows = [unit.read(sql, values).fetchall() for sql, values in questions.asked()]
    return _answers([task], questions, rows)[task.number]


async def all_around(reader: Reader, tasks: Sequence[Task]) -> dict[int, Beside]:
    """What stands beside each of `tasks`, by number."""
    questions = _questions(tasks)
    rows = [await reader.rows(sql, values) for sql, values in questions.asked()]
    return _answers(tasks, questions, rows)
