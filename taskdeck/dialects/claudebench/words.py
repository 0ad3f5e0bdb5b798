"""ClaudeBench's words for what the deck knows: ids, statuses, who has a task, and the task as its clients see it."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.service.extra import extra_of

NAME: Final = "claudebench"
SERVER: Final = "taskdeck"
"""The server's own instance id, as events name who did it."""
NOBODY: Final = "claudebench-nobody"
"""The worker in whose name a task is under way that was put there without one; shown as none."""
LEASE_MS: Final = 86_400_000
"""The longest lease there is: here a holder keeps its task until somebody takes it away."""
NO_RESULT: Final = "completed without a result"
"""Why a task has failed that was completed with nothing; no error to ClaudeBench."""
SET_SO: Final = "its status was set"
"""Why a task changed whose status a client has set; no error either."""

PENDING, IN_PROGRESS, COMPLETED, FAILED = "pending", "in_progress", "completed", "failed"
STATUS: dict[State, str] = {
    State.BACKLOG: PENDING,
    State.BLOCKED: PENDING,
    State.SCHEDULED: PENDING,
    State.READY: PENDING,
    State.CLAIMED: IN_PROGRESS,
    State.REVIEW: COMPLETED,
    State.DONE: COMPLETED,
    State.FAILED: FAILED,
    State.CANCELLED: FAILED,
}
STATES: dict[str, tuple[State, ...]] = {
    status: tuple(state for state in State if STATUS[state] == status)
    for status in (PENDING, IN_PROGRESS, COMPLETED, FAILED)
}

_ID = re.compile(r"t-(\d{1,19})", re.ASCII)
_SINCE_2001 = 13
"""Digits of a time in milliseconds: an id that has fewer holds a task's number."""

Document = dict[str, Any]


def task_id(key: str, number: int) -> str:
    """`t-` and a time for what was made here, `t-` and its number for any other task."""
    found = _ID.fullmatch(key)
    return key if found and len(found[1]) >= _SINCE_2001 else f"t-{number}"


def ref_of(id: str) -> str:
    """What the deck calls the task of that id; what is no id is no reference either."""
    found = _ID.fullmatch(id)
    if found is None:
        return "-"
    return id if len(found[1]) >= _SINCE_2001 else found[1]


def assigned_to(task: Task) -> str | None:
    """Who holds it, ended it, or alone may have it."""
    had = task.worker
    if had is None and (task.finished_at is not None or task.state is State.REVIEW):
        said = orjson.loads(task.completed_by or task.error or "{}")
        had = said.get("worker")
    had = had or task.bucket.assignee
    return None if had == NOBODY else had


def completed_at(task: Task) -> str | None:
    """When it ended; it is remembered where it was opened again."""
    if task.finished_at is not None:
        return rfc3339(task.finished_at)
    if task.state is State.REVIEW and task.completed_by is not None:
        return str(orjson.loads(task.completed_by)["at"])
    return extra_of(task, NAME).get("completedAt") if task.extra is not None else None


def _metadata(task: Task) -> orjson.Fragment | Document | None:
    """What was given with it, and of one that was completed, with a result or without, how that went."""
    completed = task.result is not None or _message(task) == NO_RESULT
    if STATUS[task.state] in (PENDING, IN_PROGRESS) or not completed:
        return None if task.metadata == "{}" else orjson.Fragment(task.metadata)
    given: Document = orjson.loads(task.metadata)
    at = completed_at(task)
    return given | {
        "duration": 0 if at is None else max(0, from_rfc3339(at) - task.created_at),
        "completedBy": extra_of(task, NAME).get("completedBy", assigned_to(task)),
        "resultSize": 0 if task.result is None else len(task.result.encode()),
    }


def _message(task: Task) -> str | None:
    return None if task.error is None else orjson.loads(task.error).get("message")


def _error(task: Task) -> str | None:
    message = _message(task)
    return None if message in (NO_RESULT, SET_SO) else message


def task_document(task: Task) -> Document:
    """The eleven members that every answer shows of a task."""
    return {
        "id": task_id(task.key, task.number),
        "text": task.title,
        "priority": task.priority,
        "status": STATUS[task.state],
        "assignedTo": assigned_to(task),
        "metadata": _metadata(task),
        "result": None if task.result is None else orjson.Fragment(task.result),
        "error": _error(task),
        "createdAt": rfc3339(task.created_at),
        "updatedAt": rfc3339(task.updated_at),
        "completedAt": completed_at(task),
    }


def created_document(task: Task) -> Document:
    """What a new task is answered with."""
    return {
        "id": task_id(task.key, task.number),
        "text": task.title,
        "status": STATUS[task.state],
        "priority": task.priority,
        "createdAt": rfc3339(task.created_at),
    }


def updated_document(task: Task) -> Document:
    """What a changed task is answered with."""
    return created_document(task) | {"updatedAt": rfc3339(task.updated_at)}
