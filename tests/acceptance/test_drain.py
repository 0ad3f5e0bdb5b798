"""64 workers empty a deck of 10,000 mixed tasks; the event log shows whether each got what was its due."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.server import server

from taskdeck.domain.clock import from_rfc3339
from taskdeck.domain.order import USUAL

TASKS = 10_000
WORKERS = 64
SAMPLE = 50
ABILITIES = ([], ["py"], ["gpu"], ["py", "gpu"])

pytestmark = pytest.mark.timeout(600)


async def test_each_task_is_done_once_and_in_order(tmp_path: Path) -> None:
    async with server(tmp_path / "data") as deck, deck.api() as api:
        wishes = _wishes(random.Random(7337))
        for start in range(0, TASKS, 1000):
            await api.post("/v1/tasks", {"tasks": wishes[start : start + 1000]})
        done: Counter[str] = Counter()
        await asyncio.gather(*(_work(api, worker, done) for worker in range(WORKERS)))
        assert len(done) == TASKS
        assert set(done.values()) == {1}
        counts = (await api.get("/v1/stats"))["counts"]
        assert counts == dict.fromkeys(counts, 0) | {"done": TASKS}
        _check(await api.events())


def _wishes(chance: random.Random) -> list[dict[str, Any]]:
    wishes: list[dict[str, Any]] = []
    for number in range(TASKS):
        parents = chance.sample(range(max(0, number - 300), number), min(number, 2)) if chance.random() < 0.15 else []
        wishes.append(
            {
                "title": "fails once" if chance.random() < 0.05 else "t",
                "key": f"d{number}",
                "priority": chance.choice([0, 25, 50, 50, 75, 100]),
                "labels": chance.choice([[], [], ["urgent"], ["urgent", "night"]]),
                "capabilities": chance.choice([[], [], [], ["py"], ["gpu"], ["py", "gpu"]]),
                "depends_on": [f"d{parent}" for parent in parents],
            }
        )
    return wishes


def _filter(worker: int) -> tuple[list[str], list[str]]:
    """What a worker can do and which labels it asks for."""
    return ABILITIES[worker % 4], ["urgent"] if worker % 5 == 1 else []


async def _work(api: Api, worker: int, done: Counter[str]) -> None:
    able, labels = _filter(worker)
    wish = {"worker": f"w{worker}", "capabilities": able, "labels": labels}
    while len(done) < TASKS:
        claims = (await api.post("/v1/claims", {**wish, "wait_seconds": 0.5}))["claims"]
        for claim in claims:
            task, fence = claim["task"], claim["fence"]
            if task["title"] == "fails once" and task["attempt"] == 1:
                failed = await api.post(
                    f"/v1/tasks/{task['id']}/fail", {"fence": fence, "error": "once", "delay_seconds": 0}
                )
                assert failed["state"] == "ready"
                continue
            await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence, "result": worker})
            done[task["id"]] += 1
            if sum(done.values()) % SAMPLE == 0:
                await _sees_its_write(api, task, worker)


async def _sees_its_write(api: Api, task: dict[str, Any], worker: int) -> None:
    shown = await api.get(f"/v1/tasks/{task['key']}")
    assert (shown["state"], shown["result"]) == ("done", worker)
    events = (await api.get(f"/v1/tasks/{task['key']}/events"))["events"]
    assert events[-1]["type"] == "task.completed"
    held = (await api.get(f"/v1/tasks?state=claimed&worker=w{worker}"))["tasks"]
    assert task["id"] not in {other["id"] for other in held}


class Queue:
    """What is ready by the log so far, kept apart by who may have it."""

    def __init__(self) -> None:
        self._heaps: dict[tuple[frozenset[str], frozenset[str]], list[tuple[int, int]]] = {}
        self._ready: set[int] = set()

    def put(self, task: dict[str, Any]) -> None:
        self._ready.add(task["number"])
        kind = frozenset(task["labels"]), frozenset(task["capabilities"])
        place = USUAL.rank(task["priority"], from_rfc3339(task["queued_at"])), task["number"]
        heapq.heappush(self._heaps.setdefault(kind, []), place)

    def take(self, number: int) -> None:
        self._ready.remove(number)

    def best(self, able: Iterable[str], labels: Iterable[str]) -> int:
        """The number of what a worker with these abilities, asking for these labels, is to be given."""
        heads = []
        for (has, needs), heap in self._heaps.items():
            while heap and heap[0][1] not in self._ready:
                heapq.heappop(heap)
            if heap and needs <= set(able) and set(labels) <= has:
                heads.append(heap[0])
        return min(heads)[1]


def _check(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    tasks: dict[str, dict[str, Any]] = {}
    by_key: dict[str, dict[str, Any]] = {}
    queue = Queue()
    finished: Counter[str] = Counter()
    for event in events:
        if event["task"] is None:
            continue
        task = tasks.setdefault(event["task"]["id"], {})
        by_key[event["task"]["key"]] = task
        before = task.get("state")
        if event["type"] == "task.claimed":
            worker = int(event["worker"][1:])
            assert queue.best(*_filter(worker)) == event["task"]["number"], event
            queue.take(event["task"]["number"])
        task.update(event["changes"])
        if task["state"] == "ready" and before != "ready":
            queue.put(task)
        if event["type"] == "task.completed":
            finished[task["id"]] += 1
            assert all(by_key[key]["state"] == "done" for key in task["depends_on"])
    assert len(finished) == TASKS
    assert set(finished.values()) == {1}
