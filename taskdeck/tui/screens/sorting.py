"""The orders of the queue, to choose one from, or two."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding

from taskdeck.tui.model.sort import FIELDS, Sort
from taskdeck.tui.paint import Span
from taskdeck.tui.screens.sheet import SheetScreen
from taskdeck.tui.sheets import sorts
from taskdeck.tui.themes import Palette


class SortScreen(SheetScreen):
    """`enter` sorts by the line under the cursor alone, and closes; `space` by that one too, and the list stays.

    After `space` the order is there as it is wanted: then `enter` only closes.
    """

    BINDINGS: ClassVar = [Binding("space", "also", show=False)]

    def __init__(self, palette: Palette, now: Sort, choose: Callable[[Sort], None]) -> None:
        self._now = now
        self._choose = choose
        self._kept = False
        super().__init__(palette, "", "", lambda: sorts(self._now), at=["", *FIELDS].index(now.field))
        self._title()

    def _title(self, fault: str = "") -> None:
        """The order in use, and what the keys do; or why one of them did nothing."""
        keys = "enter keeps · space again turns" if self._kept else "enter one · space two · again turns"
        told: Span = (f"   {fault}", "failed") if fault else (f"   {keys}", "muted")
        self.list.tab_title = (
            (("▌", "accent bold"), (f"Sort by {self._now.worded}", "strong bold"), told),
            (("esc closes ", "muted"),),
        )

    def action_choose(self) -> None:
        """Close; with the line under the cursor, unless the order was put together before."""
        name = self.list.chosen
        if name is not None and not self._kept:
            self._choose(self._now.reversed() if name and name == self._now.field else Sort(name))
        self.dismiss(None)

    def action_also(self) -> None:
        """Sort by the line under the cursor too."""
        try:
            self._now = self._now.with_also(self.list.chosen or "")
        except ValueError as error:
            self._title(str(error))
        else:
            self._kept = True
            self._choose(self._now)
            self._title()
        self.list.sync()
