"""Pane 4: the event stream, following its end until someone looks back."""

from __future__ import annotations

from collections.abc import Hashable

from taskdeck.tui.format import clip, clock, count, fit, fit_name, rate
from taskdeck.tui.keymap import key
from taskdeck.tui.model.bulk import Bulk, Folded, Part, Row
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
        self._folded = Folded()
        self._row: Row | None = None
        """The row under the cursor."""
        self._paused_at = 0

    @property
    def _ring(self) -> EventRing:
        """The events that are looked at."""
        return self.model.events.view

    def before_sync(self) -> None:
        """Follow the end, or stay at the same event while the ring turns."""
        moved = self._folded.follow(self._ring, self.model.events.oldest_seq)
        rows = len(self._folded.rows)
        if self.following:
            self.index, self.top = rows - 1, rows - self.room
        elif moved and (at := self._folded.find(self._row)) is not None:
            self.index, self.top = at, self.top + at - self.index
        super().before_sync()
        self._row = self._at(self.index)

    def move_to(self, index: int) -> None:
        """Look back, or return to the end."""
        last = self.row_count() - 1
        was = self.following
        self.following = index >= last
        if was and not self.following:
            self._paused_at = self._ring.end
        self._row = self._at(max(0, min(index, last)))
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
        """The event under the cursor; None where that is several."""
        row = self._at(self.index)
        return row.line if isinstance(row, Part) else row if isinstance(row, EventLine) else None

    def turn(self) -> bool:
        """Open the act under the cursor, or fold it; False if there is but one event."""
        row = self._at(self.index)
        if not isinstance(row, Bulk):
            return False
        if self.following:  # what is looked into must not run away
            self.following, self._paused_at = False, self._ring.end
        self._folded.turn(row.mark)
        self.sync()
        if not row.open:  # what was folded in it is to be seen
            self.top = max(self.top, min(self.index, self.index + len(row.lines) - self.room + 1))
            self.sync()
        return True

    def fold(self) -> bool:
        """Fold the acts that are open; False if none is."""
        row = self._at(self.index)
        folded = self._folded.fold()
        self._row = row
        self.sync()
        return folded

    def _at(self, index: int) -> Row | None:
        return self._folded.rows[index] if 0 <= index < len(self._folded.rows) else None

    def title(self) -> tuple[Spans, Spans]:
        """Whether it follows, and how fast events come."""
        if self.following:
            left: Span = ("following ▼", "muted")
        else:
            left = (f"paused · {count(self._unseen())} new ▼", "accent bold")
        query = self.model.events.query
        chosen: list[Span] = []
        if query.terms:
            found = "1 matches" if self.matching == 1 else f"{count(self.matching)} match"
            chosen = [("  ", "text"), (clip(query.text, 60), "accent"), (f" {found}", "muted")]
        return (left, *chosen), ((f"{rate(self.model.events.a_second(self.model.now_ms()))}/s", "muted"),)

    def short_title(self) -> Spans:
        """What is to be known where there is hardly room: that it stands still, and what has come since."""
        return () if self.following else ((f"❚❚ {count(self._unseen())} new", "accent bold"),)

    def _unseen(self) -> int:
        return self._ring.end - self._paused_at

    @property
    def matching(self) -> int:
        """How many of the events known here are looked at."""
        return len(self._ring)

    def row_count(self) -> int:
        """One row an event, or an act on several tasks; one for each of its events while that is open."""
        return len(self._folded.rows)

    def row_key(self, index: int) -> Hashable:
        """The event, which never changes; of an act all that is told of it."""
        row = self._at(index)
        if not isinstance(row, Bulk):
            return row
        newest = self.model.undo.newest if self.model.past is None else None
        return (row.told, row.open, newest is not None and newest.act == row.lines[0].act)

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """Time, sign, verb, subject, actor, facts."""
        match content:
            case EventLine():
                return self._spans(content, content.text, width)
            case Part(line):
                return (("  ", "text"), *self._spans(line, line.text, width - 2))
            case (EventLine() as told, opened, undoable):
                back = f" · {key('undo')} takes it back" if undoable else ""
                return self._spans(told, f"{'▾' if opened else '▸'} {told.text}{back}", width)
        return ()

    def _spans(self, content: EventLine, said: str, width: int) -> Spans:
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
        spans.append((fit(said, room), "text" if content.type in _OPERATOR else "muted"))
        return tuple(spans)

    def empty_rows(self) -> list[Spans]:
        """Nothing has happened."""
        query = self.model.events.query
        if query.terms:
            return [
                (("  no event here matches ", "muted"), (clip(query.text, 60), "accent bold")),
                (
                    (f"  {key('peel')}", "accent bold"),
                    (" clears · ", "muted"),
                    (key("up"), "accent bold"),
                    (" looks back", "muted"),
                ),
            ]
        return [] if self.model.link.state == "starting" else [(("  nothing has happened yet", "muted"),)]
