"""One sync for many writes, against one transaction a request; also on a disk whose syncs are slow."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from taskdeck.bench.child import started
from taskdeck.bench.line import Site
from taskdeck.bench.load import play
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scripts import CLAIM, cycles

NAME = "group commit"
ROUNDS = 3
STOCK = 100_000
DELAY_MS = 2
_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int late(const char *name, int descriptor) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    usleep(DELAY_US);
    return real(descriptor);
}
int fsync(int descriptor) { return late("fsync", descriptor); }
int fdatasync(int descriptor) { return late("fdatasync", descriptor); }
"""


async def group_commit(bench: Bench) -> list[Finding]:
    """Cycles a second over those of the naive design, and of the same deck with one unit of work in a transaction."""
    findings = await _against_one_each(bench, "", {16: (3, 4), 64: (4, 5)}, {})
    shim = await _shim(bench.work)
    if shim is None:
        bench.progress("no C compiler: the slow disk is left out")
        return findings
    slow = {"LD_PRELOAD": str(shim)}
    return findings + await _against_one_each(bench, f", each sync {DELAY_MS} ms later", {64: (12, 18)}, slow)


async def _against_one_each(
    bench: Bench, on: str, targets: dict[int, tuple[float, float]], environment: dict[str, str]
) -> list[Finding]:
    filling = Filling(ready=STOCK)
    findings = []
    async with AsyncExitStack() as stack:
        grouped = await stack.enter_async_context(bench.deck(filling, environment=environment))
        single = await stack.enter_async_context(bench.deck(filling, environment=environment, batch_limit=1))
        naive = await stack.enter_async_context(started("naive", await bench.folder(filling), environment))
        sites = (grouped.site, single.site, naive.site)
        for connections, (must, aim) in targets.items():
            bench.progress(f"{NAME}, {connections} connections{on}")
            rates: dict[Site, list[float]] = {site: [] for site in sites}
            for site in sites * ROUNDS:
                rates[site].append(await _rate(site, connections, bench.seconds / ROUNDS))
            ours, ours_alone, others = rates.values()
            findings += [
                Finding(NAME, f"cycles/s, {connections} connections{on}", median(ours)),
                Finding(NAME, f"naive, a transaction a request over aiosqlite{on}", median(others)),
                Finding(
                    NAME, f"ratio to naive, {connections} connections{on}", _ratio(ours, others), "×", must, aim, True
                ),
                Finding(NAME, f"taskdeck's own core, one unit a transaction{on}", median(ours_alone)),
                Finding(NAME, f"ratio to that, {connections} connections{on}", _ratio(ours, ours_alone), "×"),
            ]
    return findings


def _ratio(these: list[float], those: list[float]) -> float:
    return median(a / b for a, b in zip(these, those, strict=True))


async def _rate(site: Site, connections: int, seconds: float) -> float:
    played = await play(site, connections, seconds, lambda number: cycles(site, number))
    return played.per_second(CLAIM)


async def _shim(folder: Path) -> Path | None:
    """A library that lets every sync take longer; None where nothing can compile it."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "late.c", folder / "late.so"
    source.write_text(_SHIM)
    process = await asyncio.create_subprocess_exec(
        compiler, "-shared", "-fPIC", f"-DDELAY_US={DELAY_MS * 1000}", "-o", str(library), str(source), "-ldl"
    )
    return library if await process.wait() == 0 else None
