"""The application: one client, one model, one feed, one screen."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

from taskdeck.client import Client
from taskdeck.domain.clock import Clock, SystemClock
from taskdeck.tui.feed import Feed
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.saved import Views
from taskdeck.tui.preferences import Preferences
from taskdeck.tui.screens.deck import DeckScreen
from taskdeck.tui.terminal import DeckDriver
from taskdeck.tui.themes import THEMES


class DeckApp(App[int]):
    """The dashboard of a deck, wherever that deck is served.

    `client` is used and closed; `address` is what is shown of where it leads. `serving`: this process also
    serves the deck, so leaving asks first. `views` is the file of the user's saved views, `log_file` where this process
    logs; `preferences` are those of the user; `ascii` draws with ASCII characters alone.

    Run it with `run_async`; the result is the exit code.
    """

    CSS_PATH = "deck.tcss"
    TITLE = "taskdeck"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self, client: Client, *, address: str, serving: bool = False, clock: Clock | None = None, live: bool = True,
        views: Path | None = None, log_file: Path | None = None, preferences: Preferences | None = None,
        ascii: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(driver_class=DeckDriver)
        self.terminal: DeckDriver | None = None
        """The terminal, where there is one."""
        self.model = DeckModel(clock or SystemClock(), address=address)
        self.feed = Feed(client, self.model)
        self._client = client
        self._serving = serving
        self._live = live
        self._views = views
        self._log_file = log_file
        for theme in THEMES:
            self.register_theme(theme)
        self.preferences = preferences or Preferences()
        self.theme = self.preferences.theme
        self.set_class(ascii or self.preferences.ascii, "-ascii")
        self.set_keymap(self.preferences.keys.bindings())

    def get_default_screen(self) -> DeckScreen:
        """The deck."""
        return DeckScreen(
            self._client,
            self.model,
            self.feed,
            serving=self._serving,
            saved=Views(self._views),
            log_file=self._log_file,
            preferences=self.preferences,
        )

    @property
    def deck(self) -> DeckScreen:
        """The deck screen, below any dialog."""
        screen = self.screen_stack[0]
        assert isinstance(screen, DeckScreen)  # noqa: S101 - the default screen is never replaced
        return screen

    def on_mount(self) -> None:
        """Start the feed. Without one (`live` false) the model is whatever was put into it."""
        if self._live:
            self.run_worker(self.feed.run(), group="feed", exit_on_error=True)
        # what exists now lives as long as the screen: no collection need ever look at it again
        gc.collect()
        gc.freeze()

    async def action_quit(self) -> None:
        """Every way of quitting asks where quitting would stop the server."""
        self.deck.leave()

    async def on_unmount(self) -> None:
        """Close the connections."""
        gc.unfreeze()
        await self._client.close()
