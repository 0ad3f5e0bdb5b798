"""The circuit breaker around the store: while it fails, writes are answered at once instead of waiting for it to fail.

Only faults of the store count: a database that cannot be written, a disk that does not answer. What clients do wrong,
what is refused, a full queue and a full disk (which has an answer of its own) do not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from taskdeck.domain.clock import Clock, rfc3339
from taskdeck.domain.errors import CircuitOpen, DeckError, Unavailable
from taskdeck.domain.events import Event
from taskdeck.service.unblock import BY_TIME
from taskdeck.store.unit import Unit

if TYPE_CHECKING:
    import asyncio

OPEN_AFTER = 5
"""Batches in a row that failed."""
OPEN_MS = 5_000
"""How long writes are answered without the store, before it is tried again."""


class BreakerState(StrEnum):
    """Closed: writes go through. Open: they do not. Half open: one does, to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Used on the event loop alone. `closed` is a plain attribute: it is looked at for every write."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.closed = True
        self.faults = 0
        self._last: BaseException | None = None
        self._opened_at = 0
        self._retry_at = 0
        self._probes = 0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        if self.closed:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._probing else BreakerState.OPEN

    def fault(self, error: DeckError) -> None:
        """The store failed with `error`. All writes of a batch fail with the same one, which counts once."""
        if type(error) is not Unavailable or error is self._last:
            return
        self._last = error
        self.faults += 1
        if self.closed and self.faults >= OPEN_AFTER:
            self.closed = False
            self._opened_at, self._probes = self._clock.now_ms(), 0
            self._rest()

    def worked(self) -> None:
        """The store has written something."""
        if self.closed:
            self.faults = 0

    def admit(self) -> None:
        """Let one write through when it is time to try the store again: the caller then writes `tell` beside it.

        Raises:
            CircuitOpen: it is not time yet, or the store is being tried.
        """
        left_ms = self._retry_at - self._clock.monotonic_ms()
        if self._probing or left_ms > 0:
            raise CircuitOpen(
                f"the store has failed {self.faults} times in a row; it is left alone for a moment ({self._reason})",
                hint="Nothing was changed. Send the same request again after Retry-After; reads go on meanwhile.",
                retry_after_s=max(1, -(-left_ms // 1000)),
            )
        self._rest()

    def tell(self, unit: Unit) -> None:
        """Leave the events of how it opened and closed: they can be written only when the store works again."""
        facts = {"opened_at": rfc3339(self._opened_at), "faults": self.faults, "reason": self._reason}
        unit.append(Event(unit.now, "breaker.opened", BY_TIME, facts=facts))
        facts = {"open_seconds": max(0, unit.now - self._opened_at) / 1000, "probes": self._probes}
        unit.append(Event(unit.now, "breaker.closed", BY_TIME, facts=facts))

    def watch(self, probe: asyncio.Future[Any]) -> None:
        """Close when `probe`, the writing of `tell`, comes to a good end; else stay open."""
        self._probing = True
        self._probes += 1
        probe.add_done_callback(self._probed)

    def view(self) -> dict[str, Any]:
        """How it stands, for people and the dashboard."""
        left_ms = 0 if self.closed else max(0, self._retry_at - self._clock.monotonic_ms())
        return {
            "state": self.state,
            "faults": self.faults,
            "opened_at": None if self.closed else rfc3339(self._opened_at),
            "retry_after_seconds": None if self.closed else left_ms / 1000,
            "reason": None if self.closed else self._reason,
        }

    @property
    def _reason(self) -> str:
        return self._last.detail if isinstance(self._last, Unavailable) else ""

    def _rest(self) -> None:
        self._retry_at = self._clock.monotonic_ms() + OPEN_MS

    def _probed(self, probe: asyncio.Future[Any]) -> None:
        self._probing = False
        if probe.cancelled():
            return
        error = probe.exception()
        if error is None:
            self.closed, self.faults, self._last = True, 0, None
        elif isinstance(error, Unavailable):
            self.fault(error)
