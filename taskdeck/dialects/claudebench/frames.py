"""Events of the deck as this dialect's clients are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from taskdeck.dialects.claudebench.attached import RESULT, attachment_id
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
)
from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.service.bus import Published
from taskdeck.store.listing import find_task
from taskdeck.store.reader import Reader

_FIELDS = {"title": "text", "priority": "priority", "metadata": "metadata"}
_ENDS = frozenset({"task.completed", "task.failed", "task.approved", "task.cancelled", "task.lapsed"})
_NEED = frozenset({"task.claimed", "task.edited", "task.reprioritized", "task.retried"}) | _ENDS
"""Events that are told with more of their task than they say."""
_REMEMBERED = 4_096

Told = tuple[str, Document, Document | None]


class Known(NamedTuple):
    """What is told of a task beside what its event says."""

    text: str
    priority: int
    state: str
    created_at: str


class Teller:
    """Makes frames of the events of the log, one after another; what it has heard of tasks it need not look up."""

    def __init__(self, reader: Reader, who: Principal) -> None:
        self._reader = reader
        self._who = who
        self._known: dict[int, Known] = {}

    async def frames_of(self, event: Published) -> list[Frame]:
        """What `event` is told as: nothing, one thing or several, in order."""
        if event.type.partition(".")[0] not in ("task", "worker"):
            return []
        said = orjson.loads(event.body)
        if event.type.startswith("task."):
            self._note(said)
        mark = said["facts"].get(NAME, {})
        if mark is None:
            return []
        if event.type.startswith("worker."):
            found = list(_of_worker(said, mark))
        else:
            known = await self._look_up(said) if event.type in _NEED and "changes" not in mark else None
            found = list(_of_task(said, mark, known))
        at = from_rfc3339(said["at"])
        return [
            Frame(kind, payload, metadata, f"evt-{at}-{event.seq}{letter}", at)
            for letter, (kind, payload, metadata) in zip("abc", found, strict=False)
        ]

    def _note(self, said: Document) -> None:
        """Remember what the event says of its task."""
        number, changes = said["task"]["number"], said["changes"]
        known = self._known.get(number)
        if said["type"] == "task.created":
            self._remember(
                number, Known(changes["title"], changes["priority"], changes["state"], changes["created_at"])
            )
        elif known is not None:
            self._known[number] = known._replace(
                text=changes.get("title", known.text),
                priority=changes.get("priority", known.priority),
                state=changes.get("state", known.state),
            )

    def _remember(self, number: int, known: Known) -> None:
        while len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[number] = known

    async def _look_up(self, said: Document) -> Known | None:
        """What is known of the event's task; None if it is gone."""
        number = said["task"]["number"]
        if number not in self._known:
            task = await find_task(self._reader, str(number), self._who)
            if task is None:
                return None
            self._remember(number, Known(task.title, task.priority, task.state, rfc3339(task.created_at)))
        return self._known[number]


def _of_worker(said: Document, mark: Document) -> Iterator[Told]:
    name, at = said["worker"], from_rfc3339(said["at"])
    if name == NOBODY:
        return
    match said["type"]:
        case "worker.registered":
            roles = mark.get("roles", said["changes"].get("roles", []))
            leads = mark.get("becameLeader", False)
            yield "instance.registered", {"id": name, "roles": roles, "becameLeader": leads, "timestamp": at}, None
        case "worker.deleted":
            session, sent = mark.get("sessionId", ""), mark.get("timestamp", at)
            count = mark.get("tasksReassigned", 0)
            told = {"id": name, "sessionId": session, "tasksReassigned": count, "timestamp": sent}
            yield "instance.unregistered", told, None
        case "worker.drained" if said["changes"]["draining"]:
            seen, count = mark.get("lastSeen", at), mark.get("tasksReassigned", 0)
            yield "instance.failed", {"id": name, "lastSeen": seen, "tasksReassigned": count}, None


def _of_task(said: Document, mark: Document, known: Known | None) -> Iterator[Told]:
    id = task_id(said["task"]["key"], said["task"]["number"])
    facts, changes, at = said["facts"], said["changes"], said["at"]
    if "changes" in mark:
        yield "task.updated", mark["updated"], {"updatedBy": SERVER, "changes": mark["changes"]}
        return
    if "detached" in mark:
        yield _detached(id, RESULT, mark["detached"], at)
        return
    match said["type"]:
        case "task.created":
            status = STATUS[State(changes["state"])]
            new = {"id": id, "text": changes["title"], "status": status, "priority": changes["priority"]}
            yield "task.created", new | {"createdAt": changes["created_at"]}, {"createdBy": SERVER}
        case "task.claimed" if said["worker"] != NOBODY:
            yield _assigned(id, said["worker"], mark.get("previousAssignment"))
            yield from _updated(id, known, said, ["status"])
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
                yield from _updated(id, known, said, fields)
        case "task.detached":
            gone = facts["attachment"]
            number = attachment_id(from_rfc3339(gone["created_at"]), gone["id"])
            yield _detached(id, gone["name"], number, at)
        case "task.deleted":
            gone = {"id": id, "deletedAt": at, "deletedBy": SERVER}
            yield "task.deleted", gone, {"instanceId": SERVER, "eventId": f"evt-{said['seq']}"}
        case kind if kind in _ENDS and "state" in changes:
            status = STATUS[State(changes["state"])]
            if status in (COMPLETED, FAILED):
                by = mark.get("completedBy") or said["worker"] or SERVER
                duration = 0 if known is None else max(0, from_rfc3339(at) - from_rfc3339(known.created_at))
                yield "task.completed", {"id": id, "status": status, "duration": duration}, {"completedBy": by}
            else:
                yield from _updated(id, known, said, ["status"])
        case "task.retried":
            yield from _updated(id, known, said, ["status"])


def _assigned(id: str, to: str, before: str | None) -> Told:
    return "task.assigned", {"taskId": id, "instanceId": to, "previousAssignment": before}, {"assignedBy": SERVER}


def _unassigned(id: str, before: str | None, at: str) -> Told:
    told = {"taskId": id, "previousAssignment": before}
    return "task.unassigned", told, {"unassignedBy": SERVER, "unassignedAt": at}


def _detached(id: str, key: str, attachment: str, at: str) -> Told:
    told = {"taskId": id, "key": key, "attachmentId": attachment}
    return "task.attachment.deleted", told, {"deletedBy": SERVER, "deletedAt": at}


def _updated(id: str, known: Known | None, said: Document, changes: list[Any]) -> Iterator[Told]:
    """Nothing if the task is gone."""
    if known is not None:
        status = STATUS[State(said["changes"].get("state", known.state))]
        now = {"id": id, "text": known.text, "status": status, "priority": known.priority}
        times = {"createdAt": known.created_at, "updatedAt": said["at"]}
        yield "task.updated", now | times, {"updatedBy": SERVER, "changes": changes}
