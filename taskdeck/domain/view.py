"""The public shape of a task: what replies and events call its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.task import CLAIM_FIELDS, Json, Task

View = dict[str, Any]


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def _json(text: Json | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)


def claim_view(task: Task) -> View | None:
    """The live (or lapsed) claim on `task`, or None when nobody holds it."""
    if task.worker is None:
        return None
    return {
        "worker": task.worker,
        "principal": task.principal,
        "fence": task.fence,
        "claimed_at": _time(task.claimed_at),
        "expires_at": _time(task.expires_at),
        "lease_seconds": None if task.lease_ms is None else task.lease_ms / 1000,
        "heartbeat_at": _time(task.heartbeat_at),
        "lapsed": task.lapsed,
        "state": task.work_state,
        "detail": task.detail,
        "progress": task.progress,
    }


_PUBLIC: dict[str, Callable[[Task], Any]] = {
    "id": lambda task: task.id,
    "number": lambda task: task.number,
    "key": lambda task: task.key,
    "project": lambda task: task.bucket.project,
    "title": lambda task: task.title,
    "description": lambda task: task.description,
    "state": lambda task: task.state.value,
    "priority": lambda task: task.priority,
    "labels": lambda task: sorted(task.bucket.labels),
    "capabilities": lambda task: sorted(task.bucket.capabilities),
    "payload": lambda task: _json(task.payload),
    "metadata": lambda task: _json(task.metadata),
    "assignee": lambda task: task.bucket.assignee,
    "depends_on": lambda task: list(task.depends_on),
    "not_before": lambda task: _time(task.not_before),
    "due": lambda task: _time(task.due),
    "attempt": lambda task: task.attempt,
    "max_attempts": lambda task: task.max_attempts,
    "result": lambda task: _json(task.result),
    "error": lambda task: _json(task.error),
    "claim": claim_view,
    "fence": lambda task: task.fence,
    "created_by": lambda task: task.created_by,
    "created_at": lambda task: _time(task.created_at),
    "ready_at": lambda task: _time(task.ready_at),
    "updated_at": lambda task: _time(task.updated_at),
    "finished_at": lambda task: _time(task.finished_at),
    "version": lambda task: task.version,
}
HEAVY = frozenset({"description", "payload", "metadata", "result"})
"""Fields that a summary leaves out."""
_SUMMARY = {name: read for name, read in _PUBLIC.items() if name not in HEAVY}


def task_view(task: Task) -> View:
    """The whole public shape of `task`; JSON documents stand in it as fragments for the encoder."""
    return {name: read(task) for name, read in _PUBLIC.items()}


def task_summary(task: Task) -> View:
    """`task` without its heavy fields, for long lists."""
    return {name: read(task) for name, read in _SUMMARY.items()}


_CLAIM = frozenset(CLAIM_FIELDS)
_BUCKET = ("labels", "capabilities", "assignee")


def changes_view(task: Task, fields: Iterable[str]) -> View:
    """The public fields that a change of `fields` (names of `Task`'s own) touched, as they are now."""
    changes: View = {}
    for field in fields:
        if field == "bucket":
            changes.update((name, _PUBLIC[name](task)) for name in _BUCKET)
        elif field not in _CLAIM:
            changes[field] = _PUBLIC[field](task)
        elif "claim" not in changes:
            changes["claim"] = claim_view(task)
    return changes


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
