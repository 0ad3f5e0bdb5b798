"""A simulated operator: now and then steps in, as people do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from taskdeck.client import ApiError, Client, Unreachable
from taskdeck.demo.catalogue import REASONS

FAILED_KEPT = 14
"""Beyond so many failed tasks the operator clears some away."""


class Operator:
    """Acts every ten seconds or so, until cancelled."""

    def __init__(self, client: Client, random: Random) -> None:
        self._client = client
        self._random = random
        self._acts: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._reprioritize, 5),
            (self._tidy_failed, 4),
            (self._override, 2),
            (self._assign, 2),
            (self._pause, 1),
            (self._cancel, 1),
        ]

    async def live(self) -> None:
        """Step in here and there."""
        while True:
            await asyncio.sleep(self._random.uniform(5, 15))
            acts, weights = zip(*self._acts, strict=True)
            try:
                await self._random.choices(acts, weights)[0]()
            except ApiError as refused:
                if refused.status in (401, 403):
                    return
            except Unreachable:
                await asyncio.sleep(3)

    async def _some(self, state: str, sort: str = "-number") -> dict[str, Any] | None:
        tasks = (await self._client.tasks(state=[state], sort=sort, limit=30, view="summary"))["tasks"]
        return self._random.choice(tasks) if tasks else None

    async def _reprioritize(self) -> None:
        """What has waited longest deserves a push; now and then something new turns out to be nothing."""
        oldest = self._random.random() < 0.7
        if task := await self._some("ready", "number" if oldest else "-number"):
            await self._client.reprioritize(task["id"], self._random.choice((75, 80, 90, 95) if oldest else (10, 20)))

    async def _tidy_failed(self) -> None:
        failed = (await self._client.tasks(state=["failed"], limit=50, view="summary"))["tasks"]
        if failed:
            await self._client.retry(self._random.choice(failed)["id"], delay_seconds=self._random.randint(0, 20))
        for task in failed[FAILED_KEPT:]:
            await self._client.cancel(task["id"], "not worth another attempt")

    async def _override(self) -> None:
        leases = (await self._client.leases(limit=50))["leases"]
        stuck = [lease for lease in leases if lease["state"] == "waiting_input" or lease["lapsed"]]
        if stuck:
            lease = self._random.choice(stuck)
            await self._client.override(lease["task"]["id"], self._random.choice(REASONS), release=True)

    async def _assign(self) -> None:
        if task := await self._some("ready"):
            await self._client.assign(task["id"], None if task["assignee"] else "mira")

    async def _pause(self) -> None:
        project = self._random.choice(("docs", "ops", "billing"))
        await self._client.pause(project, "deploy window")
        try:
            await asyncio.sleep(self._random.uniform(12, 30))
        finally:
            await self._client.resume(project)

    async def _cancel(self) -> None:
        if task := await self._some("ready"):
            await self._client.cancel(task["id"], "duplicate")
