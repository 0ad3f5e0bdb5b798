"""Tasks in the database: finding, inserting, changing and removing them inside a unit of work."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from taskdeck.domain.refs import Ref, parse_ref
from taskdeck.domain.states import State
from taskdeck.domain.task import Bucket, Task, WorkState
from taskdeck.store.mirror import LAPSED, Place
from taskdeck.store.unit import Unit

HOT = (
    "number", "id", "key", "bucket", "state", "priority", "attempt", "max_attempts", "fence", "not_before", "due",
    "created_at", "ready_at", "updated_at", "finished_at", "version", "worker", "principal", "claimed_at",
    "heartbeat_at", "expires_at", "lease_ms", "lapsed", "work_state", "detail", "progress", "session",
    "question",
)  # fmt: skip
COLD = ("title", "description", "payload", "metadata", "result", "error", "created_by", "files")

PARENTS = (
    "(SELECT json_group_array(parent.key) FROM dependencies d JOIN tasks parent ON parent.number = d.parent"
    " WHERE d.task = t.number)"
)
COLUMNS = ", ".join([f"t.{name}" for name in HOT] + [f"b.{name}" for name in COLD] + [PARENTS])
SELECT = f"SELECT {COLUMNS} FROM tasks t JOIN bodies b ON b.task = t.number"  # noqa: S608  (our own names)

_FIND = {
    "number": f"{SELECT} WHERE t.number = ?",
    "id": f"{SELECT} WHERE t.id = ?",
    "key": f"{SELECT} WHERE t.key = ?",
}
_STATES = {state.value: state for state in State}
_AT_BUCKET = HOT.index("bucket")
_AT_STATE = HOT.index("state")
_AT_LAPSED = HOT.index("lapsed")
_AT_WORK = HOT.index("work_state")


def task_from(row: tuple[Any, ...], bucket: Bucket) -> Task:
    """A task from a row of `COLUMNS`."""
    values = list(row)
    values[_AT_BUCKET] = bucket
    values[_AT_STATE] = _STATES[values[_AT_STATE]]
    values[_AT_LAPSED] = values[_AT_LAPSED] == 1
    if values[_AT_WORK] is not None:
        values[_AT_WORK] = WorkState(values[_AT_WORK])
    values[-1] = tuple(json.loads(values[-1])) if values[-1] != "[]" else ()
    return Task(*values)


def find(unit: Unit, ref: str) -> Task | None:
    """The task that `ref` (id, number or key) names."""
    return _one(unit, parse_ref(ref))


def by_number(unit: Unit, number: int) -> Task | None:
    return _one(unit, Ref("number", number))


def _one(unit: Unit, ref: Ref) -> Task | None:
    row = unit.read(_FIND[ref.column], (ref.value,)).fetchone()
    return None if row is None else task_from(row, unit.mirror.buckets[row[_AT_BUCKET]])


def key_is_taken(unit: Unit, key: str) -> bool:
    return unit.read("SELECT 1 FROM tasks WHERE key = ?", (key,)).fetchone() is not None


_INSERT_HOT = f"INSERT INTO tasks ({', '.join(HOT[1:])}) VALUES ({', '.join('?' * (len(HOT) - 1))})"  # noqa: S608
_INSERT_COLD = f"INSERT INTO bodies (task, {', '.join(COLD)}) VALUES ({', '.join('?' * (len(COLD) + 1))})"  # noqa: S608


def insert(unit: Unit, task: Task) -> None:
    """Write a new task; its `number` is set from the database."""
    hot = [task.bucket.number if name == "bucket" else getattr(task, name) for name in HOT[1:]]
    number = unit.write(_INSERT_HOT, hot).lastrowid
    if number is None:
        raise RuntimeError("the database gave no number to a new task")
    task.number = number
    unit.write(_INSERT_COLD, [number, *(getattr(task, name) for name in COLD)])
    unit.moves(None, _place(task))
    unit.count(task.bucket.number, task.state, 1)


def update(unit: Unit, task: Task, fields: dict[str, Any]) -> None:
    """Set `fields` (names of `Task`) of `task`, in the object and in the database; the counts follow."""
    before, place = _kinds(task), _place(task)
    for name, value in fields.items():
        setattr(task, name, value)
    task.shown = None
    stored = fields | {"bucket": task.bucket.number} if "bucket" in fields else fields
    for sql, names in _updates(tuple(fields)):
        unit.write(sql, [*map(stored.__getitem__, names), task.number])
    after, new_place = _kinds(task), _place(task)
    if place != new_place:
        unit.moves(place, new_place)
    if before != after:
        for bucket, kind in before:
            unit.count(bucket, kind, -1)
        for bucket, kind in after:
            unit.count(bucket, kind, 1)


@lru_cache(maxsize=256)
def _updates(fields: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """The statements that set `fields`, each with the names of its values.

    Their texts are few: each verb changes the same fields every time, so SQLite keeps them prepared.
    """
    updates = []
    for table, key, columns in (("tasks", "number", HOT), ("bodies", "task", COLD)):
        if names := [name for name in fields if name in columns]:
            changes = ", ".join(f"{name} = ?" for name in names)
            updates.append((f"UPDATE {table} SET {changes} WHERE {key} = ?", names))  # noqa: S608  (our own names)
    return updates


def _kinds(task: Task) -> list[tuple[int, str]]:
    number = task.bucket.number
    return [(number, task.state), (number, LAPSED)] if task.lapsed else [(number, task.state)]


def _place(task: Task) -> tuple[int, Place] | None:
    if task.state is State.READY or task.lapsed:
        return task.bucket.number, (-task.priority, task.number)
    return None


def delete(unit: Unit, task: Task) -> None:
    """Remove `task`; its events stay."""
    unit.moves(_place(task), None)
    for bucket, kind in _kinds(task):
        unit.count(bucket, kind, -1)
    unit.write("DELETE FROM unblocking WHERE parent = ?", (task.number,))
    unit.write("DELETE FROM tasks WHERE number = ?", (task.number,))
