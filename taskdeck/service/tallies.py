"""What each worker has done, reckoned from events as they are committed.

Kept in memory and nowhere else: an index of events by worker, or a row of counters, would cost every claim a write,
while noting an event costs a look into a dictionary, on the event loop, after the commit. At the start the newest
events of the log are noted anew, as far back as they are read for the streams anyway; `since` says how far the
numbers reach, so that they never pretend to be more than they are.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.service.metrics import percentiles

HOUR_MS = 3_600_000
SAMPLES = 256
PACE_MINUTES = 15
_MINUTE_MS = 60_000
_COUNTED = {
    "task.claimed": "claims",
    "task.completed": "completions",
    "task.failed": "failures",
    "task.released": "releases",
    "task.lapsed": "lapses",
}
NOTED = frozenset(_COUNTED)
"""The events that count here, and with them all that count for the rates of the deck."""


@dataclass(slots=True)
class Tally:
    """One worker's counts; its completions by the minute of the last hour; how long it held what it ended itself."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED.values(), 0))
    minutes: deque[list[int]] = field(default_factory=lambda: deque(maxlen=60))
    holds: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))


class Tallies:
    """The tallies of all workers since `since` (milliseconds since the epoch)."""

    def __init__(self, since: int) -> None:
        self.since = since
        self._of: dict[str, Tally] = {}

    def note(self, kind: str, at: int, worker: str | None, facts: dict[str, Any]) -> None:
        """Take one event into account; those that are not counted are ignored."""
        if worker is None:
            return
        name = _COUNTED.get(kind)
        if name is None:
            if kind == "worker.deleted":
                self._of.pop(worker, None)
            return
        tally = self._of.get(worker)
        if tally is None:
            tally = self._of[worker] = Tally()
        tally.counts[name] += 1
        if "run_seconds" in facts:
            tally.holds.append(facts["run_seconds"])
        if name == "completions":
            minute = at // _MINUTE_MS
            if tally.minutes and tally.minutes[-1][0] == minute:
                tally.minutes[-1][1] += 1
            else:
                tally.minutes.append([minute, 1])

    def pace(self, worker: str, now: int) -> list[int]:
        """What `worker` completed in each of the last `PACE_MINUTES` minutes, oldest first; the last is running yet."""
        counts = [0] * PACE_MINUTES
        tally = self._of.get(worker)
        first = now // _MINUTE_MS - PACE_MINUTES + 1
        for minute, count in reversed(tally.minutes if tally else ()):
            if minute < first:
                break
            if minute < first + PACE_MINUTES:
                counts[minute - first] = count
        return counts

    def view(self, worker: str, now: int) -> dict[str, Any]:
        """The metrics of `worker`: its counts, completions in the last hour, and the median of how long it held."""
        tally = self._of.get(worker) or Tally()
        first = (now - HOUR_MS) // _MINUTE_MS
        return {
            "since": rfc3339(self.since),
            **tally.counts,
            "completions_per_hour": sum(count for minute, count in tally.minutes if minute > first),
            "median_hold_seconds": percentiles(tally.holds)["p50"],
        }
