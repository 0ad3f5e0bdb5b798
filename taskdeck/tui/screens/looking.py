"""What is looked at: filter, order, columns, which events; and the way back to what was before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taskdeck.domain.event_query import EventQuery
from taskdeck.tui.model.filter import Filter
from taskdeck.tui.model.sort import FIELDS, Sort
from taskdeck.tui.model.trail import Place, Trail

if TYPE_CHECKING:
    from taskdeck.tui.screens.deck import DeckScreen


class Looking:
    """Chooses what a screen shows of its model."""

    def __init__(self, screen: DeckScreen) -> None:
        self._screen = screen
        self._trail = Trail()
        self._going_back = False

    @property
    def filter(self) -> Filter:
        """What of the queue is looked at."""
        return self._screen.model.window.filter

    def choose(self, chosen: Filter) -> None:
        """View the queue through a filter, from its beginning."""
        screen = self._screen
        self.leave()
        (screen.feed if screen.model is screen.live else screen.travel).choose(chosen)
        screen.queue.index = screen.queue.top = 0
        screen.queue.task_id = None
        screen.redraw()

    def unfilter(self) -> None:
        """View everything that is open, in the order in use."""
        self.choose(Filter(sort=self.filter.sort))

    def sort_by(self, sort: Sort) -> None:
        """View the queue in another order, from its beginning."""
        if sort != self.filter.sort:
            self.choose(replace(self.filter, sort=sort))

    def sort_by_head(self, head: str) -> None:
        """By the column with that head; by the same once more: the other way round."""
        by = next((field.name for field in FIELDS.values() if field.column == head), None)
        now = self.filter.sort
        if by is not None:
            self.sort_by(now.reversed() if by == now.field else Sort(by))

    def show_columns(self, chosen: frozenset[str] | None) -> None:
        """Have these columns in the queue as far as there is room; None: the usual ones."""
        self._screen.queue.chosen = chosen
        self._screen.redraw()

    def choose_events(self, query: EventQuery) -> None:
        """Look at those events alone."""
        self._screen.model.events.choose(query)
        self._screen.events.following = True
        self._screen.redraw()

    # -- and back --------------------------------------------------------------------------------------------

    def leave(self, place: Place | None = None) -> None:
        """Remember a place to come back to: the present one, unless something is being typed and only tried."""
        if place is not None or not (self._screen.prompt.display or self._going_back):
            self._trail.leave(place or Place(self.filter, self._screen.active))

    def go_back(self) -> bool:
        """Look at what was looked at before; False if there is nothing."""
        place = self._trail.back(Place(self.filter, self._screen.active))
        if place is None:
            return False
        self._going_back = True
        if place.chosen != self.filter:
            self.choose(place.chosen)
        self._screen.show_pane(place.pane)
        self._going_back = False
        return True
