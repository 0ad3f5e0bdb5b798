"""What an MCP server does about the leases of its agent, on a clock that stands: nothing waits."""

from __future__ import annotations

import asyncio

from support.clock import FakeClock

from taskdeck.app import RunningDeck
from taskdeck.client import Client
from taskdeck.domain.clock import from_rfc3339
from taskdeck.mcp.claims import Claims
from taskdeck.store.folder import ADMIN_TOKEN

PATIENCE = 30


async def test_leases_are_kept_while_the_agent_is_heard_of(served: RunningDeck, clock: FakeClock) -> None:
    turns: asyncio.Queue[None] = asyncio.Queue()
    resting: asyncio.Queue[float] = asyncio.Queue()

    async def sleep(seconds: float) -> None:
        resting.put_nowait(seconds)
        await turns.get()
        clock.advance(seconds)

    async def beat() -> None:
        """Let one rest end and what follows it be done."""
        turns.put_nowait(None)
        await asyncio.wait_for(resting.get(), PATIENCE)

    async def left_s() -> float:
        ends = (await client.task("T1"))["claim"]["expires_at"]
        return (from_rfc3339(ends) - clock.now_ms()) / 1000

    async with Client(served.url, token=(served.data / ADMIN_TOKEN).read_text().strip()) as client:
        claims = Claims(client, 60, now=lambda: clock.monotonic_ms() / 1000, sleep=sleep)
        await client.create(title="t")
        (claimed,) = (await client.claim("robin", lease_seconds=30))["claims"]
        claims.took(claimed["task"], claimed["fence"])
        assert await resting.get() == 10
        for _ in range(6):
            await beat()
            assert await left_s() == 30
        for left in (20, 10, 0, -10):  # nothing was heard of the agent for more than 60 seconds
            await beat()
            assert await left_s() == left
        claims.heard()
        await beat()  # it is back before another took the task
        assert await left_s() == 30
        await client.register_worker("kim")
        await client.override("T1", "out", worker="kim")
        turns.put_nowait(None)
        held = claims.find("T1")
        assert held is not None
        assert held.beating is not None
        await asyncio.wait_for(held.beating, PATIENCE)
        (notice,) = claims.notices()
        assert "stop working on it [stale_fence]" in notice
        assert claims.notices() == []
        assert claims.find("T1") is None
