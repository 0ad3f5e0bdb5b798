"""Statements that take many rows in one step.

Python's lock is given up at every step of SQLite and has to be won back from the event loop, which under load takes
longer than the step itself. So a batch writes its rows with one statement for all of them. Setting up such a statement
costs more than writing a few rows one by one, which have a statement of their own.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

MOST = 256
"""Rows in one step."""
FEW = 4
"""So many are sooner written one by one."""
_SIZES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, MOST)
"""Rows in the statements that are prepared; a step takes the next that is large enough."""


class Bulk(NamedTuple):
    """A statement for one row of `columns` values, and one for many: `{rows}` stands there for their values."""

    columns: int
    one: str
    many: str


def insertion(table: str, columns: Sequence[str], conflict: str = "") -> Bulk:
    """Insert rows; `conflict` is the clause for those that are there."""
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    return Bulk(
        len(columns),
        f"{into} VALUES ({', '.join('?' * len(columns))}) {conflict}",
        f"{into} SELECT * FROM (VALUES {{rows}}) WHERE column1 IS NOT NULL {conflict}",  # noqa: S608  (our own names)
    )


def update(table: str, key: str, columns: Sequence[str], guard: str = "") -> Bulk:
    """Set `columns` of the rows of these keys, the first value of each; not where `guard` (a column) would shrink."""
    names = [key, *columns]
    guarded = f" AND {table}.{guard} <= new.{guard}" if guard else ""
    one = f"UPDATE {table} SET {', '.join(f'{name} = ?{n}' for n, name in enumerate(columns, 2))} WHERE {key} = ?1"  # noqa: S608
    return Bulk(
        len(names),
        one + (f" AND {guard} <= ?{names.index(guard) + 1}" if guard else ""),
        f"WITH new ({', '.join(names)}) AS (VALUES {{rows}}) UPDATE {table} SET "  # noqa: S608  (our own names)
        f"{', '.join(f'{name} = new.{name}' for name in columns)} FROM new WHERE {table}.{key} = new.{key}{guarded}",
    )


def run_bulk(connection: sqlite3.Connection, bulk: Bulk, rows: Iterable[Sequence[Any]]) -> None:
    """Run `bulk` for all `rows`, at most 256 in a step.

    Few sizes are prepared; what is short of one is filled up with rows whose key is NULL, which the statement leaves
    out. The rest of them are numbers, which are bound soonest.
    """
    left, none = iter(rows), (None, *[0] * (bulk.columns - 1))
    while some := list(islice(left, MOST)):
        if len(some) <= FEW:
            connection.executemany(bulk.one, some)
            continue
        size = _SIZES[bisect_left(_SIZES, len(some))]
        some.extend([none] * (size - len(some)))
        connection.execute(_of_size(bulk, size), list(chain.from_iterable(some)))


@lru_cache(maxsize=256)
def _of_size(bulk: Bulk, size: int) -> str:
    row = f"({', '.join('?' * bulk.columns)})"
    return bulk.many.format(rows=", ".join([row] * size))
