"""Circuit breakers: a method that met faults of the server again and again is answered without being run for a while.

What clients do wrong is no fault. Each opening, of whichever method, makes the next one longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GROWTH: Final = 1.5
LONGEST_MS: Final = 300_000
FORGOTTEN_AFTER_MS: Final = 3_600_000
TRIALS: Final = 3
"""How many calls are let through to see whether it works again; so many successes close the breaker."""


@dataclass(frozen=True, slots=True)
class Trip:
    """When a breaker opens: after `faults` in a row, for `open_ms` the first time."""

    faults: int
    open_ms: int


@dataclass(slots=True)
class _Circuit:
    faults: int = 0
    failed_at: int = 0
    open_ms: int = 0
    trials: int = 0
    worked: int = 0

    @property
    def is_open(self) -> bool:
        return self.open_ms > 0


class Breakers:
    """The breakers of all methods. Times are readings of the monotonic clock."""

    def __init__(self) -> None:
        self._circuits: dict[str, _Circuit] = {}
        self._openings = 0
        self._opened_at = 0

    def admit(self, method: str, now: int) -> bool:
        """Whether a call of `method` may run."""
        circuit = self._circuits.get(method)
        if circuit is None or not circuit.is_open:
            return True
        if now - circuit.failed_at < circuit.open_ms or circuit.trials >= TRIALS:
            return False
        circuit.trials += 1
        return True

    def worked(self, method: str) -> None:
        """A call of `method` met no fault."""
        circuit = self._circuits.get(method)
        if circuit is None:
            return
        if not circuit.is_open:
            del self._circuits[method]
            return
        circuit.worked += 1
        if circuit.worked >= TRIALS:
            # the faults stay counted until a call succeeds: the next one opens it again
            circuit.open_ms = circuit.trials = circuit.worked = 0

    def undecided(self, method: str) -> None:
        """A call of `method` shows neither; if it was a trial, another may be made."""
        circuit = self._circuits.get(method)
        if circuit is not None and circuit.trials:
            circuit.trials -= 1

    def failed(self, method: str, trip: Trip, now: int) -> None:
        """A call of `method` met a fault."""
        circuit = self._circuits.setdefault(method, _Circuit())
        if now - circuit.failed_at >= FORGOTTEN_AFTER_MS:
            circuit.faults = 0
        circuit.faults += 1
        circuit.failed_at = now
        if circuit.is_open or circuit.faults >= trip.faults:
            if now - self._opened_at >= FORGOTTEN_AFTER_MS:
                self._openings = 0
            self._opened_at = now
            circuit.open_ms = min(LONGEST_MS, round(trip.open_ms * GROWTH**self._openings))
            circuit.trials = circuit.worked = 0
            self._openings += 1
