"""Pane 4: the event stream, following its end until someone looks back."""

from __future__ import annotations

from collections.abc import Hashable

from taskdeck.tui.format import clip, clock, count, fit, fit_name, rate
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.events import EventLine, EventRing
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.widgets.line_list import LineList

LOOKS = {
    "task.created": ("+", "created", "ready"),
    "task.claimed": ("→", "claimed", "claimed"),
    "task.heartbeat": ("↻", "renewed", "muted"),
    "task.released": ("←", "released", "ready"),
    "task.completed": ("✓", "done", "done"),
    "task.failed": ("✗", "failed", "failed"),
    "task.retried": ("↺", "retried", "ready"),
    "task.cancelled": ("⊘", "cancelled", "muted"),
    "task.assigned": ("⇒", "assigned", "scheduled"),
    "task.overridden": ("⚑", "OVERRIDE", "failed bold"),
    "task.reprioritized": ("↕", "priority", "scheduled"),
    "task.lapsed": ("◌", "lapsed", "failed"),
    "task.due": ("○", "due", "ready"),
    "task.overdue": ("‼", "overdue", "failed"),
    "task.unblocked": ("◇", "unblocked", "ready"),
    "task.edited": ("✎", "edited", "muted"),
    "task.deleted": ("⊘", "deleted", "muted"),
    "task.approved": ("✓", "approved", "done bold"),
    "task.rejected": ("↩", "sent back", "failed bold"),
    "task.judged": ("◎", "judged", "accent bold"),
    "task.heeded": ("▷", "heeded", "muted"),
    "task.promoted": ("○", "promoted", "ready"),
    "task.shelved": ("□", "shelved", "muted"),
    "task.delegated": ("⤷", "delegated", "ready"),
    "task.skipped": ("⇥", "passed on", "scheduled"),
    "task.passed": ("⇥", "turn over", "scheduled"),
    "task.finished": ("✓", "goal done", "done"),
    "task.filled": ("✎", "filled in", "muted"),
    "task.answered": ("▷", "answered", "accent bold"),
    "task.commented": ("#", "comment", "key"),
    "task.comment_edited": ("#", "comment ✎", "muted"),
    "task.comment_deleted": ("#", "comment ⊘", "muted"),
    "task.linked": ("&", "linked", "key"),
    "task.unlinked": ("&", "unlinked", "muted"),
    "task.attached": ("&", "attached", "key"),
    "task.detached": ("&", "detached", "muted"),
    "task.context_changed": ("≡", "context", "muted"),
    "task.context_retracted": ("≡", "retracted", "muted"),
    "form.saved": ("+", "form", "muted"),
    "form.deleted": ("⊘", "form off", "muted"),
    "webhook.created": ("+", "webhook", "muted"),
    "webhook.disabled": ("⊘", "hook off", "failed bold"),
    "source.created": ("+", "source", "muted"),
    "breaker.opened": ("‼", "STORE BAD", "failed bold"),
    "breaker.closed": ("✓", "store ok", "done"),
    "project.created": ("+", "project", "ready"),
    "token.created": ("+", "token", "ready"),
    "token.revoked": ("⊘", "token off", "muted"),
    "worker.registered": ("+", "worker", "muted"),
    "project.paused": ("❚", "PAUSED", "accent bold"),
    "project.resumed": ("▷", "RESUMED", "accent bold"),
    "worker.drained": ("⇣", "draining", "scheduled"),
    "worker.late": ("◐", "late", "claimed"),
    "worker.offline": ("✗", "OFFLINE", "failed bold"),
    "worker.active": ("●", "is back", "done"),
    "worker.back": ("●", "is back", "done"),
    "worker.left": ("⊘", "left", "muted"),
    "worker.restarted": ("↺", "restarted", "claimed"),
    "schedule.created": ("+", "schedule", "muted"),
    "schedule.ticked": ("◷", "tick", "muted"),
    "schedule.missed": ("◷", "missed", "scheduled"),
    "schedule.paused": ("❚", "sched off", "scheduled"),
    "rule.created": ("+", "rule", "muted"),
    "rule.fired": ("⚙", "rule", "muted"),
    "rule.failed": ("⚙", "rule bad", "failed"),
    "rule.cut_off": ("⚙", "cut off", "failed"),
    "rule.notified": ("!", "notice", "accent bold"),
    "rule.paused": ("❚", "rule off", "scheduled"),
    "tasks.pruned": ("⊘", "pruned", "muted"),
    "events.pruned": ("⊘", "log cut", "muted"),
    "clock.jumped": ("‼", "CLOCK", "failed bold"),
}
_OPERATOR = frozenset({
    "task.overridden", "task.reprioritized", "task.assigned", "task.cancelled", "task.retried", "task.approved",
    "task.rejected", "task.judged", "task.answered", "task.skipped",
})  # fmt: skip


class EventList(LineList):
    """Newest at the bottom. Moving up pauses, reaching the end or `f` follows again."""

    NUMBER, NAME = 4, "Events"

    def __init__(self, model: DeckModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.following = True
        self._first = 0
        self._paused_at = 0

    @property
    def _ring(self) -> EventRing:
        """The events that are looked at."""
        return self.model.events.view

    def before_sync(self) -> None:
        """Follow the end, or stay at the same event while the ring turns."""
        ring = self._ring
        rows = ring.end - ring.first
        if self.following:
            self.index, self.top = rows - 1, rows - self.room
        else:
            shift = ring.first - self._first
            self.index, self.top = self.index - shift, self.top - shift
        self._first = ring.first
        super().before_sync()

    def move_to(self, index: int) -> None:
        """Look back, or return to the end."""
        last = self.row_count() - 1
        was = self.following
        self.following = index >= last
        if was and not self.following:
            self._paused_at = self._ring.end
        super().move_to(index)

    def shows_cursor(self) -> bool:
        """Following the end needs no cursor."""
        return not self.following

    def follow(self) -> None:
        """To the newest event, and on with it; if it follows already, stand still."""
        if self.following:
            self.move_to(self.index - 1)
        else:
            self.move_to(self.row_count() - 1)

    @property
    def current(self) -> EventLine | None:
        """The event under the cursor."""
        return self._ring.at(self._ring.first + self.index)

    def title(self) -> tuple[Spans, Spans]:
        """Whether it follows, and how fast events come."""
        if self.following:
            left: Span = ("following ▼", "muted")
        else:
            left = (f"paused · {count(self._unseen())} new ▼", "accent bold")
        query = self.model.events.query
        chosen: list[Span] = []
        if query.terms:
            found = "1 matches" if self.row_count() == 1 else f"{count(self.row_count())} match"
            chosen = [("  ", "text"), (clip(query.text, 60), "accent"), (f" {found}", "muted")]
        return (left, *chosen), ((f"{rate(self._rate())}/s", "muted"),)

    def short_title(self) -> Spans:
        """What is to be known where there is hardly room: that it stands still, and what has come since."""
        return () if self.following else ((f"❚❚ {count(self._unseen())} new", "accent bold"),)

    def _unseen(self) -> int:
        return self._ring.end - self._paused_at

    def _rate(self) -> float:
        ring, now = self.model.events, self.model.now_ms()
        number = 0
        for position in range(ring.end - 1, max(ring.first, ring.end - 2000) - 1, -1):
            line = ring.at(position)
            if line is None or now - line.at_ms > 10_000:
                break
            number += 1
        return number / 10

    def row_count(self) -> int:
        """One row an event."""
        return self._ring.end - self._ring.first

    def row_key(self, index: int) -> Hashable:
        """The event; it never changes."""
        return self._ring.at(self._ring.first + index)

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """Time, sign, verb, subject, actor, facts."""
        if not isinstance(content, EventLine):
            return ()
        fallback = ("·", content.type.partition(".")[2], "muted")
        glyph, verb, look = LOOKS.get(content.type, fallback)
        bold = " bold" if content.type in _OPERATOR and "bold" not in look else ""
        who = content.actor or content.worker or ""
        quiet = content.type == "task.heartbeat"
        spans: list[Span] = [
            (f"{clock(content.at_ms // 1000)} ", "faint"),
            (f"{glyph} {fit(verb, 10)} ", look + bold),
        ]
        if width >= 60:
            spans += [
                (fit(content.subject, 9, "right") + "  ", "key"),
                (fit_name(who, 14) + " ", "muted" if quiet else "text"),
            ]
        else:
            spans += [(fit(content.subject, 7, "right") + " ", "key")]
        room = max(0, width - sum(len(text) for text, _ in spans))
        spans.append((fit(content.text, room), "text" if content.type in _OPERATOR else "muted"))
        return tuple(spans)

    def empty_rows(self) -> list[Spans]:
        """Nothing has happened."""
        query = self.model.events.query
        if query.terms:
            return [
                (("  no event here matches ", "muted"), (clip(query.text, 60), "accent bold")),
                (("  esc", "accent bold"), (" clears · ", "muted"), ("k", "accent bold"), (" looks back", "muted")),
            ]
        return [] if self.model.link.state == "starting" else [(("  nothing has happened yet", "muted"),)]
