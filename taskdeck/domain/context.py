"""The context of a task: what is known about it, a JSON object that many add to, and a ledger of who said what.

The ledger is never rewritten. An entry is superseded by the next one of its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Invalid
from taskdeck.domain.task import Json

MAX_CONTEXT = 64 * 1024
"""Bytes of a context."""
MAX_KEYS = 500
"""Keys at the top of a context."""
MAX_KEY = 200
"""Characters of such a key."""
MAX_DEPTH = 32
"""How deep objects and arrays in a context may be nested."""
MAX_ENTRIES = 5_000
"""Entries in the ledger of a task."""
MAX_LEDGER = 4 * 1024 * 1024
"""Bytes of the values in the ledger of a task; it goes with the task in one step, which must not take long."""


class Source(StrEnum):
    """How its author knows what it says."""

    STATED = "stated"
    """A human said so."""
    INFERRED = "inferred"
    OBSERVED = "observed"
    IMPORTED = "imported"


class Act(StrEnum):
    """What an entry of the ledger did to its key."""

    SET = "set"
    REMOVED = "removed"
    RETRACTED = "retracted"
    """Its author's word is no longer to be relied on; the context keeps the value."""


@dataclass(frozen=True, slots=True)
class Context:
    """The document as it is; `version` counts its changes, 0 before the first.

    `entries` and `ledger_bytes` are how long its ledger is, and how much the values in it take.
    """

    document: dict[str, Any]
    version: int
    entries: int = 0
    ledger_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Superseding:
    """The entry that came after another one of its key."""

    number: int
    act: Act
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Who said what of a key. `value` is what the key holds since `version`; None if it was not set."""

    number: int
    task: int
    version: int
    key: str
    act: Act
    value: Json | None
    source: Source
    author: str
    at: int
    superseded: Superseding | None = None


def merged(document: dict[str, Any], patch: dict[str, Any], *, depth: int = 1) -> dict[str, Any]:
    """`document` with `patch` laid over it: objects are merged at every depth, all else is put in place.

    Null is a value like others: it is kept, and takes nothing away.

    Raises:
        Invalid: the result is nested deeper than `MAX_DEPTH`.
    """
    if depth > MAX_DEPTH:
        raise Invalid(f"a context is nested at most {MAX_DEPTH} deep", hint="State it flatter.", field="patch")
    result = dict(document)
    for key, value in patch.items():
        below = result.get(key)
        if isinstance(value, dict):
            result[key] = merged(below if isinstance(below, dict) else {}, value, depth=depth + 1)
        else:
            _refuse_deep(value, depth + 1)
            result[key] = value
    return result


def _refuse_deep(value: Any, depth: int) -> None:
    if isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            raise Invalid(f"a context is nested at most {MAX_DEPTH} deep", hint="State it flatter.", field="patch")
        for inner in value.values() if isinstance(value, dict) else value:
            _refuse_deep(inner, depth + 1)


def provenance_view(entry: Entry) -> dict[str, Any]:
    """Who stands behind a key of the context, and who took it back, if anybody did."""
    return {
        "source": entry.source,
        "author": entry.author,
        "at": rfc3339(entry.at),
        "version": entry.version,
        "entry": entry.number,
        "retracted": _superseding_view(entry.superseded),
    }


def context_view(context: Context, entries: list[Entry]) -> dict[str, Any]:
    """The public shape of a context; `entries` are the newest of each key that set it."""
    return {
        "context": context.document,
        "version": context.version,
        "provenance": {entry.key: provenance_view(entry) for entry in entries if entry.key in context.document},
    }


def entry_view(entry: Entry) -> dict[str, Any]:
    """The public shape of an entry of the ledger, its value a fragment for the encoder."""
    return {
        "id": entry.number,
        "key": entry.key,
        "act": entry.act,
        "value": None if entry.value is None else orjson.Fragment(entry.value),
        "source": entry.source,
        "author": entry.author,
        "at": rfc3339(entry.at),
        "version": entry.version,
        "superseded": _superseding_view(entry.superseded),
    }


def _superseding_view(later: Superseding | None) -> dict[str, Any] | None:
    if later is None:
        return None
    return {"entry": later.number, "act": later.act, "by": later.author, "at": rfc3339(later.at)}
