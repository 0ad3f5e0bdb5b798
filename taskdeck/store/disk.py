"""Whether the disk is quick: a sync that is over sooner than a thread is woken may be waited for on the event loop."""

from __future__ import annotations

QUICK_S = 0.001
"""A commit that takes less, on the average of the last ones, is quick."""
UNIT_S = 0.000_15
"""What each unit of work in a commit may add to that: beside the event loop it would take so much longer."""
SLOW_S = 0.005
"""One commit that takes longer is enough to do without for a while."""
FIRST_REST = 16
"""For how many batches the event loop is spared after that, before it is tried again."""
LONGEST_REST = 512
"""Each trial that fails again doubles the rest, up to this."""
TRUSTED = 64
"""So many quick commits in a row, and the next failure is taken for the first."""
_WEIGHT = 1 / 8


class Disk:
    """Judges by the commits made on the event loop; those of the thread only bring the next trial nearer.

    What a thread measures holds the time in which it waits for Python's lock, and tells little of the disk.
    """

    def __init__(self) -> None:
        self._average_s = 0.0
        self._next_rest = self._rest = FIRST_REST
        self._quick_ones = 0

    @property
    def quick(self) -> bool:
        """Whether the next batch may be committed on the event loop."""
        return self._rest == 0

    def rested(self) -> None:
        """A batch was committed on the thread."""
        if self._rest:
            self._rest -= 1

    def synced(self, seconds: float, units: int) -> None:
        """A commit of so many units of work on the event loop took so long."""
        over_s = seconds - units * UNIT_S
        self._average_s += (over_s - self._average_s) * _WEIGHT
        if over_s > SLOW_S or self._average_s > QUICK_S:
            self.failed()
            return
        self._quick_ones += 1
        if self._quick_ones == TRUSTED:
            self._next_rest = FIRST_REST

    def failed(self) -> None:
        """A commit on the event loop came to nothing, or took too long: the next ones are the thread's."""
        self._average_s, self._quick_ones = 0.0, 0
        self._rest, self._next_rest = self._next_rest, min(2 * self._next_rest, LONGEST_REST)
