"""The action log: who was offered a task, who took it and who gave it back, told from the deck's events."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from taskdeck.dialects.conductor.words import SYSTEM, HumanState, User, acted_by, user_of
from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.task import Task
from taskdeck.service.unblock import BY_TIME

_ENDED = frozenset({"review", "done", "failed", "cancelled"})
_NO_CLAIM: dict[str, Any] = {"worker": None, "lapsed": False}
_ACTIONS = {"task.skipped": "SKIP", "task.assigned": "REASSIGN"}


class Place(NamedTuple):
    """Where a task stands, as far as the log asks: fields of its public shape."""

    state: str = ""
    assignee: str | None = None
    worker: str | None = None
    lapsed: bool = False
    fence: int = 0
    turn_ends_at: str | None = None

    @property
    def held(self) -> bool:
        return self.worker is not None and not self.lapsed

    @property
    def offered(self) -> bool:
        return self.state == "ready" or self.lapsed

    @property
    def ended(self) -> bool:
        return self.state in _ENDED

    def after(self, changes: dict[str, Any]) -> Place:
        """Where it stands when these fields have changed."""
        claim = changes["claim"] or _NO_CLAIM if "claim" in changes else {}
        return Place(
            changes.get("state", self.state),
            changes.get("assignee", self.assignee),
            claim.get("worker", self.worker),
            claim.get("lapsed", self.lapsed),
            claim.get("fence", self.fence),
            changes.get("turn_ends_at", self.turn_ends_at),
        )


NOWHERE = Place()


@dataclass(slots=True)
class Log:
    """What has happened to a task so far. Times are milliseconds since the epoch.

    `claimant` is who holds it, or held it when it ended; `overridden` whether it took another's place. `first` is the
    public shape in which the task was made, empty if that is not known any more; `since` the last change of its state.
    """

    task: str
    groups: frozenset[str]
    since: int
    changed_by: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    claimant: User | None = None
    overridden: bool = False
    skipped: list[int] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    at: Place = NOWHERE

    @property
    def assignee(self) -> User | None:
        """Who it is offered to; or who took it in that one's place."""
        if self.at.assignee is None:
            return None
        return self.claimant if self.overridden else user_of(self.at.assignee, self.groups)

    def offer(self, at: int) -> None:
        """It is offered to its assignee, or to all."""
        action = "ASSIGNMENTS_COMPLETED" if self.at.assignee is None else "ASSIGNMENT"
        self._note(action, HumanState.ASSIGNED, at, SYSTEM)

    def claim(self, at: int, worker: str, *, override: bool) -> None:
        """`worker` took it."""
        self.claimant = claimant = user_of(worker, frozenset())
        self.overridden = override
        self._note("CLAIM", HumanState.IN_PROGRESS, at, acted_by(claimant))

    def _note(self, action: str, state: HumanState, at: int, by: str, reason: str | None = None) -> None:
        entry: dict[str, Any] = {"id": _entry_id(self.task, len(self.entries)), "state": state, "stateStart": at}
        if (assignee := self.assignee) is not None:
            entry["assignee"] = assignee
        if self.claimant is not None:
            entry["claimant"] = self.claimant
        entry |= {"action": action, "actedBy": by}
        if reason is not None:
            entry["reason"] = reason
        self.entries.append(entry)
        self.since = at

    def follow(self, event: dict[str, Any]) -> None:
        """Let the log go on with the next event of the task."""
        kind, at, facts = event["type"], from_rfc3339(event["at"]), event["facts"]
        before, after = self.at, self.at.after(event["changes"])
        self.at = after
        by = SYSTEM if event["actor"] == BY_TIME else event["actor"]
        if by != SYSTEM:
            self.changed_by = by
        if kind == "task.created":
            self.first = event["changes"]
        if after.worker is not None and after.fence != before.fence:
            override = kind == "task.overridden" or "override_reason" in facts
            self.claim(at, after.worker, override=override)
            return
        action = _ACTIONS.get(kind)
        if kind == "task.overridden" and "assignee" in event["changes"]:
            action = "REASSIGN"
        if action == "REASSIGN":
            self.skipped.clear()
        if after.held:
            return
        if action is None and before.held and not after.ended:
            action = "RELEASE"
        if not after.ended or action == "SKIP":
            self.claimant, self.overridden = None, False
        if action == "SKIP":
            self.skipped.append(facts["turn"])
        if action is not None:
            self._note(action, HumanState.PENDING, at, by, facts.get("reason") if action == "SKIP" else None)
        if after.offered and (action is not None or not before.offered or kind == "task.passed"):
            # a turn begins where the last one ended, however late that was noticed
            over = before.turn_ends_at if kind == "task.passed" else None
            self.offer(at if over is None else from_rfc3339(over))
        if kind == "task.passed" or after.ended != before.ended:
            self.since = at


def _entry_id(task: str, place: int) -> str:
    """The same for the same entry every time: logs are told anew, not kept."""
    text = blake2b(f"{task}/{place}".encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"  # as a UUID of version 4 is written


def fresh(task: Task, groups: frozenset[str]) -> Log:
    """The log of a task to which nothing has happened since it was made."""
    log = Log(task.id, groups, task.created_at, task.created_by, at=Place(task.state, task.bucket.assignee))
    if task.ready_at is not None:
        log.offer(task.created_at)
    return log


def log_of(task: Task, history: list[dict[str, Any]], groups: frozenset[str]) -> Log:
    """The log that the events of `task` tell, oldest first."""
    log = Log(task.id, groups, task.created_at, task.created_by)
    if not history or history[0]["type"] != "task.created":  # its first events are so old that they are not kept
        log.at = Place("ready", task.bucket.assignee)
        log.offer(task.created_at)
    for event in history:
        log.follow(event)
    return log


def up_to_claim(history: list[dict[str, Any]], fence: int) -> list[dict[str, Any]]:
    """`history` as far as the claim under `fence`."""
    for place, event in enumerate(history):
        if (event["changes"].get("claim") or {}).get("fence") == fence:
            return history[: place + 1]
    return history
