"""Inbound sources in the database, and what arrived from them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from taskdeck.domain.source import DELIVERIES_KEPT_MS, Filter, Op, Scheme, Source
from taskdeck.store import statements
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

Tally = tuple[int, int | None]
"""How many events of a source led to a task, new or not, and when the last one did."""
NO_TALLY: Tally = (0, None)

_COLUMNS = (
    "name", "project", "description", "scheme", "secret", "old_secret", "old_until", "active", "template", "filters",
    "unique_text", "per_minute", "created_by", "created_at", "version",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM sources"  # noqa: S608
_INSERT = statements.insert("sources", _COLUMNS)
_UPDATE = statements.update("sources", _COLUMNS, "name")


def load(connection: sqlite3.Connection) -> list[Source]:
    """Every source there is."""
    return [_source(row) for row in connection.execute(f"{_SELECT} ORDER BY created_at, name")]


def get(unit: Unit, name: str) -> Source | None:
    row = unit.read(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _source(row)


def count(unit: Unit) -> int:
    """How many there are."""
    return int(unit.read("SELECT count(*) FROM sources").fetchone()[0])


def insert(unit: Unit, source: Source) -> None:
    unit.write(_INSERT, _values(source))


def update(unit: Unit, source: Source) -> None:
    """Write what `source` has become."""
    unit.write(_UPDATE, (*_values(source), source.name))


def delete(unit: Unit, name: str) -> None:
    """Remove a source with what is remembered of its events."""
    unit.write("DELETE FROM sources WHERE name = ?", (name,))


def tally(unit: Unit, name: str) -> Tally:
    """That of a source; of an unknown one none."""
    row = unit.read("SELECT deliveries, delivered_at FROM sources WHERE name = ?", (name,)).fetchone()
    return NO_TALLY if row is None else (int(row[0]), row[1])


async def tallies(reader: Reader) -> dict[str, Tally]:
    """That of every source, by its name."""
    rows = await reader.rows("SELECT name, deliveries, delivered_at FROM sources")
    return {name: (deliveries, at) for name, deliveries, at in rows}


def arrived(unit: Unit, source: str, identity: str) -> int | None:
    """The number of the task that the event of that id led to; None if it is new."""
    row = unit.read("SELECT task FROM arrivals WHERE source = ? AND id = ?", (source, identity)).fetchone()
    return None if row is None else int(row[0])


def note_arrival(unit: Unit, source: str, identity: str, task: int) -> None:
    """Remember an event, and forget some that are past their keep."""
    unit.write("INSERT INTO arrivals (source, id, task, at) VALUES (?, ?, ?, ?)", (source, identity, task, unit.now))
    unit.write("UPDATE sources SET deliveries = deliveries + 1, delivered_at = ? WHERE name = ?", (unit.now, source))
    unit.write(
        "DELETE FROM arrivals WHERE rowid IN (SELECT rowid FROM arrivals WHERE at < ? ORDER BY at LIMIT 2)",
        (unit.now - DELIVERIES_KEPT_MS,),
    )


def task_about(unit: Unit, source: str, about: str) -> int | None:
    """The number of the newest task about that thing."""
    row = unit.read("SELECT task FROM source_tasks WHERE source = ? AND about = ?", (source, about)).fetchone()
    return None if row is None else int(row[0])


def note_task(unit: Unit, source: str, about: str, task: int) -> None:
    """Remember the newest task about that thing."""
    unit.write(
        "INSERT INTO source_tasks (source, about, task, seen_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (source, about) DO UPDATE SET task = ?3, seen_at = ?4",
        (source, about, task, unit.now),
    )


def longest_unseen(unit: Unit, limit: int) -> list[tuple[str, str, int]]:
    """Up to `limit` (source, about, task), those first whose task was longest not found alive."""
    return unit.read("SELECT source, about, task FROM source_tasks ORDER BY seen_at LIMIT ?", (limit,)).fetchall()


def forget_task(unit: Unit, source: str, about: str) -> None:
    """The newest task about that thing has ended."""
    unit.write("DELETE FROM source_tasks WHERE source = ? AND about = ?", (source, about))


def _values(source: Source) -> tuple[Any, ...]:
    shaped = {
        "template": json.dumps(source.template),
        "filters": json.dumps([[one.path, one.op, one.value] for one in source.filters]),
        "unique_text": source.unique,
        "active": int(source.active),
    }
    return tuple(shaped[name] if name in shaped else getattr(source, name) for name in _COLUMNS)


def _source(row: tuple[Any, ...]) -> Source:
    fields = dict(zip(_COLUMNS, row, strict=True))
    fields["unique"] = fields.pop("unique_text")
    fields["scheme"] = Scheme(fields["scheme"])
    fields["active"] = bool(fields["active"])
    fields["template"] = json.loads(fields["template"])
    fields["filters"] = tuple(Filter(path, Op(op), value) for path, op, value in json.loads(fields["filters"]))
    return Source(**fields)
