"""The one line to type in, for dialogs and for the prompt."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Input

from taskdeck.domain.text import visible
from taskdeck.tui.plain import plain


class Field(Input):
    """An input that shows nothing a terminal would obey, whether it was typed, pasted or filled in."""

    def validate_value(self, value: str) -> str:
        """What is kept is what can be shown."""
        return visible(value)

    def render_line(self, y: int) -> Strip:
        """The line, in ASCII where that is wanted: the dots that stand for a secret are none."""
        drawn = super().render_line(y)
        if not self.app.has_class("-ascii"):
            return drawn
        return Strip([Segment(plain(text), style) for text, style, _ in drawn], drawn.cell_length)
