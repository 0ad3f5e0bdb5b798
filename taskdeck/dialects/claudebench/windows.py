"""Limits on calls: so many of a method by one caller in any sixty seconds."""

from __future__ import annotations

from collections import deque
from typing import Final

SPAN_MS: Final = 60_000
_TIDY_AT: Final = 10_000
"""Callers remembered, at least, before those that have been quiet are forgotten."""


class Windows:
    """When each caller made its last calls. Times are readings of the monotonic clock."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], deque[int]] = {}
        self._tidy_at = _TIDY_AT

    def admit(self, method: str, caller: str, limit: int, now: int) -> bool:
        """Whether `caller` may call `method` once more; if so, the call is counted."""
        calls = self._calls.get((method, caller))
        if calls is None:
            if len(self._calls) >= self._tidy_at:
                self._tidy(now)
            calls = self._calls[method, caller] = deque()
        while calls and now - calls[0] >= SPAN_MS:
            calls.popleft()
        if len(calls) >= limit:
            return False
        calls.append(now)
        return True

    def _tidy(self, now: int) -> None:
        self._calls = {who: calls for who, calls in self._calls.items() if calls and now - calls[-1] < SPAN_MS}
        self._tidy_at = max(_TIDY_AT, 2 * len(self._calls))
