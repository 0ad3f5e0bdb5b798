"""Closed loops: so many connections at once, each asking again as soon as it has its answer."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from taskdeck.bench.line import BenchFailed, Line, Script, Site

SILENCE_S = 30.0
"""How long after its end a round may still wait for replies."""


@dataclass(slots=True)
class Round:
    """What one round measured: how long it took, and the latencies of its requests by kind, in seconds.

    `cpu_seconds` is the processor time of the server meanwhile, where whoever played the round looked.
    """

    seconds: float = 0.0
    cpu_seconds: float | None = None
    latencies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def per_second(self, kind: str | None) -> float:
        """Replies a second of this kind; None for all kinds."""
        taken = sum(len(samples) for name, samples in self.latencies.items() if kind in (None, name))
        return taken / self.seconds if self.seconds else 0.0


async def play(
    site: Site, connections: int, seconds: float, script: Callable[[int], Script], kind: type[Line] = Line
) -> Round:
    """Let `connections` of that `kind` play `script(0…)` against `site` for `seconds`.

    All connect before the clock starts.

    Raises:
        BenchFailed: the server refused a request, hung up, or did not answer in time.
        OSError: it cannot be reached.
    """
    measured = Round()
    lines: list[Line] = []

    def answered(kind: str, taken: float) -> None:
        measured.latencies[kind].append(taken)

    try:
        for number in range(connections):
            lines.append(await kind.connected(site, script(number), answered))
        with undisturbed():
            start = time.perf_counter()
            for line in lines:
                line.start(start + seconds)
            try:
                async with asyncio.timeout(seconds + SILENCE_S):
                    await asyncio.gather(*(line.ended for line in lines))
            except TimeoutError:
                raise BenchFailed(f"the server did not answer for {SILENCE_S:g} seconds") from None
            measured.seconds = time.perf_counter() - start
    finally:
        for line in lines:
            line.close()
    return measured


@contextmanager
def undisturbed() -> Iterator[None]:
    """No search for cyclic garbage in this process while the block measures: it would be told of the server."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def percentile(samples: list[float], part: float) -> float:
    """The sample below which `part` (0 to 1) of them lie; `samples` is not empty."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
