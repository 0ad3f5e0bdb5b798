"""A server that takes events from outside is killed again and again: each becomes one task, however often sent."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
from pathlib import Path

import aiohttp
import orjson
from support.api import Api
from support.server import server

KILLS, EVENTS, SEED = 5, 120, 7337
SECRET = "a secret of the sender"


async def test_each_event_becomes_one_task(tmp_path: Path) -> None:
    data, chance = tmp_path / "data", random.Random(SEED)
    answered: dict[int, str] = {}
    for kill in range(KILLS):
        async with server(data) as running, running.api() as api:
            if not kill:
                wish = {"name": "hub", "scheme": "github", "task": {"title": "{{ n }}"}, "secret": SECRET}
                await api.post("/v1/sources", wish | {"per_minute": 6_000})
            sending = asyncio.create_task(_send_all(api, answered, chance))
            target = len(answered) + chance.randint(5, 30)
            async with asyncio.timeout(30):
                while len(answered) < target and not sending.done():
                    await api.call("GET", "/healthz")
            running.kill()
            await sending
    async with server(data) as running, running.api() as api:
        await _send_all(api, answered, chance)
        assert set(answered) == set(range(EVENTS))
        tasks = (await api.get("/v1/tasks?limit=200"))["tasks"]
        assert {int(task["title"]): task["key"] for task in tasks} == answered
        assert len(tasks) == EVENTS


async def _send_all(api: Api, answered: dict[int, str], chance: random.Random) -> None:
    """Send every event, in any order, until the server is gone; the task of each is the same in every answer."""
    numbers = list(range(EVENTS))
    chance.shuffle(numbers)
    for number in numbers:
        body = orjson.dumps({"n": number})
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": f"d{number}"}
        try:
            reply = await api.raw("POST", "/v1/inbound/hub", body, headers)
        except (aiohttp.ClientError, OSError):
            return
        assert reply.status in (200, 201), reply
        key = reply.json()["task"]["key"]
        assert answered.setdefault(number, key) == key
