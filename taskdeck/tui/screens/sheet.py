"""A list over the deck: read, or chosen from. Asked for anew every second while it is open."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from taskdeck.tui.paint import Spans
from taskdeck.tui.themes import Palette
from taskdeck.tui.widgets.line_list import LineList

Lines = Sequence[tuple[str | None, Spans]]
"""Lines of a sheet, each with what choosing it gives; None for one that is only read."""


class SheetList(LineList):
    """The lines; with a cursor where there is something to choose."""

    def __init__(self, title: tuple[Spans, Spans], source: Callable[[], Lines]) -> None:
        super().__init__(id="sheet")
        self.active = True
        self.tab_title = title
        self._source = source
        self.lines = source()

    def before_sync(self) -> None:
        """Ask for the lines."""
        self.lines = self._source()
        super().before_sync()

    def shows_cursor(self) -> bool:
        """Only what can be chosen is under a cursor."""
        return self.chosen is not None

    @property
    def chosen(self) -> str | None:
        """What the line under the cursor gives."""
        return self.lines[self.index][0] if 0 <= self.index < len(self.lines) else None

    def row_count(self) -> int:
        """Lines."""
        return len(self.lines)

    def row_key(self, index: int) -> Hashable:
        """The drawn line."""
        return self.lines[index][1]

    def row_spans(self, content: Hashable, width: int, *, cursor: bool, marked: bool) -> Spans:
        """The key is the drawing."""
        return content  # type: ignore[return-value]


class SheetScreen(ModalScreen[str | None]):
    """Shows lines; its result is what was chosen, None if it was left."""

    BINDINGS: ClassVar = [
        Binding("escape,q,ctrl+c", "leave", show=False),
        Binding("enter", "choose", show=False),
        Binding("y", "copy", show=False),
        Binding("j,down", "step(1)", show=False),
        Binding("k,up", "step(-1)", show=False),
        Binding("pagedown,space,ctrl+f,ctrl+d", "step(15)", show=False),
        Binding("pageup,ctrl+b,ctrl+u", "step(-15)", show=False),
        Binding("g,home", "step(-9999)", show=False),
        Binding("G,end", "step(9999)", show=False),
    ]

    def __init__(
        self, palette: Palette, name: str, note: str, source: Callable[[], Lines], *, at: int = 0, text: str = ""
    ) -> None:
        """`text` is what `y` copies."""
        super().__init__()
        self._palette = palette
        self._text = text
        title: Spans = (("▌", "accent bold"), (name, "strong bold"), (f"   {note}", "muted"))
        self.list = SheetList((title, (("esc closes ", "muted"),)), source)
        self.list.index = at

    def compose(self) -> ComposeResult:
        """One list."""
        yield self.list

    def on_mount(self) -> None:
        """Colours, keys, and a slow beat."""
        self.list.wear(self._palette)
        self.take_keys()
        self.set_interval(1.0, self.list.sync)

    def take_keys(self) -> None:
        """Give the keys to where they are meant for."""
        self.set_focus(self.list)

    def on_line_list_opened(self, message: LineList.Opened) -> None:
        """A double click chooses."""
        self.action_choose()

    def action_choose(self) -> None:
        """Close with what is under the cursor."""
        if self.list.chosen is not None:
            self.dismiss(self.list.chosen)

    def action_copy(self) -> None:
        """All of it, where it can be copied."""
        if self._text:
            self.app.copy_to_clipboard(self._text)
            left, right = self.list.tab_title or ((), ())
            self.list.tab_title = (left, (("✓ copied  ", "done bold"), right[-1]))
            self.list.sync()

    def action_leave(self) -> None:
        """Back to the deck."""
        self.dismiss(None)

    def action_step(self, step: int) -> None:
        """Move."""
        self.list.move(step)


class ChecksScreen(SheetScreen):
    """Lines that are turned on and off, one by one; what each turn does is seen at once."""

    BINDINGS: ClassVar = [Binding("space", "choose", show=False)]

    def __init__(
        self, palette: Palette, name: str, note: str, source: Callable[[], Lines], turn: Callable[[str], None]
    ) -> None:
        super().__init__(palette, name, note, source)
        self._turn = turn

    def action_choose(self) -> None:
        """Turn the line under the cursor."""
        if self.list.chosen is not None:
            self._turn(self.list.chosen)
            self.list.sync()
