"""What Veryfront's claims and their ends ask of the database: no more than natively."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from support.api import Api
from veryfront_client import register

if TYPE_CHECKING:
    from conftest import Speaking  # type: ignore[import-not-found]


async def test_a_claim_and_its_end_run_the_same_statements(speaking: Speaking) -> None:
    seen: list[str] = []
    async with speaking("veryfront") as spoken, Api(spoken.url, spoken.native.token) as api:
        deck, worker = spoken.running.deck, await register(api)
        connection = deck._writer.runner.connection

        async def traced(act: Callable[[], Awaitable[None]]) -> list[str]:
            await deck.write(lambda unit: connection.set_trace_callback(seen.append))
            seen.clear()
            await act()
            statements = [" ".join(sql.split()[:3]) for sql in seen if not sql.startswith("PRAGMA")]
            await deck.write(lambda unit: connection.set_trace_callback(None))
            return sorted(statements)

        async def here() -> None:
            run = await worker.claim()
            await worker.complete(run["run_id"])

        async def natively() -> None:
            held = await spoken.native.claim("native")
            await spoken.native.post(f"/v1/tasks/{held['task']['key']}/complete", {"fence": 1, "result": {}})

        for _ in range(4):
            await spoken.native.create("T")
        await natively()
        await here()
        assert await traced(here) == await traced(natively)
