"""Pane 1: the queue, drawn from the window of the model."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

from rich.cells import cell_len
from textual import events

from taskdeck.tui.format import clip, count, duration, fuse_cells, heat, plural
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.model.sort import USUAL
from taskdeck.tui.model.window import Entry
from taskdeck.tui.paint import Span, Spans
from taskdeck.tui.widgets.line_list import LineList
from taskdeck.tui.widgets.queue_columns import COLUMNS, Columns, Line, columns, head_at, header, spans

_GLYPH_KEY = 6
_KEY_MOST = 12
_SHIFT = 8
SCROLLED_TO = 200
"""How wide a line is thought of at most when it is scrolled to the side."""


class QueueTable(LineList):
    """The queue. The cursor belongs to a task, not to a line: order may change under it, it stays."""

    NUMBER, NAME, HEADER, KEEPS_CURSOR = 1, "Queue", True, True

    class HeadClicked(LineList.Moved):
        """The head of a column was clicked."""

        def __init__(self, pane: QueueTable, head: str) -> None:
            super().__init__(pane)
            self.head = head

    def __init__(self, model: DeckModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.task_id: str | None = None
        """The task under the cursor."""
        self.chosen: frozenset[str] | None = None
        """The columns that are wanted, as far as there is room; None: the usual ones."""
        self.shift = 0
        """Cells by which what stands after the key is scrolled."""
        self._columns: Columns = columns(80, _GLYPH_KEY)
        self._sort = USUAL
        self._next_up: str | None = None
        self._shown: list[Entry] = []
        """The entries of the lines on screen."""
        self._now = 0

    # -- the cursor follows its task -------------------------------------------------------------------------

    def before_sync(self) -> None:
        """Find the cursor's task again, wherever it went; where it is gone, the line it left is next."""
        self._now = self.model.now_ms()
        if self.task_id is not None:
            at = self.model.window.find(self.task_id)
            if at is not None:
                # the list moves with the cursor's task, so the eye does not have to
                self.top += at - self.index if at != self.index and self.top else 0
                self.index = at
        super().before_sync()
        self._remember()
        self._shown = self.model.window.lines(self.top, self.room)
        rows = [self.model.rows.get(entry.task) for entry in self._shown if entry.task]
        keys = max((cell_len(row.key) for row in rows if row), default=0)
        key = max(_GLYPH_KEY, min(_KEY_MOST, keys))
        self._sort = self.model.window.filter.sort
        self._columns = columns(self.extent.width - 2, key, self.chosen, self._sort, self.shift)
        self._next_up = self.model.next_up()

    def _remember(self) -> None:
        entry = self.model.window.at(self.index)
        self.task_id = entry.task if entry else None

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; its task is remembered."""
        index = max(0, min(index, self.row_count() - 1))
        entry = self.model.window.at(index)
        self.task_id = entry.task if entry else None
        super().move_to(index)

    def select(self, task: str) -> bool:
        """Put the cursor on a task; False if no line shows it."""
        at = self.model.window.find(task)
        if at is None:
            return False
        self.move_to(at)
        return True

    @property
    def current(self) -> TaskRow | None:
        """The task under the cursor."""
        return self.model.rows.get(self.task_id) if self.task_id else None

    def on_click(self, event: events.Click) -> None:
        """A click on a column's head sorts by it; all else is done as in every list."""
        head = head_at(self._columns, event.x - 1) if event.y == 1 else ""
        if head:
            self.post_message(self.HeadClicked(self, head))

    def scroll_columns(self, step: int) -> None:
        """Show what stands further to the right, or back; key and signs stay."""
        most = max(0, SCROLLED_TO - self.extent.width)
        self.shift = max(0, min(most, self.shift + step * _SHIFT))
        self.sync()

    # -- drawing ---------------------------------------------------------------------------------------------

    def title(self) -> tuple[Spans, Spans]:
        """How much is shown, of how much, and how it was chosen."""
        model = self.model
        number, whole = model.listed()
        chosen = model.window.filter
        left: list[Span] = []
        everything = sum(model.counts.values())
        if chosen.terms:
            shown = count(number) + ("" if whole else "+")
            left = [(shown, "text bold"), (" match ", "muted"), (clip(chosen.text, 60), "accent")]
        elif everything:
            left = [(count(number), "text"), (f" of {count(everything)}", "muted")]
        resting = model.window.held and not model.frozen
        sort = chosen.sort
        order = "order rests" if resting else sort.told
        look = "accent" if sort.field and not resting else "muted"
        if not model.marks:
            return tuple(left), ((order, look),)
        # what stands first gives way first where there is no room
        return tuple(left), ((f"{order} · ", look), (f"{len(model.marks)} marked", "accent bold"))

    def shown(self) -> frozenset[str]:
        """The columns that there is room for."""
        cols = self._columns
        cells = {"try": cols.attempt, "fuse": cols.bar}
        return frozenset(name for name in COLUMNS if cells.get(name, getattr(cols, name, 0)))

    def row_count(self) -> int:
        """Lines of the window."""
        return len(self.model.window)

    def row_marked(self, index: int) -> bool:
        """Whether the task of this line is marked."""
        return self._shown[index - self.top].task in self.model.marks

    def row_key(self, index: int) -> Hashable:
        """The task and all that changes with time, as text."""
        entry = self._shown[index - self.top]
        row = self.model.rows.get(entry.task) if entry.task else None
        return (self._line(row), self._columns) if row else self._rest(entry)

    def _rest(self, entry: Entry) -> Hashable:
        if entry.task is not None:
            return ("rest", "gone")
        segment = self.model.window.segments.get(entry.segment)
        if segment is None:
            return ("rest", "gone")
        what = f"{entry.segment} " if segment.states == (entry.segment,) else ""
        if not segment.pages:
            return ("rest", f"loading {what}…")
        if segment.full:
            return ("rest", f"more {what}tasks are not listed here · {key('filter')} finds them")
        chosen = self.model.window.filter
        counted = not chosen.terms and (chosen.sort.of is None or not chosen.sort.of.states)
        more = sum(self.model.counts.get(state, 0) for state in segment.states) - len(segment.items)
        number = f"{count(more)} more" if counted and more > 0 else "more"
        return ("rest", f"{number} {what}…")

    def _line(self, row: TaskRow) -> Line:
        now = self._now
        lease = row.lease
        note, look, left, halves, hot = "·", "faint", "", 0, "calm"
        if row.state == "claimed" and lease is not None:
            remaining = lease.left(now)
            hot = "lapsed" if row.lapsed(now) else heat(remaining, lease.length_ms)
            note, look = self.model.called(lease.worker), "text"
            if lease.state == "waiting_input":
                note, look = f"▲{note}", "failed bold"
            if remaining is not None:
                halves = fuse_cells(remaining, lease.length_ms, max(1, self._columns.bar - 1))
                # without the server's word a countdown is only a guess
                sure = "~" if self.model.link.state == "lost" else ""
                left = f"lapsed {duration(-remaining)}" if hot == "lapsed" else sure + duration(remaining)
        elif row.state == "failed":
            note, look = row.error or "failed", "failed"
        elif row.state == "scheduled" and row.not_before_ms:
            left = f"in {duration(row.not_before_ms - now)}"
            note = (row.error_reason and "again") or "·"
        elif row.state == "blocked":
            note, look = f"after {', '.join(row.depends_on)}" if row.depends_on else "·", "blocked"
        elif row.state == "ready":
            note, look = self._waits_for(row)
        age = max(0, now - (row.created_ms if self._sort.field == "age" else row.since_ms))
        stirred = self.model.frozen and row.id in self.model.stirred
        due = _due(row, now) if self._columns.due else ""
        return Line(row, duration(age), age // 60_000 * 60_000, note, look, left, halves, hot,  # type: ignore[arg-type]
                    row.id == self._next_up, stirred, due)  # fmt: skip

    def _waits_for(self, row: TaskRow) -> tuple[str, str]:
        if self.model.paused(row.project):
            return "paused", "accent"
        if row.assignee:
            return f"for {row.assignee}", "ready"
        if row.needs:
            return f"needs {', '.join(row.needs)}", "muted"
        return ("next up", "ready") if row.id == self._next_up else ("·", "faint")

    def header_spans(self, width: int) -> Spans:
        """Column names."""
        return header(self._columns, self._sort)

    def header_key(self) -> Hashable:
        """The header changes with the columns."""
        return ("header", self._columns, self._sort)

    def line_spans(self, key: Hashable, width: int) -> tuple[Spans, str]:
        """Draw one line."""
        if isinstance(key, tuple) and len(key) == 3 and key[0] == "header":
            return super().line_spans("header", width)
        return super().line_spans(key, width)

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """A task, or the line that stands for what is not loaded."""
        if isinstance(content, tuple) and content[0] == "rest":
            return ((f"   ⋯ {content[1]}", "faint"),)
        line, cols = cast(tuple[Line, Columns], content)
        return spans(line, cols, cursor=cursor, marked=marked)

    def empty_rows(self) -> list[Spans]:
        """Nothing to show: because there is nothing, because nothing matches, or because it is not here yet."""
        model = self.model
        if model.link.state == "starting":
            waiting = model.link.reason
            return [(), ((f"   {waiting or 'loading…'}", "muted"),)]
        chosen = model.window.filter
        if chosen.terms:
            without = plural(sum(model.counts.values()), "task")
            return [
                (),
                (("   nothing matches ", "muted"), (clip(chosen.text, 60), "accent bold")),
                ((f"   {key('peel')}", "accent bold"), (f" clears · {without} without it", "muted")),
            ]
        ended = sum(model.counts.get(state, 0) for state in ("done", "cancelled"))
        if ended:
            return [
                (),
                (("   ✓ ", "done bold"), ("everything is done", "text bold")),
                (
                    (f"   {count(ended)} finished · ", "muted"),
                    (key("filter"), "accent bold"),
                    (" state:done lists them", "muted"),
                ),
            ]
        return _welcome(model.address)


def _due(row: TaskRow, now: int) -> str:
    if row.due_ms is None:
        return ""
    return duration(row.due_ms - now) if row.due_ms > now else f"-{duration(now - row.due_ms)}"


def _welcome(address: str) -> list[Spans]:
    url = address if address.startswith("http") else "http://localhost"
    way: Spans = (('        -H "Authorization: Bearer $TASKDECK_TOKEN" \\', "text"),)
    if address.startswith("unix:"):
        way = ((f"        --unix-socket {clip(address[5:], 120)} \\", "text"),)
    return [
        (),
        (("   An empty deck. Ways to begin:", "text bold"),),
        (),
        ((f"   {key('create')}", "accent bold"), ("  create a task here", "text")),
        (),
        (("   $", "accent bold"), ('  taskdeck add "My first task"', "text"), ("      from a shell", "muted")),
        (),
        (("   $", "accent bold"), ("  curl ", "text"), (f"{clip(url, 80)}/v1/tasks", "key"), (" \\", "text")),
        way,
        (('        --json \'{"title": "My first task"}\'', "text"), ("   from anywhere", "muted")),
        (),
        ((f"   {key('command')}demo", "accent bold"), ("  look at a throw-away deck with agents at work", "text")),
    ]
