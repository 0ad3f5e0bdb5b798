"""Many tasks in one request against one in each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median

from taskdeck.bench.line import Script, Site
from taskdeck.bench.load import play
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scripts import CLAIM, CREATE, claims_of, creates

NAME = "at once"
ROUNDS = 5
READY = 250_000
CLAIMS, CREATES = 10, 100


async def at_once(bench: Bench) -> list[Finding]:
    """Tasks a second: claims of 10 over single claims, creates of 100 over single creates."""
    findings = []
    async with bench.deck(Filling(ready=max(bench.tasks(READY), round(bench.seconds * 40_000)))) as deck:
        for connections, must, aim in ((1, 3, 4), (16, 2.5, 3.5)):
            bench.progress(f"{NAME}: claims of {CLAIMS}, {connections} connections")
            findings += await _compared(bench, deck.site, CLAIM, claims_of, CLAIMS, connections, must, aim)
        bench.progress(f"{NAME}: creates of {CREATES}")
        findings += await _compared(bench, deck.site, CREATE, creates, CREATES, 1, 8, 15)
    return findings


async def _compared(
    bench: Bench,
    site: Site,
    kind: str,
    script: Callable[[Site, int, int], Script],
    size: int,
    connections: int,
    must: float,
    aim: float,
) -> list[Finding]:
    rates: dict[int, list[float]] = {1: [], size: []}
    for count in (1, size) * ROUNDS:
        played = await play(site, connections, bench.seconds / ROUNDS, partial(_sized, script, site, count))
        rates[count].append(played.per_second(kind) * count)
    where = f"{kind}s, {connections} connection{'s' if connections > 1 else ''}"
    ratio = median(a / b for a, b in zip(rates[size], rates[1], strict=True))
    return [
        Finding(NAME, f"single {where}", median(rates[1]), "tasks/s"),
        Finding(NAME, f"{where}, {size} at once", median(rates[size]), "tasks/s"),
        Finding(NAME, f"{where}, {size} at once over single", ratio, "×", must, aim, least=True),
    ]


def _sized(script: Callable[[Site, int, int], Script], site: Site, size: int, number: int) -> Script:
    return script(site, number, size)
