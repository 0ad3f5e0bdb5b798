"""Pane 5: the task under the cursor, in full."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rich.cells import cell_len
from textual import events

from taskdeck.tui.format import clip
from taskdeck.tui.keymap import key
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.events import EventLine
from taskdeck.tui.model.rows import TaskRow
from taskdeck.tui.paint import Span, Spans, width_of
from taskdeck.tui.widgets.detail_lines import documents, lines
from taskdeck.tui.widgets.detail_more import More
from taskdeck.tui.widgets.line_list import LineList

_TABBED = 100
"""From this width on the title names the parts."""
_TABS_LESS = 34
"""Cells of the title that are not for them."""
_HEAD = 9
"""Cells of the title before the key."""


@dataclass
class Dossier:
    """What was read about one task beyond its row.

    `version` is that of the row it was read for, `beside` the last event beside it that it takes in.
    """

    task: str
    version: int
    beside: int = 0
    full: dict[str, Any] | None = None
    explained: dict[str, Any] | None = None
    history: Sequence[EventLine] = field(default=())
    more: More = field(default_factory=More)


class Detail(LineList):
    """Follows the cursor of the list it was opened from. Scrolls as a whole; it has no cursor of its own."""

    NUMBER, NAME, CURSOR = 5, "Task", False

    def __init__(self, model: DeckModel, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.row: TaskRow | None = None
        self.dossier: Dossier | None = None
        self._lines: list[Spans] = []
        self._written: tuple[Dossier | None, int, list[Spans]] = (None, 0, [])

    def show(self, row: TaskRow | None) -> None:
        """Turn to another task; its facts are there at once, the rest when it was read."""
        if (row and row.id) != (self.row and self.row.id):
            self.top = 0
        self.row = row

    def jump(self, section: str) -> None:
        """Scroll to a section."""
        for at, spans in enumerate(self._lines):
            if spans and spans[0][0] == f"{section} ":
                self.top = at
        self.sync()

    def sections(self) -> list[tuple[int, str]]:
        """The headed parts: the line and the name of each."""
        return [(at, spans[0][0].rstrip()) for at, spans in enumerate(self._lines) if len(spans) == 2
                and spans[0][1] == "accent bold" and spans[1][1] == "rule"]  # fmt: skip

    def step_section(self, step: int) -> None:
        """To the beginning of the next or the previous part."""
        places = [0, *(at for at, _ in self.sections())]
        if step > 0:
            self.move_to(next((at for at in places if at > self.top), self.top))
        else:
            self.move_to(max((at for at in places if at < self.top), default=0))

    def before_sync(self) -> None:
        """Write the lines anew: a countdown is among them."""
        row = self.row
        if row is None:
            self._lines = []
        else:
            row = self.model.rows.get(row.id, row)
            read = self.dossier if self.dossier and self.dossier.task == row.id else None
            width = max(10, self.extent.width - 3)
            self._lines = lines(
                row,
                read.full if read else None,
                read.explained if read else None,
                read.history if read else (),
                read.more if read else More(),
                self.model.workers,
                self.model.now_ms(),
                width,
                self._documents(read, width) if read else (),
            )
        self.top = max(0, min(self.top, len(self._lines) - self.room))

    def _documents(self, read: Dossier, width: int) -> list[Spans]:
        """What was written of these documents at this width before, or now."""
        if self._written[0] is not read or self._written[1] != width:
            self._written = (read, width, documents(read.full, width))
        return self._written[2]

    def move(self, step: int) -> None:
        """Scroll."""
        self.top += step
        self.sync()

    def move_to(self, index: int) -> None:
        """Scroll to a line."""
        self.top = index
        self.sync()

    def title(self) -> tuple[Spans, Spans]:
        """Which task."""
        if self.row is None:
            return (), ()
        if self.extent.width >= _TABBED:
            return self._tabs(), (
                (
                    f"{key('next-section')} {key('previous-section')} step  {key('why')} why  {key('copy')} copy",
                    "muted",
                ),
            )
        below = [name for at, name in self.sections() if at >= self.top + self.room]
        right = f"below: {', '.join(below)}" if below else f"{key('why')} why  {key('copy')} copy"
        return ((clip(self.row.key, 16), "key bold"),), ((clip(right, max(10, self.extent.width - 24)), "muted"),)

    def _tabs(self) -> Spans:
        """The key, and the parts of the task, those on screen brighter."""
        end = self.top + self.room
        places = [(0, "overview"), *self.sections()]
        spans: list[Span] = [(clip(self.row.key if self.row else "", 16), "key bold")]
        for (at, name), (behind, _) in pairwise([*places, (len(self._lines), "")]):
            spans += [("  ", "text"), (name, "strong bold" if at < end and behind > self.top else "muted")]
            if width_of(spans) > self.extent.width - _TABS_LESS:
                return (*spans[:-2], ("  …", "muted"))
        return tuple(spans)

    def on_click(self, event: events.Click) -> None:
        """A part in the title is a button."""
        if event.y or self.tab_title is not None or self.extent.width < _TABBED or self.row is None:
            super().on_click(event)
            return
        edge = _HEAD
        for text, _ in self._tabs():
            edge += cell_len(text)
            if event.x < edge:
                self.move_to(0) if text == "overview" else self.jump(text)
                return

    def row_count(self) -> int:
        """Lines of text."""
        return len(self._lines)

    def row_key(self, index: int) -> Hashable:
        """The drawn line."""
        return self._lines[index]

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """The key is the drawing."""
        return content  # type: ignore[return-value]

    def empty_rows(self) -> list[Spans]:
        """No task is chosen."""
        return [(("  no task under the cursor", "muted"),)]
