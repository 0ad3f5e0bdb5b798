"""Many readers of the event stream beside steady work, and a reader that takes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time

from taskdeck.bench.line import Ask, Line, Script, Site
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scenarios.readers import reading, stream_request
from taskdeck.bench.scenarios.served import Served
from taskdeck.bench.scenarios.trace import Trace, load
from taskdeck.bench.scripts import CLAIM, cycles

NAME = "streams"
READY = 100_000
READERS = 100
EVENTS_A_SECOND = 500
WORKERS = 16
ROUNDS = 4
DROP_S = 60.0
MEMORY_MB = 16
_WARM_UP_S = 0.5


class PacedLine(Line):
    """A line that asks at fixed moments, not as soon as it can: one request every `INTERVAL_S`."""

    INTERVAL_S = WORKERS / EVENTS_A_SECOND
    _due = 0.0

    def _send(self, ask: Ask) -> None:
        loop = asyncio.get_running_loop()
        # the first at any moment, so that the lines do not ask in step
        next_due = self._due + self.INTERVAL_S if self._due else loop.time() + random.uniform(0, self.INTERVAL_S)
        self._due = max(next_due, loop.time())
        loop.call_at(self._due, self._send_now, ask)

    def _send_now(self, ask: Ask) -> None:
        if not self._transport.is_closing():
            super()._send(ask)


async def streams(bench: Bench) -> list[Finding]:
    """Paced claims, each of them and each completion an event, with readers and without; then the mute reader."""
    async with bench.deck(Filling(ready=max(bench.tasks(READY), 10_000 + round(bench.seconds * 5_000)))) as deck:
        alone, beside = Trace(), Trace()
        busy = {id(alone): 0.0, id(beside): 0.0}

        async def measure(trace: Trace) -> None:
            before = deck.cpu_s()
            trace.replies += (await _paced(deck.site, bench.seconds)).replies
            busy[id(trace)] += (deck.cpu_s() - before) / (bench.seconds + _WARM_UP_S) / ROUNDS

        for _ in range(ROUNDS):
            bench.progress(f"{NAME}: {EVENTS_A_SECOND} events/s, nobody reads")
            await measure(alone)
            bench.progress(f"{NAME}: {EVENTS_A_SECOND} events/s, {READERS} readers")
            async with reading(deck.site, READERS):
                await measure(beside)
        without, with_them = alone.percentile_ms(CLAIM, 0.99), beside.percentile_ms(CLAIM, 0.99)
        findings = [
            Finding(NAME, "events/s", len(beside.replies) / bench.seconds / ROUNDS),
            Finding(NAME, "processor time of the server, nobody reads", busy[id(alone)] * 100, "% of a core"),
            Finding(NAME, f"the same, {READERS} readers", busy[id(beside)] * 100, "% of a core"),
            Finding(NAME, "claim p50, nobody reads", alone.percentile_ms(CLAIM, 0.5), "ms"),
            Finding(NAME, f"claim p50, {READERS} readers", beside.percentile_ms(CLAIM, 0.5), "ms"),
            Finding(NAME, "claim p99, nobody reads", without, "ms"),
            Finding(NAME, f"claim p99, {READERS} readers", with_them, "ms"),
            Finding(NAME, f"claim p99, {READERS} readers over none", with_them / without, "×", 2, 1.5),
        ]
        return findings + await _mute_reader(bench, deck)


async def _paced(site: Site, seconds: float) -> Trace:
    scripts: list[Script] = [cycles(site, number) for number in range(WORKERS)]
    async with load(site, scripts, line=PacedLine) as trace:
        await asyncio.sleep(_WARM_UP_S)
        begin = time.perf_counter()
        await asyncio.sleep(seconds)
        return trace.between(begin, time.perf_counter())


async def _mute_reader(bench: Bench, deck: Served) -> list[Finding]:
    """Ask for the whole log and take none of it while work goes on."""
    bench.progress(f"{NAME}: a reader that takes nothing")
    async with load(deck.site, [cycles(deck.site, number) for number in range(WORKERS)], line=PacedLine):
        await asyncio.sleep(_WARM_UP_S)
        open_before, memory_before = deck.sockets(), deck.resident_mb()
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as mute:
            mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            mute.connect((deck.site.host, deck.site.port))
            mute.sendall(stream_request(deck.site, after=0))
            begin = time.perf_counter()
            most = memory_before
            await asyncio.sleep(1)
            while (open_now := deck.sockets() > open_before) and time.perf_counter() - begin < DROP_S:
                most = max(most, deck.resident_mb())
                await asyncio.sleep(0.2)
            took = time.perf_counter() - begin
    return [
        Finding(NAME, "a reader that takes nothing is dropped", took if not open_now else float("inf"), "s", DROP_S),
        Finding(NAME, "memory it took meanwhile", most - memory_before, "MB", MEMORY_MB),
    ]
