"""What Veryfront's claims and their ends ask of the database: no more than natively."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.api import Api
from veryfront_client import register

if TYPE_CHECKING:
    from conftest import Speaking  # type: ignore[import-not-found]


async def test_a_claim_and_its_end_run_the_same_statements(speaking: Speaking) -> None:
    async with speaking("veryfront") as spoken, Api(spoken.url, spoken.native.token) as api:
        worker = await register(api)

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
        assert await spoken.statements(here) == await spoken.statements(natively)
