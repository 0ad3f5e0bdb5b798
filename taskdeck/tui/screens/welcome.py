"""What the first start of a deck has made, and two keys to begin with. Gone with the first key, for good."""

from __future__ import annotations

from pathlib import Path

from textual import events

from taskdeck.tui.format import clip
from taskdeck.tui.keymap import key
from taskdeck.tui.paint import Spans
from taskdeck.tui.screens.sheet import Lines, SheetScreen
from taskdeck.tui.themes import Palette


def welcome(data: Path, address: str) -> Lines:
    """The lines of it."""
    lines: list[Spans] = [
        (),
        (("  This deck is new. It was made for you alone:", "strong bold"),),
        (),
        (("  database   ", "muted"), (clip(str(data / "deck.db"), 200), "text")),
        (("  admin      ", "muted"), (clip(str(data / "admin.token"), 200), "text"), ("  its token", "faint")),
        (("  address    ", "muted"), (clip(address, 200), "key")),
        (),
        (
            (f"  {key('problem')}", "accent bold"),
            ("  goes to what needs you, the most urgent first, and says why", "text"),
        ),
        (
            (f"  {key('help')}", "accent bold"),
            ("  lists every key, and what cannot be done now with the reason", "text"),
        ),
        ((f"  {key('create')}", "accent bold"), ("  creates the first task", "text")),
        (),
        (("  :demo", "accent bold"), ("  opens a throw-away deck beside this one, with agents at work", "text")),
    ]
    return [(None, line) for line in lines]


class WelcomeScreen(SheetScreen):
    """Any key closes it."""

    def __init__(self, palette: Palette, data: Path, address: str) -> None:
        lines = welcome(data, address)
        super().__init__(palette, "Welcome", "shown this once", lambda: lines)

    def on_key(self, event: events.Key) -> None:
        """On to the deck."""
        event.stop()
        self.dismiss(None)
