"""The frame: when the screen looks at the model, which lines it draws at once, in which colours."""

from __future__ import annotations

import asyncio
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING

from textual.theme import Theme
from textual.timer import Timer

from taskdeck.tui.calling import Calling
from taskdeck.tui.terminal import OnTerminal
from taskdeck.tui.themes import Palette
from taskdeck.tui.widgets.line_list import LineList
from taskdeck.tui.widgets.line_widget import ALL, LineWidget
from taskdeck.tui.widgets.tabs import tab_title

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen

TICK = 0.2
"""Seconds between looks at the model; a look that finds nothing new draws nothing."""
LINES_AT_ONCE = 16
"""Most lines drawn in one turn of the loop, one or two milliseconds' worth."""
_BITE_S = 0.001
"""Seconds in one turn of the loop after which no further pane is looked at."""
_UNFOCUSED_TICK = 3.0
_FLOOD = 200
"""Events since the last look beyond which nobody can read along, and every other look is enough."""


class Frame:
    """Draws what has changed of a screen, a bite at a time, and calls the operator where something needs one."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self.tabs = 0
        """The pane in whose title line all panes stand as tabs, 0 for none."""
        self._drawn = (-1, -1)
        self._drawn_seq = -1
        """The last event before the last look; -1 once it was passed over."""
        self._undrawn: list[LineWidget] = []
        self._second = 0
        self._ticker: Timer | None = None
        self._calling: Calling | None = None
        self._palettes: dict[tuple[str, bool, bool], Palette] = {}

    def begin(self) -> None:
        """Tick from now on."""
        screen, app, preferences = self._screen, self._screen.app, self._screen.preferences
        screen.watch(app, "app_focus", self._set_pace)
        app.theme_changed_signal.subscribe(screen, self._recolour)
        self._calling = Calling(
            lambda: app.terminal if isinstance(app, OnTerminal) else None,
            bell=preferences.bell, notice=preferences.notice, ascii=app.has_class("-ascii"),
        )  # fmt: skip

    def _set_pace(self, focused: bool) -> None:
        """Look at the model less often while nobody looks at the screen."""
        if self._ticker is not None:
            self._ticker.stop()
        tick = TICK if focused else _UNFOCUSED_TICK
        self._ticker = self._screen.set_interval(tick, self.tick)
        self._screen.feed.set_pace(tick)

    def tick(self) -> None:
        """One frame: a new second or a changed model is drawn, all else costs nothing."""
        screen, live = self._screen, self._screen.live
        second = live.now_ms() // 1000
        if second != self._second:
            self._second = second
            live.refresh_problems()
            if self._calling is not None:
                state, settled = live.link.state, live.calls is not None
                self._calling.report(live.problems, settled=settled, lost=state == "lost")
            screen.travel.report()
            if live.link.back:
                screen.tell(live.link.back)
                live.link.back = ""
            screen.let_note_go()
        if (screen.model.revision, second) != self._drawn:
            flood = 0 <= self._drawn_seq < live.last_seq - _FLOOD
            self._drawn_seq = -1 if flood else live.last_seq
            if not flood:
                self.redraw(LINES_AT_ONCE)
        if live.fault:
            screen.tell(live.fault, "failed")
            live.fault = ""

    def redraw(self, most: int = ALL) -> None:
        """Have every visible line compared with the model, and the differing ones drawn.

        At most so many lines are drawn at once: the server may live on the same loop, and is let in between.
        """
        screen = self._screen
        if not screen.is_mounted:
            return
        self._drawn = (screen.model.revision, screen.live.now_ms() // 1000)
        screen.vitals.read_only = screen.model.role == "reader"
        screen.queue.before_sync()
        screen.detail.show(screen.current())
        self._set_tabs()
        # what still waits from the last look comes before what was drawn then
        each = (screen.pane, *self._undrawn, screen.vitals, screen.hints, *screen.panes.values())
        self._undrawn = list(dict.fromkeys(each))
        self._draw(most)
        for prose in screen.prompt.query(LineWidget):
            prose.wear(self.palette_of(past=screen.model.past is not None))
        if screen.prompt.display:
            screen.prompt.sync()
        if screen.model is screen.live:
            screen.feed.look(screen.queue.top, screen.queue.top + screen.queue.room)
        screen.reading.refresh()

    def _draw(self, most: int) -> None:
        """Draw so many lines, or for so long, and the rest when these are on screen.

        A pane in new colours is drawn as a whole.
        """
        model = self._screen.model
        faded, past = model.link.state == "lost", model.past is not None
        lines, end = 0, inf if most == ALL else perf_counter() + _BITE_S
        while self._undrawn and lines < most and perf_counter() < end:
            widget = self._undrawn[0]
            if widget.wear(self.palette_of(faded=faded and isinstance(widget, LineList), past=past)):
                lines += max(widget.sync(), widget.extent.height)
            else:
                lines += widget.sync(most - lines)
            if not widget.behind:
                del self._undrawn[0]
        if self._undrawn:
            # by way of the loop: where nothing is to be painted the screen would go on without letting others in
            asyncio.get_running_loop().call_soon(self._screen.call_after_refresh, self._draw, most)

    def palette_of(self, *, faded: bool = False, past: bool = False) -> Palette:
        """The palette of the present theme."""
        app = self._screen.app
        slot = (app.theme, faded, past)
        if slot not in self._palettes:
            self._palettes[slot] = Palette(
                app.theme_variables, faded=faded, past=past, ascii=app.has_class("-ascii"),
                filters=self._screen.get_line_filters(),
            )  # fmt: skip
        return self._palettes[slot]

    def _recolour(self, theme: Theme) -> None:
        self._palettes.clear()
        self.redraw()

    def _set_tabs(self) -> None:
        screen = self._screen
        for number, pane in screen.panes.items():
            pane.tab_title = None
            if number == self.tabs:
                hot, troubled = screen.leases.hot(), screen.worker_list.troubled()
                more = screen.events.short_title() if number == 4 else ()
                pane.tab_title = tab_title(
                    number, screen.size.width, screen.model, hot=hot, troubled=troubled, more=more
                )
