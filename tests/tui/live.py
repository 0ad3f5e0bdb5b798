"""A real deck, a real dashboard on it, and patience with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual._context import visible_screen_stack
from textual.pilot import Pilot
from textual.strip import Strip

from taskdeck.app import RunningDeck, running_deck
from taskdeck.client import Client
from taskdeck.config import Settings
from taskdeck.tui.app import DeckApp
from taskdeck.tui.screens.deck import DeckScreen
from taskdeck.tui.widgets.line_widget import LineWidget

DEADLINE = 20.0


def client_of(deck: RunningDeck) -> Client:
    """An administrator's client, over the socket where there is one."""
    if deck.socket is not None:
        return Client(socket=deck.socket)
    return Client(deck.url, token=(deck.data / "admin.token").read_text("ascii").strip())


@dataclass
class Seat:
    """A dashboard in use, and another client of the same deck."""

    app: DeckApp
    pilot: Pilot[int]
    other: Client

    @property
    def deck(self) -> DeckScreen:
        return self.app.deck

    async def until(self, holds: Callable[[], Any], what: str = "") -> None:
        """Wait until something holds on screen or in the model."""
        await until(self.pilot, holds, what)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(("space" if char == " " else "colon" if char == ":" else char) for char in text))

    def shows(self, text: str) -> bool:
        self.deck.redraw()
        return any(text in line for line in screen(self.app))

    async def sees(self, text: str) -> None:
        await self.until(lambda: self.shows(text), repr(text))

    async def asked(self) -> None:
        """Wait for a dialog."""
        await self.until(lambda: len(self.app.screen_stack) > 1, "a dialog")
        await self.pilot.pause()

    async def task(self, key: str) -> dict[str, Any]:
        return await self.other.task(key)

    async def choose(self, key: str) -> None:
        """Put the cursor on a task, once it is known here as the server has it; a view that rests has it as it was."""
        wire, model = await self.other.task(key), self.deck.model

        def known() -> bool:
            row = model.rows.get(wire["id"])
            return row is not None and (row.version >= wire["version"] or model.frozen or model.past is not None)

        await self.until(lambda: known() and self.deck.queue.select(wire["id"]), f"a line for {key}")

    async def becomes(self, key: str, **fields: Any) -> dict[str, Any]:
        """Wait until the server says so."""
        async with asyncio.timeout(DEADLINE):
            while True:
                found = await self.other.task(key)
                if all(found[name] == value for name, value in fields.items()):
                    return found
                await self.pilot.pause(0.02)


async def until(pilot: Pilot[int], holds: Callable[[], Any], what: str = "") -> None:
    """Wait until something holds of an app."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    async with asyncio.timeout(DEADLINE):
        try:
            while not holds():
                await pilot.pause(0.02)
        except asyncio.CancelledError:
            raise AssertionError(f"never came: {what}\n" + "\n".join(screen(app))) from None


def unread(app: DeckApp) -> bool:
    """Whether the detail still waits for what is read of its task."""
    detail = app.deck.detail
    return bool(detail.display and detail.row and not (detail.dossier and detail.dossier.task == detail.row.id))


async def at_rest(pilot: Pilot[int]) -> None:
    """Wait until what is read of the task in view stands there, and everything on the screen is as the model is now."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    async with asyncio.timeout(DEADLINE):
        await pilot.pause()
        app.deck.redraw()  # which may find that something has to be read
        while unread(app):
            await pilot.pause(0.02)
    in_step(app)
    await pilot.pause()


def in_step(app: DeckApp) -> None:
    """Have all lines follow the model at once: by themselves they look at it now and then."""
    app.deck.frame.tick()
    app.deck.redraw()
    for lines in app.screen.query(LineWidget):
        lines.sync()


def drawn(app: DeckApp) -> list[Strip]:
    """What is to be seen, line by line, drawn anew.

    What stands below a dialog is shown as it is now: by itself the dialog hears of changes turns of the loop later.
    """
    for above in app.screen_stack[1:]:
        above._set_dirty()
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips()


def screen(app: DeckApp) -> list[str]:
    """The text of what is to be seen, line by line."""
    return [strip.text for strip in drawn(app)]


@asynccontextmanager
async def seat(
    deck: RunningDeck, size: tuple[int, int] = (120, 36), *, client: Client | None = None, **options: Any
) -> AsyncIterator[Seat]:
    """The dashboard of a running deck, loaded and live."""
    app = DeckApp(client or client_of(deck), address=deck.url, **options)
    async with client_of(deck) as other, app.run_test(size=size, notifications=True) as pilot:
        sitting = Seat(app, pilot, other)
        await sitting.until(lambda: app.model.link.state == "live", "a live stream")
        yield sitting


@asynccontextmanager
async def deck_in(folder: Path, port: int = 0) -> AsyncIterator[RunningDeck]:
    """A deck on the machine's clock, so that the dashboard has something to count down."""
    async with running_deck(Settings(data=folder, port=port)) as deck:
        yield deck
