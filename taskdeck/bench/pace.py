"""Claims at a steady pace: how long each takes when the deck has time."""

from __future__ import annotations

import asyncio
import time

from taskdeck.bench.line import Line, Script, Site
from taskdeck.bench.scripts import CLAIM, wish

PER_SECOND = 50


async def paced(site: Site, seconds: float) -> list[float]:
    """Seconds that each of 50 claims a second took.

    Raises:
        BenchFailed: the deck refused, or hung up.
    """
    samples: list[float] = []

    def answered(_kind: str, taken: float) -> None:
        samples.append(taken)

    begun = time.perf_counter()
    for number in range(max(1, round(seconds * PER_SECOND))):
        await asyncio.sleep(begun + number / PER_SECOND - time.perf_counter())
        line = await Line.connected(site, _one(site), answered)
        try:
            line.start(0.0)
            await line.ended
        finally:
            line.close()
    return samples


def _one(site: Site) -> Script:
    yield site.post(CLAIM, "/v1/claims", wish(0))
