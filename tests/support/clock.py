"""Time that moves when a test says so."""

from __future__ import annotations

START_MS = 1_795_000_000_000


class FakeClock:
    """A clock whose two readings a test moves: both by `advance`, the wall alone by `jump`."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._wall = now_ms
        self._monotonic = 0

    def now_ms(self) -> int:
        return self._wall

    def monotonic_ms(self) -> int:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += round(seconds * 1000)
        self._monotonic += round(seconds * 1000)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back while no time passes."""
        self._wall += round(seconds * 1000)
