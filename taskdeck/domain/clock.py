"""Time as a parameter: what the deck knows of clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Two readings: the wall, which may jump, and a monotonic one, which never runs backwards."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC by the wall clock."""

    def monotonic_ms(self) -> int:
        """Milliseconds since an arbitrary start; differences are real time passed."""


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


MAX_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: the end of what RFC 3339 can say."""


@lru_cache(maxsize=8192)
def rfc3339(ms: int) -> str:
    """`ms` since the epoch as RFC 3339 in UTC with milliseconds and `Z`, e.g. `2026-11-20T14:02:31.123Z`."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _to_the_second(seconds: int) -> str:
    """The costly part: most times that are told lie in the same few seconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


@lru_cache(maxsize=1024)
def from_rfc3339(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 date-time.

    Raises:
        ValueError: `text` is not a date-time with an offset (`Z` or `±hh:mm`).
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset from UTC, such as Z")
    return round(moment.timestamp() * 1000)
