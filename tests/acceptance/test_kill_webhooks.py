"""A server that sends webhooks is killed again and again: each event arrives, and under one id however often."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from pathlib import Path

import aiohttp
from support.api import Api
from support.receiver import receiver
from support.server import server

from taskdeck.store.folder import prepare

KILLS = 5
SEED = 7337


async def test_no_event_is_lost_and_none_gets_two_ids(tmp_path: Path) -> None:
    data, chance = tmp_path / "data", random.Random(SEED)
    prepare(data)
    (data / "taskdeck.toml").write_text('webhook_networks = ["127.0.0.0/8"]\n')
    created: set[str] = set()
    async with receiver() as there:
        for kill in range(KILLS):
            async with server(data) as running, running.api() as api:
                if not kill:
                    made = await api.post("/v1/webhooks", {"url": there.url, "events": ["task.created"]})
                work = asyncio.create_task(_create(api, created))
                await there.until(len(there.got) + chance.randint(10, 120))
                running.kill()
                await work
        async with server(data) as running, running.api() as api:
            expected = {e["seq"]: e["task"]["id"] for e in await api.events(type="task.created")}
            assert created <= set(expected.values())
            ids: defaultdict[int, set[str]] = defaultdict(set)
            looked_at = 0
            async with asyncio.timeout(60):
                while set(ids) != set(expected):
                    for message in there.got[looked_at:]:
                        looked_at += 1
                        event = message.json()["data"]
                        ids[event["seq"]].add(message.id)
                        assert expected[event["seq"]] == event["task"]["id"]
                    await api.tick()
            assert {len(found) for found in ids.values()} == {1}
            assert made["webhook"]["id"] == 1


async def _create(api: Api, created: set[str]) -> None:
    """Create a few hundred tasks, unless the server goes before; keep those that were acknowledged."""
    for _ in range(15):
        try:
            reply = await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 20})
        except (aiohttp.ClientError, OSError):
            return
        created.update(task["id"] for task in reply["tasks"])
