"""When the events of a log happened, as far as it was probed: from numbers to times and back. Pure."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise

MINUTE_MS = 60_000
SPANS_MS = (60 * MINUTE_MS, 6 * 60 * MINUTE_MS, 24 * 60 * MINUTE_MS, 7 * 24 * 60 * MINUTE_MS)
"""What the scrubber shows: the shortest of these, up to the present, that holds the moment; else the whole log."""


@dataclass
class Timeline:
    """Points of a log: the number of an event and its time. Between two of them events are taken as even."""

    points: list[tuple[int, int]] = field(default_factory=list)

    def add(self, seq: int, at_ms: int) -> None:
        """Learn when an event was."""
        at = bisect_right(self.points, (seq, -1))
        if at == len(self.points) or self.points[at][0] != seq:
            insort(self.points, (seq, at_ms))

    @property
    def first_ms(self) -> int:
        """The time of the first event, 0 without any."""
        return self.points[0][1] if self.points else 0

    @property
    def last_ms(self) -> int:
        """The time of the last event, 0 without any."""
        return self.points[-1][1] if self.points else 0

    def between(self, at_ms: int) -> tuple[int, int]:
        """The known events around a time: the last at or before it, and the first after it; 0 where there is none."""
        low, high = 0, 0
        for seq, when in self.points:
            if when <= at_ms:
                low = seq
            elif not high:
                high = seq
            if high and high < low:  # a clock that was set back: the later run of time counts
                high = 0
        return low, high

    def span(self, at_ms: int, now_ms: int) -> tuple[int, int]:
        """From when to when the scrubber shows, in milliseconds."""
        for length in SPANS_MS:
            if at_ms >= now_ms - length * 0.95 and now_ms - length > self.first_ms:
                return now_ms - length, now_ms
        return self.first_ms, max(now_ms, self.first_ms + 1)

    def density(self, begin_ms: int, end_ms: int, columns: int) -> list[float]:
        """How many events fall into each of `columns` equal parts of a stretch of time, about."""
        if columns <= 0 or end_ms <= begin_ms:
            return []
        edges = [self._before(begin_ms + (end_ms - begin_ms) * at / columns) for at in range(columns + 1)]
        return [max(0.0, later - sooner) for sooner, later in pairwise(edges)]

    def _before(self, at_ms: float) -> float:
        """How many events lie before a time."""
        last = (0, self.first_ms)
        for seq, when in self.points:
            if when > at_ms:
                share = (at_ms - last[1]) / (when - last[1]) if when > last[1] else 0.0
                return last[0] + (seq - last[0]) * max(0.0, share) if last[0] else 0.0
            last = (seq, when)
        return float(last[0])


@dataclass
class Past:
    """Where in the log a view of the past stands, and how far its way there has come. Times are in milliseconds."""

    timeline: Timeline = field(default_factory=Timeline)
    seq: int = 0
    """The last event that the view takes in, of `last_seq` that there are."""
    last_seq: int = 0
    at_ms: int = 0
    end_ms: int = 0
    """The present as it was when the past was entered: the right end of the scrubber."""
    whole: bool = True
    """Whether all of the log before the moment was read; if not, `read_from_ms` tells since when."""
    read_from_ms: int = 0
    needed_now: int = 0
    """How many things need a human in the present meanwhile."""
    done: int = 0
    """Events read of the `to_do` on the way to the moment; nothing is to do once it is reached."""
    to_do: int = 0
