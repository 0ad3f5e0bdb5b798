"""A rule: on an event, under conditions, do acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.events import BESIDE, Event
from taskdeck.domain.source import source_of
from taskdeck.domain.states import EVENT_OF, Verb
from taskdeck.domain.task import Task
from taskdeck.domain.via import NATIVE
from taskdeck.domain.view import task_view

MAX_RULES = 200
MAX_DEPTH = 3
"""How many rules may follow from each other."""
MAX_FIRINGS = 25
"""How often rules may run because of one event that no rule caused."""
MAX_IN_BATCH = 2_000
"""How often rules may run in one transaction: for every task of the largest request, and once more."""
MAX_FAILURES = 10
"""After so many failures in a row a rule is paused."""

DELETED = EVENT_OF[Verb.DELETE]
EVENTS = frozenset(EVENT_OF.values()) | BESIDE
"""What a rule may wait for."""
OF_THE_GONE = frozenset({"create", "notify"})
"""What can be done when a task has been removed: all else needs the task."""
FIELDS = frozenset(
    {
        "id", "number", "key", "project", "title", "description", "state", "priority", "labels", "capabilities",
        "assignee", "unique_key", "depends_on", "not_before", "due", "overdue_at", "attempt", "max_attempts",
        "created_by", "version",
    }
)  # fmt: skip
"""Fields of the task that a condition may look at."""
OF_EVENT = frozenset({"actor", "worker"})
SOURCE = "source"
"""Looks at which inbound source worded the task, itself or by way of rules; null if nobody outside did."""
PATHS = ("facts.", "payload.", "metadata.")
"""Beginnings of names that reach into a document, such as `payload.size` or `facts.error`."""


class Op(StrEnum):
    """How a condition compares what it finds with its value."""

    EQ = "eq"
    NEQ = "neq"
    GTE = "gte"
    LTE = "lte"
    HAS = "has"
    HAS_NOT = "has_not"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"
    WITHIN = "within"
    OUTSIDE = "outside"


SPANS = frozenset({Op.WITHIN, Op.OUTSIDE})
"""Their value is a pair: the least and the most that is within."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `has` and `has_not` look into lists, or for a part of a text; `outside` is for numbers."""

    field: str
    op: Op
    value: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done by itself. `project` None means all; `acts` are documents as `service.acts` does them.

    `via` is the interface by which the acts were said, in whose words their texts are filled in; see `Telling`.
    """

    name: str
    project: str | None
    events: tuple[str, ...]
    conditions: tuple[Condition, ...]
    acts: tuple[dict[str, Any], ...]
    paused_at: int | None
    paused_by: str | None
    pause_reason: str | None
    runs: int
    failures: int
    last_run_at: int | None
    created_by: str
    created_at: int
    version: int = 1
    description: str = ""
    via: str = NATIVE


Telling = Callable[[Rule, Task, Event], Any]
"""The document that a rule's texts are filled in from, for an event about a task; see `domain.places`."""


def told(_: Rule, task: Task, event: Event) -> Any:
    """What texts in the deck's own words may name: the fields that conditions look at, and the `event`'s type."""
    of_event = {"event": event.type, "actor": event.actor, "worker": event.worker, "facts": event.facts}
    return orjson.loads(orjson.dumps(task_view(task) | of_event | {SOURCE: source_of(task)}))


def is_field(name: str) -> bool:
    """Whether a condition may look at that."""
    return name in FIELDS or name in OF_EVENT or name == SOURCE or (name.startswith(PATHS) and all(name.split(".")))


def found(field: str, task: Task, event: Event) -> Any:
    """What a condition looks at: what the event left there, else what the task has now; None where there is nothing."""
    if field in OF_EVENT:
        return getattr(event, field)
    if field == SOURCE:
        return source_of(task)
    root, _, path = field.partition(".")
    if not path:
        return event.changes[field] if field in event.changes else task_view(task)[field]
    document = event.facts if root == "facts" else orjson.loads(getattr(task, root))
    for name in path.split("."):
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def holds(condition: Condition, value: Any) -> bool:
    """Whether `value` is as `condition` wants it. What cannot be compared is not."""
    wanted = condition.value
    match condition.op:
        case Op.EQ:
            return bool(value == wanted)
        case Op.NEQ:
            return bool(value != wanted)
        case Op.IS_NULL:
            return value is None
        case Op.NOT_NULL:
            return value is not None
        case Op.HAS:
            return _has(value, wanted)
        case Op.HAS_NOT:
            return not _has(value, wanted)
        case Op.WITHIN | Op.OUTSIDE:
            within = _number(value) and wanted[0] <= value <= wanted[1]
            return within if condition.op is Op.WITHIN else _number(value) and not within
    if not _comparable(value, wanted):
        return False
    return bool(value >= wanted if condition.op is Op.GTE else value <= wanted)


def _has(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    return isinstance(value, list) and wanted in value


def _comparable(value: Any, wanted: Any) -> bool:
    return (isinstance(value, str) and isinstance(wanted, str)) or (_number(value) and _number(wanted))


def _number(value: Any) -> bool:
    return isinstance(value, (int, float))


def applies(rule: Rule, task: Task, event: Event) -> bool:
    """Whether `rule` is to run for `event` about `task`."""
    return rule.project in (None, task.bucket.project) and all(
        holds(condition, found(condition.field, task, event)) for condition in rule.conditions
    )


def rule_view(rule: Rule) -> dict[str, Any]:
    """The public shape of a rule."""
    paused = None
    if rule.paused_at is not None:
        paused = {"at": rfc3339(rule.paused_at), "by": rule.paused_by, "reason": rule.pause_reason}
    return {
        "name": rule.name,
        "description": rule.description,
        "project": rule.project,
        "via": rule.via,
        "events": list(rule.events),
        "conditions": [{"field": c.field, "op": c.op, "value": c.value} for c in rule.conditions],
        "acts": list(rule.acts),
        "paused": paused,
        "runs": rule.runs,
        "failures": rule.failures,
        "last_run_at": None if rule.last_run_at is None else rfc3339(rule.last_run_at),
        "created_by": rule.created_by,
        "created_at": rfc3339(rule.created_at),
        "version": rule.version,
    }
