"""Where the demo's work comes from: a queue at the start, then as much as is done."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from taskdeck.client import ApiError, Client, Unreachable
from taskdeck.demo.catalogue import FAILURES, THEMES
from taskdeck.demo.plan import Planner

READY = 220
"""How many ready tasks there are at the start, and about how many there stay."""
SHARE_AT_ONCE = 0.2
PAST_WORKER = "agent-early"


class Producer:
    """Fills the deck and keeps it filled."""

    def __init__(self, client: Client, planner: Planner, random: Random) -> None:
        self._client = client
        self._plan = planner
        self._random = random

    async def seed(self) -> None:
        """A deck in the middle of its day: work done, failed, called off, held, scheduled and ready."""
        for theme in THEMES:
            await self._client.create_project(
                theme.name, prefix=theme.prefix, description=theme.about, backoff_seconds=5, lease_seconds=60
            )
        await self._past()
        ready = await self._client.create_many(self._plan.task() for _ in range(READY))
        waiting = [self._plan.task(depends_on=[self._random.choice(ready[-60:])["id"]], priority=60) for _ in range(14)]
        scheduled = [self._plan.scheduled(8, 90) for _ in range(10)] + [
            self._plan.scheduled(300, 4 * 3600) for _ in range(16)
        ]
        await self._client.create_many([*waiting, *scheduled, *(self._plan.due() for _ in range(6))])
        await self._held()

    async def _past(self) -> None:
        """Work that was finished before anyone looked."""
        tasks = [self._plan.task(capabilities=[], max_attempts=1) for _ in range(34)]
        await self._client.create_many(tasks)
        reply = await self._client.claim(PAST_WORKER, max_tasks=30, lease_seconds=60)
        for i, claimed in enumerate(reply["claims"]):
            ref, fence = claimed["task"]["id"], claimed["fence"]
            if i % 6 == 5:
                await self._client.fail(ref, fence, self._random.choice(FAILURES), retry=False)
            else:
                await self._client.complete(ref, fence, {"pull_request": 1000 + i})
        rest = await self._client.tasks(state=["ready"], limit=4)
        for task in rest["tasks"][:3]:
            await self._client.cancel(task["id"], "superseded")
        await self._client.delete_worker(PAST_WORKER)

    async def _held(self) -> None:
        """Tasks people hold for long, one that was just forgotten, and one reserved for a person."""
        for worker, lease in (("noor", 3 * 3600), ("tomas", 2700)):
            await self._client.register_worker(worker, kind="human", heartbeat_seconds=3600)
            reply = await self._client.claim(worker, project="docs", lease_seconds=lease, capabilities=["writing"])
            for claimed in reply["claims"]:
                await self._client.heartbeat(
                    claimed["task"]["id"], claimed["fence"], progress=self._random.randint(10, 80)
                )
        forgotten = await self._client.create(
            **self._plan.task(project="ops", capabilities=["terraform", "on-call"], priority=90)
        )
        await self._client.register_worker("agent-vega", heartbeat_seconds=3)
        await self._client.claim(
            "agent-vega", task=forgotten["id"], lease_seconds=5, capabilities=["terraform", "on-call"]
        )
        await self._client.create(**self._plan.task(assignee="noor", priority=70))

    async def produce(self) -> None:
        """Make new work at the pace at which it is done, for as long as the demo lasts."""
        while True:
            try:
                await self._top_up(await self._client.stats())
            except (ApiError, Unreachable):
                await asyncio.sleep(3)
            await asyncio.sleep(self._random.uniform(1.5, 4))

    async def _top_up(self, stats: dict[str, Any]) -> None:
        """Some of what each project lacks: the emptier, the more, so that none runs dry and none runs over."""
        counts, tasks = stats["counts"], []
        for theme in THEMES:
            ready = stats["projects"].get(theme.name, {}).get("counts", {}).get("ready", 0)
            lacking = READY * theme.weight / sum(theme.weight for theme in THEMES) - ready
            many = int(max(0, lacking) * SHARE_AT_ONCE + self._random.random())
            tasks += [self._plan.task(project=theme.name) for _ in range(many if lacking > 0 else 0)]
        if counts.get("scheduled", 0) < 24 and self._random.random() < 0.3:
            tasks.append(self._plan.scheduled(20, 900))
        if not tasks:
            return
        self._random.shuffle(tasks)
        made = await self._client.create_many(tasks)
        if counts.get("blocked", 0) < 16 and self._random.random() < 0.3:
            await self._client.create(**self._plan.task(depends_on=[made[0]["id"]]))
