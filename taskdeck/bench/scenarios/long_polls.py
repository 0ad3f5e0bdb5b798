"""Very many workers that wait for work: what they cost while nothing happens, and how soon one is woken."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from taskdeck.bench.figures import spread
from taskdeck.bench.line import Ask, BenchFailed, Line, Script, Site
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scenarios.served import Served
from taskdeck.bench.scenarios.trace import Trace, load
from taskdeck.bench.scripts import CLAIM, cycles, waits, wakes

NAME = "long polls"
READY = 20_000
WAKE_UPS = 100
IDLE_S = 10.0
PATIENCE_S = 40.0
_WAIT_S = 60.0
_REST_S = 0.01
"""Between requests, so that each finds the server at rest."""


async def long_polls(bench: Bench) -> list[Finding]:
    """1,000 and 10,000 claims that wait."""
    findings = []
    for count in (1_000, 10_000):
        async with bench.deck(Filling(ready=READY)) as deck:
            findings += await _waiting(bench, deck, count)
    return findings


async def _waiting(bench: Bench, deck: Served, count: int) -> list[Finding]:
    name = f"{NAME}, {count:,}"
    bench.progress(f"{name}: connecting")
    async with deck.client() as client, load(deck.site, [_polls(deck.site) for _ in range(count)]) as trace:
        async with asyncio.timeout(PATIENCE_S):
            while (await client.stats())["waiting_claims"] < count:  # noqa: ASYNC110  (of another process)
                await asyncio.sleep(0.1)
        bench.progress(f"{name}: idle for {IDLE_S:g} seconds")
        before = deck.cpu_s()
        await asyncio.sleep(IDLE_S)
        busy = (deck.cpu_s() - before) / IDLE_S
        bench.progress(f"{name}: waking")
        plain, woken = await _by_turns(deck.site, trace)
    half, claim = spread(woken)["p50_ms"], spread(plain)["p50_ms"]
    return [
        Finding(name, "processor time of the server while all wait", busy * 100, "% of a core", 1),
        Finding(name, "memory of the server", deck.resident_mb(), "MB"),
        Finding(name, "plain claim p50", claim, "ms"),
        Finding(name, "create, until one of them has it, p50", half, "ms"),
        Finding(name, "the same, p99", spread(woken)["p99_ms"], "ms"),
        Finding(name, "wake-up over a plain claim", half / claim, "×", 3, 2),
    ]


def _polls(site: Site) -> Script:
    """Wait for a task, again and again; what came is left to its lease."""
    while True:
        yield from waits(site, _WAIT_S)


class _ToldLine(Line):
    """A line that asks when it is told to."""

    _next: Ask

    def tell(self) -> float:
        """Ask; the moment at which it was sent."""
        super()._send(self._next)
        return self._sent_at

    def _send(self, ask: Ask) -> None:
        self._next = ask


async def _by_turns(site: Site, waiting: Trace) -> tuple[list[float], list[float]]:
    """Seconds of claims that find a task, and from creating one to the reply of whichever claim waited for it."""
    plain, waker = Trace(), Trace()
    async with _told(site, cycles(site, 0), plain) as worker, _told(site, _creates(site), waker) as creator:
        woken = []
        for _ in range(WAKE_UPS):
            await _after(worker.tell, plain)  # the claim
            await _after(worker.tell, plain)  # the completion
            known = len(waiting.replies)
            sent = await _after(creator.tell, waiting)
            woken.append(waiting.replies[known][0] - sent)
    return plain.taken(CLAIM)[1:], woken[1:]  # the first ones opened the connections


async def _after(tell: Callable[[], float], trace: Trace) -> float:
    """Ask after a rest, and wait until `trace` has another reply; when it was asked."""
    await asyncio.sleep(_REST_S)
    known = len(trace.replies)
    sent = tell()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(trace.replies) == known:  # noqa: ASYNC110  (another process answers)
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise BenchFailed("a claim that waited was not woken") from None
    return sent


@asynccontextmanager
async def _told(site: Site, script: Script, trace: Trace) -> AsyncIterator[_ToldLine]:
    line = await _ToldLine.connected(site, script, trace.note)
    try:
        line.start(math.inf)
        yield line
    finally:
        line.close()


def _creates(site: Site) -> Script:
    while True:
        yield from wakes(site)
