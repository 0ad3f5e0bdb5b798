"""The connection to the server as the operator needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

SLOW_AFTER_MS = 5_000


@dataclass
class Link:
    """State of the stream. Times are monotonic milliseconds of this machine."""

    state: str = "starting"
    """`starting`, `live` or `lost`"""
    tries: int = 0
    reason: str = ""
    next_try_ms: int = 0
    back: str = ""
    """What is to be told of the return from a break; whoever has told it takes it away."""
    heard_ms: int = 0
    """When anything last came from the server."""

    def heard(self, mono_ms: int) -> None:
        """A sign of life."""
        self.heard_ms = mono_ms

    def up(self, mono_ms: int) -> None:
        """The stream runs and the data is current."""
        self.state, self.tries, self.reason = "live", 0, ""
        self.heard_ms = mono_ms

    def down(self, reason: str, next_try_ms: int) -> None:
        """The stream broke; `next_try_ms` is when it is tried again."""
        self.state = "lost" if self.heard_ms else "starting"
        self.tries += 1
        self.reason = reason
        self.next_try_ms = next_try_ms

    def slow(self, mono_ms: int) -> bool:
        """Whether a live stream has been quiet for longer than its beats allow."""
        return self.state == "live" and mono_ms - self.heard_ms > SLOW_AFTER_MS

    def age_ms(self, mono_ms: int) -> int:
        """How old the data is."""
        return max(0, mono_ms - self.heard_ms)
