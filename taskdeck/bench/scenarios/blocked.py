"""Blocked tasks that stand ahead of the queue."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from statistics import median

from taskdeck.bench.load import percentile, play
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scripts import CLAIM, cycles

NAME = "blocked ahead"
AHEAD = 50_000
READY = 100_000
ROUNDS = 20


async def blocked(bench: Bench) -> list[Finding]:
    """The median time of a claim on one connection behind blocked tasks, over one with none."""
    ahead, ready = bench.tasks(AHEAD), max(bench.tasks(READY), 25_000)
    async with AsyncExitStack() as stack:
        free = (await stack.enter_async_context(bench.deck(Filling(ready=ready)))).site
        behind = (await stack.enter_async_context(bench.deck(Filling(ready=ready, blocked=ahead)))).site
        medians: dict[str, list[float]] = {free.url: [], behind.url: []}
        bench.progress(f"{NAME}: {ahead:,}")
        for site in (free, behind) * ROUNDS:
            played = await play(site, 1, bench.seconds / ROUNDS, partial(cycles, site))
            medians[site.url].append(percentile(played.latencies[CLAIM], 0.5))
    ratio = median(a / b for a, b in zip(medians[behind.url], medians[free.url], strict=True))
    return [
        Finding(NAME, "claim p50, none blocked", median(medians[free.url]) * 1000, "ms"),
        Finding(NAME, f"claim p50, {ahead:,} blocked ahead", median(medians[behind.url]) * 1000, "ms"),
        Finding(NAME, f"{ahead:,} blocked ahead over none", ratio, "×", 1.2, 1.0),
    ]
