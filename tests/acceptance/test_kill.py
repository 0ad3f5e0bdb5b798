"""A server under load is killed again and again; what it had acknowledged is there, once, each time.

The history is kept here, outside the server: an outcome is ok (2xx), refused, or unknown (no whole reply came).

    TASKDECK_TEST_KILLS=1000 pytest --timeout 0 tests/acceptance/test_kill.py     more rounds than the usual 25
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from support.api import Api, Reply
from support.server import ServerProcess, server

from taskdeck.domain.replay import replay

KILLS = int(os.environ.get("TASKDECK_TEST_KILLS") or 25)
CLIENTS = 16
READY_S = 2.0
SEED = 7337

pytestmark = pytest.mark.timeout(60 + 10 * KILLS)


@dataclass
class History:
    """What the clients were told."""

    created: set[str] = field(default_factory=set)
    claimed: dict[tuple[str, int], str] = field(default_factory=dict)
    completed: dict[str, tuple[int, str]] = field(default_factory=dict)
    acknowledged: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def note(self, event: str, task: dict[str, Any]) -> None:
        self.acknowledged[task["id"], event] += 1


class Client:
    """Works until the server is gone: over HTTP, or on a worker's socket."""

    def __init__(
        self, api: Api, name: str, history: History, chance: random.Random, heard: asyncio.Event, *, on_socket: bool
    ) -> None:
        self._api = api
        self._name = name
        self._history = history
        self._chance = chance
        self._heard = heard
        self._on_socket = on_socket
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def run(self) -> None:
        try:
            if self._on_socket:
                path = f"{self._api.url}/v1/claims/ws"
                self._socket = await self._api.session.ws_connect(path, headers=self._api.headers())
            while True:
                await self._create()
                await self._work()
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            self._history.outcomes["unknown"] += 1
        finally:
            if self._socket is not None:
                await self._socket.close()

    async def _send(self, path: str, document: dict[str, Any]) -> Any:
        reply: Reply = await self._api.call("POST", path, document)
        return self._noted(reply.status, reply.json())

    async def _ask(self, verb: str, task: str | None, document: dict[str, Any]) -> Any:
        if self._socket is None:
            return await self._send("/v1/claims" if task is None else f"/v1/tasks/{task}/{verb}", document)
        message = {"id": 1, "verb": verb, "body": document} | ({} if task is None else {"task": task})
        await self._socket.send_str(orjson.dumps(message).decode())
        heard = await self._socket.receive()
        if heard.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError("the socket was lost")
        reply = orjson.loads(heard.data)
        return self._noted(reply["status"], reply["body"])

    def _noted(self, status: int, document: Any) -> Any:
        if status >= 300:
            assert status in (409, 503), document
            self._history.outcomes["refused"] += 1
            return None
        self._history.outcomes["ok"] += 1
        self._heard.set()
        return document

    async def _create(self) -> None:
        wish = {"title": self._name, "priority": self._chance.choice([0, 50, 100]), "max_attempts": 100}
        task = await self._send("/v1/tasks", wish)
        if task is not None:
            self._history.created.add(task["id"])
            self._history.note("task.created", task)

    async def _work(self) -> None:
        answer = await self._ask("claim", None, {"worker": self._name, "lease_seconds": 600})
        claims = answer["claims"] if answer else []
        while claims:
            claims = await self._hold(claims[0])

    async def _hold(self, claim: dict[str, Any]) -> list[dict[str, Any]]:
        """Do something with a claim; what was claimed with its end."""
        task, fence = claim["task"], claim["fence"]
        # two who were told of one fence would both believe they hold the task
        assert (task["id"], fence) not in self._history.claimed
        self._history.claimed[task["id"], fence] = self._name
        self._history.note("task.claimed", task)
        verb = self._chance.choice(["heartbeat", "release", "complete", "complete", "fail"])
        extra: dict[str, Any] = {"fail": {"error": "e", "delay_seconds": 0}, "complete": {"result": self._name}}.get(
            verb, {}
        )
        onward = verb in ("complete", "fail") and self._chance.random() < 0.4
        if onward:
            extra["next"] = {"lease_seconds": 600}
        reply = await self._ask(verb, task["id"], {"fence": fence} | extra)
        if reply is None:
            return []
        past = {"heartbeat": "heartbeat", "release": "released", "complete": "completed", "fail": "failed"}
        self._history.note(f"task.{past[verb]}", task)
        if verb == "complete":
            assert task["id"] not in self._history.completed
            self._history.completed[task["id"]] = fence, self._name
        return list(reply["next"]["claims"]) if onward else []


async def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    chance, history, readiness = random.Random(SEED), History(), []
    for number in range(KILLS):
        async with server(tmp_path / "data") as deck:
            readiness.append(deck.ready_after_s)
            async with deck.api(connections=CLIENTS) as api:
                await _verify(api, deck, history)
                await _load_then_kill(api, deck, history, chance, number)
    async with server(tmp_path / "data") as deck, deck.api() as api:
        await _verify(api, deck, history)
    print(
        f"{KILLS} kills (seed {SEED}): {dict(history.outcomes)}, ready after {max(readiness):.2f} s at most,"
        f" {sum(readiness) / KILLS:.2f} s on average"
    )
    assert max(readiness) <= READY_S


async def _load_then_kill(api: Api, deck: ServerProcess, history: History, chance: random.Random, number: int) -> None:
    heard = asyncio.Event()
    crew = [
        Client(api, f"c{number}-{i}", history, random.Random(chance.random()), heard, on_socket=i % 2 == 1)
        for i in range(CLIENTS)
    ]
    working = [asyncio.create_task(client.run()) for client in crew]
    target = history.outcomes["ok"] + chance.randint(1, 600)
    while history.outcomes["ok"] < target:
        heard.clear()
        async with asyncio.timeout(30):
            await heard.wait()
        for task in working:
            assert not task.done() or task.exception() is None, task.exception()
    deck.kill()
    await asyncio.gather(*working)


async def _verify(api: Api, deck: ServerProcess, history: History) -> None:
    with closing(sqlite3.connect(f"file:{deck.data / 'deck.db'}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    events, tasks = await _log_and_tasks(api)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {name: shown for name, shown in replay(events).items() if tasks.get(name) != shown} == {}
    assert replay(events).keys() == tasks.keys()
    assert history.created <= tasks.keys()
    happened: Counter[tuple[str, str]] = Counter()
    fences: defaultdict[str, list[int]] = defaultdict(list)
    holders: dict[tuple[str, int], str] = {}
    for event in events:
        if event["task"] is None:
            continue
        name = event["task"]["id"]
        happened[name, event["type"]] += 1
        if event["type"] == "task.claimed":
            fence = event["changes"]["fence"]
            fences[name].append(fence)
            holders[name, fence] = event["worker"]
    assert all(given == sorted(set(given)) for given in fences.values())
    assert all(holders[claim] == worker for claim, worker in history.claimed.items())
    assert all(happened[what] >= times for what, times in history.acknowledged.items())
    assert all(times == 1 for (_, kind), times in happened.items() if kind in ("task.completed", "task.created"))
    for name, (fence, result) in history.completed.items():
        assert (tasks[name]["state"], tasks[name]["fence"], tasks[name]["result"]) == ("done", fence, result)


async def _log_and_tasks(api: Api) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Both as they were at one moment: leases end while they are read, too."""
    for _ in range(20):
        events = await api.events()
        tasks = await _all_tasks(api)
        if (await api.get("/v1/stats"))["last_seq"] == len(events):
            return events, tasks
    raise AssertionError("the log never rested")


async def _all_tasks(api: Api) -> dict[str, dict[str, Any]]:
    tasks: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = await api.get(f"/v1/tasks?limit=200&sort=number{cursor}")
        tasks.update((task["id"], task) for task in page["tasks"])
        if page["next_cursor"] is None:
            return tasks
        cursor = f"&cursor={page['next_cursor']}"
