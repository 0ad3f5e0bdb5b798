"""How fast claims were given in the last minute, to each worker, principal and token: times in memory, while limited.

A sliding window: of a limit of ten, the eleventh claim is given a minute after the first. It is counted by the clock
of the deck, which tests move, and follows it when it jumps; after a restart everybody begins anew.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskdeck.store.unit import Unit

WINDOW_MS = 60_000
_NAMES = 10_000
"""Past so many names, those who were given nothing in the last minute are forgotten."""


class Pace:
    """`per_worker` and the others are claims in a minute; 0 for no limit. `on` says whether there is any."""

    def __init__(self, per_worker: int = 0, per_principal: int = 0, per_token: int = 0) -> None:
        self._limits = {"worker": per_worker, "principal": per_principal, "token": per_token}
        self._given: dict[tuple[str, str], deque[int]] = {}
        self.on = bool(per_worker or per_principal or per_token)

    def room(self, now: int, **names: str) -> tuple[int, int]:
        """How many more claims the `worker`, `principal` and `token` may be given now, and in how many ms one more."""
        room, wait = 1 << 30, 0
        for key in names.items():
            limit, times = self._limits[key[0]], self._recent(key, now)
            if not limit:
                continue
            if len(times) >= limit:
                wait = max(wait, times[len(times) - limit] + WINDOW_MS - now)
            room = min(room, max(0, limit - len(times)))
        return room, wait

    def note(self, unit: Unit, **names: str) -> None:
        """A claim was given now to the `worker` of the `principal` that showed the `token`."""
        if len(self._given) > _NAMES:
            self._given = {key: times for key, times in self._given.items() if times[-1] > unit.now - WINDOW_MS}
        for key in names.items():
            if self._limits[key[0]]:
                self._given.setdefault(key, deque()).append(unit.now)
                unit.undo.append((self._take_back, key))

    def shift(self, unit: Unit, by: int) -> None:
        """The clock jumped by so many milliseconds: what was given was given as long ago as before."""
        before = self._given
        self._given = {key: deque(at + by for at in times) for key, times in before.items()}
        unit.undo.append((setattr, self, "_given", before))

    def _take_back(self, key: tuple[str, str]) -> None:
        times = self._given[key]
        times.pop()
        if not times:
            del self._given[key]

    def _recent(self, key: tuple[str, str], now: int) -> deque[int]:
        times = self._given.get(key, deque())
        while times and times[0] <= now - WINDOW_MS:
            times.popleft()
        if not times:
            self._given.pop(key, None)
        return times
