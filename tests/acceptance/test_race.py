"""64 real clients race for one task: one of them wins, every time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.server import server

CLIENTS = 64
ROUNDS = 200

pytestmark = pytest.mark.timeout(300)


async def test_one_winner_each_round(tmp_path: Path) -> None:
    async with server(tmp_path / "data") as deck, deck.api(connections=CLIENTS) as api:
        for number in range(ROUNDS):
            await _race(api, by_name=number % 2 == 0)
        claimed = await api.events(type="task.claimed")
        assert len(claimed) == ROUNDS
        assert len({event["task"]["id"] for event in claimed}) == ROUNDS


async def _race(api: Api, *, by_name: bool) -> None:
    task = await api.create("contested")
    wish = {"task": task["key"]} if by_name else {}
    start = asyncio.Event()

    async def run(worker: int) -> dict[str, Any] | None:
        await start.wait()
        reply = await api.call("POST", "/v1/claims", {"worker": f"w{worker}", **wish})
        if reply.status == 409:
            problem = reply.json()
            assert problem["code"] == "claimed_by_other"
            assert problem["task"]["worker"] in problem["detail"]
            return None
        assert reply.status == 200, reply.body
        claims: list[dict[str, Any]] = reply.json()["claims"]
        return claims[0] if claims else None

    racers = [asyncio.create_task(run(worker)) for worker in range(CLIENTS)]
    start.set()
    won = [claim for claim in await asyncio.gather(*racers) if claim is not None]
    assert len(won) == 1
    assert won[0]["task"]["id"] == task["id"]
    assert won[0]["fence"] == 1
    now = await api.get(f"/v1/tasks/{task['id']}")
    assert now["claim"]["worker"] == won[0]["task"]["claim"]["worker"]
