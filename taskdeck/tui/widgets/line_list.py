"""A pane: one title line, perhaps a header, and a list of lines with a cursor and a place to scroll."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, NamedTuple

from textual import events
from textual.message import Message

from taskdeck.tui.paint import Span, Spans, sides, width_of
from taskdeck.tui.widgets.line_widget import LineKey, LineWidget

_WHEEL = 3


class Title(NamedTuple):
    """The key of a title line."""

    left: Spans
    right: Spans
    focused: bool
    tabs: bool = False


class Row(NamedTuple):
    """The key of a list line: what it shows, and how it stands."""

    content: Hashable
    cursor: bool
    marked: bool
    bar: str


class LineList(LineWidget, can_focus=True):
    """The base of all panes. Subclasses say what rows there are; this class moves, scrolls and clicks."""

    NUMBER: ClassVar[int] = 0
    NAME: ClassVar[str] = ""
    HEADER: ClassVar[bool] = False
    CURSOR: ClassVar[bool] = True
    KEEPS_CURSOR: ClassVar[bool] = False
    """Whether the cursor stays on screen while another pane has the keys."""

    class Moved(Message):
        """The cursor came to rest on another row."""

        def __init__(self, pane: LineList) -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> LineList:
            """The pane."""
            return self.pane

    class Opened(Moved):
        """A row was chosen: double click."""

    class TitleClicked(Moved):
        """The title line was clicked, at `x`."""

        def __init__(self, pane: LineList, x: int) -> None:
            super().__init__(pane)
            self.x = x

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.top = 0
        self.index = 0
        self.active = False
        self.tab_title: tuple[Spans, Spans] | None = None
        """Set where panes are tabs: what the title line shows instead of the pane's own title."""

    # -- what subclasses say ---------------------------------------------------------------------------------

    def title(self) -> tuple[Spans, Spans]:
        """The left and the right part of the title after number and name."""
        return (), ()

    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row_key(self, index: int) -> Hashable:
        """All that the look of a row depends on, besides cursor and mark."""
        raise NotImplementedError

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """A row's spans, at most `width` cells."""
        raise NotImplementedError

    def header_spans(self, width: int) -> Spans:
        """The header line, for panes that have one."""
        return ()

    def row_marked(self, index: int) -> bool:
        """Whether a row is marked."""
        return False

    def shows_cursor(self) -> bool:
        """Whether the cursor is to be seen at present."""
        return True

    def empty_rows(self) -> list[Spans]:
        """What stands in the pane while it has no rows."""
        return []

    # -- geometry --------------------------------------------------------------------------------------------

    @property
    def fixed(self) -> int:
        """Lines above the first row."""
        return 1 + self.HEADER

    @property
    def room(self) -> int:
        """How many rows can be seen."""
        return max(0, self.extent.height - self.fixed)

    def before_sync(self) -> None:
        """Keep the cursor on a row and in sight."""
        rows = self.row_count()
        self.index = max(0, min(self.index, rows - 1))
        if self.CURSOR and self.room:
            if self.index < self.top:
                self.top = self.index
            elif self.index >= self.top + self.room:
                self.top = self.index - self.room + 1
        self.top = max(0, min(self.top, rows - self.room))

    # -- drawing ---------------------------------------------------------------------------------------------

    def line_keys(self) -> list[LineKey]:
        """Title, header, the rows, and what stands where there are none."""
        left, right = self.tab_title if self.tab_title is not None else self.title()
        keys: list[LineKey] = [Title(left, right, self.active, self.tab_title is not None)]
        if self.HEADER:
            keys.append(self.header_key())
        rows = self.row_count()
        thumb = self._thumb(rows)
        look = "focus" if self.active else "rest"
        at_cursor = self.index if self.CURSOR and (self.active or self.KEEPS_CURSOR) and self.shows_cursor() else -1
        for at in range(self.top, min(rows, self.top + self.room)):
            bar = "" if thumb is None else "▐" if at - self.top in thumb else " "
            cursor = at == at_cursor
            keys.append(Row(self.row_key(at), cursor, self.row_marked(at), f"{look}{bar}" if cursor else bar))
        if not rows:
            keys += self.empty_rows()
        missing = self.extent.height - len(keys)
        return [*keys, *[None] * missing] if missing > 0 else keys[: self.extent.height]

    def header_key(self) -> LineKey:
        """All that the look of the header depends on."""
        return "header"

    def _thumb(self, rows: int) -> range | None:
        """The rows on screen beside which the scroll thumb stands; None if all rows can be seen."""
        room = self.room
        if rows <= room:
            return None
        size = max(1, room * room // rows)
        start = round(self.top / (rows - room) * (room - size))
        return range(start, start + size)

    def line_spans(self, key: LineKey, width: int) -> tuple[Spans, str]:
        """Draw one line."""
        if isinstance(key, Title):
            return self._title_spans(key, width)
        if key == "header":
            return ((" ", "text"), *self.header_spans(width - 2)), "ground"
        if isinstance(key, Row):
            thumb = key.bar[-1:] if key.bar.endswith(("▐", " ")) else ""
            focused = key.bar.startswith("focus")
            ground = "selection" if focused else "marked" if key.marked or key.cursor else "ground"
            lead = ("▌" if focused else "▏") if key.cursor else " "
            line: list[Span] = [(lead, "accent bold")]
            line += self.row_spans(key.content, width - 2, cursor=key.cursor, marked=key.marked)
            if thumb:
                line += [(" " * (width - 1 - width_of(line)), "text"), (thumb, "rule on ground")]
            return tuple(line), ground
        return (key if isinstance(key, tuple) else ()), "ground"

    def _title_spans(self, key: Title, width: int) -> tuple[Spans, str]:
        ground = "bar-focus" if key.focused else "bar"
        if key.tabs:
            return tuple(sides(key.left, key.right, width)), ground
        name = "strong bold" if key.focused else "text bold"
        head: list[Span] = [("▌" if key.focused else " ", "accent bold")]
        head += [(f"{self.NUMBER} ", "accent bold" if key.focused else "muted"), (self.NAME, name), ("  ", "text")]
        return tuple(sides([*head, *key.left], [*key.right, (" ", "text")], width)), ground

    # -- moving ----------------------------------------------------------------------------------------------

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, and have what changed drawn at once."""
        before = self.index
        self.index = max(0, min(index, self.row_count() - 1))
        self.sync()
        if self.index != before:
            self.post_message(self.Moved(self))

    def move(self, step: int) -> None:
        """Move the cursor by some rows."""
        self.move_to(self.index + step)

    def page(self, pages: float) -> None:
        """Move by (parts of) what can be seen."""
        self.move(round(pages * max(1, self.room - 1)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Wheel: the list moves under a resting cursor only where there is none."""
        event.stop()
        self.move(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The other way."""
        event.stop()
        self.move(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a double click opens."""
        if event.y == 0:
            self.post_message(self.TitleClicked(self, event.x))
            return
        at = self.top + event.y - self.fixed
        if event.y >= self.fixed and at < self.row_count():
            self.move_to(at)
            if event.chain == 2:
                self.post_message(self.Opened(self))
