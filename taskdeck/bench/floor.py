"""The floor: the deck's own gate, routes and models before handlers that answer from memory.

It authenticates, validates and answers with as many bytes as the deck, and keeps nothing: what remains to the
deck's own figures is what storing, events and durability cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import orjson
from aiohttp import web

from taskdeck.bench.scripts import CAPABILITY, RESULT, TASK
from taskdeck.domain.clock import Clock
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import Bucket, Task, WorkState
from taskdeck.http.call import Call
from taskdeck.http.gate import Gate
from taskdeck.http.holding_models import Claim, Complete
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import claimed_reply, task_reply
from taskdeck.service.claim import Claimed
from taskdeck.service.deck import Deck
from taskdeck.service.tokens import Keyring, digest
from taskdeck.store.tokens import Token

BODY_LIMIT = 1 << 20


class Doorkeeper:
    """What the gate asks of a deck: whose token this is."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._clock = clock
        owner = Principal("bench", Role.ADMIN)
        self._keyring = Keyring([Token(1, secret[:9], digest(secret), owner, 0, None, 0, None)])

    def authenticate(self, secret: str, _via: str) -> Principal | None:
        token = self._keyring.find(secret)
        return token.principal if token is not None and token.valid(self._clock.now_ms()) else None

    def expired(self, _secret: str) -> bool:
        return False


def build(secret: str, clock: Clock) -> web.Application:
    """The floor's application; `secret` is the one token it takes."""
    gate = Gate(cast(Deck, Doorkeeper(secret, clock)))
    app = web.Application(client_max_size=BODY_LIMIT)
    for route in _routes(clock.now_ms()).routes:
        app.router.add_route(route.method, route.path, gate.guard(route))
    return app


def _routes(now: int) -> RouteTable:
    table = RouteTable()
    held = _held_task(now)
    claimed = claimed_reply(Claimed([held]))
    done = task_reply(_done(held))

    @table.add("POST", "/v1/claims", Role.AGENT, body=Claim)
    async def claim(call: Call) -> web.StreamResponse:
        """Give out the same task every time."""
        return call.reply(*claimed)

    @table.add("POST", "/v1/tasks/{ref}/complete", Role.AGENT, body=Complete)
    async def complete(call: Call) -> web.StreamResponse:
        """Take any task as done."""
        return call.reply(*done)

    return table


def _held_task(now: int) -> Task:
    task: dict[str, Any] = TASK
    bucket = Bucket(1, task["project"], frozenset(task["labels"]), frozenset([CAPABILITY]), None)
    return Task(
        number=10_000, id="01900000-0000-7000-8000-000000000000", key="BENCH10000", bucket=bucket,
        state=State.CLAIMED, priority=50, attempt=1, max_attempts=3, fence=1, not_before=None, due=None,
        created_at=now, ready_at=now, queued_at=now, updated_at=now, finished_at=None, version=2, worker="bench-0",
        principal="bench", claimed_at=now, heartbeat_at=now, expires_at=now + 300_000, lease_ms=300_000,
        lapsed=False, work_state=WorkState.WORKING, detail=None, progress=None, overdue_at=None,
        unique_key=None, parent=None, root=None, depth=0, children=0, turn_ends_at=None, via="native",
        review_ends_at=None, entries=0, session=None, question=None,
        title=task["title"], description=task["description"],
        payload=orjson.dumps(task["payload"]).decode(), metadata="{}",
        result=None, error=None, created_by="bench", handoff=None,
    )  # fmt: skip


def _done(held: Task) -> Task:
    return replace(
        held, state=State.DONE, finished_at=held.claimed_at, version=3, worker=None, principal=None, claimed_at=None,
        heartbeat_at=None, expires_at=None, lease_ms=None, work_state=None, via=None,
        result=orjson.dumps(RESULT).decode(),
    )  # fmt: skip
