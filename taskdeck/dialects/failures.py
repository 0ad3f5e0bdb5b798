"""How often who calls without a good token is told so before it is asked to wait."""

from __future__ import annotations

from collections import OrderedDict, deque

WITHIN_MS = 60_000
_MOST_CALLERS = 1_024


class Failures:
    """Counts failed authentications by where they come from; only the last minute's, of the last 1,024 callers."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[int]] = OrderedDict()

    def note(self, caller: str, now: int) -> int:
        """Count one more failure of `caller` at `now` (milliseconds); how many there were in the last minute."""
        times = self._of.setdefault(caller, deque(maxlen=1_000))
        self._of.move_to_end(caller)
        if len(self._of) > _MOST_CALLERS:
            self._of.popitem(last=False)
        times.append(now)
        while times[0] <= now - WITHIN_MS:
            times.popleft()
        return len(times)
