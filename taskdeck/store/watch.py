"""Who of the workers will next be late: a heap in memory, so that hearing from one costs nothing here.

Each watched worker stands in the heap at a moment no later than the one when it will be late, and is looked at then;
who was heard of meanwhile is put back at its new moment. So a worker costs one look in each of its heartbeats, whatever
else it does. Moments are rounded up to whole seconds: many workers share one look at the time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from taskdeck.domain.clock import MAX_MS
from taskdeck.domain.worker import Liveness, Worker, next_change

_GRAIN_MS = 1_000


class Watch:
    """When which worker is to be looked at. `since`: before it nobody could be heard, for no deck was there."""

    def __init__(self) -> None:
        self.since = 0
        self._heap: list[tuple[int, str]] = []
        self._moments: dict[str, int] = {}

    def load(self, workers: Iterable[Worker]) -> None:
        """Begin anew with `workers`. Who is offline is looked at once: its claims may not all be dealt with."""
        self._heap.clear()
        self._moments.clear()
        for worker in workers:
            self.add(worker, 0 if worker.told is Liveness.OFFLINE else None)

    def add(self, worker: Worker, moment: int | None = None) -> None:
        """Look at `worker` when it may be late, or at `moment`, unless it is looked at before that anyway."""
        if moment is None:
            moment = next_change(worker, self.since)
        if moment is None:
            return
        moment = -(-moment // _GRAIN_MS) * _GRAIN_MS
        if moment < self._moments.get(worker.id, MAX_MS):
            self._moments[worker.id] = moment
            heapq.heappush(self._heap, (moment, worker.id))

    def due(self, now: int, limit: int) -> list[str]:
        """Up to `limit` workers whose moment has come, soonest first; they are watched no more."""
        found: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(found) < limit:
            moment, name = heapq.heappop(self._heap)
            if self._moments.get(name) == moment:  # else it was put to an earlier one since
                del self._moments[name]
                found.append(name)
        return found

    def again(self, names: Iterable[str], moment: int) -> None:
        """Look at these workers at `moment` after all."""
        for name in names:
            self._moments[name] = moment
            heapq.heappush(self._heap, (moment, name))

    def next_moment(self) -> int:
        """When somebody is next to be looked at; a day that never comes if nobody is watched."""
        return self._heap[0][0] if self._heap else MAX_MS
