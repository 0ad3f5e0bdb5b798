"""A row of choices, one of them chosen: arrows, space, first letters and clicks."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from taskdeck.tui.format import clip
from taskdeck.tui.paint import Span, Spans, width_of
from taskdeck.tui.widgets.field import in_turn
from taskdeck.tui.widgets.line_widget import LineWidget


class ChoiceRow(LineWidget, can_focus=True):
    """`options` are pairs of value and label. The chosen one is coloured and, without colour, in brackets."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", show=False),
        Binding("right,l,space", "step(1)", show=False),
    ]

    class Changed(Message):
        """Another choice was made."""

    def __init__(self, options: Sequence[tuple[str, str]], *, chosen: str | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = list(options)
        values = [value for value, _ in self.options]
        self._at = values.index(chosen) if chosen in values else 0

    @property
    def value(self) -> str:
        """The chosen value."""
        return self.options[self._at][0]

    async def on_key(self, event: events.Key) -> None:
        """Keys take effect in the order they were hit."""
        await in_turn(self, event)

    def action_step(self, step: int) -> None:
        """The next or the previous choice."""
        self._choose((self._at + step) % len(self.options))

    def _choose(self, at: int) -> None:
        self._at = at
        self.sync()
        self.post_message(self.Changed())

    def line_key(self, y: int) -> Hashable:
        """What is chosen, and whether this row has the keys."""
        return (self._at, self.has_focus) if y == 0 else ()

    def _spans(self, focused: bool) -> list[Span]:
        out: list[Span] = []
        for at, (_, label) in enumerate(self.options):
            text = clip(label, 28)
            if at == self._at:
                out.append((f"[{text}]", "on-colour bold on ready" if focused else "strong bold on selection"))
            else:
                out.append((f" {text} ", "text on bar"))
            out.append((" ", "text"))
        return out

    def line_spans(self, key: Hashable, width: int) -> tuple[Spans, str]:
        """Draw the row; where it is too narrow it scrolls to the chosen one."""
        if not key:
            return (), "panel"
        out = self._spans(self.has_focus)
        while self._at * 2 < len(out) and width_of(out) > width and len(out) > 2 and out[0][0][:1] != "[":
            out = out[2:]
        return tuple(out), "panel"

    def on_focus(self) -> None:
        """Show it."""
        self.sync()

    def on_blur(self) -> None:
        """Show it."""
        self.sync()

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        at, edge = -1, 0
        for order, span in enumerate(self._spans(True)):
            edge += width_of([span])
            if event.x < edge:
                at = order // 2
                break
        if 0 <= at < len(self.options):
            self._choose(at)
