"""Logs of tasks in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from taskdeck.domain.log import EMPTY, Entry, NewEntry, Tail
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_SELECT = "SELECT number, sequence, fence, at, type, body FROM log_entries"
_TAIL = "SELECT number, sequence, bytes FROM log_entries WHERE task = ? ORDER BY number DESC LIMIT 1"
_COLUMNS = 8


def append(unit: Unit, task: int, fence: int, tail: Tail, entries: Sequence[NewEntry]) -> Tail:
    """Write `entries` behind `tail`; how the log stands then."""
    values: list[object] = []
    number, sequence, size = tail
    for entry in entries:
        number += 1
        sequence += not entry.quiet
        size += len(entry.body.encode())
        values += (task, number, sequence, size, fence, unit.now, entry.type, entry.body)
    rows = ", ".join([f"({', '.join('?' * _COLUMNS)})"] * len(entries))
    unit.write(
        f"INSERT INTO log_entries (task, number, sequence, bytes, fence, at, type, body) VALUES {rows}",  # noqa: S608
        values,
    )
    return Tail(number, sequence, size)


def tail_of(unit: Unit, task: int) -> Tail:
    """How the log of `task` stands."""
    row = unit.read(_TAIL, (task,)).fetchone()
    return EMPTY if row is None else Tail(*row)


def after(unit: Unit, task: int, number: int, limit: int) -> list[Entry]:
    """The first `limit` entries behind that number."""
    rows = unit.read(f"{_SELECT} WHERE task = ? AND number > ? ORDER BY number LIMIT ?", (task, number, limit))
    return [Entry(*row) for row in rows]


def at_sequence(unit: Unit, task: int, sequence: int) -> tuple[int, int]:
    """The numbers of the first and the last entry at which the sequence stood so; 0 before the first entry."""
    first, last = unit.read(
        "SELECT min(number), max(number) FROM log_entries WHERE task = ? AND sequence = ?", (task, sequence)
    ).fetchone()
    return first if sequence else 0, last or 0


def newest_under(unit: Unit, task: int, fence: int, types: Iterable[str]) -> Iterator[Entry]:
    """The entries of `types` told under that fence, newest first."""
    named = tuple(types)
    rows = unit.read(
        f"{_SELECT} WHERE task = ? AND fence = ? AND type IN ({', '.join('?' * len(named))}) ORDER BY number DESC",
        (task, fence, *named),
    )
    return (Entry(*row) for row in rows)


async def list_entries(reader: Reader, task: int, after: int, limit: int) -> list[Entry]:
    """The first `limit` entries of `task` behind that number."""
    rows = await reader.rows(f"{_SELECT} WHERE task = ? AND number > ? ORDER BY number LIMIT ?", (task, after, limit))
    return [Entry(*row) for row in rows]


async def read_tail(reader: Reader, task: int) -> Tail:
    """How the log of `task` stands."""
    row = await reader.row(_TAIL, (task,))
    return EMPTY if row is None else Tail(*row)


async def list_positioned(reader: Reader, task: int, fence: int, after: int, limit: int) -> list[Entry]:
    """The first `limit` entries behind the place `after`, where each claim up to the one under `fence` takes two places
    more than what was told under it: one as it begins, one as it ends.
    """
    rows = await reader.rows(
        f"{_SELECT} WHERE task = ? AND number > ? AND number + 2 * fence - 1 > ? ORDER BY number LIMIT ?",
        (task, after - 2 * fence, after, limit),
    )
    return [Entry(*row) for row in rows]


async def entries_by_fence(reader: Reader, task: int) -> dict[int, int]:
    """How many entries were told under each fence."""
    rows = await reader.rows("SELECT fence, count(*) FROM log_entries WHERE task = ? GROUP BY fence", (task,))
    return dict(rows)
