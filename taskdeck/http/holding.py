"""Routes of holders: claim, heartbeat, release, complete, fail."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.view import task_view
from taskdeck.http import verbs
from taskdeck.http.call import Call
from taskdeck.http.holding_models import Claim, Complete, Fail, Heartbeat, NextQuery, Release
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.claim import peek
from taskdeck.service.requests import ClaimRequest

routes = RouteTable()


@routes.add("POST", "/v1/claims", Role.AGENT, body=Claim)
async def claim_tasks(call: Call) -> web.StreamResponse:
    """Claim the next task, several, or one by name; with `wait_seconds`, wait for work to arrive."""
    return call.reply(*await verbs.claim(call, call.body(Claim)))


@routes.add("GET", "/v1/claims/next", Role.READER, query=NextQuery)
async def next_task(call: Call) -> web.StreamResponse:
    """Show the task that a claim would give, and leave it as it is."""
    asked = call.params(NextQuery)
    request = ClaimRequest(asked.worker or call.who.name, project=asked.project)
    return call.reply(
        *await call.deck.answer(
            lambda unit: (peek(unit, call.who, request),),
            lambda found: (200, body({"task": found[0] and task_view(found[0])})),
        )
    )


@routes.add("POST", "/v1/tasks/{ref}/heartbeat", Role.AGENT, body=Heartbeat)
async def heartbeat_task(call: Call) -> web.StreamResponse:
    """Renew the lease, report progress, ask, and hear whether to go on."""
    return call.reply(*await verbs.heartbeat(call, call.path("ref"), call.body(Heartbeat)))


@routes.add("POST", "/v1/tasks/{ref}/release", Role.AGENT, body=Release)
async def release_task(call: Call) -> web.StreamResponse:
    """Give the task back; the attempt is not spent."""
    return call.reply(*await verbs.release(call, call.path("ref"), call.body(Release)))


@routes.add("POST", "/v1/tasks/{ref}/complete", Role.AGENT, body=Complete)
async def complete_task(call: Call) -> web.StreamResponse:
    """End the task as done, or hand it in for review; with `next`, claim the next in the same step."""
    return call.reply(*await verbs.complete(call, call.path("ref"), call.body(Complete)))


@routes.add("POST", "/v1/tasks/{ref}/fail", Role.AGENT, body=Fail)
async def fail_task(call: Call) -> web.StreamResponse:
    """End the attempt with an error, to be tried again or failed for good; with `next`, claim the next as well."""
    return call.reply(*await verbs.fail(call, call.path("ref"), call.body(Fail)))
