"""Claims from a long queue, and beside very many finished tasks, against a short one."""

from __future__ import annotations

from contextlib import AsyncExitStack
from statistics import median

from taskdeck.bench.load import play
from taskdeck.bench.scenarios.bench import MILLION, Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scenarios.served import Served
from taskdeck.bench.scripts import CLAIM, TASK, cycles

NAME = "queue size"
FEW = 10_000
CONNECTIONS = 16
ROUNDS = 5
_CREATE_AT_ONCE = 1_000


async def queue_size(bench: Bench) -> list[Finding]:
    """Cycles a second with many tasks, over those with few."""
    many = bench.tasks(MILLION)
    kinds = {
        f"{FEW:,} ready": Filling(ready=FEW),
        f"{many:,} ready": Filling(ready=many),
        f"{FEW:,} ready, {many:,} finished": Filling(ready=FEW, finished=many),
    }
    async with AsyncExitStack() as stack:
        decks = {what: await stack.enter_async_context(bench.deck(filling)) for what, filling in kinds.items()}
        rates: dict[str, list[float]] = {what: [] for what in kinds}
        for _ in range(ROUNDS):
            for what, deck in decks.items():
                bench.progress(f"{NAME}: {what}")
                rates[what].append(await _rate(deck, bench.seconds / ROUNDS))
    few, *others = rates.values()
    findings = [Finding(NAME, f"cycles/s, {what}", median(measured)) for what, measured in rates.items()]
    for what, measured in zip(list(kinds)[1:], others, strict=True):
        ratio = median(a / b for a, b in zip(measured, few, strict=True))
        findings.append(Finding(NAME, f"{what} over {FEW:,} ready", ratio, "×", 0.8, 1.0, least=True))
    return findings


async def _rate(deck: Served, seconds: float) -> float:
    """Cycles a second; what the rounds before took away is put back first."""
    async with deck.client() as client:
        ready = (await client.stats())["counts"]["ready"]
        for _ in range(ready, FEW, _CREATE_AT_ONCE):
            await client.create_many([TASK] * _CREATE_AT_ONCE)
    played = await play(deck.site, CONNECTIONS, seconds, lambda number: cycles(deck.site, number))
    return played.per_second(CLAIM)
