"""How soon a deck serves after its process was started, and what it takes at rest."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path
from statistics import median

from taskdeck.bench.line import BenchFailed, Script
from taskdeck.bench.load import play
from taskdeck.bench.run import site_at
from taskdeck.bench.scenarios.bench import MILLION, Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scenarios.served import serving
from taskdeck.bench.scripts import CAPABILITY, CLAIM, CREATE, cycles
from taskdeck.store.folder import ADMIN_TOKEN

NAME = "start"
AT_REST = "at rest"
ROUNDS = 7
CONNECTIONS = 16
IDLE_S = 20.0
START_S = 60.0
_SETTLE_S = 2.0
_SAYS = b"taskdeck serves "


async def start(bench: Bench) -> list[Finding]:
    """From starting `taskdeck serve` to the first acknowledged claim, over importing aiohttp; memory and idle time."""
    many = bench.tasks(MILLION)
    data = await bench.folder(Filling(ready=many))
    imports: list[float] = []
    empty: list[float] = []
    full: list[float] = []
    for number in range(ROUNDS):
        bench.progress(f"{NAME}: round {number + 1} of {ROUNDS}")
        imports.append(await _imported())
        fresh = bench.work / f"fresh{number}"
        empty.append(await _first_claim(fresh, create=True))
        shutil.rmtree(fresh)
        full.append(await _first_claim(data, create=False))
    findings = [Finding(NAME, "python -c 'import aiohttp.web'", median(imports) * 1000, "ms")]
    for what, taken in (("first claim, in an empty folder", empty), (f"first claim, {many:,} tasks", full)):
        ratio = median(a / b for a, b in zip(taken, imports, strict=True))
        findings += [
            Finding(NAME, what, median(taken) * 1000, "ms"),
            Finding(NAME, f"{what}, over the import", ratio, "×", 2.5, 2),
        ]
    return findings + await _at_rest(bench, data, many)


async def _imported() -> float:
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import aiohttp.web")
    await process.wait()
    return time.perf_counter() - begin


async def _first_claim(data: Path, *, create: bool) -> float:
    """Seconds from starting a server on `data` to having claimed a task, one created for it if need be."""
    # compiled once, as where it was installed
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TASKDECK_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "taskdeck", "serve", "--data", str(data), "--port", "0",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=own,
    )  # fmt: skip
    if process.stdout is None:
        raise RuntimeError("a process was started without its pipes")
    try:
        async with asyncio.timeout(START_S):
            said = await process.stdout.readline()
        if not said.startswith(_SAYS):
            raise BenchFailed("the deck did not start")
        secret = (data / ADMIN_TOKEN).read_text("ascii").strip()
        site = site_at(said.removeprefix(_SAYS).decode().strip(), secret)

        def script(_number: int) -> Script:
            if create:
                yield site.post(CREATE, "/v1/tasks", {"title": "The first task"})
            yield site.post(CLAIM, "/v1/claims", {"worker": "bench-0", "capabilities": [CAPABILITY]})

        await play(site, 1, START_S, script)
        return time.perf_counter() - begin
    finally:
        process.terminate()
        await process.wait()


async def _at_rest(bench: Bench, data: Path, many: int) -> list[Finding]:
    async with serving(data) as deck:
        bench.progress(f"{NAME}: memory after claims, {many:,} tasks")
        played = await play(deck.site, CONNECTIONS, bench.seconds * 2, lambda number: cycles(deck.site, number))
        resident = deck.resident_mb()
        bench.progress(f"{NAME}: idle for {IDLE_S:g} seconds")
        await asyncio.sleep(_SETTLE_S)
        before = deck.cpu_s()
        await asyncio.sleep(IDLE_S)
        busy = (deck.cpu_s() - before) / IDLE_S
    claims = len(played.latencies[CLAIM])
    return [
        Finding(AT_REST, f"memory, {many:,} tasks, after {claims:,} claims", resident, "MB", 150, 100),
        Finding(AT_REST, "processor time of the idle server", busy * 100, "% of a core", 0.5),
    ]
