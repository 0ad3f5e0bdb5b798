"""Events of the deck as this dialect's clients are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from taskdeck.dialects.claudebench.house import Frame
from taskdeck.dialects.claudebench.words import (
    COMPLETED,
    FAILED,
    NAME,
    NOBODY,
    SERVER,
    STATUS,
    Document,
    task_id,
    updated_document,
)
from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.service.bus import Published
from taskdeck.store.listing import find_task
from taskdeck.store.reader import Reader

_FIELDS = {"title": "text", "priority": "priority", "metadata": "metadata"}
_ENDS = frozenset({"task.completed", "task.failed", "task.approved", "task.cancelled", "task.lapsed"})
_LOOKED_UP = frozenset({"task.claimed", "task.edited", "task.reprioritized", "task.retried"}) | _ENDS

Told = tuple[str, Document, Document | None]


async def frames_of(event: Published, reader: Reader, who: Principal) -> list[Frame]:
    """What `event` is told as: nothing, one thing or several, in order."""
    if event.type.partition(".")[0] not in ("task", "worker"):
        return []
    said = orjson.loads(event.body)
    mark = said["facts"].get(NAME, {})
    if mark is None:
        return []
    if event.type.startswith("worker."):
        found = list(_of_worker(said, mark))
    else:
        looked_up = event.type in _LOOKED_UP or "changes" in mark
        task = await find_task(reader, str(said["task"]["number"]), who) if looked_up else None
        found = list(_of_task(said, mark, task))
    at = from_rfc3339(said["at"])
    return [
        Frame(kind, payload, metadata, f"evt-{at}-{event.seq}{letter}", at)
        for letter, (kind, payload, metadata) in zip("abc", found, strict=False)
    ]


def _of_worker(said: Document, mark: Document) -> Iterator[Told]:
    name, at = said["worker"], from_rfc3339(said["at"])
    match said["type"]:
        case "worker.registered":
            roles, leads = mark.get("roles", []), mark.get("becameLeader", False)
            yield "instance.registered", {"id": name, "roles": roles, "becameLeader": leads, "timestamp": at}, None
        case "worker.deleted":
            session, sent = mark.get("sessionId", ""), mark.get("timestamp", at)
            count = mark.get("tasksReassigned", 0)
            told = {"id": name, "sessionId": session, "tasksReassigned": count, "timestamp": sent}
            yield "instance.unregistered", told, None
        case "worker.drained" if said["changes"]["draining"]:
            seen, count = mark.get("lastSeen", at), mark.get("tasksReassigned", 0)
            yield "instance.failed", {"id": name, "lastSeen": seen, "tasksReassigned": count}, None


def _of_task(said: Document, mark: Document, task: Task | None) -> Iterator[Told]:
    id = task_id(said["task"]["key"], said["task"]["number"])
    facts, changes, at = said["facts"], said["changes"], said["at"]
    if "changes" in mark:
        yield from _updated(task, said, mark["changes"])
        return
    match said["type"]:
        case "task.created":
            status = STATUS[State(changes["state"])]
            new = {"id": id, "text": changes["title"], "status": status, "priority": changes["priority"]}
            yield "task.created", new | {"createdAt": changes["created_at"]}, {"createdBy": SERVER}
        case "task.claimed" if said["worker"] != NOBODY:
            before = said["worker"] if task is not None and task.bucket.assignee == said["worker"] else None
            yield _assigned(id, said["worker"], before)
            yield from _updated(task, said, ["status"])
            yield "task.claimed", {"taskId": id, "workerId": said["worker"]}, {"claimedAt": at}
        case "task.assigned" if facts.get("to") is not None:
            yield _assigned(id, facts["to"], facts.get("from"))
        case "task.assigned" | "task.released":
            yield _unassigned(id, mark.get("previousAssignment", facts.get("from", facts.get("from_worker"))), at)
        case "task.overridden":
            to = facts.get("to_worker") or facts.get("to_assignee")
            before = mark.get("previousAssignment", facts.get("from_worker") or facts.get("from_assignee"))
            yield _assigned(id, to, before) if to is not None else _unassigned(id, before, at)
        case "task.edited" | "task.reprioritized":
            fields = [_FIELDS[name] for name in changes if name in _FIELDS]
            if fields:
                yield from _updated(task, said, fields)
        case "task.deleted":
            gone = {"id": id, "deletedAt": at, "deletedBy": SERVER}
            yield "task.deleted", gone, {"instanceId": SERVER, "eventId": f"evt-{said['seq']}"}
        case kind if kind in _ENDS and "state" in changes:
            status = STATUS[State(changes["state"])]
            if status in (COMPLETED, FAILED):
                by = mark.get("completedBy") or said["worker"] or SERVER
                duration = 0 if task is None else max(0, from_rfc3339(at) - task.created_at)
                yield "task.completed", {"id": id, "status": status, "duration": duration}, {"completedBy": by}
            else:
                yield from _updated(task, said, ["status"])
        case "task.retried":
            yield from _updated(task, said, ["status"])


def _assigned(id: str, to: str, before: str | None) -> Told:
    return "task.assigned", {"taskId": id, "instanceId": to, "previousAssignment": before}, {"assignedBy": SERVER}


def _unassigned(id: str, before: str | None, at: str) -> Told:
    told = {"taskId": id, "previousAssignment": before}
    return "task.unassigned", told, {"unassignedBy": SERVER, "unassignedAt": at}


def _updated(task: Task | None, said: Document, changes: list[Any]) -> Iterator[Told]:
    """Nothing if the task is gone. Its status is the one that the event gave it, if any."""
    if task is None:
        return
    now = updated_document(task) | {"updatedAt": said["at"]}
    if "state" in said["changes"]:
        now["status"] = STATUS[State(said["changes"]["state"])]
    yield "task.updated", now, {"updatedBy": SERVER, "changes": changes}
