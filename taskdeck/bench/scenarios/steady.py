"""A minute of steady claims: how even their latencies are, and how long the log grows."""

from __future__ import annotations

import asyncio
import time

from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scenarios.trace import load
from taskdeck.bench.scripts import CLAIM, cycles
from taskdeck.store.folder import DATABASE

NAME = "steady"
CONNECTIONS = 16
MINUTE_S = 60.0
READY = 500_000
WAL_MB = 64
_WARM_UP_S = 1.0


async def steady(bench: Bench) -> list[Finding]:
    """Claims and completions for 60 seconds (a tenth of that below full scale)."""
    seconds = MINUTE_S if bench.scale >= 1 else MINUTE_S / 10
    async with bench.deck(Filling(ready=max(bench.tasks(READY), 60_000))) as deck:
        async with load(deck.site, [cycles(deck.site, n) for n in range(CONNECTIONS)]) as trace:
            await asyncio.sleep(_WARM_UP_S)
            await deck.batches()
            begin = time.perf_counter()
            bench.progress(f"{NAME}: {seconds:g} seconds")
            await asyncio.sleep(seconds)
            measured = trace.between(begin, time.perf_counter())
        batches = await deck.batches()
        wal_bytes = (deck.data / f"{DATABASE}-wal").stat().st_size
    half, nearly_all = measured.percentile_ms(CLAIM, 0.5), measured.percentile_ms(CLAIM, 0.99)
    return [
        Finding(NAME, "requests/s", len(measured.replies) / seconds),
        Finding(NAME, "claim p50", half, "ms"),
        Finding(NAME, "claim p99", nearly_all, "ms"),
        Finding(NAME, "claim p99.9", measured.percentile_ms(CLAIM, 0.999), "ms"),
        Finding(NAME, "claim p99 over p50", nearly_all / half, "×", 4, 3),
        Finding(NAME, "longest time without any reply", measured.longest_gap_ms(), "ms", 25),
        Finding(NAME, "longest transaction", batches.longest_ms, "ms"),
        Finding(NAME, "write-ahead log after", wal_bytes / 1e6, "MB", WAL_MB),
    ]
