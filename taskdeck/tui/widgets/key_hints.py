"""The last line: the keys that matter here, as many as fit; or a message that wants to be read."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

from textual import events
from textual.message import Message

from taskdeck.tui.paint import Span, Spans, sides, width_of
from taskdeck.tui.widgets.line_widget import LineWidget

Hint = tuple[str, str, bool, str]
"""Key, word, whether it can be done now, and the id of the action."""


class KeyHints(LineWidget):
    """Hints come from the action table through `source`; a message stands before them until it is taken off."""

    class Clicked(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, source: Callable[[], Sequence[Hint]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source = source
        self.message: Spans = ()
        self._spots: list[tuple[int, int, str]] = []

    def say(self, message: Spans) -> None:
        """Show a message in place of the hints; an empty one brings the hints back."""
        self.message = message
        self.sync()

    def line_key(self, y: int) -> Hashable:
        """The message, or the hints as they stand."""
        return ("message", self.message) if self.message else ("hints", tuple(self._source()))

    def line_spans(self, key: Hashable, width: int) -> tuple[Spans, str]:
        """Draw the one line."""
        kind, told = cast(tuple[str, tuple[Any, ...]], key)
        if kind == "message":
            return ((" ", "text"), *told), "panel"
        *hints, last_but_one, last = told
        right = [*_hint(last_but_one), ("  ", "text"), *_hint(last), (" ", "text")]
        if width < width_of(right) + 12:
            right = [*_hint(last), (" ", "text")]
        left: list[Span] = [(" ", "text")]
        self._spots = []
        for hint in hints:
            spans = _hint(hint)
            at = width_of(left)
            if at + width_of(spans) + 2 > width - width_of(right):
                break
            self._spots.append((at, at + width_of(spans), hint[3]))
            left += [*spans, ("  ", "text")]
        self._spots.append((width - width_of(right), width, last[3]))
        return tuple(sides(left, right, width)), "bar"

    def on_click(self, event: events.Click) -> None:
        """Every hint is a button."""
        for start, end, action in self._spots:
            if start <= event.x < end:
                self.post_message(self.Clicked(action))


def _hint(hint: Hint) -> list[Span]:
    key, word, possible, _ = hint
    return [(key, "accent bold" if possible else "faint"), (f" {word}", "text" if possible else "faint")]
