"""The floor: the deck's own gate, models and handlers before a deck that keeps nothing.

It authenticates, validates, makes of a task the same reply as the deck, and stores nothing: what remains to the deck's
own figures is what storing, events and durability cost. Under `ECHO` the same server answers with bytes that were made
before: so much HTTP, authentication and validation cost alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

import orjson
from aiohttp import web

from taskdeck.bench.scripts import CAPABILITY, RESULT, TASK
from taskdeck.domain.clock import Clock
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import Bucket, Task, WorkState
from taskdeck.http import holding
from taskdeck.http.call import Call
from taskdeck.http.gate import Gate
from taskdeck.http.wire import claimed_reply, task_reply
from taskdeck.service.claim import Claimed
from taskdeck.service.deck import Deck
from taskdeck.service.once import Render, Reply
from taskdeck.service.tokens import Keyring, digest
from taskdeck.store.tokens import Token

BODY_LIMIT = 1 << 20
ECHO = "/echo"
CLAIM, COMPLETE = "/v1/claims", "/v1/tasks/{ref}/complete"


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


class Storeless(Doorkeeper):
    """What handlers ask of a deck beside that: it gives out the same task every time, and takes it as done."""

    def __init__(self, secret: str, clock: Clock) -> None:
        super().__init__(secret, clock)
        self._held = _held_task(clock.now_ms())
        self._done = _done(self._held)

    async def claim(self, _who: Principal, _request: object, _wait_s: float, _key: object, render: Render) -> Reply:
        return render(Claimed([_anew(self._held)]))

    async def answer(self, _work: object, render: Render, _key: object, **_more: object) -> Reply:
        return render(_anew(self._done))


def build(secret: str, clock: Clock) -> web.Application:
    """The floor's application; `secret` is the one token it takes."""
    gate = Gate(cast(Deck, Storeless(secret, clock)))
    app = web.Application(client_max_size=BODY_LIMIT)
    held = _held_task(clock.now_ms())
    ready = {CLAIM: claimed_reply(Claimed([held])), COMPLETE: task_reply(_done(held))}
    for route in (route for route in holding.routes.routes if route.path in ready):
        echo = replace(route, handler=partial(_echo, ready[route.path]))
        app.router.add_route(route.method, route.path, gate.guard(route))
        app.router.add_route(route.method, ECHO + route.path, gate.guard(echo))
    return app


async def _echo(ready: Reply, call: Call) -> web.StreamResponse:
    return call.reply(*ready)


def _anew(task: Task) -> Task:
    """`task`, as if nobody had looked at it since it changed."""
    task.shown = None
    return task


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
