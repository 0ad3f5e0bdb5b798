"""The event stream as lines: the newest few thousand, told in words, with a place to stand in them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.event_query import EVERYTHING, EventQuery
from taskdeck.tui.format import duration

RING = 5_000
_RATE_MS = 10_000


class EventLine(NamedTuple):
    """One event in words. `subject` is a key, a worker or a project; `task` the id to jump to."""

    seq: int
    at_ms: int
    type: str
    subject: str
    task: str | None
    worker: str | None
    actor: str
    parts: tuple[str, ...]
    """What there is to say of it, from the fact to the title of its task."""
    project: str = ""
    act: str = ""
    """What it is one part of; events of the same act are told together, see `model.bulk`."""

    @property
    def text(self) -> str:
        """The parts in one line."""
        return " · ".join(self.parts)

    def admitted(self, query: EventQuery) -> bool:
        """Whether a filter lets it through."""
        key = self.subject if self.task else ""
        return query.admits(self.type, self.actor, self.worker or "", self.project, key, self.text)


class EventRing:
    """The newest `limit` events in order of their number. Positions are absolute: they survive trimming."""

    def __init__(self, limit: int = RING) -> None:
        self._limit = limit
        self._lines: list[EventLine] = []
        self.first = 0
        """Position of the oldest event kept."""
        self.query = EVERYTHING
        """What of the events is looked at."""
        self.turns = 0
        """Grows with every change but events that come at the end and go at the front."""
        self.found: EventRing | None = None
        """Those that it lets through; None if that is all. It may reach further back than what is kept of all."""

    @property
    def view(self) -> EventRing:
        """What is looked at."""
        return self if self.found is None else self.found

    def __len__(self) -> int:
        return len(self._lines)

    def choose(self, query: EventQuery) -> None:
        """Look at what `query` lets through."""
        self.query = query
        self.found = EventRing(self._limit) if query.terms else None
        for line in self._lines:
            self._pass_on(line)

    def _pass_on(self, line: EventLine) -> None:
        if self.found is not None and line.admitted(self.query):
            self.found.add(line)

    @property
    def end(self) -> int:
        """One past the position of the newest event."""
        return self.first + len(self._lines)

    @property
    def oldest_seq(self) -> int | None:
        """Number of the oldest event kept."""
        return self._lines[0].seq if self._lines else None

    def add(self, line: EventLine) -> bool:
        """Append an event; one that is already here is ignored."""
        if self._lines and line.seq <= self._lines[-1].seq:
            return False
        self._lines.append(line)
        self._pass_on(line)
        # trimmed in blocks: removing one from the front of a long list for every event costs more
        if len(self._lines) > self._limit + self._limit // 10:
            surplus = len(self._lines) - self._limit
            del self._lines[:surplus]
            self.first += surplus
        return True

    def a_second(self, now_ms: int) -> float:
        """How many came a second in the last ten, or since the oldest where not so many are kept."""
        since = bisect_left(self._lines, now_ms - _RATE_MS, key=lambda line: line.at_ms)
        span = _RATE_MS
        if not since and len(self._lines) >= self._limit:
            span = max(1_000, now_ms - self._lines[0].at_ms)
        return (len(self._lines) - since) * 1000 / span

    def prepend(self, lines: Iterable[EventLine]) -> int:
        """Put older events in front, as far as there is room; returns how many."""
        lines = list(lines)
        if self.found is not None:
            self.found.prepend(line for line in lines if line.admitted(self.query))
        room = self._limit - len(self._lines)
        older = [line for line in lines if not self._lines or line.seq < self._lines[0].seq]
        older = older[-room:] if room > 0 else []
        self._lines[:0] = older
        self.first -= len(older)
        self.turns += 1
        return len(older)

    def cut(self, seq: int) -> None:
        """Forget the events after the one with this number."""
        while self._lines and self._lines[-1].seq > seq:
            self._lines.pop()
        self.turns += 1
        if self.found is not None:
            self.found.cut(seq)

    def __iter__(self) -> Iterator[EventLine]:
        return iter(self._lines)

    def at(self, position: int) -> EventLine | None:
        """The event at an absolute position, None outside of what is kept."""
        index = position - self.first
        return self._lines[index] if 0 <= index < len(self._lines) else None

    def clear(self) -> None:
        """Forget all; positions go on."""
        if self.found is not None:
            self.found.clear()
        self.first = self.end
        self._lines.clear()
        self.turns += 1


def line_of(event: Mapping[str, Any], title: str = "") -> EventLine:
    """An event of the API in words. `title`: of its task, where the event itself does not carry it."""
    task = event.get("task")
    subject = task["key"] if task else event.get("worker") or event.get("project") or ""
    actor = event.get("actor") or ""
    return EventLine(
        seq=event["seq"],
        at_ms=from_rfc3339(event["at"]),
        type=event["type"],
        subject=str(subject),
        task=task["id"] if task else None,
        worker=event.get("worker"),
        actor=actor if isinstance(actor, str) else str(actor.get("name", "")),
        parts=_words(event["type"], event.get("facts") or {}, event.get("changes") or {}, title),
        project=event.get("project") or "",
        act=event.get("act") or "",
    )


def _words(kind: str, facts: Mapping[str, Any], changes: Mapping[str, Any], title: str) -> tuple[str, ...]:
    title = str(changes.get("title") or facts.get("title") or title)
    parts: list[str] = []
    match kind:
        case "task.created":
            parts = [f"P{facts.get('priority', changes.get('priority', ''))}", title]
        case "task.claimed":
            if facts.get("override_reason"):
                parts.append(f"override: “{facts['override_reason']}”")
            parts.append(title)
        case "task.heartbeat":
            claim = changes.get("claim") or facts
            if claim.get("progress") is not None:
                parts.append(f"{claim['progress']} %")
            state = claim.get("state")
            if state in ("waiting_input", "errored"):
                parts.append("asks" if state == "waiting_input" else "error")
            parts += [str(claim.get("detail") or ""), "" if parts else title]
        case "task.completed":
            run = facts.get("run_seconds")
            parts = [f"in {duration(int(run * 1000))}" if run is not None else "", title]
        case "task.failed":
            delay = facts.get("delay_seconds")
            again = f"again in {duration(int(delay * 1000))}" if facts.get("retry") and delay else ""
            parts = [str(facts.get("error") or ""), again or ("again" if facts.get("retry") else "for good")]
        case "task.reprioritized":
            parts = [f"{facts.get('from')} → {facts.get('to')}", title]
        case "task.assigned":
            whom = facts.get("to", changes.get("assignee"))
            parts = [f"to {whom}" if whom else "to anyone", title]
        case "task.overridden":
            parts = _override(facts, changes)
        case "task.released":
            parts = [f"from {facts['from_worker']}" if facts.get("from_worker") else "", _quote(facts.get("note"))]
        case "task.cancelled":
            parts = [f"from {facts['from_worker']}" if facts.get("from_worker") else "", _quote(facts.get("reason"))]
        case "task.lapsed":
            worker = facts.get("from_worker") or facts.get("worker") or (changes.get("claim") or {}).get("worker")
            last = changes.get("state") == "failed"
            text = "attempts spent" if last else f"claimable, {worker or 'its holder'} may still finish"
            parts = [text, title]
        case "task.commented" | "task.comment_edited" | "task.comment_deleted":
            parts = [_quote((facts.get("comment") or {}).get("text"))]
        case "task.linked" | "task.unlinked":
            link = facts.get("link") or {}
            parts = [str(link.get("kind") or ""), str(link.get("target") or "")]
        case "task.attached" | "task.detached":
            parts = [str((facts.get("attachment") or {}).get("name") or "")]
        case "task.context_changed":
            parts = [", ".join(map(str, facts.get("keys") or ())), str(facts.get("source") or "")]
        case "task.rejected":
            parts = [_quote(facts.get("note")), f"back to {facts['to_worker']}" if facts.get("to_worker") else ""]
        case "task.answered":
            parts = [f"to {facts.get('to_worker')}", _quote(facts.get("answer"))]
        case _ if kind.startswith("task."):
            parts = [_quote(facts.get("reason") or facts.get("note")), title]
        case _:
            shown = ("reason", "by_ms", "role", "principal", "kind", "detail", "origin", "source")
            parts = [str(facts[name]) for name in shown if facts.get(name)]
    return tuple(part for part in parts if part)


def _override(facts: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    source, target = facts.get("from_worker"), facts.get("to_worker")
    moved = f"took from {source}" if source else "opened to"
    if target:
        moved += f" for {target}" if source else f" {target}"
    elif facts.get("to_assignee"):
        moved = f"now for {facts['to_assignee']}"
    else:
        moved += " back to the queue" if source else " all"
    fences = [facts.get("from_fence"), facts.get("to_fence")]
    fence = f"fence {fences[0]}→{fences[1]}" if None not in fences else ""
    return [moved, fence, _quote(facts.get("reason"))]


def _quote(text: object) -> str:
    return f"“{text}”" if text else ""
