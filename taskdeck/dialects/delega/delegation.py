"""Delegation: a child made from a task, and the chain that comes of it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.dialects.delega.replies import change, views
from taskdeck.dialects.delega.standing import read_task, readable, reads_all, the_writable
from taskdeck.dialects.delega.tasks import Fields, wish_of
from taskdeck.dialects.delega.wire import Content, route, sent
from taskdeck.dialects.delega.words import task_id
from taskdeck.domain.errors import Forbidden
from taskdeck.domain.principal import Role
from taskdeck.domain.states import State
from taskdeck.domain.task import MAX_CHILDREN, Task
from taskdeck.http.call import Call
from taskdeck.service.delegate import delegate
from taskdeck.store.family import chain
from taskdeck.store.unit import Unit


class Delegation(Fields):
    """The child to be made."""

    content: Content


@route("POST", "/tasks/{id}/delegate")
async def delegate_task(call: Call) -> web.StreamResponse:
    """Make a child of a task, which waits for it."""
    said, who, ref = sent(call, Delegation), call.who, call.path("id")

    def work(unit: Unit) -> Task:
        task = the_writable(unit, who, ref)
        if said.project_id is not None and said.assigned_to_agent_id not in (None, who.name) and not who.is_operator():
            raise Forbidden("Only admins choose the project of a task for another agent.")
        wish = wish_of(unit, who, said, said.content, task.bucket.project)
        fence = task.fence if task.principal == who.name else None
        return delegate(unit, who, task.key, wish, fence=fence)[1]

    return await change(call, work, 201)


@route("GET", "/tasks/{id}/chain", Role.READER)
async def get_chain(call: Call) -> web.StreamResponse:
    """Show the chain that a task belongs to, as far as the caller sees it."""
    task = await read_task(call)
    root = task.root or task.key
    found = await chain(call.deck.reader, call.who, root, MAX_CHILDREN, 0)
    if not reads_all(call.who):
        found = [each for each in found if readable(each, call.who)]
    shown = await views(call.deck.reader, found)
    first: dict[str, Any] | None = next((each for each in shown if each["delegation_depth"] == 0), None)
    return call.json(
        {
            "root_id": first["id"] if first else task_id(task.id),
            "root": first,
            "chain": shown,
            "depth": max((each.depth for each in found), default=0),
            "completed_count": sum(each.state is State.DONE for each in found),
            "total_count": len(found),
        }
    )
