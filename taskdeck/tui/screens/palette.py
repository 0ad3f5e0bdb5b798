"""All that the dashboard can do, found by a few letters of its name or of what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input

from taskdeck.tui.actions import TABLE, Action
from taskdeck.tui.format import clip, fit
from taskdeck.tui.paint import Spans
from taskdeck.tui.plain import plain
from taskdeck.tui.screens.sheet import Lines, SheetScreen
from taskdeck.tui.themes import Palette
from taskdeck.tui.widgets.field import Field

_NOT_HERE = frozenset({"palette", "command", "filter"})
"""What would only lead to typing again."""


def found(sought: str) -> list[Action]:
    """The actions that have all the words sought in their name or help; those named so first."""
    words = sought.casefold().split()

    def rank(action: Action) -> int | None:
        names = f"{action.id} {action.word} {action.command}".casefold()
        if not all(word in names or word in action.help.casefold() for word in words):
            return None
        if not words or action.word.startswith(words[0]):
            return 0
        return 1 if names.startswith(words[0]) else 2 if words[0] in names else 3

    ways = [action for action in TABLE if action.scope != "move" and action.id not in _NOT_HERE]
    ranked = [(place, action) for action in ways if (place := rank(action)) is not None]
    return [action for _, action in sorted(ranked, key=lambda item: item[0])]


def lines(sought: str, shown: Callable[[Action], str], refused: Callable[[Action], str]) -> Lines:
    """The actions that were found; one that cannot be done now is there with its reason, and chooses nothing."""
    out: list[tuple[str | None, Spans]] = []
    for action in found(sought):
        why = refused(action)
        out.append(
            (
                None if why else action.id,
                ((f" {fit(action.word or action.help, 16)}", "muted" if why else "text bold"),
                 (fit(shown(action), 8) + " ", "faint" if why else "accent bold"),
                 (clip(why, 90) if why else action.help, "faint" if why else "muted")),
            )
        )  # fmt: skip
    return out or [(None, (("  nothing is called so", "muted"),))]


class PaletteScreen(SheetScreen):
    """A line to type in over the list; its result is the action chosen."""

    BINDINGS: ClassVar = [
        Binding("down,ctrl+n,tab", "step(1)", show=False),
        Binding("up,ctrl+p,shift+tab", "step(-1)", show=False),
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
    ]

    def __init__(self, palette: Palette, shown: Callable[[Action], str], refused: Callable[[Action], str]) -> None:
        self._sought = ""
        self._early = ""
        """What was typed before the line had the keys."""
        note = "type what you want · enter does it"
        super().__init__(palette, "Palette", note, lambda: lines(self._sought, shown, refused))

    def compose(self) -> ComposeResult:
        """The line, then the list."""
        hint = "cancel, export, theme …"
        yield Field(
            placeholder=plain(hint) if self.app.has_class("-ascii") else hint, compact=True, max_length=60, id="sought"
        )
        yield self.list

    def take_keys(self) -> None:
        """They go to the line, those that came before it too."""
        line = self.query_one(Field)
        self.set_focus(line)
        line.insert_text_at_cursor(self._early)

    def on_key(self, event: events.Key) -> None:
        """A letter without a line to go to; `enter` is not kept: nobody chooses from what is not shown yet."""
        if self.focused is None and event.is_printable:
            event.stop()
            self._early += event.character or ""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.action_choose()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look anew, from the top."""
        event.stop()
        self._sought = event.value
        self.list.index = self.list.top = 0
        self.list.sync()
