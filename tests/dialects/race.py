"""The race that every dialect must run clean: many claimers, fewer tasks than claims, each task to one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

CLAIMERS = 64
TASKS = 1_000

Claim = Callable[[int], Awaitable[str | None]]
"""Claims as claimer number so-and-so: what names the task it was given, or None when it was told that there is none."""


async def race(claim: Claim, claimers: int = CLAIMERS) -> list[str]:
    """Let `claimers` claim at once until each is told that nothing is left; what they were given, in no order."""
    given: list[str] = []

    async def one(number: int) -> None:
        while (task := await claim(number)) is not None:
            given.append(task)

    async with asyncio.timeout(120):
        await asyncio.gather(*(one(number) for number in range(claimers)))
    return given
