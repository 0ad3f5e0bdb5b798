"""A minute of steady claims while old tasks are pruned: how even their latencies are, and how long the log grows."""

from __future__ import annotations

import asyncio
import shutil
import time

from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling, age, ended_before
from taskdeck.bench.scenarios.served import serving
from taskdeck.bench.scenarios.trace import load
from taskdeck.bench.scripts import CLAIM, cycles
from taskdeck.store.folder import DATABASE

NAME = "steady"
CONNECTIONS = 16
MINUTE_S = 60.0
READY = 500_000
OLD = 50_000
_LONG_AGO_MS = 400 * 86_400_000
WAL_MB = 64
_WARM_UP_S = 1.0


async def steady(bench: Bench) -> list[Finding]:
    """Claims and completions for 60 seconds (a tenth of that below full scale)."""
    seconds = MINUTE_S if bench.scale >= 1 else MINUTE_S / 10
    data = await bench.folder(Filling(ready=max(bench.tasks(READY), 60_000), finished=bench.tasks(OLD)))
    await asyncio.to_thread(age, data, _LONG_AGO_MS)
    begun_ms = round(time.time() * 1000) - _LONG_AGO_MS // 2
    old = await asyncio.to_thread(ended_before, data, begun_ms)
    async with serving(data) as deck:
        async with load(deck.site, [cycles(deck.site, n) for n in range(CONNECTIONS)]) as trace:
            await asyncio.sleep(_WARM_UP_S)
            await deck.batches()
            deck.prune()
            begin = time.perf_counter()
            bench.progress(f"{NAME}: {seconds:g} seconds")
            await asyncio.sleep(seconds)
            measured = trace.between(begin, time.perf_counter())
        batches = await deck.batches()
        pruned = old - await asyncio.to_thread(ended_before, data, begun_ms)
        wal_bytes = (deck.data / f"{DATABASE}-wal").stat().st_size
    await asyncio.to_thread(shutil.rmtree, data)
    half, nearly_all = measured.percentile_ms(CLAIM, 0.5), measured.percentile_ms(CLAIM, 0.99)
    return [
        Finding(NAME, "requests/s", len(measured.replies) / seconds),
        Finding(NAME, "old tasks pruned meanwhile", pruned),
        Finding(NAME, "claim p50", half, "ms"),
        Finding(NAME, "claim p99", nearly_all, "ms"),
        Finding(NAME, "claim p99.9", measured.percentile_ms(CLAIM, 0.999), "ms"),
        Finding(NAME, "claim p99 over p50", nearly_all / half, "×", 4, 3),
        Finding(NAME, "longest time without any reply", measured.longest_gap_ms(), "ms", 25),
        Finding(NAME, "longest transaction", batches.longest_ms, "ms"),
        Finding(NAME, "write-ahead log after", wal_bytes / 1e6, "MB", WAL_MB),
    ]
