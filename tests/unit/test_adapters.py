"""What values become in the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from taskdeck.domain.states import State
from taskdeck.domain.task import WorkState
from taskdeck.store import adapters

VALUES = [
    (None, None, "null"), (True, 1, "integer"), (False, 0, "integer"), (b"", b"", "blob"), (b"\0x", b"\0x", "blob"),
    *((state, str(state.value), "text") for state in State),
    *((state, str(state.value), "text") for state in WorkState),
]  # fmt: skip


@pytest.mark.parametrize(("value", "stored", "kind"), VALUES, ids=repr)
def test_a_value_is_stored_as_what_it_is(value: object, stored: object, kind: str) -> None:
    adapters.register()
    with closing(sqlite3.connect(":memory:")) as connection:
        (row,) = connection.execute("SELECT ?1, typeof(?1)", (value,)).fetchall()
    assert row == (stored, kind)
    assert type(row[0]) is type(stored)
