"""Tasks in the database: finding, inserting, changing and removing them inside a unit of work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from taskdeck.domain.refs import Ref, parse_ref
from taskdeck.domain.states import State
from taskdeck.domain.task import Bucket, Task, WorkState
from taskdeck.store import dependencies
from taskdeck.store.columns import COLD, HOT, OUTCOME
from taskdeck.store.front import Place
from taskdeck.store.mirror import LAPSED, Kinds
from taskdeck.store.unit import Unit

PARENTS = (
    "(SELECT json_group_array(parent.key) FROM dependencies d JOIN tasks parent ON parent.number = d.parent"
    " WHERE d.task = t.number)"
)
AWAITED = "EXISTS (SELECT 1 FROM dependencies d WHERE d.parent = t.number AND d.open = 1)"
COLUMNS = ", ".join([f"t.{name}" for name in HOT] + [f"b.{name}" for name in COLD] + [PARENTS, AWAITED])
SELECT = f"SELECT {COLUMNS} FROM tasks t JOIN bodies b ON b.task = t.number"  # noqa: S608  (our own names)

_FIND = {
    "number": f"{SELECT} WHERE t.number = ?",
    "id": f"{SELECT} WHERE t.id = ?",
    "key": f"{SELECT} WHERE t.key = ?",
}
_STATES = {state.value: state for state in State}
_READY = State.READY  # looked at twice at every change: until Python 3.12 a member is slow to look up
_AT_BUCKET = HOT.index("bucket")
_AT_STATE = HOT.index("state")
_AT_LAPSED = HOT.index("lapsed")
_AT_WORK = HOT.index("work_state")
_AT_PARENTS = len(HOT) + len(COLD)


def task_from(row: Sequence[Any], bucket: Bucket) -> Task:
    """A task from a row of `COLUMNS`."""
    values = list(row)
    values[_AT_BUCKET] = bucket
    values[_AT_STATE] = _STATES[values[_AT_STATE]]
    values[_AT_LAPSED] = values[_AT_LAPSED] == 1
    if values[_AT_WORK] is not None:
        values[_AT_WORK] = WorkState(values[_AT_WORK])
    parents = values[_AT_PARENTS]
    if parents == "[]":
        values[_AT_PARENTS] = ()
    else:  # inside of another document it is not text
        values[_AT_PARENTS] = tuple(json.loads(parents) if isinstance(parents, str) else parents)
    values[-1] = values[-1] == 1
    return Task(*values)


def find(unit: Unit, ref: str) -> Task | None:
    """The task that `ref` (id, number or key) names."""
    parsed = parse_ref(ref)
    value = parsed.value
    known = unit.rows.get(value) if isinstance(value, int) else unit.rows.named(value)
    return known or _read(unit, parsed)


def by_number(unit: Unit, number: int) -> Task | None:
    return unit.rows.get(number) or _read(unit, Ref("number", number))


def by_key(unit: Unit, key: str) -> Task | None:
    return unit.rows.named(key) or _read(unit, Ref("key", key))


def _read(unit: Unit, ref: Ref) -> Task | None:
    # of a task that is not in memory seldom anything waits to be written, and others need not be written for it
    row = unit.beside(_FIND[ref.column], (ref.value,)).fetchone()
    if row is None and unit.rows.waiting:  # it may be new
        row = unit.read(_FIND[ref.column], (ref.value,)).fetchone()
    if row is None:
        return None
    known = unit.rows.get(row[0])  # asked for by an id in other letters, perhaps
    if known is None and unit.rows.waits(row[0]):
        row = unit.read(_FIND[ref.column], (ref.value,)).fetchone()
    return known or unit.remember(task_from(row, unit.mirror.buckets[row[_AT_BUCKET]]))


def live_under(unit: Unit, unique_key: str) -> Task | None:
    """The task that has not ended under that unique key (`project/key`)."""
    sql = "SELECT number FROM tasks WHERE unique_key = ? AND finished_at IS NULL"
    row = unit.read(sql, (unique_key,)).fetchone()
    return None if row is None else by_number(unit, row[0])


def key_is_taken(unit: Unit, key: str) -> bool:
    return unit.rows.is_made(key) or unit.beside("SELECT 1 FROM tasks WHERE key = ?", (key,)).fetchone() is not None


def insert(unit: Unit, task: Task) -> None:
    """Let there be a new task; its `number` is set."""
    unit.make(task)
    unit.moves(None, _place(unit, task))
    unit.recount((), _kinds(task))


_WHERE = frozenset({"state", "lapsed", "priority", "queued_at", "bucket"})
"""What decides where a task is counted and stands."""
_WORDS = frozenset(COLD) - frozenset(OUTCOME)
"""Long columns, written at once: few verbs change them."""


class _Reach(NamedTuple):
    """What a change of some fields reaches: where the task is counted and stands, which of its words."""

    moved: bool
    words: tuple[str, ...]


@lru_cache(maxsize=256)
def _reach(fields: tuple[str, ...]) -> _Reach:
    """A verb changes the same fields every time."""
    names = frozenset(fields)
    return _Reach(
        moved=not names.isdisjoint(_WHERE),
        words=tuple(name for name in fields if name in _WORDS),
    )


def update(unit: Unit, task: Task, fields: dict[str, Any]) -> None:
    """Set `fields` (names of `Task`) of `task`; the counts follow, and the database at the end of the batch."""
    names = tuple(fields)
    reach = _reach(names)
    if reach.moved:
        kinds, place = _kinds(task), _place(unit, task)
    unit.change(task, names, fields.values())
    if reach.words:
        unit.learn()
        unit.unlearnt.changed()
        changes = ", ".join(f"{name} = ?" for name in reach.words)
        values = [fields[name] for name in reach.words]
        unit.write(f"UPDATE bodies SET {changes} WHERE task = ?", [*values, task.number])  # noqa: S608  (our own names)
    if reach.moved:
        _move(unit, kinds, place, task)


def _move(unit: Unit, kinds: Kinds, place: tuple[int, Place] | None, task: Task) -> None:
    """Let the counts and the fronts follow `task`, which was counted as `kinds` and stood at `place`."""
    new_place = _place(unit, task)
    if place != new_place:
        unit.moves(place, new_place)
    new_kinds = _kinds(task)
    if kinds != new_kinds:
        unit.recount(kinds, new_kinds)


def _kinds(task: Task) -> Kinds:
    number = task.bucket.number
    return ((number, task.state), (number, LAPSED)) if task.lapsed else ((number, task.state),)


def _place(unit: Unit, task: Task) -> tuple[int, Place] | None:
    if task.state is _READY or task.lapsed:
        return task.bucket.number, (unit.mirror.order.rank(task.priority, task.queued_at), task.number)
    return None


def delete(unit: Unit, task: Task) -> None:
    """Remove `task`; its events stay."""
    unit.moves(_place(unit, task), None)
    unit.recount(_kinds(task), ())
    if task.awaits is not None:
        dependencies.await_missing(unit, task.number, json.loads(task.awaits), ())
    unit.learn()
    unit.unlearnt.changed()
    unit.write("DELETE FROM unblocking WHERE parent = ?", (task.number,))
    unit.write("DELETE FROM tasks WHERE number = ?", (task.number,))
    unit.rows.forget(task.number)
