"""A human task: looking at it, saving what was filled in, completing it."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.conductor.entry import conductor_task
from taskdeck.dialects.conductor.errors import bad_request, not_found
from taskdeck.dialects.conductor.reading import known, logs, of_workflow, shown
from taskdeck.dialects.conductor.wire import NOTHING, Values, asked, parsed, void
from taskdeck.dialects.conductor.words import Names
from taskdeck.domain.principal import Role
from taskdeck.domain.states import OPEN, State
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.service.fence import require_held, unheld_task
from taskdeck.service.find import the_task
from taskdeck.service.finish import complete
from taskdeck.service.forms import fill
from taskdeck.store.unit import Unit

routes = RouteTable()


async def update_by_reference(call: Call) -> web.StreamResponse:
    """Save what was filled in, or complete, by workflow and reference name."""
    query = call.request.query
    workflow, reference = query.get("workflowId", ""), query.get("taskRefName", "")
    if not workflow or not reference:
        raise bad_request("workflowId and taskRefName are required")
    if any(not text.lstrip("-").isdigit() for text in query.getall("iteration", [])):
        raise bad_request("iteration is an integer")
    named = [t for t in await of_workflow(call.deck, call.who, workflow) if Names(t).reference == reference]
    # one that has not ended, if there are several, and the newest
    task = max(named, key=lambda task: (task.state in OPEN, task.number), default=None)
    if task is None:
        raise not_found(f"There is no human task {reference[:80]!r} in workflow {workflow[:80]!r}")
    return await _save(call, task.id)


async def update_task(call: Call) -> web.StreamResponse:
    """Save what was filled in, or complete."""
    return await _save(call, call.path("taskId"))


# the Go client sends PUT where all others send POST
for _method in ("POST", "PUT"):
    routes.add(_method, "/api/human/tasks/update/taskRef", Role.AGENT)(update_by_reference)
    routes.add(_method, "/api/human/tasks/{taskId}/update", Role.AGENT)(update_task)


@routes.add("GET", "/api/human/tasks/{taskId}", Role.READER)
async def get_task(call: Call) -> web.StreamResponse:
    """Show a task."""
    with_template = asked(call, "withTemplate")
    return await shown(call, await known(call), with_template=with_template)


@routes.add("GET", "/api/human/tasks/{taskId}/conductorTask", Role.READER)
async def get_conductor_task(call: Call) -> web.StreamResponse:
    """Show the step of a workflow that a task is."""
    task = await known(call, missing=400)
    return call.json(conductor_task(task, (await logs(call.deck, [task]))[task.number]))


async def _save(call: Call, ref: str) -> web.StreamResponse:
    done, values = asked(call, "complete"), parsed(Values, call.raw, b"{}")

    def work(unit: Unit) -> Task:
        return _put(unit, call, ref, values, done=done)

    await call.deck.answer(work, lambda _: NOTHING, call.once)
    return void(call)


def _put(unit: Unit, call: Call, ref: str, values: dict[str, Any], *, done: bool) -> Task:
    """Put `values` over what was filled in; complete the task if it is `done`, by whoever holds it or has it made."""
    task = the_task(unit, call.who, ref)
    fence = task.fence if task.state is State.CLAIMED else None
    if done:
        result = orjson.dumps(values).decode() if values or task.draft is None else None
        return complete(unit, call.who, task.id, fence, result=result)
    if values:
        return fill(unit, call.who, task.id, fence, values)
    if fence is None:
        return unheld_task(unit, call.who, task.id)
    require_held(unit, call.who, task, fence)
    return task
