"""Very many tasks that change at one moment, and the claims that go on meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from taskdeck.bench.line import BenchFailed
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import BARRED, PARENT, Filling, fall_due
from taskdeck.bench.scenarios.served import Served, serving
from taskdeck.bench.scenarios.trace import load
from taskdeck.bench.scripts import CLAIM, cycles
from taskdeck.client import Client

CONNECTIONS = 16
READY = 250_000
AT_ONCE = 100_000
CHILDREN = 50_000
PATIENCE_S = 180.0
LONGEST_MS = 50
_START_S = 3.0
"""Time for the deck to start before a storm may break."""
_POLL_S = 0.1

Counts = dict[str, int]


async def lapses(bench: Bench) -> list[Finding]:
    """Claims while very many leases lapse at one moment."""
    count = bench.tasks(AT_ONCE)

    def running(stats: dict[str, Any]) -> int:
        return int(stats["counts"]["claimed"]) - int(stats["lapsed"]) - CONNECTIONS

    return await _by_time(bench, "lapses", f"{count:,} leases lapse", Filling(held=count, ready=_ready(bench)), running)


async def dues(bench: Bench) -> list[Finding]:
    """Claims while very many scheduled tasks come due at one moment."""
    count = bench.tasks(AT_ONCE)
    filling = Filling(scheduled=count, ready=_ready(bench))
    return await _by_time(
        bench, "due tasks", f"{count:,} tasks come due", filling, lambda stats: int(stats["counts"]["scheduled"])
    )


async def unblocking(bench: Bench) -> list[Finding]:
    """Claims while one completion unblocks very many tasks."""
    count = bench.tasks(CHILDREN)

    async def complete(client: Client) -> None:
        held = (await client.claim("bench-parent", task=PARENT, capabilities=[BARRED]))["claims"][0]
        await client.complete(PARENT, held["fence"])

    async with bench.deck(Filling(blocked=count, ready=_ready(bench))) as deck:
        return await _storm(
            bench, deck, "unblocking", f"one completion unblocks {count:,}", bench.seconds,
            complete, lambda stats: int(stats["counts"]["blocked"]),
        )  # fmt: skip


async def _by_time(
    bench: Bench, scenario: str, what: str, filling: Filling, left: Callable[[dict[str, Any]], int]
) -> list[Finding]:
    data = await bench.folder(filling)
    moment = time.time() + _START_S + bench.seconds
    await asyncio.to_thread(fall_due, data, round(moment * 1000))

    async def wait(_client: Client) -> None:
        await asyncio.sleep(moment - time.time())

    async with serving(data) as deck:
        if left(await _stats(deck)) <= 0:
            raise BenchFailed("the storm broke before it was looked at; the deck took long to start")
        return await _storm(bench, deck, scenario, what, moment - time.time() - 0.5, wait, left)


async def _storm(
    bench: Bench,
    deck: Served,
    scenario: str,
    what: str,
    quiet_s: float,
    break_loose: Callable[[Client], Awaitable[None]],
    left: Callable[[dict[str, Any]], int],
) -> list[Finding]:
    """Claims for `quiet_s` seconds, then while what `break_loose` began goes on, which is until nothing is `left`."""
    async with deck.client() as client, load(deck.site, [cycles(deck.site, n) for n in range(CONNECTIONS)]) as trace:
        bench.progress(f"{scenario}: quiet")
        await asyncio.sleep(quiet_s / 5)  # prepared statements, caches, the collector
        begin = time.perf_counter()
        await asyncio.sleep(quiet_s * 4 / 5)
        calm = trace.between(begin, time.perf_counter())
        before = await deck.batches()
        bench.progress(f"{scenario}: {what}")
        await break_loose(client)
        begin = time.perf_counter()
        async with asyncio.timeout(PATIENCE_S):
            while left(await client.stats()) > 0:  # noqa: ASYNC110  (of another process)
                await asyncio.sleep(_POLL_S)
        end = time.perf_counter()
        storm = trace.between(begin, end)
        batches = await deck.batches()
    quiet, meanwhile = calm.percentile_ms(CLAIM, 0.99), storm.percentile_ms(CLAIM, 0.99)
    return [
        Finding(scenario, "claim p50, quiet", calm.percentile_ms(CLAIM, 0.5), "ms"),
        Finding(scenario, "claim p99, quiet", quiet, "ms"),
        Finding(scenario, f"claim p50 while {what}", storm.percentile_ms(CLAIM, 0.5), "ms"),
        Finding(scenario, f"claim p99 while {what}", meanwhile, "ms"),
        Finding(scenario, "claim p99 meanwhile over quiet", meanwhile / quiet, "×", 5, 3),
        Finding(scenario, "longest transaction, quiet", before.longest_ms, "ms"),
        Finding(scenario, "longest transaction meanwhile", batches.longest_ms, "ms", LONGEST_MS),
        Finding(scenario, "until all was done", end - begin, "s"),
    ]


async def _stats(deck: Served) -> dict[str, Any]:
    async with deck.client() as client:
        return dict(await client.stats())


def _ready(bench: Bench) -> int:
    return max(bench.tasks(READY), 25_000 + round(bench.seconds * 5_000))
