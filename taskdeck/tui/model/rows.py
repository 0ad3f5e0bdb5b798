"""Tasks and workers as the dashboard keeps them: only what a line, a dialog or the attention list reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.via import NATIVE

MINUTE_MS = 60_000
RECENT = 5
"""Minutes that tell how fast a worker is now."""

Wire = Mapping[str, Any]

LATE_AFTER, SILENT_AFTER = 1.15, 2.0
"""In beats: one missed is late, with a little patience for the way; two are silence."""
ENDED = frozenset({"done", "failed", "cancelled"})


def ms_of(text: str | None) -> int | None:
    """Milliseconds of a time of the API, None for none."""
    return None if text is None else from_rfc3339(text)


@dataclass(frozen=True, slots=True)
class Question:
    """What a holder asks, and whether somebody has answered."""

    text: str
    options: tuple[str, ...]
    answered: bool

    @classmethod
    def of(cls, wire: Wire) -> Question:
        """From the `question` of a claim."""
        options = tuple(str(option) for option in wire.get("options") or ())
        return cls(str(wire.get("text") or ""), options, bool(wire.get("answered_at")))


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim as the deck shows it. `expires_ms` None: the lease has no end."""

    worker: str
    principal: str
    fence: int
    claimed_ms: int
    expires_ms: int | None
    length_ms: int
    heartbeat_ms: int
    lapsed: bool = False
    state: str = "working"
    detail: str | None = None
    progress: int | None = None
    via: str = NATIVE
    question: Question | None = None

    @classmethod
    def of(cls, wire: Wire) -> Lease:
        """From a `claim` object of the API."""
        claimed = from_rfc3339(wire["claimed_at"])
        expires = ms_of(wire.get("expires_at"))
        length = wire.get("lease_seconds")
        if length is None:
            length = (expires - claimed) / 1000 if expires is not None else 0
        return cls(
            worker=wire["worker"],
            principal=wire.get("principal") or wire["worker"],
            fence=wire.get("fence") or 0,
            claimed_ms=claimed,
            expires_ms=expires,
            length_ms=int(length * 1000),
            heartbeat_ms=ms_of(wire.get("heartbeat_at")) or claimed,
            lapsed=bool(wire.get("lapsed")),
            state=wire.get("state") or "working",
            detail=wire.get("detail"),
            progress=wire.get("progress"),
            via=wire.get("via") or NATIVE,
            question=Question.of(wire["question"]) if wire.get("question") else None,
        )

    @property
    def asks(self) -> bool:
        """Whether its holder waits for a human who has not answered yet."""
        return self.state == "waiting_input" and not (self.question is not None and self.question.answered)

    def left(self, now_ms: int) -> int | None:
        """Milliseconds until the end, negative after it, None for a lease without end."""
        return None if self.expires_ms is None else self.expires_ms - now_ms


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task. `since_ms` is when it entered its present state, as near as the API tells."""

    id: str
    number: int
    key: str
    project: str
    title: str
    state: str
    priority: int
    labels: tuple[str, ...]
    needs: tuple[str, ...]
    assignee: str | None
    attempt: int
    max_attempts: int
    lease: Lease | None
    since_ms: int
    queued_ms: int
    created_ms: int
    due_ms: int | None
    not_before_ms: int | None
    depends_on: tuple[str, ...]
    error: str | None
    error_reason: str | None
    form: tuple[str, int] | None
    """Name and version of the form that is to be filled in."""
    turn: tuple[int, int] | None
    """Whose turn it is, of how many that it is offered to one after the other; both from 1."""
    version: int

    def __hash__(self) -> int:
        """Two forms of one task hardly ever have one version, and drawn lines are looked up by their tasks."""
        return hash((self.id, self.version))

    @classmethod
    def of(cls, wire: Wire) -> TaskRow:
        """From a task of the API, full or summary.

        Raises:
            KeyError: `wire` is not a task.
        """
        error = wire.get("error") or {}
        claim = wire.get("claim")
        lease = Lease.of(claim) if claim else None
        return cls(
            id=wire["id"],
            number=wire["number"],
            key=wire["key"],
            project=wire["project"],
            title=wire["title"],
            state=wire["state"],
            priority=wire["priority"],
            labels=tuple(wire.get("labels") or ()),
            needs=tuple(wire.get("capabilities") or ()),
            assignee=wire.get("assignee"),
            attempt=wire.get("attempt") or 0,
            max_attempts=wire.get("max_attempts") or 1,
            lease=lease,
            since_ms=_since(wire, lease),
            queued_ms=ms_of(wire.get("queued_at") or wire.get("created_at")) or 0,
            created_ms=ms_of(wire.get("created_at")) or 0,
            due_ms=ms_of(wire.get("due")),
            not_before_ms=ms_of(wire.get("not_before")),
            depends_on=tuple(wire.get("depends_on") or ()),
            error=error.get("message"),
            error_reason=error.get("reason"),
            form=_form(wire.get("form")),
            turn=_turn(wire),
            version=wire.get("version") or 0,
        )

    def updated(self, changes: Wire) -> TaskRow:
        """The same task after an event, whose `changes` name only the fields that it touched."""
        state = changes.get("state", self.state)
        lease = self.lease
        if "claim" in changes:
            lease = Lease.of(changes["claim"]) if changes["claim"] else None
        elif state != "claimed":
            lease = None
        moved = lease.claimed_ms if lease else _moved(state, changes, new=state != self.state)
        error = changes.get("error") or {}
        told = "error" in changes
        return replace(
            self,
            state=state,
            lease=lease,
            since_ms=moved or self.since_ms,
            queued_ms=ms_of(changes.get("queued_at")) or self.queued_ms,
            project=changes.get("project", self.project),
            title=changes.get("title", self.title),
            priority=changes.get("priority", self.priority),
            labels=tuple(changes.get("labels", self.labels)),
            needs=tuple(changes.get("capabilities", self.needs)),
            assignee=changes.get("assignee", self.assignee),
            attempt=changes.get("attempt", self.attempt),
            max_attempts=changes.get("max_attempts", self.max_attempts),
            due_ms=ms_of(changes["due"]) if "due" in changes else self.due_ms,
            not_before_ms=ms_of(changes["not_before"]) if "not_before" in changes else self.not_before_ms,
            depends_on=tuple(changes.get("depends_on", self.depends_on)),
            error=error.get("message") if told else self.error,
            error_reason=error.get("reason") if told else self.error_reason,
            turn=_turn(changes) if "assignees" in changes else self._turned(changes),
            version=changes.get("version", self.version),
        )

    def _turned(self, changes: Wire) -> tuple[int, int] | None:
        at = changes.get("turn")
        return self.turn if at is None or self.turn is None else (at + 1, self.turn[1])

    def shifted(self, by_ms: int) -> TaskRow:
        """The same task after a jump of the wall clock: a running lease ends after the time it had left before it."""
        lease = self.lease
        if lease is None or lease.lapsed or lease.expires_ms is None:
            return self
        return replace(self, lease=replace(lease, expires_ms=lease.expires_ms + by_ms))

    @property
    def holder(self) -> str | None:
        """Who holds it now, None if nobody does."""
        return self.lease.worker if self.lease else None

    def lapsed(self, now_ms: int) -> bool:
        """Whether its lease is over although nobody else has taken it yet."""
        if self.lease is None:
            return False
        left = self.lease.left(now_ms)
        return self.lease.lapsed or (left is not None and left <= 0)


def _form(wire: Wire | None) -> tuple[str, int] | None:
    return (str(wire["name"]), int(wire["version"])) if wire else None


def _turn(wire: Wire) -> tuple[int, int] | None:
    turns = wire.get("assignees")
    return ((wire.get("turn") or 0) + 1, len(turns)) if turns else None


def _since(wire: Wire, lease: Lease | None) -> int:
    if lease is not None:
        return lease.claimed_ms
    state = wire["state"]
    if state in ENDED:
        moment = wire.get("finished_at") or wire.get("updated_at")
    elif state == "ready":
        moment = wire.get("ready_at")
    elif state == "review":
        moment = wire.get("updated_at")
    else:
        moment = None
    return ms_of(moment or wire.get("created_at")) or 0


def _moved(state: str, changes: Wire, *, new: bool) -> int | None:
    name = "finished_at" if state in ENDED else "ready_at" if state == "ready" else ""
    return ms_of(changes.get(name) or (changes.get("updated_at") if new else None))


class WorkerRow(NamedTuple):
    """One worker. Liveness is reckoned from its last sign of life, not taken from a reply that grows old."""

    id: str
    kind: str
    state: str
    detail: str | None
    draining: bool
    heartbeat_ms: int
    held: int
    last_seen_ms: int
    via: str = NATIVE
    label: str | None = None
    done: tuple[int, ...] = ()
    """What it completed in each of the last minutes, up to the one numbered `minute`; empty where that is not known."""
    minute: int = 0

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.id

    @classmethod
    def of(cls, wire: Wire, now_ms: int = 0) -> WorkerRow:
        """From a worker of the API, read at `now_ms`."""
        return cls(
            id=wire["id"],
            kind=wire.get("kind") or "agent",
            state=wire.get("state") or "idle",
            detail=wire.get("detail"),
            draining=bool(wire.get("draining")),
            heartbeat_ms=int((wire.get("heartbeat_seconds") or 60) * 1000),
            held=wire.get("held") or 0,
            last_seen_ms=ms_of(wire.get("last_seen_at") or wire.get("registered_at")) or 0,
            via=wire.get("via") or NATIVE,
            label=wire.get("label"),
            done=tuple(wire.get("completions_by_minute") or ()),
            minute=now_ms // MINUTE_MS,
        )

    def seen(self, at_ms: int) -> WorkerRow:
        """The same worker after a sign of life."""
        return self._replace(last_seen_ms=max(self.last_seen_ms, at_ms))

    def completed(self, at_ms: int) -> WorkerRow:
        """The same worker after it has completed a task."""
        row = self.by(at_ms)
        at = len(row.done) - 1 - (row.minute - at_ms // MINUTE_MS)
        if not 0 <= at < len(row.done):
            return row
        return row._replace(done=(*row.done[:at], row.done[at] + 1, *row.done[at + 1 :]))

    def by(self, now_ms: int) -> WorkerRow:
        """The same worker, its minutes up to the present one."""
        ahead = min(now_ms // MINUTE_MS - self.minute, len(self.done))
        if ahead <= 0:
            return self
        return self._replace(done=(*self.done[ahead:], *(0,) * ahead), minute=now_ms // MINUTE_MS)

    def liveness(self, now_ms: int) -> str:
        """`active`, `late` after one missed beat, `silent` after two; people send none."""
        if self.kind == "human":
            return "active"
        missed = (now_ms - self.last_seen_ms) / self.heartbeat_ms
        return "silent" if missed >= SILENT_AFTER else "late" if missed > LATE_AFTER else "active"


def per_minute(done: tuple[int, ...], into_ms: int) -> float:
    """How many tasks a minute were completed in the last five, of which one is running yet, `into_ms` of it so far."""
    return sum(done[-RECENT:]) / (RECENT - 1 + into_ms / MINUTE_MS)
