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
        left, right = _laid(told, width)
        return tuple(sides([(" ", "text"), *_line(left)], [*_line(right), (" ", "text")], width)), "bar"

    def on_click(self, event: events.Click) -> None:
        """Every hint is a button."""
        action = self.action_at(event.x)
        if action is not None:
            self.post_message(self.Clicked(action))

    def action_at(self, x: int) -> str | None:
        """The id of the action whose hint stands there; a message has none."""
        if self.message:
            return None
        width = self.extent.width
        left, right = _laid(self._source(), width)
        for hints, start in ((left, 1), (right, width - 1 - width_of(_line(right)))):
            for at, hint in enumerate(hints):
                end = start + width_of(_line(hints[: at + 1]))
                if end - width_of(_hint(hint)) <= x < end:
                    return hint[3]
        return None


def _laid(hints: Sequence[Hint], width: int) -> tuple[Sequence[Hint], Sequence[Hint]]:
    """As many hints as there is room for at the left, and those that stand at the right whatever the width."""
    left, right = hints[:-2], hints[-2:]
    if width < width_of(_line(right)) + 13:
        right = hints[-1:]
    while left and width_of(_line(left)) + width_of(_line(right)) > width - 4:
        left = left[:-1]
    return left, right


def _line(hints: Sequence[Hint]) -> list[Span]:
    """Hints side by side."""
    return [span for at, hint in enumerate(hints) for span in ([("  ", "text")] * (at > 0) + _hint(hint))]


def _hint(hint: Hint) -> list[Span]:
    key, word, possible, _ = hint
    return [(key, "accent bold" if possible else "faint"), (f" {word}", "text" if possible else "faint")]
