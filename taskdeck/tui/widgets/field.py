"""The one line to type in, for dialogs and for the prompt, and keys that take effect in the order they were hit."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from taskdeck.domain.text import visible
from taskdeck.tui.plain import plain


async def in_turn(widget: Widget, event: events.Key) -> None:
    """Do at once what a key is bound to; a letter goes to whoever has the keys by now.

    Textual first lets a key that is no letter rise through all widgets around, each of which has its own queue.
    Letters hit after it would be there before it: `backspace` would take away what was typed behind it.
    """
    focused = widget.screen.focused
    if event.is_printable and isinstance(focused, Input):
        if focused is not widget:
            event.stop()
            event.prevent_default()
            focused.insert_text_at_cursor(event.character or "")
        return
    bound = widget.screen.active_bindings.get(event.key)
    if bound is not None:
        event.stop()
        event.prevent_default()
        await widget.app.run_action(bound.binding.action, bound.node)


class Field(Input):
    """An input that shows nothing a terminal would obey, whether it was typed, pasted or filled in."""

    async def on_key(self, event: events.Key) -> None:
        """Keys take effect in the order they were hit."""
        await in_turn(self, event)

    def validate_value(self, value: str) -> str:
        """What is kept is what can be shown."""
        return visible(value)

    def render_line(self, y: int) -> Strip:
        """The line, in ASCII where that is wanted: the dots that stand for a secret are none."""
        drawn = super().render_line(y)
        if not self.app.has_class("-ascii"):
            return drawn
        return Strip([Segment(plain(text), style) for text, style, _ in drawn], drawn.cell_length)
