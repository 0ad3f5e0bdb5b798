"""The naive design: each request a transaction of its own, each statement awaited on aiosqlite's thread.

It is what one would write first on the same library, behind the deck's own gate, models and replies, on a folder that a
deck has filled. It claims of one bucket, keeps no counts, and waits for its one connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import aiosqlite
from aiohttp import web

from taskdeck.bench.floor import BODY_LIMIT, CLAIM, COMPLETE, Doorkeeper
from taskdeck.bench.scripts import PROJECT
from taskdeck.domain.clock import Clock
from taskdeck.domain.errors import StaleFence
from taskdeck.domain.events import Event
from taskdeck.domain.order import USUAL
from taskdeck.domain.task import Bucket, Task
from taskdeck.http import holding
from taskdeck.http.call import Call
from taskdeck.http.gate import Gate
from taskdeck.http.holding_models import Claim, Complete
from taskdeck.http.wire import claimed_reply, task_reply
from taskdeck.service.claim import Claimed
from taskdeck.service.deck import Deck
from taskdeck.store.mirror import SELECT_BUCKETS, bucket_from
from taskdeck.store.order import rank
from taskdeck.store.tasks import SELECT, task_from

LEASE_MS = 300_000
_CLAIM = (
    "UPDATE tasks SET state = 'claimed', attempt = attempt + 1, fence = fence + 1, version = version + 1,"  # noqa: S608
    " updated_at = :now, worker = :worker, principal = :who, claimed_at = :now, heartbeat_at = :now,"
    " expires_at = :now + :lease, lease_ms = :lease, work_state = 'working', via = 'native' WHERE number ="
    "  (SELECT number FROM tasks WHERE (state = 'ready' OR lapsed = 1) AND bucket = :bucket"
    f"  ORDER BY {rank(USUAL)}, number LIMIT 1) RETURNING number"
)
_COMPLETE = (
    "UPDATE tasks SET state = 'done', version = version + 1, updated_at = :now, finished_at = :now, worker = NULL,"
    " principal = NULL, claimed_at = NULL, heartbeat_at = NULL, expires_at = NULL, lease_ms = NULL, work_state = NULL,"
    " via = NULL WHERE number = :number AND state = 'claimed' AND fence = :fence RETURNING number"
)
_RESULT = "UPDATE bodies SET result = :result WHERE task = :number"
_BUCKET = f"{SELECT_BUCKETS} WHERE number = (SELECT bucket FROM tasks WHERE state = 'ready' LIMIT 1)"  # noqa: S608
_EVENT = "INSERT INTO events (at, type, task, project, body) VALUES (?, ?, ?, ?, ?)"


class Naive:
    """The store: one connection, one transaction at a time."""

    def __init__(self, connection: aiosqlite.Connection, bucket: Bucket, clock: Clock) -> None:
        self.clock = clock
        self._connection = connection
        self._bucket = bucket
        self._alone = asyncio.Lock()

    async def claim(self, who: str, worker: str) -> Task | None:
        """The first task in the order of claims, held by `worker`."""
        values = {"worker": worker, "who": who, "lease": LEASE_MS, "bucket": self._bucket.number}
        async with self._transaction():
            return await self._change(_CLAIM, values, "task.claimed", who)

    async def complete(self, who: str, number: int, fence: int | None, result: str | None) -> Task:
        """End the task.

        Raises:
            StaleFence: it is not claimed under that fence; nothing was changed.
        """
        async with self._transaction():
            await self._connection.execute(_RESULT, {"result": result, "number": number})
            task = await self._change(_COMPLETE, {"number": number, "fence": fence}, "task.completed", who)
            if task is None:
                raise StaleFence(f"task {number} is not claimed under fence {fence}")
            return task

    async def _change(self, sql: str, values: dict[str, object], event: str, who: str) -> Task | None:
        now = self.clock.now_ms()
        changed = list(await self._connection.execute_fetchall(sql, {**values, "now": now}))
        if not changed:
            return None
        (row,) = await self._connection.execute_fetchall(f"{SELECT} WHERE t.number = ?", tuple(changed[0]))
        task = task_from(row, self._bucket)
        told = Event(
            now, event, who, task, PROJECT, task.worker, changes={"state": task.state, "version": task.version}
        )
        await self._connection.execute(_EVENT, (now, event, task.number, PROJECT, told.encode()))
        return task

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._alone:
            await self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                await self._connection.execute("ROLLBACK")
                raise
            await self._connection.execute("COMMIT")


@asynccontextmanager
async def opened(path: Path, clock: Clock) -> AsyncIterator[Naive]:
    """The naive store on the database at `path`, where the bench's tasks are; every commit is synced."""
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        await connection.execute("PRAGMA synchronous = FULL")
        await connection.execute("PRAGMA foreign_keys = ON")
        (row,) = await connection.execute_fetchall(_BUCKET)
        yield Naive(connection, bucket_from(tuple(row)), clock)


def build(secret: str, store: Naive) -> web.Application:
    """Its application; `secret` is the one token it takes."""

    async def claim(call: Call) -> web.StreamResponse:
        task = await store.claim(call.who.name, call.body(Claim).worker)
        return call.reply(*claimed_reply(Claimed([] if task is None else [task])))

    async def complete(call: Call) -> web.StreamResponse:
        asked = call.body(Complete)
        task = await store.complete(call.who.name, int(call.path("ref")), asked.fence, asked.result)
        return call.reply(*task_reply(task))

    gate = Gate(cast(Deck, Doorkeeper(secret, store.clock)))
    app = web.Application(client_max_size=BODY_LIMIT)
    handlers = {CLAIM: claim, COMPLETE: complete}
    for route in (route for route in holding.routes.routes if route.path in handlers):
        app.router.add_route(route.method, route.path, gate.guard(replace(route, handler=handlers[route.path])))
    return app
