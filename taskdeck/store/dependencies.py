"""Which task waits for which."""

from __future__ import annotations

import json
from collections.abc import Iterable

from taskdeck.store.unit import Unit


def parents(unit: Unit, task: int) -> list[int]:
    """What `task` depends on."""
    return [row[0] for row in unit.read("SELECT parent FROM dependencies WHERE task = ?", (task,))]


def has_open(unit: Unit, task: int) -> bool:
    """Whether `task` still waits for a parent."""
    return unit.read("SELECT 1 FROM dependencies WHERE task = ? AND open = 1 LIMIT 1", (task,)).fetchone() is not None


def replace(unit: Unit, task: int, wanted: Iterable[tuple[int, bool]]) -> None:
    """Let `task` depend on exactly `wanted`: pairs of a parent and whether it is still open."""
    unit.write("DELETE FROM dependencies WHERE task = ?", (task,))
    begin(unit, task, wanted)


def begin(unit: Unit, task: int, wanted: Iterable[tuple[int, bool]]) -> None:
    """The same for a task that depends on nothing yet."""
    for parent, open_ in wanted:
        unit.write("INSERT INTO dependencies (task, parent, open) VALUES (?, ?, ?)", (task, parent, int(open_)))
        if open_:
            _awaited(unit, parent)


def await_missing(unit: Unit, task: int, before: Iterable[str], after: Iterable[str]) -> None:
    """Keep in memory that `task` waits for the missing tasks of the keys `after`, and no more for those `before`."""
    old, new = set(before), set(after)
    _note(unit, task, forget=old - new, add=new - old)
    unit.undo.append((lambda: _note(unit, task, forget=new - old, add=old - new),))


def _note(unit: Unit, task: int, *, forget: Iterable[str], add: Iterable[str]) -> None:
    missing = unit.mirror.missing
    for key in add:
        missing.setdefault(key, set()).add(task)
    for key in forget:
        missing[key].discard(task)
        if not missing[key]:
            del missing[key]


def add(unit: Unit, task: int, parent: int) -> None:
    """Let `task` wait for `parent` as well, which is open."""
    unit.write("INSERT INTO dependencies (task, parent, open) VALUES (?, ?, 1)", (task, parent))
    _awaited(unit, parent)


def _awaited(unit: Unit, parent: int) -> None:
    known = unit.rows.get(parent)
    if known is not None:
        known.awaited = True


def waits_for(unit: Unit, task: int, other: int) -> bool:
    """Whether `task` waits for `other`, at whatever distance: as it depends on it, or as its child."""
    found = unit.read(
        "WITH RECURSIVE above (number) AS (VALUES (?1) UNION SELECT parent FROM dependencies, above"
        " WHERE task = above.number UNION SELECT child.number FROM above JOIN tasks t ON t.number = above.number"
        " JOIN tasks child ON child.parent = t.key) SELECT 1 FROM above WHERE number = ?2",
        (task, other),
    ).fetchone()
    return found is not None


def remove(unit: Unit, task: int, parent: int) -> None:
    """Let `task` depend on `parent` no longer."""
    unit.write("DELETE FROM dependencies WHERE task = ? AND parent = ?", (task, parent))


def dependents(unit: Unit, parent: int, limit: int) -> list[int]:
    """Some tasks that depend on `parent`, at most `limit`."""
    rows = unit.read("SELECT task FROM dependencies WHERE parent = ? ORDER BY task LIMIT ?", (parent, limit))
    return [row[0] for row in rows]


def let_go(unit: Unit, parent: int, limit: int) -> list[int]:
    """Note that tasks need not wait for `parent` any more, at most `limit` of those that did: which."""
    rows = unit.read("SELECT task FROM dependencies WHERE parent = ? AND open = 1 LIMIT ?", (parent, limit))
    found = [row[0] for row in rows]
    if found:
        unit.write(
            "UPDATE dependencies SET open = 0 WHERE parent = ? AND task IN (SELECT value FROM json_each(?))",
            (parent, json.dumps(found)),
        )
    return found


def waiting(unit: Unit, tasks: list[int]) -> set[int]:
    """Those of `tasks` that still wait for a parent."""
    rows = unit.read(
        "SELECT task FROM dependencies WHERE open = 1 AND task IN (SELECT value FROM json_each(?))",
        (json.dumps(tasks),),
    )
    return {row[0] for row in rows}


def remember(unit: Unit, parent: int) -> None:
    """Note that `parent` is done and has children left to unblock."""
    unit.write("INSERT OR IGNORE INTO unblocking (parent) VALUES (?)", (parent,))


def forget(unit: Unit, parent: int) -> None:
    unit.write("DELETE FROM unblocking WHERE parent = ?", (parent,))


def remembered(unit: Unit) -> int | None:
    """A done parent with children left to unblock."""
    row = unit.read("SELECT parent FROM unblocking LIMIT 1").fetchone()
    return None if row is None else int(row[0])
