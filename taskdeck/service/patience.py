"""One deadline for many waits: a timer for each would cost more than the wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any


class Patience:
    """Ends waits that last longer than `seconds`, up to `look_s` later, with the error that `late` makes.

    Waits are looked at together, those of one `look_s` at a time; what has ended by then is forgotten.
    """

    def __init__(self, seconds: float, late: Callable[[], Exception], look_s: float = 0.1) -> None:
        self._seconds = seconds
        self._late = late
        self._look_s = look_s
        self._new: list[asyncio.Future[Any]] = []
        self._waits: deque[tuple[float, list[asyncio.Future[Any]]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: asyncio.Future[Any]) -> None:
        """Let `future` have its outcome in time, or the error; whoever would set it later must look whether it has."""
        self._new.append(future)
        if self._timer is None:
            self._look_later()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._look_s, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        self._waits.append((now, self._new))
        self._new = []
        for _ in range(len(self._waits)):
            since, futures = self._waits.popleft()
            left = [future for future in futures if not future.done()]
            if left and since > now - self._seconds:
                self._waits.append((since, left))
                continue
            for future in left:
                future.set_exception(self._late())
        if self._waits:
            self._look_later()
        else:
            self._timer = None
