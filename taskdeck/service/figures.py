"""What is reckoned from events: the deck's rates, the last hour of its projects, the tallies of its workers.

Events are set aside as they are committed, and taken into account some at a time or when somebody asks. One by one,
between two batches, each would find nothing of what it counts into in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taskdeck.service.hour import Hour
from taskdeck.service.metrics import Metrics
from taskdeck.service.tallies import Tallies

Aside = tuple[str, int, str | None, str | None, dict[str, Any]]
"""What counts of an event: its type, when it was (milliseconds since the epoch), its project, its worker, its facts."""

AT_ONCE = 256


class Figures:
    """Rates, hours and tallies as of the newest event; `since` (milliseconds since the epoch) is how far they reach."""

    def __init__(self, since: int) -> None:
        self._metrics = Metrics()
        self._hour = Hour()
        self._tallies = Tallies(since)
        self._aside: list[Aside] = []

    def note(self, events: Iterable[Aside]) -> None:
        """Take `events` into account, in the order in which they were committed."""
        self._aside.extend(events)
        if len(self._aside) >= AT_ONCE:
            self._reckon()

    def reach_back(self, at: int) -> None:
        """Events from `at` on are noted too, though it was before the deck began."""
        self._tallies.since = min(self._tallies.since, at)

    @property
    def metrics(self) -> Metrics:
        return self._reckon()._metrics

    @property
    def hour(self) -> Hour:
        return self._reckon()._hour

    @property
    def tallies(self) -> Tallies:
        return self._reckon()._tallies

    def _reckon(self) -> Figures:
        aside, self._aside = self._aside, []
        for kind, at, project, worker, facts in aside:
            self._metrics.note(kind, at, facts)
            self._hour.note(kind, at, project, facts)
            self._tallies.note(kind, at, worker, facts)
        return self
