"""Rates and percentiles of the last while, reckoned from events as they are committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

WINDOW_S = 60
SAMPLES = 1_024
SERIES = {"task.claimed": "claims", "task.completed": "completions", "task.failed": "failures"}


class Metrics:
    """How many claims, completions and failures in each of the last 60 seconds; how long waits and runs were.

    A lapse that spends the last attempt is no failure here: nobody reported it.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, deque[tuple[int, int]]] = {name: deque(maxlen=WINDOW_S) for name in SERIES.values()}
        self._waits: deque[float] = deque(maxlen=SAMPLES)
        self._runs: deque[float] = deque(maxlen=SAMPLES)

    def note(self, event_type: str, at_ms: int, facts: dict[str, Any]) -> None:
        """Take one event into account; others than claims, completions and failures are ignored."""
        name = SERIES.get(event_type)
        if name is None:
            return
        second, series = at_ms // 1000, self._seconds[name]
        if series and series[-1][0] == second:
            series[-1] = (second, series[-1][1] + 1)
        else:
            series.append((second, 1))
        if event_type == "task.claimed" and "wait_seconds" in facts:
            self._waits.append(facts["wait_seconds"])
        elif event_type == "task.completed" and "run_seconds" in facts:
            self._runs.append(facts["run_seconds"])

    def rates(self, now_ms: int) -> dict[str, Any]:
        """Per second over the last whole 60 seconds, and the series behind it, oldest first."""
        present = now_ms // 1000
        series = {name: self._last_minute(name, present) for name in self._seconds}
        return {
            "window_seconds": WINDOW_S,
            **{f"{name}_per_second": round(sum(counts) / WINDOW_S, 3) for name, counts in series.items()},
            "series": series,
        }

    def _last_minute(self, name: str, present: int) -> list[int]:
        counts = [0] * WINDOW_S
        for second, count in self._seconds[name]:
            place = second - (present - WINDOW_S)
            if 0 <= place < WINDOW_S:
                counts[place] = count
        return counts

    def waits(self) -> dict[str, Any]:
        """Seconds from ready to claimed, of the last 1,024 claims."""
        return percentiles(self._waits)

    def runs(self) -> dict[str, Any]:
        """Seconds from claimed to done, of the last 1,024 completions."""
        return percentiles(self._runs)


def percentiles(samples: Sequence[float]) -> dict[str, Any]:
    """The median and the 95th percentile; None of no samples."""
    ordered = sorted(samples)
    count = len(ordered)
    if not count:
        return {"p50": None, "p95": None, "count": 0}
    return {
        "p50": round(ordered[(count - 1) // 2], 3),
        "p95": round(ordered[min(count - 1, int(count * 0.95))], 3),
        "count": count,
    }
