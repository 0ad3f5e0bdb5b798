"""Signals: what a holder that shows a sign of life is told to do."""

from __future__ import annotations

from enum import StrEnum

from taskdeck.store.unit import Unit


class Signal(StrEnum):
    """`continue`; `drain`: finish what you hold, you are given no more; `stop`: what you hold is yours no more.

    `stop` goes with the refusals `stale_fence` and `task_cancelled`, and with those alone.
    """

    CONTINUE = "continue"
    DRAIN = "drain"
    STOP = "stop"


def signal_to(unit: Unit, name: str | None, *, stopping: bool) -> Signal:
    """The signal to the worker `name`; `stopping` says that the whole deck gives out no more work."""
    worker = None if name is None else unit.mirror.workers.get(name)
    return Signal.DRAIN if stopping or (worker is not None and worker.draining) else Signal.CONTINUE
