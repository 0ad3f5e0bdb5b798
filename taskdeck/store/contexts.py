"""Contexts and their ledgers in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

from taskdeck.domain.context import Act, Context, Entry, Source, Superseding
from taskdeck.domain.task import Json
from taskdeck.store.reader import Reader
from taskdeck.store.unit import Unit

_DOCUMENT = "SELECT document, version, entries, ledger_bytes FROM contexts WHERE task = ?"
_ENTRIES = (
    "SELECT e.number, e.task, e.version, e.key, e.act, e.value, e.source, e.author, e.at,"
    " n.number, n.act, n.author, n.at"
    " FROM context_entries e LEFT JOIN context_entries n ON n.number = (SELECT min(number) FROM context_entries"
    " WHERE task = e.task AND key = e.key AND number > e.number)"
)
_NEWEST = (
    f"{_ENTRIES} WHERE e.number IN (SELECT max(number) FROM context_entries WHERE task = ? AND version <= ?"  # noqa: S608
    " AND act = 'set' GROUP BY key)"
)


def find(unit: Unit, task: int) -> Context:
    """The context of `task`, empty if nothing was ever said."""
    return _context(unit.beside(_DOCUMENT, (task,)).fetchone())


def save(unit: Unit, task: int, context: Context) -> None:
    """Write what the context of `task` has become."""
    unit.write(
        "INSERT INTO contexts (task, version, entries, ledger_bytes, document) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (task) DO UPDATE SET version = excluded.version, entries = excluded.entries,"
        " ledger_bytes = excluded.ledger_bytes, document = excluded.document",
        (task, context.version, context.entries, context.ledger_bytes, orjson.dumps(context.document).decode()),
    )


def append(
    unit: Unit, task: int, version: int, key: str, act: Act, value: Json | None, source: Source, author: str
) -> None:
    """Put an entry at the end of the ledger."""
    unit.write(
        "INSERT INTO context_entries (task, version, key, act, value, source, author, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (task, version, key, act, value, source, author, unit.now),
    )


def last_act(unit: Unit, task: int, key: str) -> Act | None:
    """What the newest entry of `key` did; None if there is none."""
    row = unit.read(
        "SELECT act FROM context_entries WHERE task = ? AND key = ? ORDER BY number DESC LIMIT 1", (task, key)
    ).fetchone()
    return None if row is None else Act(row[0])


def newest(unit: Unit, task: int, version: int) -> list[Entry]:
    """The newest entry of each key that set it, as of `version`."""
    return [_entry(row) for row in unit.read(_NEWEST, (task, version))]


async def read(reader: Reader, task: int) -> tuple[Context, list[Entry]]:
    """The context of `task`, and the newest entry of each key that set it."""
    known = _context(await reader.row(_DOCUMENT, (task,)))
    # as of that version: the ledger may have grown meanwhile
    return known, [_entry(row) for row in await reader.rows(_NEWEST, (task, known.version))]


async def documents(reader: Reader, tasks: Iterable[int]) -> dict[int, Context]:
    """The contexts of these tasks, of those that have one."""
    rows = await reader.rows(
        "SELECT task, document, version, entries, ledger_bytes FROM contexts WHERE task IN"
        " (SELECT value FROM json_each(?))",
        (json.dumps(sorted(tasks)),),
    )
    return {row[0]: _context(row[1:]) for row in rows}


async def history(reader: Reader, task: int, key: str | None, before: int | None, limit: int) -> list[Entry]:
    """Up to `limit` entries older than the one numbered `before`, newest first; of `key` alone, if it is given."""
    clauses: list[str] = ["e.task = ?"]
    values: list[Any] = [task]
    if key is not None:
        clauses.append("e.key = ?")
        values.append(key)
    if before is not None:
        clauses.append("e.number < ?")
        values.append(before)
    sql = f"{_ENTRIES} WHERE {' AND '.join(clauses)} ORDER BY e.number DESC LIMIT ?"
    return [_entry(row) for row in await reader.rows(sql, [*values, limit])]


async def numbered(reader: Reader, numbers: Iterable[int]) -> dict[int, Entry]:
    """Those of these entries that there are, by number."""
    rows = await reader.rows(
        f"{_ENTRIES} WHERE e.number IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(sorted(numbers)),),
    )
    return {row[0]: _entry(row) for row in rows}


def _context(row: Iterable[Any] | None) -> Context:
    if row is None:
        return Context({}, 0)
    document, *rest = row
    return Context(orjson.loads(document), *rest)


def _entry(row: tuple[Any, ...]) -> Entry:
    number, task, version, key, act, value, source, author, at, *later = row
    superseded = None if later[0] is None else Superseding(later[0], Act(later[1]), later[2], later[3])
    return Entry(number, task, version, key, Act(act), value, Source(source), author, at, superseded)
