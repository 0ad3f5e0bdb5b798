"""Claims whose filters let them have little of what is there, against claims that may have anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import orjson

from taskdeck.bench.line import Script, Site
from taskdeck.bench.load import percentile, play
from taskdeck.bench.scenarios.bench import Bench, Finding
from taskdeck.bench.scenarios.filling import BARRED, SKILLS, SOME, Filling, skill
from taskdeck.bench.scripts import CAPABILITY, CLAIM, PROJECT, TASK

NAME = "filters"
AHEAD = 100_000
PLAIN = 1_000
LABELLED = 1_000
SKILLED = 990
ROUNDS = 20
PATIENCE_S = 10.0
MUST, AIM = 1.5, 1.2


@dataclass(slots=True)
class Case:
    """A way to claim, what it is compared with, and the median time of a claim in each round."""

    what: str
    site: Site
    script: Callable[[Site, float], Script]
    beside: Case | None = None
    medians: list[float] = field(default_factory=list)


async def filters(bench: Bench) -> list[Finding]:
    """The median time of a filtered claim on one connection, over an unfiltered one."""
    ahead = bench.tasks(AHEAD)
    async with AsyncExitStack() as stack:
        plain, behind, labelled, skilled = [
            (await stack.enter_async_context(bench.deck(filling))).site
            for filling in (
                Filling(ready=PLAIN),
                Filling(ready=PLAIN, barred=ahead),
                Filling(labelled=LABELLED),
                Filling(skilled=SKILLED),
            )
        ]
        anything = Case("a claim of one kind", plain, turns)
        able = Case(f"able to do the {ahead:,} ahead", behind, partial(turns, capabilities=[BARRED, CAPABILITY]))
        whole = Case(f"{LABELLED:,} label sets, all admitted", labelled, turns, anything)
        some, one = [skill(n) for n in range(SKILLS - 25, SKILLS)], [skill(0), skill(1)]
        cases = [
            anything,
            able,
            Case(f"not able to do the {ahead:,} ahead", behind, turns, able),
            Case(f"the one task of its label, {ahead:,} ahead", behind, rare, able),
            whole,
            Case(f"{LABELLED:,} label sets, the last 300 admitted", labelled, partial(turns, labels=[SOME]), whole),
            Case(f"{LABELLED:,} label sets, one admitted", labelled, partial(turns, labels=["kind-999"]), whole),
            Case(f"{SKILLED} capability sets, 300 admitted", skilled, partial(turns, capabilities=some), anything),
            Case(f"{SKILLED} capability sets, one admitted", skilled, partial(turns, capabilities=one), anything),
        ]
        for _ in range(ROUNDS):
            for case in cases:
                bench.progress(f"{NAME}: {case.what}")
                case.medians.append(await median_of(case, bench.seconds / ROUNDS))
    findings = []
    for case in cases:
        findings.append(Finding(NAME, f"claim p50, {case.what}", median(case.medians) * 1000, "ms"))
        if case.beside is not None:
            ratio = median(a / b for a, b in zip(case.medians, case.beside.medians, strict=True))
            findings.append(Finding(NAME, f"{case.what}, over: {case.beside.what}", ratio, "×", MUST, AIM))
    return findings


async def median_of(case: Case, seconds: float) -> float:
    """Seconds that a claim takes in the middle, on one connection, where one is made after the other for so long."""
    script = case.script(case.site, seconds)
    # the script ends by itself, so that what it claimed last is given back
    played = await play(case.site, 1, seconds + PATIENCE_S, lambda _number: script)
    return percentile(played.latencies[CLAIM], 0.5)


def turns(site: Site, seconds: float, capabilities: list[str] | None = None, labels: list[str] | None = None) -> Script:
    """Claim a task and give it back, again and again."""
    wish = {"worker": "bench-0", "project": PROJECT, "labels": labels or []}
    claim = site.post(CLAIM, "/v1/claims", wish | {"capabilities": capabilities or [CAPABILITY]})
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        held = orjson.loads((yield claim))["claims"][0]
        yield site.post("release", f"/v1/tasks/{held['task']['number']}/release", {"fence": held["fence"]})


def rare(site: Site, seconds: float) -> Script:
    """Make the one task that has a label, claim it by that label, complete it, again and again."""
    wish = {"worker": "bench-0", "project": PROJECT, "labels": ["rare"], "capabilities": [CAPABILITY]}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        yield site.post("create", "/v1/tasks", TASK | {"labels": ["rare"], "priority": 0})
        held = orjson.loads((yield site.post(CLAIM, "/v1/claims", wish)))["claims"][0]
        yield site.post("complete", f"/v1/tasks/{held['task']['number']}/complete", {"fence": held["fence"]})
