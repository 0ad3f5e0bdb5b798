"""Routes of holders: claim, heartbeat, release, complete, fail."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.task import NO_END, Task
from taskdeck.domain.view import task_view
from taskdeck.http.call import Call
from taskdeck.http.gate_models import shown
from taskdeck.http.holding_models import Claim, Complete, Fail, Heartbeat, NextQuery, Release, Wish
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import beat_reply, body, claimed_reply, ended_reply, task_reply
from taskdeck.service.claim import peek
from taskdeck.service.claim_next import Ended, end_and_claim
from taskdeck.service.finish import complete, fail
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.release import release
from taskdeck.service.requests import MANY, ClaimRequest
from taskdeck.service.signals import Signal, signal_to
from taskdeck.store.unit import Unit

routes = RouteTable()


def ms(seconds: float | None) -> int | None:
    """Seconds of the wire as milliseconds of the service."""
    return None if seconds is None else round(seconds * 1000)


def _wanted(asked: Wish, worker: str) -> ClaimRequest:
    endless = "lease_seconds" in asked.model_fields_set and asked.lease_seconds is None
    return ClaimRequest(
        worker=worker,
        max_tasks=asked.max_tasks,
        project=asked.project,
        labels=asked.labels,
        capabilities=asked.capabilities,
        lease_ms=NO_END if endless else ms(asked.lease_seconds),
        shown=shown(asked.shown),
        session=asked.session,
    )


@routes.add("POST", "/v1/claims", Role.AGENT, body=Claim)
async def claim_tasks(call: Call) -> web.StreamResponse:
    """Claim the next task, several, or one by name; with `wait_seconds`, wait for work to arrive."""
    asked = call.body(Claim)
    request = _wanted(asked, asked.worker)
    request.ref = asked.task
    request.override_reason = None if asked.override is None else asked.override.reason
    request.on_behalf_of = asked.on_behalf_of
    return call.reply(*await call.deck.claim(call.who, request, asked.wait_seconds, call.once, claimed_reply))


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
    ref, asked = call.path("ref"), call.body(Heartbeat)

    def work(unit: Unit) -> tuple[Task, Signal]:
        task = heartbeat(
            unit,
            call.who,
            ref,
            asked.fence,
            progress=asked.progress,
            work_state=asked.state,
            detail=asked.detail,
            lease_ms=ms(asked.lease_seconds),
            renew=asked.renew,
            question=asked.question,
            options=asked.options,
        )
        return task, signal_to(unit, task.worker, stopping=call.deck.draining)

    return await call.write(work, beat_reply)


@routes.add("POST", "/v1/tasks/{ref}/release", Role.AGENT, body=Release)
async def release_task(call: Call) -> web.StreamResponse:
    """Give the task back; the attempt is not spent."""
    ref, asked = call.path("ref"), call.body(Release)
    delay = ms(asked.delay_seconds) or 0
    return await call.write(
        lambda unit: release(unit, call.who, ref, asked.fence, note=asked.note, delay_ms=delay), task_reply
    )


@routes.add("POST", "/v1/tasks/{ref}/complete", Role.AGENT, body=Complete)
async def complete_task(call: Call) -> web.StreamResponse:
    """End the task as done, or hand it in for review; with `next`, claim the next in the same step."""
    ref, asked = call.path("ref"), call.body(Complete)

    def end(unit: Unit) -> Task:
        return complete(
            unit,
            call.who,
            ref,
            asked.fence,
            result=asked.result,
            ask_review=asked.review,
            leave_children=asked.leave_children,
            shown=shown(asked.shown),
        )

    return await _ended(call, end, asked.next)


@routes.add("POST", "/v1/tasks/{ref}/fail", Role.AGENT, body=Fail)
async def fail_task(call: Call) -> web.StreamResponse:
    """End the attempt with an error, to be tried again or failed for good; with `next`, claim the next as well."""
    ref, asked = call.path("ref"), call.body(Fail)

    def end(unit: Unit) -> Task:
        return fail(
            unit,
            call.who,
            ref,
            asked.fence,
            message=asked.error,
            retry=asked.retry,
            delay_ms=ms(asked.delay_seconds),
            note=asked.note,
            code=asked.code,
        )

    return await _ended(call, end, asked.next)


async def _ended(call: Call, end: Callable[[Unit], Task], wish: Wish | None) -> web.StreamResponse:
    if wish is None:
        return await call.write(end, task_reply)
    ref = call.path("ref")

    def work(unit: Unit) -> Ended:
        return end_and_claim(
            unit, call.who, ref, end, lambda worker: _wanted(wish, worker), stopping=call.deck.draining
        )

    return await call.write(work, ended_reply, long=wish.max_tasks > MANY)
