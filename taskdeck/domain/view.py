"""The public shape of a task: what replies and events call its parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from taskdeck.domain.clock import rfc3339
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


def _shape(task: Task) -> View:
    bucket = task.bucket
    return {
        "id": task.id,
        "number": task.number,
        "key": task.key,
        "project": bucket.project,
        "title": task.title,
        "description": task.description,
        "state": task.state,
        "priority": task.priority,
        "labels": _sorted(bucket.labels),
        "capabilities": _sorted(bucket.capabilities),
        "payload": orjson.Fragment(task.payload),
        "metadata": orjson.Fragment(task.metadata),
        "files": orjson.Fragment(task.files),
        "assignee": bucket.assignee,
        "unique_key": None if task.unique_key is None else task.unique_key.partition("/")[2],
        "kind": task.kind,
        "parent": task.parent,
        "root": task.root,
        "depth": task.depth,
        "children": task.children,
        "accountable": task.accountable,
        "assignees": task.assignees and orjson.Fragment(task.assignees),
        "turn": task.turn,
        "turn_ends_at": _time(task.turn_ends_at),
        "at_end": task.at_end,
        "depends_on": list(task.depends_on),
        "awaits": [] if task.awaits is None else orjson.Fragment(task.awaits),
        "not_before": _time(task.not_before),
        "due": _time(task.due),
        "overdue_at": _time(task.overdue_at),
        "attempt": task.attempt,
        "max_attempts": task.max_attempts,
        "backoff_seconds": None if task.backoff_ms is None else task.backoff_ms / 1000,
        "backoff_cap_seconds": None if task.backoff_cap_ms is None else task.backoff_cap_ms / 1000,
        "result": task.result and orjson.Fragment(task.result),
        "error": task.error and orjson.Fragment(task.error),
        "review": task.review,
        "form": task.form and orjson.Fragment(task.form),
        "draft": task.draft and orjson.Fragment(task.draft),
        "gates": task.gates and orjson.Fragment(task.gates),
        "proof": task.proof and orjson.Fragment(task.proof),
        "handoff": task.handoff and orjson.Fragment(task.handoff),
        "changes": task.changes,
        "completed_by": task.completed_by and orjson.Fragment(task.completed_by),
        "verdict": task.verdict and orjson.Fragment(task.verdict),
        "extra": task.extra and orjson.Fragment(task.extra),
        "run": task.run,
        "approve_after_seconds": None if task.approve_after_ms is None else task.approve_after_ms / 1000,
        "review_ends_at": _time(task.review_ends_at),
        "claim": claim_view(task),
        "fence": task.fence,
        "entries": task.entries,
        "created_by": task.created_by,
        "created_at": _time(task.created_at),
        "ready_at": _time(task.ready_at),
        "queued_at": _time(task.queued_at),
        "updated_at": _time(task.updated_at),
        "finished_at": _time(task.finished_at),
        "version": task.version,
    }


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
