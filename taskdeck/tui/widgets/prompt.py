"""The line for typing: a filter after `/`, a command after `:`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from taskdeck.tui.paint import Spans, width_of
from taskdeck.tui.plain import plain
from taskdeck.tui.widgets.field import Field
from taskdeck.tui.widgets.prose import Prose

HISTORY = 50


class Prompt(Horizontal):
    """Stands in place of the key hints while it is open.

    Escape leaves, enter keeps, tab completes, up and down recall.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("tab", "complete", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
    ]

    class Typed(Message):
        """The text changed (`final` false) or was confirmed (`final` true)."""

        def __init__(self, sign: str, text: str, *, final: bool) -> None:
            super().__init__()
            self.sign, self.text, self.final = sign, text, final

    class Left(Message):
        """Closed by escape."""

        def __init__(self, sign: str) -> None:
            super().__init__()
            self.sign = sign

    def __init__(
        self, notes: Callable[[], Spans], complete: Callable[[str, str], str], *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.sign = "/"
        self._notes = notes
        self._complete = complete
        self._history: dict[str, list[str]] = {"/": [], ":": []}
        self._at = 0

    def compose(self) -> ComposeResult:
        """Sign, text, and what is to be said about it."""
        yield Prose(lambda: [((f" {self.sign} ", "accent bold"),)], id="sign")
        yield Field(compact=True, select_on_focus=False, max_length=500, id="typed")
        yield Prose(lambda: [self._notes()], id="notes")

    def open(self, sign: str, text: str, hint: str) -> None:
        """Show it with `text` in it, ready to type on."""
        self.sign = sign
        self._at = len(self._history[sign])
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = text
        field.placeholder = plain(hint) if self.app.has_class("-ascii") else hint
        field.cursor_position = len(text)
        self.display = True
        self.screen.set_focus(field)  # at once: `focus` would let the next keys go to the deck
        self.sync()

    def sync(self) -> None:
        """Draw sign and notes anew; the notes get the room they need, up to most of the line."""
        self.query_one("#notes").styles.width = min(width_of(self._notes()) + 1, self.screen.size.width * 3 // 4)
        for prose in self.query(Prose):
            prose.sync()

    def action_leave(self) -> None:
        """Escape."""
        self.display = False
        self.post_message(self.Left(self.sign))

    def action_complete(self) -> None:
        """Tab."""
        field = self.query_one(Input)
        field.value = self._complete(self.sign, field.value)
        field.cursor_position = len(field.value)

    def action_recall(self, step: int) -> None:
        """An earlier or a later entry."""
        past = self._history[self.sign]
        if past:
            self._at = max(0, min(len(past) - 1, self._at + step))
            field = self.query_one(Input)
            field.value = past[self._at]
            field.cursor_position = len(field.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """While typing."""
        event.stop()
        self.post_message(self.Typed(self.sign, event.value, final=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        past = self._history[self.sign]
        if event.value.strip() and past[-1:] != [event.value]:
            past.append(event.value)
            del past[:-HISTORY]
        self.post_message(self.Typed(self.sign, event.value, final=True))
