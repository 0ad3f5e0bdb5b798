"""How each project has done in the last hour, reckoned from events as they are committed."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

from taskdeck.service.metrics import SERIES, percentiles

MINUTES = 60
PROJECTS_MOST = 500
"""Most projects that are reckoned; of more, those that were quiet longest are left out."""
SAMPLES = 256
_MINUTE_MS = 60_000


class _Project:
    """Counts by minute, the newest last, and the newest samples with their minutes."""

    __slots__ = ("minutes", "runs", "waits")

    def __init__(self) -> None:
        self.minutes: deque[tuple[int, dict[str, int]]] = deque(maxlen=MINUTES)
        self.waits: deque[tuple[int, float]] = deque(maxlen=SAMPLES)
        self.runs: deque[tuple[int, float]] = deque(maxlen=SAMPLES)


class Hour:
    """Claims, completions and failures of each project in the last 60 minutes; how long its waits and runs were."""

    def __init__(self) -> None:
        self._projects: OrderedDict[str, _Project] = OrderedDict()

    def note(self, event_type: str, at_ms: int, project: str | None, facts: dict[str, Any]) -> None:
        """Take one event into account; others than claims, completions and failures are ignored."""
        name = SERIES.get(event_type)
        if name is None or project is None:
            return
        known = self._projects.get(project)
        if known is None:
            known = self._projects[project] = _Project()
            if len(self._projects) > PROJECTS_MOST:
                self._projects.popitem(last=False)
        minute = at_ms // _MINUTE_MS
        if not known.minutes or known.minutes[-1][0] != minute:
            known.minutes.append((minute, dict.fromkeys(SERIES.values(), 0)))
            self._projects.move_to_end(project)
        known.minutes[-1][1][name] += 1
        if event_type == "task.claimed" and "wait_seconds" in facts:
            known.waits.append((minute, facts["wait_seconds"]))
        elif event_type == "task.completed" and "run_seconds" in facts:
            known.runs.append((minute, facts["run_seconds"]))

    def view(self, project: str, now_ms: int) -> dict[str, Any]:
        """The last hour of a project: sums, completions by minute (oldest first), and the spread of waits and runs."""
        first = now_ms // _MINUTE_MS - MINUTES + 1
        known = self._projects.get(project) or _Project()
        minutes = [(minute - first, counts) for minute, counts in known.minutes if first <= minute < first + MINUTES]
        done = [0] * MINUTES
        for place, counts in minutes:
            done[place] += counts["completions"]
        return {
            **{name: sum(counts[name] for _, counts in minutes) for name in SERIES.values()},
            "completions_by_minute": done,
            "wait_seconds": percentiles([value for minute, value in known.waits if minute >= first]),
            "run_seconds": percentiles([value for minute, value in known.runs if minute >= first]),
        }
