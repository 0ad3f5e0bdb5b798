"""The front of a bucket: which of its tasks are claimed next, known in memory some way ahead."""

from __future__ import annotations

from bisect import bisect_left, insort

Place = tuple[int, int]
"""Where a claimable task stands: its rank, and its number; the least is claimed first."""

ANYWHERE: Place = (-(1 << 62), 0)
"""Before every place there can be."""

MOST_AHEAD = 64
"""How many tasks are looked up at once, at most."""


class Front:
    """The first claimable tasks of one bucket, in the order of claims.

    All there are before the last place that is known are known too. `whole` says that there are no others at all.
    Nothing is known while it has no places and is not whole.
    """

    __slots__ = ("ahead", "places", "whole")

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.whole = False
        self.ahead = 1

    def known(self, places: list[Place], asked: int) -> None:
        """What looking for the first `asked` found."""
        self.places = places
        self.whole = len(places) < asked

    def entered(self, place: Place) -> bool:
        """A task has become claimable; True if it may be the first now."""
        places = self.places
        if not self.whole and not (places and place < places[-1]):
            return not places
        insort(places, place)
        if len(places) > 2 * MOST_AHEAD:
            del places[MOST_AHEAD:]
            self.whole = False
        return places[0] == place

    def left(self, place: Place) -> None:
        """A task is claimable no more."""
        places = self.places
        if places and places[0] == place:
            del places[0]
            return
        at = bisect_left(places, place)
        if at < len(places) and places[at] == place:
            del places[at]
