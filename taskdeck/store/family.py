"""Which task was delegated from which."""

from __future__ import annotations

import json
from collections.abc import Iterable

from taskdeck.domain.principal import Principal
from taskdeck.domain.states import OPEN, State
from taskdeck.domain.task import Task
from taskdeck.store.columns import HOT
from taskdeck.store.reader import Reader
from taskdeck.store.tasks import SELECT, task_from
from taskdeck.store.unit import Unit

_OPEN = ", ".join(f"'{state.value}'" for state in State if state in OPEN)
_UNSETTLED = f"{_OPEN}, '{State.FAILED.value}'"
_SHOWN = 5
_AT_BUCKET = HOT.index("bucket")


def some_children(unit: Unit, key: str) -> list[str]:
    """Keys of some children of the task `key`, at most five."""
    return [row[0] for row in unit.read("SELECT key FROM tasks WHERE parent = ? LIMIT ?", (key, _SHOWN))]


def open_children(unit: Unit, key: str) -> list[str]:
    """Keys of some children of the task `key` that have not ended, at most five."""
    sql = f"SELECT key FROM tasks WHERE parent = ? AND state IN ({_OPEN}) LIMIT ?"  # noqa: S608  (our own names)
    return [row[0] for row in unit.read(sql, (key, _SHOWN))]


def settled(unit: Unit, key: str) -> bool:
    """Whether every child of the task `key` is done or cancelled, and one at least is done."""
    unsettled = f"SELECT 1 FROM tasks WHERE parent = ? AND state IN ({_UNSETTLED}) LIMIT 1"  # noqa: S608
    done = "SELECT 1 FROM tasks WHERE parent = ? AND state = 'done' LIMIT 1"
    return unit.read(unsettled, (key,)).fetchone() is None and unit.read(done, (key,)).fetchone() is not None


def is_named(unit: Unit, key: str) -> bool:
    """Whether tasks have the task `key` above them, which may be removed by now."""
    sql = "SELECT 1 FROM tasks WHERE parent = ?1 UNION ALL SELECT 1 FROM tasks WHERE root = ?1 LIMIT 1"
    return unit.read(sql, (key,)).fetchone() is not None


def in_backlog(unit: Unit, key: str) -> list[int]:
    """Children of the task `key` that are in the backlog, oldest first; as many as a task may have."""
    sql = "SELECT number FROM tasks WHERE parent = ? AND state = 'backlog' ORDER BY number"
    return [row[0] for row in unit.read(sql, (key,))]


def to_cancel(unit: Unit, key: str, limit: int) -> list[int]:
    """Children of the task `key` that have not ended, at most `limit`."""
    sql = f"SELECT number FROM tasks WHERE parent = ? AND state IN ({_OPEN}) LIMIT ?"  # noqa: S608
    return [row[0] for row in unit.read(sql, (key, limit))]


def remember_cancelling(unit: Unit, parent: int, actor: str, reason: str | None) -> None:
    """Note that `parent` is cancelled and has children left to cancel."""
    unit.write("INSERT OR IGNORE INTO cancelling (parent, actor, reason) VALUES (?, ?, ?)", (parent, actor, reason))


def forget_cancelling(unit: Unit, parent: int) -> None:
    unit.write("DELETE FROM cancelling WHERE parent = ?", (parent,))


def remembered_cancelling(unit: Unit) -> tuple[int, str, str | None] | None:
    """A cancelled parent with children left to cancel, who cancelled it and why."""
    row: tuple[int, str, str | None] | None = unit.read(
        "SELECT parent, actor, reason FROM cancelling LIMIT 1"
    ).fetchone()
    return row


async def ids_of(reader: Reader, keys: Iterable[str]) -> dict[str, str]:
    """The ids of the tasks of these keys, as far as they are there."""
    wanted = json.dumps(sorted(keys))
    return dict(await reader.rows("SELECT key, id FROM tasks WHERE key IN (SELECT value FROM json_each(?))", (wanted,)))


async def chain(reader: Reader, who: Principal, root: str, limit: int, after: int) -> list[Task]:
    """The task `root` and all below it that `who` may see, by depth and then age: `limit` of them behind `after`."""
    rows = await reader.rows(
        f"{SELECT} WHERE t.key = ? UNION ALL SELECT * FROM ({SELECT} WHERE t.root = ? ORDER BY t.depth, t.number)"  # noqa: S608
        " LIMIT ? OFFSET ?",
        (root, root, limit, after),
    )
    buckets = await reader.buckets({row[_AT_BUCKET] for row in rows})
    found = (task_from(row, buckets[row[_AT_BUCKET]]) for row in rows)
    return [task for task in found if who.sees(task.bucket.project)]


async def chain_counts(reader: Reader, root: str) -> dict[str, int]:
    """How many tasks of the chain of `root`, itself among them, are in which state."""
    return dict(
        await reader.rows(
            "SELECT state, count(*) FROM (SELECT state FROM tasks WHERE key = ?1 UNION ALL"
            " SELECT state FROM tasks WHERE root = ?1) GROUP BY state",
            (root,),
        )
    )
