"""Routes by which people steer work: promote, shelve, approve, reject, judge, heed."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.gate_models import shown
from taskdeck.http.models import ms
from taskdeck.http.operating_models import Approve, Heed, Judge, Promote, Reject, Shelve
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import task_reply
from taskdeck.service.backlog import promote, shelve
from taskdeck.service.review import approve, heed, judge, reject

routes = RouteTable()


@routes.add("POST", "/v1/tasks/{ref}/promote", Role.OPERATOR, body=Promote)
async def promote_task(call: Call) -> web.StreamResponse:
    """Offer a task of the backlog."""
    ref, asked = call.path("ref"), call.body(Promote)
    return await call.write(
        lambda unit: promote(unit, call.who, ref, reason=asked.reason, with_children=asked.children), task_reply
    )


@routes.add("POST", "/v1/tasks/{ref}/shelve", Role.OPERATOR, body=Shelve)
async def shelve_task(call: Call) -> web.StreamResponse:
    """Put a task that nobody holds back into the backlog."""
    ref, asked = call.path("ref"), call.body(Shelve)
    return await call.write(lambda unit: shelve(unit, call.who, ref, reason=asked.reason), task_reply)


@routes.add("POST", "/v1/tasks/{ref}/approve", Role.OPERATOR, body=Approve)
async def approve_task(call: Call) -> web.StreamResponse:
    """Accept what was completed: the task is done."""
    ref, asked = call.path("ref"), call.body(Approve)
    return await call.write(
        lambda unit: approve(unit, call.who, ref, note=asked.note, shown=shown(asked.shown)), task_reply
    )


@routes.add("POST", "/v1/tasks/{ref}/reject", Role.OPERATOR, body=Reject)
async def reject_task(call: Call) -> web.StreamResponse:
    """Send what was completed back with what is wrong with it, to the queue or to who completed it."""
    ref, asked = call.path("ref"), call.body(Reject)
    return await call.write(lambda unit: reject(unit, call.who, ref, note=asked.note, to=asked.to), task_reply)


@routes.add("POST", "/v1/tasks/{ref}/judge", Role.OPERATOR, body=Judge)
async def judge_task(call: Call) -> web.StreamResponse:
    """Say what the review comes to; the task stays in review until its worker heeds it."""
    ref, asked = call.path("ref"), call.body(Judge)
    return await call.write(lambda unit: judge(unit, call.who, ref, asked.verdict, note=asked.note), task_reply)


@routes.add("POST", "/v1/tasks/{ref}/heed", Role.AGENT, body=Heed)
async def heed_task(call: Call) -> web.StreamResponse:
    """Follow the verdict: the task is done if it was approved, else its worker has it again."""
    ref, asked = call.path("ref"), call.body(Heed)
    return await call.write(
        lambda unit: heed(unit, call.who, ref, shown=shown(asked.shown), lease_ms=ms(asked.lease_seconds)), task_reply
    )
