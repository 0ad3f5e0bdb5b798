"""What a worker holds: claiming the next run, and renewing its lease."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.dialects.veryfront.attempts import is_live, the_run
from taskdeck.dialects.veryfront.credentials import credentials, secret_of
from taskdeck.dialects.veryfront.models import Lease, read
from taskdeck.dialects.veryfront.sessions import session_of
from taskdeck.dialects.veryfront.shapes import worker_run
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.dialects.veryfront.workers import the_agent, worker_named
from taskdeck.domain.errors import Draining
from taskdeck.domain.log import EMPTY
from taskdeck.domain.principal import Role
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Reply, body
from taskdeck.service.claim import claim
from taskdeck.service.extra import extra_of
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.requests import ClaimRequest
from taskdeck.store import log
from taskdeck.store.unit import Unit

routes = RouteTable()

Document = dict[str, Any]
_NONE: Document = {"run": None}


def _reply(document: Document) -> Reply:
    return 200, body(document)


@routes.add("POST", "/agent-workers/workers/{worker_id}/claim", Role.AGENT)
async def claim_run(call: Call) -> web.StreamResponse:
    """Claim the best run that this worker may have."""
    identity, asked, secret = worker_named(call), read(Lease, call.raw), secret_of(call.request)
    if call.deck.draining:
        raise Draining("the server is stopping and gives out no work", hint="Try again once it is back.")

    def work(unit: Unit) -> Document:
        worker = the_agent(unit, call.who, identity)
        project = extra_of(worker, NAME)["project"]
        request = ClaimRequest(identity, project=project, lease_ms=asked.lease_duration_seconds * 1000)
        given = claim(unit, call.who, request).tasks
        if not given:
            return _NONE
        task = given[0]
        # nobody has told of a task that nobody held before
        session = None if task.fence == 1 else session_of(unit, task, worker)
        held = _held(unit, task, session)
        if call.once is not None:  # the answer is kept, and secrets are not
            return held
        return held | {"credentials": credentials(unit, call.deck.keyring, call.who, secret, task)}

    return await call.write(work, _reply)


@routes.add("POST", "/agent-workers/workers/{worker_id}/runs/{run_id}/lease", Role.AGENT)
async def renew_lease(call: Call) -> web.StreamResponse:
    """Renew the lease of a run; null tells the worker that it holds it no more."""
    identity, asked, run = worker_named(call), read(Lease, call.raw), call.path("run_id")

    def work(unit: Unit) -> Document:
        worker = the_agent(unit, call.who, identity)
        task, fence = the_run(unit, call.who, run)
        if fence is None or not is_live(task, fence, unit.now) or task.worker != identity:
            return _NONE
        renewed = heartbeat(unit, call.who, task.key, fence, lease_ms=asked.lease_duration_seconds * 1000)
        return _held(unit, renewed, session_of(unit, renewed, worker))

    return await call.write(work, _reply)


def _held(unit: Unit, task: Task, session: Document | None) -> Document:
    tail = log.tail_of(unit, task.number) if task.entries else EMPTY
    return {"run": worker_run(task, tail.sequence, session)}
