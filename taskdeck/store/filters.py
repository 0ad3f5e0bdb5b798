"""What narrows a list of tasks: by columns, by bucket and by the filter language, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from taskdeck.domain.query import states_of
from taskdeck.domain.states import OPEN, State
from taskdeck.store.query import Query
from taskdeck.store.reader import Reader
from taskdeck.store.sorts import Arm

_BUCKETS = "t.bucket IN"
"""How a clause begins that leaves some buckets alone."""
Clauses = tuple[list[str], list[Any]]


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted; what is empty or None does not narrow."""

    states: tuple[State, ...] = ()
    project: str | None = None
    projects: frozenset[str] | None = None
    label: str | None = None
    assignee: str | None = None
    worker: str | None = None
    parent: str | None = None
    depends_on: int | None = None
    run: str | None = None
    overdue: bool | None = None
    due_after: int | None = None
    due_before: int | None = None
    finished_after: int | None = None
    labels: tuple[str, ...] = ()
    """The task has all of them."""
    priority: tuple[int, int] | None = None
    """The least and the greatest."""
    concerning: tuple[str, frozenset[str]] | None = None
    """A principal and its groups: tasks that it made, holds or completed, or that one of these names is to have."""
    query: Query | None = None


_LABELLED = "EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)"
# each part by an index of its own, so that it costs what is found and not what is there
_CONCERNING = (
    "t.number IN (SELECT task FROM bodies WHERE created_by = ?"
    " UNION SELECT task FROM bodies WHERE completed_by IS NOT NULL AND json_extract(completed_by, '$.by') = ?"
    " UNION SELECT number FROM tasks WHERE state = 'claimed' AND principal = ?"
    " UNION SELECT number FROM tasks WHERE bucket IN (SELECT number FROM buckets WHERE assignee IN ({names})))"
)
_EACH_CONCERNING = (
    "(b.created_by = ? OR json_extract(b.completed_by, '$.by') = ? OR (t.state = 'claimed' AND t.principal = ?)"
    " OR t.bucket IN (SELECT number FROM buckets WHERE assignee IN ({names})))"
)


def conditions(wanted: TaskFilter, *, each: bool = False) -> Clauses:
    """What `wanted` asks of a task `t` with its body `b`, to be joined by AND, and the values that belong to it.

    With `each` it is for looking at one task after the other; else what is rare is found by the indexes it has.
    """
    clauses, values = _of_tasks(wanted)
    if wanted.concerning is not None:
        principal, groups = wanted.concerning
        names = sorted(groups | {principal})
        concerning = _EACH_CONCERNING if each else _CONCERNING
        clauses.append(concerning.format(names=", ".join("?" * len(names))))
        values += [principal, principal, principal, *names]
    in_bucket, asked = _of_buckets(wanted)
    if in_bucket:
        clauses.append(f"{_BUCKETS} (SELECT number FROM buckets WHERE {' AND '.join(in_bucket)})")  # noqa: S608
        values += asked
    if wanted.query is not None:
        more, asked = wanted.query.where()
        clauses += more
        values += asked
    return _buckets_at_once(clauses, values)


def _buckets_at_once(clauses: list[str], values: list[Any]) -> Clauses:
    """The same, with all that leaves some buckets alone in one clause: an index then leads to what all of it leaves."""
    left, inside, given, others, rest = iter(values), list[str](), list[Any](), list[str](), list[Any]()
    for clause in clauses:
        of_bucket = clause.startswith(_BUCKETS)
        (inside if of_bucket else others).append(clause)
        (given if of_bucket else rest).extend(islice(left, clause.count("?")))
    if len(inside) < 2:
        return clauses, values
    all_of_it = " AND ".join(clause.replace("t.bucket", "number", 1) for clause in inside)
    return [f"{_BUCKETS} (SELECT number FROM buckets WHERE {all_of_it})", *others], given + rest  # noqa: S608


def _of_tasks(wanted: TaskFilter) -> Clauses:
    """What is asked of the task itself."""
    clauses, values = list[str](), list[Any]()
    if wanted.states:
        # literals of our own, so that SQLite can tell that a partial index serves
        named = [f"t.state = '{state.value}'" for state in wanted.states]
        clauses.append(f"({' OR '.join(named)})" if len(named) > 1 else named[0])
    if wanted.overdue is not None:
        late = "t.overdue_at IS NOT NULL AND t.finished_at IS NULL"
        clauses.append(late if wanted.overdue else f"NOT ({late})")
    for clause, value in (
        ("t.state = 'claimed' AND t.worker = ?", wanted.worker),
        ("t.parent = ?", wanted.parent),
        ("b.run = ?", wanted.run),
        ("t.number IN (SELECT task FROM dependencies WHERE parent = ?)", wanted.depends_on),
        ("t.due >= ?", wanted.due_after),
        ("t.due < ?", wanted.due_before),
        ("t.finished_at >= ?", wanted.finished_after),
    ):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    if wanted.priority is not None:
        clauses.append("t.priority BETWEEN ? AND ?")
        values += wanted.priority
    return clauses, values


def _of_buckets(wanted: TaskFilter) -> Clauses:
    """What is asked of the task's bucket."""
    clauses, values = list[str](), list[Any]()
    for clause, name in (
        ("project = ?", wanted.project),
        ("assignee = ?", wanted.assignee),
        (_LABELLED, wanted.label),
        *((_LABELLED, label) for label in wanted.labels),
    ):
        if name is not None:
            clauses.append(clause)
            values.append(name)
    if wanted.projects is not None:
        clauses.append(f"project IN ({', '.join('?' * len(wanted.projects))})")
        values += sorted(wanted.projects)
    return clauses, values


def possible_states(wanted: TaskFilter) -> frozenset[State]:
    """The states that what is wanted can be in."""
    states = frozenset(wanted.states or State)
    if wanted.worker is not None:
        states &= {State.CLAIMED}
    return states if wanted.query is None else states & {State(name) for name in states_of(wanted.query.node)}


def led_by(wanted: TaskFilter) -> Arm | None:
    """The index by which what is wanted is found among little else; none named where SQLite sees it by itself."""
    if wanted.worker is not None:
        return Arm(index="tasks_held")
    if wanted.overdue:
        return Arm(index="tasks_overdue")
    by_key = wanted.query is not None and wanted.query.names_keys()
    named = (wanted.parent, wanted.run, wanted.depends_on)
    return Arm() if by_key or any(name is not None for name in named) else None


def timed(wanted: TaskFilter) -> Arm | None:
    """The index by which what is due, or was done, at some time is found; it may be much."""
    states = possible_states(wanted)
    if states <= OPEN and (wanted.due_after is not None or wanted.due_before is not None):
        return Arm("t.finished_at IS NULL", "tasks_by_due")
    if states == {State.DONE} and wanted.finished_after is not None:
        return Arm("t.state = 'done'", "tasks_done_at")
    return None


def of_buckets(clauses: list[str]) -> bool:
    """Whether one of the clauses leaves some buckets alone."""
    return any(clause.startswith(_BUCKETS) for clause in clauses)


async def at_most(reader: Reader, wanted: TaskFilter) -> int:
    """How many tasks match at most: those of the states and buckets that are asked for."""
    return sum((await most_by_state(reader, wanted)).values())


async def most_by_state(reader: Reader, wanted: TaskFilter) -> dict[State, int]:
    """How many tasks match at most in each state that holds any of the buckets that are asked for."""
    clauses, values = conditions(wanted)
    states = possible_states(wanted)
    told, given = [f"t.kind IN ({', '.join(repr(state.value) for state in states)})"], list[Any]()
    left = iter(values)
    for clause in clauses:
        belonging = list(islice(left, clause.count("?")))
        if clause.startswith(_BUCKETS):
            told.append(clause)
            given += belonging
    rows = await reader.rows(f"SELECT t.kind, sum(t.n) FROM counts t WHERE {' AND '.join(told)} GROUP BY 1", given)  # noqa: S608
    return {State(kind): int(most) for kind, most in rows if most}
