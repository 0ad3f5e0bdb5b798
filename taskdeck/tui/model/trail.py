"""What was looked at before, to go back to. Pure."""

from __future__ import annotations

from typing import NamedTuple

from taskdeck.tui.model.filter import Filter

KEPT = 50


class Place(NamedTuple):
    """What is looked at: which tasks in which order, and the pane that has the keys."""

    chosen: Filter
    pane: int


class Trail:
    """The newest `KEPT` places, the last one at the end."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def leave(self, place: Place) -> None:
        """Remember a place that is about to be left."""
        if self._places[-1:] != [place]:
            self._places = [*self._places, place][-KEPT:]

    def back(self, now: Place) -> Place | None:
        """The last place that is not `now`, which is forgotten by this; None if there is none."""
        while self._places:
            place = self._places.pop()
            if place != now:
                return place
        return None
