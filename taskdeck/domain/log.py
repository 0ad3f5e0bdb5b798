"""The log of a task: what its holders tell of their work as they go, entry by entry, under a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.task import Json

MAX_ENTRY = 256 * 1024
"""Bytes that an entry's body has less than."""
MAX_AT_ONCE = 100
MAX_ENTRIES = 50_000
"""Entries of a task."""
MAX_LOG = 64 * 1024 * 1024
"""Bytes of all entries of a task."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What is to be told. A `quiet` entry is numbered like the others but not counted in the sequence."""

    type: str
    body: Json
    quiet: bool = False


class Tail(NamedTuple):
    """How a log stands: the number of its last entry, how many are not quiet, and what all of them take."""

    number: int
    sequence: int
    bytes: int


EMPTY = Tail(0, 0, 0)


class Entry(NamedTuple):
    """An entry: its number, counted from 1 over all claims of the task, and under which fence it was told when.

    `sequence` counts the entries up to this one that are not quiet.
    """

    number: int
    sequence: int
    fence: int
    at: int
    type: str
    body: Json


def entry_view(entry: Entry) -> dict[str, Any]:
    """The public shape of an entry, its body a fragment for the encoder."""
    return {
        "number": entry.number,
        "sequence": entry.sequence,
        "fence": entry.fence,
        "at": rfc3339(entry.at),
        "type": entry.type,
        "body": orjson.Fragment(entry.body),
    }


def canonical(body: Json) -> bytes:
    """`body` in the one form in which equal documents are equal bytes."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
