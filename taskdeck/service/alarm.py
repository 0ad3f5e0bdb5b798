"""When to look at the time next, so that what it makes due is done in time though nobody calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from taskdeck.domain.clock import Clock

LOOK_S = 30.0
"""The wall clock may jump past a moment unnoticed: the time is looked at again within half a minute."""


class Alarm:
    """Calls `ring` on the event loop once the moment it is set to has come, or before: whoever rings sets it anew."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0

    def set(self, due: int, rest_s: float) -> None:
        """Ring when it is `due`, milliseconds since the epoch, but not before `rest_s` seconds from now."""
        now = self._clock.now_ms()
        if self._timer is not None and self._at <= due and self._at > now:
            return
        self.stop()
        wait_s = min(max(rest_s, (due - now) / 1000), LOOK_S)
        self._at = now + round(wait_s * 1000)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._rings)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rings(self) -> None:
        self._timer = None
        self._ring()
