"""Statements that take many rows in one step.

Python's lock is given up at every step of SQLite and has to be won back from the event loop, which under load takes
longer than the step itself. So a batch writes its rows with one statement for all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any

MOST = 256
"""Rows in one step."""


def run_bulk(connection: sqlite3.Connection, columns: int, template: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run `template` for all `rows` of `columns` values each, at most 256 in a step.

    `template` holds `{rows}` where the list of values belongs. Few sizes are prepared; what is short of one is filled
    up with rows of NULL, which the statement has to leave out.
    """
    left = iter(rows)
    while some := list(islice(left, MOST)):
        size = 1 << (len(some) - 1).bit_length()
        values = list(chain.from_iterable(some))
        values.extend([None] * (columns * (size - len(some))))
        connection.execute(_statement(template, columns, size), values)


@lru_cache(maxsize=256)
def _statement(template: str, columns: int, size: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return template.format(rows=", ".join([row] * size))
