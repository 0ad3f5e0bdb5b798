"""What is decided about a task: who is to have it next, and that it is not wanted any more."""

from __future__ import annotations

from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field, TypeAdapter

from taskdeck.dialects.conductor.wire import NOTHING, Assignment, Assignments, Id, parsed, void
from taskdeck.dialects.conductor.words import UserType
from taskdeck.domain.errors import Invalid, NotFound
from taskdeck.domain.principal import Role
from taskdeck.domain.states import TERMINAL, State
from taskdeck.domain.task import Json, Task
from taskdeck.domain.turns import AtEnd
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.service.claim import held
from taskdeck.service.find import the_task
from taskdeck.service.operate import assign, cancel
from taskdeck.service.turns import skip
from taskdeck.store.unit import Unit

routes = RouteTable()

_Ids = TypeAdapter(Annotated[list[Id], Field(max_length=500)])
_MAX_REASON = 1_000


@routes.add("POST", "/api/human/tasks/{taskId}/reassign", Role.AGENT)
async def reassign_task(call: Call) -> web.StreamResponse:
    """Say anew to whom a task that nobody has claimed is offered, the first one first; an empty list is to all."""
    turns = _turns(parsed(Assignments, call.raw))

    def work(unit: Unit) -> Task:
        task = the_task(unit, call.who, call.path("taskId"))
        if task.state is State.CLAIMED and not task.lapsed:
            raise held(task)
        return assign(unit, call.who, task.id, None, turns=turns, at_end=task.at_end or AtEnd.OPEN)

    await call.deck.answer(work, lambda _: NOTHING, call.once)
    return void(call)


@routes.add("POST", "/api/human/tasks/{taskId}/skip", Role.AGENT)
async def skip_task(call: Call) -> web.StreamResponse:
    """Pass a task on to its next assignee."""
    reason = call.request.query.get("reason")
    if reason is not None and len(reason) > _MAX_REASON:
        raise Invalid(f"a reason has up to {_MAX_REASON} characters")
    await call.deck.answer(
        lambda unit: skip(unit, call.who, call.path("taskId"), reason=reason or None), lambda _: NOTHING, call.once
    )
    return void(call)


@routes.add("DELETE", "/api/human/tasks/delete", Role.AGENT)
async def delete_tasks(call: Call) -> web.StreamResponse:
    """Let several tasks not be wanted any more; those that are not there or have ended are passed over."""
    refs: list[str] = parsed(_Ids, call.raw)

    def work(unit: Unit) -> list[str]:
        for ref in refs:
            try:
                task = the_task(unit, call.who, ref)
            except NotFound:
                continue
            if task.state not in TERMINAL:
                cancel(unit, call.who, task.id, reason=_DELETED)
        return refs

    await call.deck.answer(work, lambda _: NOTHING, call.once)
    return void(call)


@routes.add("DELETE", "/api/human/tasks/delete/{taskId}", Role.AGENT)
async def delete_task(call: Call) -> web.StreamResponse:
    """Let a task not be wanted any more."""
    await call.deck.answer(
        lambda unit: cancel(unit, call.who, call.path("taskId"), reason=_DELETED), lambda _: NOTHING, call.once
    )
    return void(call)


_DELETED = "Deleted through Conductor's API"


def _turns(assignments: list[Assignment]) -> Json | None:
    """The deck's turns. Minutes that were not given are not given there either, so that they are not shown."""
    if not assignments:
        return None
    turns = []
    for asked in assignments:
        turn: dict[str, object] = {"assignee": asked.assignee.name}
        if asked.slaMinutes is not None:
            turn["seconds"] = asked.slaMinutes * 60 or None
        if asked.assignee.userType is UserType.GROUP:
            turn["group"] = True
        turns.append(turn)
    return orjson.dumps(turns).decode()
