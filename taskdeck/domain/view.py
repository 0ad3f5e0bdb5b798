"""The public shape of a task: what replies and events call its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.fields import getter
from taskdeck.domain.task import CLAIM_FIELDS, Task

View = dict[str, Any]


@lru_cache(maxsize=8192)
def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


@lru_cache(maxsize=1024)
def _sorted(names: frozenset[str]) -> list[str]:
    return sorted(names)


def claim_view(task: Task) -> View | None:
    """The live (or lapsed) claim on `task`, or None when nobody holds it."""
    if task.worker is None:
        return None
    return {
        "worker": task.worker,
        "principal": task.principal,
        "via": task.via,
        "fence": task.fence,
        "claimed_at": _time(task.claimed_at),
        "expires_at": _time(task.expires_at),
        "lease_seconds": None if task.lease_ms is None else task.lease_ms / 1000,
        "heartbeat_at": _time(task.heartbeat_at),
        "lapsed": task.lapsed,
        "state": task.work_state,
        "detail": task.detail,
        "progress": task.progress,
        "session": task.session,
        "question": task.question and orjson.Fragment(task.question),
    }


def task_view(task: Task) -> View:
    """The whole public shape of `task`; JSON documents stand in it as fragments for the encoder.

    Made once after each change, for its event and its reply alike, and kept no longer; not to be changed.
    """
    if task.shown is None:
        task.shown = _shape(task)
    return task.shown


_BLANK: View = dict.fromkeys(
    (
        "id", "number", "key", "project", "title", "description", "state", "priority", "labels", "capabilities",
        "payload", "metadata", "files", "assignee", "unique_key", "kind", "parent", "root", "depth", "children",
        "accountable", "assignees", "turn", "turn_ends_at", "at_end", "depends_on", "awaits", "not_before", "due",
        "overdue_at", "attempt", "max_attempts", "backoff_seconds", "backoff_cap_seconds", "result", "error", "review",
        "form", "draft", "gates", "proof", "handoff", "changes", "completed_by", "verdict", "extra", "run",
        "approve_after_seconds", "review_ends_at", "claim", "fence", "entries", "created_by", "created_at", "ready_at",
        "queued_at", "updated_at", "finished_at", "version",
    )
) | {"awaits": []}  # fmt: skip
"""What is shown of a task, in order: a copy of it is filled in sooner than such a dictionary is made anew."""


def _seconds(ms: int) -> float:
    return ms / 1000


_SELDOM: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "unique_key": ("unique_key", lambda key: key.partition("/")[2]),
    "assignees": ("assignees", orjson.Fragment),
    "turn_ends_at": ("turn_ends_at", _time),
    "awaits": ("awaits", orjson.Fragment),
    "not_before": ("not_before", _time),
    "due": ("due", _time),
    "overdue_at": ("overdue_at", _time),
    "backoff_ms": ("backoff_seconds", _seconds),
    "backoff_cap_ms": ("backoff_cap_seconds", _seconds),
    "error": ("error", orjson.Fragment),
    "form": ("form", orjson.Fragment),
    "draft": ("draft", orjson.Fragment),
    "gates": ("gates", orjson.Fragment),
    "proof": ("proof", orjson.Fragment),
    "handoff": ("handoff", orjson.Fragment),
    "verdict": ("verdict", orjson.Fragment),
    "extra": ("extra", orjson.Fragment),
    "approve_after_ms": ("approve_after_seconds", _seconds),
    "review_ends_at": ("review_ends_at", _time),
}
"""What few tasks have, and how it is shown: all of it is looked at at once."""
_seldom = getter(tuple(_SELDOM))
_NONE_OF_THEM = (None,) * len(_SELDOM)


def _shape(task: Task) -> View:
    bucket, shape = task.bucket, _BLANK.copy()
    shape["id"] = task.id
    shape["number"] = task.number
    shape["key"] = task.key
    shape["project"] = bucket.project
    shape["title"] = task.title
    shape["description"] = task.description
    shape["state"] = task.state
    shape["priority"] = task.priority
    shape["labels"] = _sorted(bucket.labels)
    shape["capabilities"] = _sorted(bucket.capabilities)
    shape["payload"] = orjson.Fragment(task.payload)
    shape["metadata"] = orjson.Fragment(task.metadata)
    shape["files"] = orjson.Fragment(task.files)
    shape["assignee"] = bucket.assignee
    shape["kind"] = task.kind
    shape["parent"] = task.parent
    shape["root"] = task.root
    shape["depth"] = task.depth
    shape["children"] = task.children
    shape["accountable"] = task.accountable
    shape["turn"] = task.turn
    shape["at_end"] = task.at_end
    shape["depends_on"] = task.depends_on
    shape["attempt"] = task.attempt
    shape["max_attempts"] = task.max_attempts
    shape["review"] = task.review
    shape["changes"] = task.changes
    shape["run"] = task.run
    shape["claim"] = claim_view(task)
    shape["fence"] = task.fence
    shape["entries"] = task.entries
    shape["created_by"] = task.created_by
    shape["created_at"] = _time(task.created_at)
    shape["ready_at"] = _time(task.ready_at)
    shape["queued_at"] = _time(task.queued_at)
    shape["updated_at"] = _time(task.updated_at)
    shape["version"] = task.version
    if task.completed_by is not None:
        shape["completed_by"] = orjson.Fragment(task.completed_by)
    if task.result is not None:
        shape["result"] = orjson.Fragment(task.result)
    if task.finished_at is not None:
        shape["finished_at"] = _time(task.finished_at)
    values = _seldom(task)
    if values != _NONE_OF_THEM:
        for value, (name, shown) in zip(values, _SELDOM.values(), strict=True):
            if value is not None:
                shape[name] = shown(value)
    return shape


HEAVY = frozenset({"description", "payload", "metadata", "files", "result", "handoff", "extra"})
"""Fields that a summary leaves out."""


def task_summary(task: Task) -> View:
    """`task` without its heavy fields, for long lists."""
    return {name: value for name, value in task_view(task).items() if name not in HEAVY}


_SHOWN_AS = dict.fromkeys(CLAIM_FIELDS, ("claim",)) | {
    "approve_after_ms": ("approve_after_seconds",),
    "backoff_ms": ("backoff_seconds",),
    "backoff_cap_ms": ("backoff_cap_seconds",),
    "bucket": ("project", "labels", "capabilities", "assignee"),
}
"""Public fields of those own fields of a task that are shown by another name."""


def changes_view(task: Task, fields: Iterable[str]) -> View:
    """The public fields that a change of `fields` (names of `Task`'s own) touched, as they are now."""
    whole = task_view(task)
    return {name: whole[name] for name in _public_names(tuple(fields))}


@lru_cache(maxsize=256)
def _public_names(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, in order; a verb changes the same fields every time."""
    return tuple(dict.fromkeys(name for field in fields for name in _SHOWN_AS.get(field, (field,))))


def holder_view(task: Task) -> View:
    """Who has the task and until when: the part of it that a refusal shows."""
    return {
        "key": task.key,
        "state": task.state.value,
        "worker": task.worker,
        "fence": task.fence,
        "claimed_at": _time(task.claimed_at),
        "expires_at": _time(task.expires_at),
    }
