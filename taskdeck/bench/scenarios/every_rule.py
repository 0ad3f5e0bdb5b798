"""A claim in a deck where every rule is in force and next to nothing may be had, against one where none is."""

from __future__ import annotations

from contextlib import AsyncExitStack
from statistics import median

from taskdeck.bench.scenarios.bench import MILLION, Bench, Finding
from taskdeck.bench.scenarios.filling import Filling
from taskdeck.bench.scenarios.filters import AIM, MUST, PLAIN, ROUNDS, Case, median_of, rare, turns
from taskdeck.bench.scripts import PROJECT

NAME = "every rule"
KINDS = 4
RULES = {
    "TASKDECK_PROJECTS_IN_TURN": "true",
    "TASKDECK_CLAIMS_PER_MINUTE_PER_WORKER": "1000000",
    "TASKDECK_CLAIMS_PER_MINUTE_PER_PRINCIPAL": "1000000",
}
LIMITS = {"max_claims": 1_000, "max_claims_per_worker": 100, "max_claims_per_label": {"rare": 100, "bench": 1_000}}
"""What is not in force by itself, and is never reached here."""


async def every_rule(bench: Bench) -> list[Finding]:
    """The median time of a claim that may have one of a million tasks, over one that may have any of a thousand.

    Of the million a part asks for what the claimer cannot do, a part for a hook's result that it does not show, a part
    is somebody else's, and the rest lacks the label that is asked for. Waiting raises priorities, projects are
    served in turn, and there are limits of every kind.
    """
    many = bench.tasks(MILLION)
    each = many // KINDS
    filling = Filling(ready=each, barred=each, gated=each, assigned=each)
    async with AsyncExitStack() as stack:
        plain = (await stack.enter_async_context(bench.deck(Filling(ready=PLAIN)))).site
        deck = await stack.enter_async_context(bench.deck(filling, environment=RULES))
        async with deck.client() as client:
            await client.edit_project(PROJECT, **LIMITS)
        full = deck.site
        cases = [
            alone := Case("the one task of its label, nothing ahead", plain, rare),
            anything := Case("a claim of one kind", plain, turns),
            Case(f"the one task of its label, {many:,} ahead under every rule", full, rare, alone),
            Case(f"any of {each:,}, {many - each:,} ahead under every rule", full, turns, anything),
        ]
        for _ in range(ROUNDS):
            for case in cases:
                bench.progress(f"{NAME}: {case.what}")
                case.medians.append(await median_of(case, bench.seconds / ROUNDS))
    findings = [Finding(NAME, f"claim p50, {case.what}", median(case.medians) * 1000, "ms") for case in cases]
    for case in cases:
        if case.beside is not None:
            ratio = median(a / b for a, b in zip(case.medians, case.beside.medians, strict=True))
            findings.append(Finding(NAME, f"{case.what}, over: {case.beside.what}", ratio, "×", MUST, AIM))
    return findings
