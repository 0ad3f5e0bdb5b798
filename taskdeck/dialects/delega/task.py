"""A task as Delega's clients read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from taskdeck.dialects.delega.words import (
    EVIDENCE_SAID,
    NAME,
    agent_said,
    due_said,
    labels_said,
    moment,
    priority_said,
    project_said,
    status_said,
    task_id,
    wants_evidence,
)
from taskdeck.domain.source import source_of
from taskdeck.domain.states import State
from taskdeck.domain.task import Task, WorkState
from taskdeck.service.extra import extra_of

MAX_TITLE = 500
"""Characters of a title of the deck; what is longer is kept beside it."""

Known = tuple[dict[str, Any], int]
"""A context and its version."""
NOTHING: Known = ({}, 0)
_NOT_LEFT: Mapping[str, Any] = {}
Ids = Mapping[str, str]
"""Ids of tasks by their keys."""
ALONE: Ids = {}


def title_of(content: str) -> str:
    """What the deck calls a task of that content."""
    return content if len(content) <= MAX_TITLE else content[: MAX_TITLE - 1] + "…"


def content_of(task: Task) -> str:
    """All that was said in a task's content, as far as nobody has renamed it since."""
    whole = extra_of(task, NAME).get("content", task.title) if task.extra is not None else task.title
    return whole if title_of(whole) == task.title else task.title


def relatives(task: Task) -> list[str]:
    """The keys whose ids are wanted to show `task`."""
    return [] if task.parent is None else [task.parent, task.root or task.parent]


def task_document(task: Task, ids: Ids, known: Known = NOTHING, called: str = "") -> dict[str, Any]:
    """The public shape of `task` for Delega's clients; `ids` has those of its `relatives`.

    `called` is what its project is called, if that is not its id.
    """
    bucket, done = task.bucket, task.state is State.DONE
    project, identity = project_said(bucket.project), task_id(task.id)
    finisher = orjson.loads(task.completed_by)["by"] if done and task.completed_by is not None else None
    delegated_by = task.created_by if task.parent is not None else None
    left: Mapping[str, Any] = _NOT_LEFT if task.handoff is None else orjson.loads(task.handoff)
    document: dict[str, Any] = {
        "id": identity,
        "content": content_of(task),
        "description": task.description or None,
        "project_id": project,
        "project_name": project and (called or project),
        "project": None if project is None else {"id": project, "name": called or project},
        "labels": labels_said(bucket.labels),
        "priority": priority_said(task.priority),
        "due_date": None if task.due is None else due_said(task.due),
        "status": status_said(task),
        "completed": done,
        "completed_at": moment(task.finished_at) if done else None,
        "created_at": moment(task.created_at),
        "updated_at": moment(task.updated_at),
        "claimed_at": moment(task.claimed_at),
        "lease_expires_at": moment(task.expires_at),
        "session_state": _session_state(task),
        "session_state_detail": task.detail,
        "parent_task_id": None,
        "root_task_id": identity,
        "delegation_depth": task.depth,
        "context": known[0],
        "context_version": known[1],
        "evidence_policy": "required" if wants_evidence(task.gates) else None,
        "completion_evidence": _evidence(task),
        "source_ingress_id": source_of(task),
        "source_recurrence_id": _recurrence(task),
        "subtasks": [],
        "created_by_agent_id": task.created_by,
        "created_by_agent": agent_said(task.created_by),
        "assigned_to_agent_id": bucket.assignee,
        "assigned_to_agent": agent_said(bucket.assignee),
        "completed_by_agent_id": finisher,
        "completed_by_agent": agent_said(finisher),
        "claimed_by_agent_id": task.worker,
        "claimed_by_agent": agent_said(task.worker),
        "delegated_by_agent_id": delegated_by,
        "delegated_by_agent": agent_said(delegated_by),
        "accountable_agent_id": task.accountable,
        "accountable_agent": agent_said(task.accountable),
        "handoff_note": left.get("note"),
        "handoff_by_agent_id": left.get("worker"),
        "handoff_by_agent": agent_said(left.get("worker")),
        "handoff_state": left.get("state"),
    }
    if task.parent is not None:
        document["parent_task_id"] = _known_id(ids, task.parent)
        document["root_task_id"] = _known_id(ids, task.root or task.parent)
    return document


def _recurrence(task: Task) -> str | None:
    """The name of the schedule that made `task`, which it carries in its metadata."""
    if task.metadata == "{}" or '"schedule"' not in task.metadata:
        return None
    document = orjson.loads(task.metadata)
    origin = document.get("schedule") if isinstance(document, dict) else None
    name = origin.get("name") if isinstance(origin, dict) else None
    return name if isinstance(name, str) else None


def _known_id(ids: Ids, key: str) -> str | None:
    """The id of a task above; None once that is removed."""
    return task_id(ids[key]) if key in ids else None


def _session_state(task: Task) -> str | None:
    """How the holder says it is doing; nothing before it has said anything."""
    if task.work_state is WorkState.WORKING and task.detail is None and task.heartbeat_at == task.claimed_at:
        return None
    return task.work_state


def _evidence(task: Task) -> list[dict[str, Any]] | None:
    if task.proof is None:
        return None
    shown = orjson.loads(task.proof).get("complete", {}).get("evidence", [])
    return [{"kind": EVIDENCE_SAID[one["kind"]], "ref": one["ref"], "summary": one["summary"]} for one in shown] or None
