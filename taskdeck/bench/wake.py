"""How soon a claim that waits learns of the task that was made for it."""

from __future__ import annotations

import asyncio
import time

from taskdeck.bench.line import BenchFailed, Line, Site
from taskdeck.bench.scripts import CLAIM, waits, wakes
from taskdeck.client import Client

PATIENCE_S = 10.0


async def wake_up(site: Site, client: Client) -> float:
    """Seconds from sending a create to having the reply of the claim that had waited for such a task.

    Raises:
        BenchFailed: the claim did not begin to wait, or was not woken, within 10 seconds.
    """
    answered: dict[str, float] = {}

    def note(kind: str, _taken: float) -> None:
        answered[kind] = time.perf_counter()

    before = (await client.stats())["waiting_claims"]
    waiter = await Line.connected(site, waits(site, PATIENCE_S), note)
    waker = await Line.connected(site, wakes(site), note)
    try:
        async with asyncio.timeout(PATIENCE_S):
            waiter.start(0.0)
            while (await client.stats())["waiting_claims"] <= before:  # noqa: ASYNC110  (of another process)
                await asyncio.sleep(0.001)
            sent = time.perf_counter()
            waker.start(0.0)
            await asyncio.gather(waiter.ended, waker.ended)
    except TimeoutError:
        raise BenchFailed(f"a waiting claim was not woken within {PATIENCE_S:g} seconds") from None
    finally:
        waiter.close()
        waker.close()
    return answered[CLAIM] - sent
