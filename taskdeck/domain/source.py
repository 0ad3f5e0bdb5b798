"""The inbound source: somebody outside whose signed events become tasks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from taskdeck.domain.places import MISSING, look_up
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Task

MAX_SOURCES = 50
MAX_EVENT = 256 * 1024
"""Bytes of an event."""
UNTRUSTED = "untrusted"
"""The label and the mark in the metadata of a task that somebody outside has worded."""
DELIVERIES_KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a delivery is remembered, at least."""


class Scheme(StrEnum):
    """How events are signed: as in Standard Webhooks, or as GitHub does, without a time."""

    STANDARD = "standard"
    GITHUB = "github"


class Op(StrEnum):
    """What a filter asks of the value at its path."""

    EQUALS = "equals"
    DIFFERS = "differs"
    IN = "in"
    CONTAINS = "contains"
    EXISTS = "exists"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on an event."""

    path: str
    op: Op
    value: Any = None

    def admits(self, document: Any) -> bool:
        """Whether `document` fulfils it. What is missing equals nothing, and differs from everything."""
        found = look_up(document, self.path)
        match self.op:
            case Op.EXISTS:
                return found is not MISSING
            case Op.ABSENT:
                return found is MISSING
            case Op.EQUALS:
                return _same(found, self.value)
            case Op.DIFFERS:
                return not _same(found, self.value)
            case Op.IN:
                return any(_same(found, one) for one in self.value)
            case Op.CONTAINS:
                if isinstance(found, str):
                    return isinstance(self.value, str) and self.value in found
                return isinstance(found, list) and any(_same(one, self.value) for one in found)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: a truth is no number."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends, and what becomes of it. Times are milliseconds since the epoch.

    `template` holds the task's fields by name. Of events with the same `unique` text only one task lives at a time.
    """

    name: str
    project: str
    description: str
    scheme: Scheme
    secret: str
    old_secret: str | None
    old_until: int | None
    active: bool
    template: dict[str, Any]
    filters: tuple[Filter, ...]
    unique: str | None
    per_minute: int
    created_by: str
    created_at: int
    version: int

    def secrets(self, now: int) -> tuple[str, ...]:
        """Under which events may be signed now."""
        if self.old_secret is not None and self.old_until is not None and now < self.old_until:
            return (self.secret, self.old_secret)
        return (self.secret,)

    @property
    def principal(self) -> Principal:
        """As whom its tasks are made."""
        return Principal(f"source:{self.name}", Role.AGENT, projects=frozenset({self.project}))


def source_of(task: Task) -> str | None:
    """The source that worded `task`, itself or by way of rules; None if nobody outside did."""
    maker, _, name = task.created_by.partition(":")
    if maker == "source":
        return name
    if maker != "rule" or UNTRUSTED not in task.metadata:
        return None
    document = orjson.loads(task.metadata)
    found = document.get("source") if isinstance(document, dict) else None
    return found if isinstance(found, str) else None
