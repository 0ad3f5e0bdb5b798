"""Routes of parents and children: delegate, chain."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.states import State
from taskdeck.domain.view import task_summary, task_view
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.task_models import ChainQuery, Delegate
from taskdeck.http.tasks import new_task
from taskdeck.http.wire import body
from taskdeck.service.delegate import delegate
from taskdeck.service.find import unknown_task
from taskdeck.store.family import chain, chain_counts
from taskdeck.store.listing import find_task, page

routes = RouteTable()


@routes.add("POST", "/v1/tasks/{ref}/delegate", Role.AGENT, body=Delegate, success=201)
async def delegate_task(call: Call) -> web.StreamResponse:
    """Make a child of the task for another."""
    ref, asked = call.path("ref"), call.body(Delegate)
    return await call.write(
        lambda unit: delegate(unit, call.who, ref, new_task(asked), fence=asked.fence, wait=asked.wait),
        lambda made: (201, body({"task": task_view(made[0]), "child": task_view(made[1])})),
    )


@routes.add("GET", "/v1/tasks/{ref}/chain", Role.READER, query=ChainQuery)
async def get_chain(call: Call) -> web.StreamResponse:
    """Show the chain that the task belongs to, from its root, and how far it has come."""
    ref, asked = call.path("ref"), call.params(ChainQuery)
    task = await find_task(call.deck.reader, ref, call.who)
    if task is None:
        raise unknown_task(ref)
    root = task.root or task.key
    counts = await chain_counts(call.deck.reader, root)
    found = await chain(call.deck.reader, call.who, root, asked.limit + 1, asked.after)
    shown, more = page(found, asked.limit)
    return call.json(
        {
            "root": root,
            "done": counts.get(State.DONE, 0),
            "total": sum(counts.values()),
            "counts": {state.value: counts.get(state, 0) for state in State},
            "tasks": [task_summary(each) for each in shown],
            "next_after": asked.after + asked.limit if more else None,
        }
    )
