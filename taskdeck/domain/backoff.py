"""How long a failed task rests before its next attempt."""

from __future__ import annotations

from collections.abc import Callable


def backoff_seconds(attempt: int, *, base: float, cap: float, random: Callable[[], float]) -> float:
    """Seconds to wait after failed attempt number `attempt` (1 is the first).

    Doubles from `base` up to `cap`, of which the upper half is jittered, so that tasks which failed together
    do not return together. `random` gives numbers in [0, 1).
    """
    full = cap if attempt > 60 else min(cap, base * 2 ** (attempt - 1))
    return full * (0.5 + 0.5 * random())
