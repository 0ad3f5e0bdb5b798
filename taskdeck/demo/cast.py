"""Everyone in the demo, brought on stage and off again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

from taskdeck.client import Client
from taskdeck.demo.agent import Agent
from taskdeck.demo.operator import Operator
from taskdeck.demo.plan import Planner
from taskdeck.demo.producer import Producer
from taskdeck.demo.temperament import crew
from taskdeck.domain.clock import Clock, SystemClock

log = logging.getLogger(__name__)


@asynccontextmanager
async def playing(
    url: str, admin_token: str, *, agents: int = 8, seed: int = 7337, clock: Clock | None = None
) -> AsyncIterator[None]:
    """Fill the deck at `url`, then let everyone work on it while the context lasts.

    Each has a token of its own, as in life. With no agents the deck is filled and then left alone.

    Raises:
        ApiError, Unreachable: the deck could not be filled.
    """
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(Client(url, token=admin_token, attempts=3))

        async def client(name: str, role: str) -> Client:
            secret = (await admin.create_token(name, role))["secret"]
            return await stack.enter_async_context(Client(url, token=secret))

        planner = Planner(Random(f"{seed}:plan"), clock or SystemClock())
        producer = Producer(admin, planner, Random(f"{seed}:producer"))
        await producer.seed()
        if agents == 0:
            yield
            return
        acts: list[Coroutine[Any, Any, None]] = [
            producer.produce(),
            Operator(await client("sam", "operator"), Random(f"{seed}:sam")).live(),
        ]
        for member in crew(agents):
            worker = Agent(await client(member.worker, "agent"), member, Random(f"{seed}:{member.worker}"))
            acts.append(worker.live())
        running = [asyncio.create_task(_kept(act)) for act in acts]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _kept(act: Coroutine[Any, Any, None]) -> None:
    """Let one actor fall without pulling the others down, and not in silence."""
    try:
        await act
    except Exception:
        log.exception("an actor of the demo has left")
