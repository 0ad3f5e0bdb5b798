"""What a peer is: something that can be loaded with tasks, and then played against by many connections at once."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from taskdeck.bench.line import BenchFailed
from taskdeck.bench.load import SILENCE_S, percentile

BODY_BYTES = 600
LEASE_S = 300
BACKLOG_LIMIT = 500_000
RESULT = {"summary": "measured", "files": ["src/server/handlers.py"]}


def _task() -> dict[str, object]:
    task: dict[str, object] = {
        "title": "Measure the time from claim to completion",
        "payload": {"path": "src/server/handlers.py", "line": 120, "check": "latency"},
        "description": "",
    }
    return task | {"description": "x" * (BODY_BYTES - len(orjson.dumps(task)))}


TASK = _task()
"""The task that every peer is loaded with."""
BODY = orjson.dumps(TASK).decode()
"""The same as JSON, for peers that keep a text."""


class Missing(Exception):
    """What a peer needs is not installed; the text says what, and how it is to be had."""


@dataclass(frozen=True, slots=True)
class Played:
    """What one round against one peer measured; `client_busy` is the share of its core that the client used."""

    cycles: int
    seconds: float
    p50_ms: float
    p99_ms: float
    client_busy: float | None

    @property
    def cycles_per_second(self) -> float:
        return self.cycles / self.seconds

    @classmethod
    def of(cls, samples: list[float], seconds: float, cpu_seconds: float | None) -> Played:
        """From the seconds that each cycle took.

        Raises:
            BenchFailed: there was none.
        """
        if not samples:
            raise BenchFailed("a round ended before its first cycle")
        busy = None if cpu_seconds is None else cpu_seconds / seconds
        p50, p99 = (percentile(samples, part) * 1000 for part in (0.5, 0.99))
        return cls(len(samples), seconds, p50, p99, busy)


@dataclass(slots=True)
class Peer:
    """A queue that is up and empty.

    `load` adds so many tasks; `play` lets so many connections reserve and acknowledge for so many seconds, or until
    no task is left. `tasks_a_second` is more than it is expected to do, and decides how many are loaded.
    """

    title: str
    versions: str
    durability: str
    does: str
    tasks_a_second: int
    load: Callable[[int], Awaitable[None]]
    play: Callable[[int, float], Awaitable[Played]]
    ready: int = field(default=0, init=False)

    async def stock(self, seconds: float) -> None:
        """See that so many seconds of cycles find something."""
        wanted = min(BACKLOG_LIMIT, round(self.tasks_a_second * seconds)) - self.ready
        if wanted > 0:
            await self.load(wanted)
            self.ready += wanted

    async def measure(self, connections: int, seconds: float) -> Played:
        """Play one round."""
        played = await self.play(connections, seconds)
        self.ready -= min(self.ready, played.cycles + connections)  # some were reserved when the time was up
        return played


class Watch:
    """Collects the cycles of one round, and the CPU time that this process spends in it."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._cpu = time.process_time()
        self._begun = time.perf_counter()

    def played(self) -> Played:
        """The round, which ends now."""
        seconds = time.perf_counter() - self._begun
        return Played.of(self.samples, seconds, time.process_time() - self._cpu)


@contextmanager
def watch() -> Iterator[Watch]:
    """A round: nothing is collected as garbage within."""
    gc.collect()
    gc.disable()
    try:
        yield Watch()
    finally:
        gc.enable()


Cycle = Callable[[], Awaitable[bool]]
"""Reserves and acknowledges one task; False when there is none left."""


async def closed_loops(cycles: Sequence[Cycle], seconds: float) -> Played:
    """Each cycle again and again, all at once, for `seconds`.

    Raises:
        BenchFailed: one did not end in time.
    """
    with watch() as round_:
        until = time.perf_counter() + seconds

        async def loop(cycle: Cycle) -> None:
            while (begun := time.perf_counter()) < until and await cycle():
                round_.samples.append(time.perf_counter() - begun)

        try:
            async with asyncio.timeout(seconds + SILENCE_S), asyncio.TaskGroup() as group:
                for cycle in cycles:
                    group.create_task(loop(cycle))
        except TimeoutError:
            raise BenchFailed(f"no answer for {SILENCE_S:g} seconds") from None
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # the first tells; the others follow from it
        return round_.played()
