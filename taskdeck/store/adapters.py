"""How values become parameters of statements: adapters for those that are neither text nor number.

Python's sqlite3 looks for an adapter of each of them, one by one. Where none is registered it goes on to search the
value and a protocol, and makes an error text that nobody reads: that takes longer than writing the value. Those that
rows are full of have one here that is answered without a step in Python.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum
from types import NoneType

from taskdeck.domain.states import State
from taskdeck.domain.task import WorkState

_ENUMERATIONS: tuple[type[StrEnum], ...] = (State, WorkState)


def register() -> None:
    """Register them, for all connections of this process."""
    sqlite3.register_adapter(NoneType, {None: None}.__getitem__)
    sqlite3.register_adapter(bool, int)
    sqlite3.register_adapter(bytes, bytes)
    for enumeration in _ENUMERATIONS:
        sqlite3.register_adapter(enumeration, {member: member.value for member in enumeration}.__getitem__)
