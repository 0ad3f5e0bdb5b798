"""The documents that replies are made of; every key is always there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from taskdeck.dialects.veryfront import words
from taskdeck.dialects.veryfront.attempts import Attempt
from taskdeck.dialects.veryfront.snapshot import snapshot
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.domain.worker import Worker
from taskdeck.service.extra import extra_of

Document = dict[str, Any]
ONLINE_MS = 90_000
"""A worker that was heard of within so long is online."""
_NO_RUNTIME: Final[Document] = dict.fromkeys(
    ("runtime_target_kind", "runtime_target_environment_id", "runtime_target_branch_id")
)
_NO_WORKER: Final[Mapping[str, Any]] = {}


def time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


def worker_document(worker: Worker) -> Document:
    told = extra_of(worker, NAME)
    return {
        "id": worker.id,
        "project_id": words.project_id(told["project"]),
        "implementation_kind": told["implementation_kind"],
        "worker_key": told["worker_key"],
        "display_name": told.get("display_name"),
        "status": "disabled" if told["disabled"] else "active",
        "metadata": told.get("metadata"),
        "last_heartbeat_at": rfc3339(worker.last_seen_at),
        "created_at": rfc3339(worker.registered_at),
        "updated_at": rfc3339(told["updated_at"]),
    }


def connection(worker: Worker, now: int) -> str:
    """Whether a worker is there."""
    if extra_of(worker, NAME)["disabled"]:
        return "disabled"
    return "online" if now - worker.last_seen_at <= ONLINE_MS else "offline"


def latest_event_id(task: Task) -> int:
    """The number of the last event: those told, and the deck's own, one as each claim begins and one as it ends."""
    return task.entries + 2 * task.fence - (task.state is State.CLAIMED)


def worker_run(task: Task, sequence: int, session: Document | None) -> Document:
    """A run as its worker is given it."""
    run, payload = words.run_id(task, task.fence), orjson.loads(task.payload)
    return {
        **_identity(run, task, run),
        "agent_id": _agent(task, words.asked_in(payload)),
        "status": "running",
        "request_snapshot": snapshot(task, payload),
        "latest_event_id": latest_event_id(task),
        "latest_external_event_sequence": sequence,
        "lease_owner": task.worker,
        "lease_expires_at": time(task.expires_at),
        "worker_session": session,
        **_sources(words.asked_in(payload)),
        **_NO_RUNTIME,
    }


def projection(seen: Attempt, sequence: int, worker: Worker | None) -> Document:
    """A run as those see it who follow it; `worker` is whose attempt it is, where it is one of this dialect's."""
    task = seen.task
    told = _NO_WORKER if worker is None else extra_of(worker, NAME)
    asked = words.asked_in(orjson.loads(task.payload))
    fence = seen.claim.fence if seen.claim is not None else task.fence
    return {
        **_identity(seen.asked, task, words.run_id(task, fence)),
        "requested_by_user_id": None,
        "agent_id": _agent(task, asked),
        "status": seen.status,
        "implementation_kind": told.get("implementation_kind"),
        "worker_key": told.get("worker_key"),
        **_sources(asked),
        **_NO_RUNTIME,
        "parent_run_id": None,
        "latest_event_id": latest_event_id(task),
        "latest_external_event_sequence": sequence,
        "waiting_tool_call_id": None,
        "waiting_tool_name": None,
        "terminal_error_code": seen.code,
        "terminal_error_message": seen.message,
        "created_at": rfc3339(task.created_at),
        "started_at": None if seen.claim is None else rfc3339(seen.claim.began_at),
        "finished_at": time(seen.ended_at),
    }


def canonical(seen: Attempt) -> Document:
    """A run as its maker sees it."""
    task, told = seen.task, extra_of(seen.task, NAME)
    kind, label = words.type_of(task), seen.canonical_status
    began = None if seen.claim is None else seen.claim.began_at
    ended = seen.ended_at if label in ("completed", "failed", "cancelled") else None
    if ended is None and task.finished_at is not None:
        ended = task.finished_at
    payload = orjson.Fragment(task.payload)
    conversation = told.get("conversation")
    return {
        "run_id": seen.asked,
        "kind": told.get("kind", "task"),
        "status": label,
        "owner": {"kind": "project", "id": words.project_id(task.bucket.project)}
        if conversation is None
        else {"kind": "conversation", "id": conversation},
        "parent_run_id": told.get("parent_run_id"),
        "root_run_id": words.canonical_id(task),
        "waiting_reason": _waits_for(task) if label == "waiting" else None,
        "metadata": orjson.Fragment(task.metadata),
        "target": None if kind is None else f"{words.TYPE_LABEL}{kind}",
        "workflow_id": None,
        "schedule_id": None,
        "batch_id": told.get("batch_id"),
        **_NO_RUNTIME,
        "input": payload,
        "config": payload if told.get("kind") == "task" else None,
        "output": None if task.result is None else orjson.Fragment(task.result),
        "error": _error(seen),
        "logs": None,
        "artifacts": [],
        "duration_ms": None if began is None or ended is None else max(0, ended - began),
        "exit_code": None,
        "start_mode": None,
        "timeout_seconds": told.get("timeout_seconds"),
        "backoff_limit": told.get("backoff_limit"),
        "trigger_kind": None,
        "trigger_id": None,
        "created_by": task.created_by,
        "updated_at": rfc3339(task.updated_at),
        "created_at": rfc3339(task.created_at),
        "started_at": time(began),
        "completed_at": time(ended),
    }


def page_info(following: str | None) -> Document:
    return {"self": None, "first": None, "next": following, "prev": None}


def _identity(asked: str, task: Task, run: str) -> Document:
    return {
        "run_id": asked,
        "conversation_id": words.conversation_id(task),
        "message_id": words.made_of("message", run),
        "project_id": words.project_id(task.bucket.project),
    }


def _agent(task: Task, asked: Document) -> str:
    agent = asked.get("agent_id")
    return agent if isinstance(agent, str) and agent else words.type_of(task) or "taskdeck"


def _sources(asked: Document) -> Document:
    """From which version of its project a run is to be worked on, as its payload says."""
    return {
        "source_target_kind": _text(asked.get("source_target_kind")),
        "source_target_environment_id": _uuid(asked.get("source_target_environment_id")),
        "source_target_branch_id": _uuid(asked.get("source_target_branch_id")),
        "source_target_release_version": _text(asked.get("source_target_release_version")),
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _uuid(value: Any) -> str | None:
    return value if isinstance(value, str) and words.SHOWN_UUID.fullmatch(value) else None


def _waits_for(task: Task) -> str:
    return "review" if task.state is State.REVIEW else "tool"


def _error(seen: Attempt) -> Document | None:
    if seen.canonical_status != "failed" and seen.code is None:
        return None
    error = {"message": seen.message or "The run failed"}
    return error if seen.code is None else error | {"code": seen.code}
