"""Routes of operators: retry, cancel, assign, override, reprioritize."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.task import Json, Task
from taskdeck.http.call import Call
from taskdeck.http.models import ms
from taskdeck.http.operating_models import Answer, Assign, Cancel, OverrideTask, Reprioritize, Retry, Skip
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import task_reply
from taskdeck.service.answer import answer
from taskdeck.service.operate import assign, cancel, reprioritize, retry
from taskdeck.service.override import override_to_assignee, override_to_queue, override_to_worker
from taskdeck.service.turns import skip
from taskdeck.store.unit import Unit

routes = RouteTable()


@routes.add("POST", "/v1/tasks/{ref}/retry", Role.AGENT, body=Retry)
async def retry_task(call: Call) -> web.StreamResponse:
    """Put a task that has ended back to work."""
    ref, asked = call.path("ref"), call.body(Retry)
    delay = ms(asked.delay_seconds) or 0
    return await call.write(
        lambda unit: retry(unit, call.who, ref, delay_ms=delay, reset_attempts=asked.reset_attempts),
        task_reply,
    )


@routes.add("POST", "/v1/tasks/{ref}/cancel", Role.AGENT, body=Cancel)
async def cancel_task(call: Call) -> web.StreamResponse:
    """End a task that is not wanted any more; its holder is told at its next call."""
    ref, asked = call.path("ref"), call.body(Cancel)
    return await call.write(
        lambda unit: cancel(unit, call.who, ref, reason=asked.reason, with_children=asked.children, fence=asked.fence),
        task_reply,
    )


@routes.add("POST", "/v1/tasks/{ref}/assign", Role.AGENT, body=Assign)
async def assign_task(call: Call) -> web.StreamResponse:
    """Say who alone may claim the task."""
    ref, asked = call.path("ref"), call.body(Assign)
    turns = cast("Json | None", asked.assignees)
    return await call.write(
        lambda unit: assign(unit, call.who, ref, asked.assignee, turns=turns, at_end=asked.at_end), task_reply
    )


@routes.add("POST", "/v1/tasks/{ref}/skip", Role.AGENT, body=Skip)
async def skip_assignee(call: Call) -> web.StreamResponse:
    """Offer the task to its next assignee now."""
    ref, asked = call.path("ref"), call.body(Skip)
    return await call.write(lambda unit: skip(unit, call.who, ref, reason=asked.reason), task_reply)


@routes.add("POST", "/v1/tasks/{ref}/reprioritize", Role.OPERATOR, body=Reprioritize)
async def reprioritize_task(call: Call) -> web.StreamResponse:
    """Set the priority."""
    ref, asked = call.path("ref"), call.body(Reprioritize)
    return await call.write(lambda unit: reprioritize(unit, call.who, ref, asked.priority), task_reply)


@routes.add("POST", "/v1/tasks/{ref}/answer", Role.OPERATOR, body=Answer)
async def answer_task(call: Call) -> web.StreamResponse:
    """Answer what the holder asks; it gets the answer with its next heartbeat."""
    ref, asked = call.path("ref"), call.body(Answer)
    return await call.write(lambda unit: answer(unit, call.who, ref, asked.answer, asked.fence), task_reply)


@routes.add("POST", "/v1/tasks/{ref}/override", Role.OPERATOR, body=OverrideTask)
async def override_task(call: Call) -> web.StreamResponse:
    """Pass a live claim to another worker, take it back, or change who alone may have the task."""
    ref, asked = call.path("ref"), call.body(OverrideTask)

    def work(unit: Unit) -> Task:
        if asked.worker is not None:
            lease = ms(asked.lease_seconds)
            return override_to_worker(unit, call.who, ref, asked.worker, reason=asked.reason, lease_ms=lease)
        if asked.assignee is not None:
            return override_to_assignee(unit, call.who, ref, asked.assignee, reason=asked.reason)
        return override_to_queue(unit, call.who, ref, reason=asked.reason)

    return await call.write(work, task_reply)
