"""The application: one client, one model, one feed, one screen; all of them others at another deck."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import BindingType

from taskdeck.client import Client
from taskdeck.domain.clock import Clock, SystemClock
from taskdeck.tui import keymap
from taskdeck.tui.elsewhere import Elsewhere
from taskdeck.tui.feed import Feed
from taskdeck.tui.model.deck import DeckModel
from taskdeck.tui.model.saved import Views
from taskdeck.tui.preferences import Preferences
from taskdeck.tui.screens.deck import DeckScreen
from taskdeck.tui.screens.welcome import WelcomeScreen
from taskdeck.tui.terminal import DeckDriver
from taskdeck.tui.themes import THEMES


class DeckApp(App[int]):
    """The dashboard of a deck, wherever that deck is served.

    `client` is used and closed, as are those of the decks it looks at for a while; `address` is what is shown of where
    it leads. `serving`: this process also serves the deck, so leaving asks first. `views` is the file of the user's own
    views, `log_file` where this process logs; `preferences` are those of the user; `ascii` draws with ASCII characters
    alone; `made` is the folder of a deck that is new.

    Run it with `run_async`; the result is the exit code.
    """

    CSS_PATH = "deck.tcss"
    TITLE = "taskdeck"
    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "deck 0"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self, client: Client, *, address: str, serving: bool = False, clock: Clock | None = None, live: bool = True,
        views: Path | None = None, log_file: Path | None = None, preferences: Preferences | None = None,
        ascii: bool = False, made: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__(driver_class=DeckDriver)
        self.terminal: DeckDriver | None = None
        """The terminal, where there is one."""
        self._clock = clock or SystemClock()
        self._take(client, address)
        self._elsewhere = Elsewhere(self, client, address, self.sit_at)
        self._decks = 0
        self.add_mode(self.DEFAULT_MODE, self._new_screen)
        self._serving = serving
        self._live = live
        self._views = views
        self._log_file = log_file
        self._made = made
        for theme in THEMES:
            self.register_theme(theme)
        self.preferences = preferences or Preferences()
        self.theme = self.preferences.theme
        self.set_class(ascii or self.preferences.ascii, "-ascii")
        self.set_keymap(self.preferences.keys.bindings())
        keymap.use(self.preferences.keys)

    def _take(self, client: Client, address: str) -> None:
        self._client = client
        self.model = DeckModel(self._clock, address=address)
        self.feed = Feed(client, self.model)

    async def sit_at(self, client: Client, address: str) -> None:
        """Look at the deck of another client, which is to be closed by whoever gave it."""
        self.workers.cancel_group(self, "feed")
        self._take(client, address)
        self.model.throwaway = self._elsewhere.throwaway
        left = self.current_mode
        self._decks += 1
        seat = f"deck {self._decks}"
        self.add_mode(seat, self._new_screen)
        gc.unfreeze()
        await self.switch_mode(seat)
        await self.remove_mode(left)  # with all that stood over it
        self._begin()

    def _new_screen(self) -> DeckScreen:
        return DeckScreen(
            self._client, self.model, self.feed, serving=self._serving, saved=Views(self._views),
            log_file=self._log_file, preferences=self.preferences, moving=self._elsewhere,
        )  # fmt: skip

    @property
    def deck(self) -> DeckScreen:
        """The deck screen, below any dialog."""
        screen = self.screen_stack[0]
        assert isinstance(screen, DeckScreen)  # noqa: S101 - nothing else ever stands there
        return screen

    def on_mount(self) -> None:
        """Start the feed. Without one (`live` false) the model is whatever was put into it."""
        self.app_resume_signal.subscribe(self, self._draw_anew)
        self._begin()
        if self._made is not None:
            self.push_screen(WelcomeScreen(self.deck.frame.palette_of(), self._made, self.model.address))

    def _draw_anew(self, app: App[Any]) -> None:
        """The terminal was another's for a while: nothing of what was drawn is there any more."""
        for screen in self.screen_stack:
            screen.refresh(layout=True)
            for widget in screen.walk_children():
                widget.refresh()

    def _begin(self) -> None:
        if self._live:
            self.run_worker(self.feed.run(), group="feed", exit_on_error=True)
        # what exists now lives as long as the screen: no collection need ever look at it again
        gc.collect()
        gc.freeze()

    async def action_quit(self) -> None:
        """Every way of quitting asks where quitting would stop the server."""
        self.deck.acting.leave()

    async def on_unmount(self) -> None:
        """Close the connections."""
        gc.unfreeze()
        await self._elsewhere.close()
