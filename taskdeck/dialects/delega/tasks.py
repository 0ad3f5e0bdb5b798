"""Tasks: list, create, read, change, remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import Field, model_validator

from taskdeck.dialects.delega.claims import completed, reopened
from taskdeck.dialects.delega.errors import DUPLICATE
from taskdeck.dialects.delega.finding import alike
from taskdeck.dialects.delega.replies import alter, change, views
from taskdeck.dialects.delega.standing import (
    an_assignee,
    read_task,
    require_write,
    the_readable,
    the_writable,
)
from taskdeck.dialects.delega.task import title_of
from taskdeck.dialects.delega.wire import (
    Content,
    Day,
    Flag,
    Id,
    Known,
    Labels,
    Priority,
    Wire,
    route,
    sent,
)
from taskdeck.dialects.delega.words import (
    NAME,
    POLICY,
    PRIORITY,
    due_of,
    task_id,
    wants_evidence,
)
from taskdeck.domain.errors import Conflict, Forbidden
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.states import State
from taskdeck.domain.task import MAX_ATTEMPTS_LIMIT, Json, Task
from taskdeck.http.call import Call
from taskdeck.http.models import Text
from taskdeck.service.contexts import change_context
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.extra import as_extra, extra_of, keep
from taskdeck.service.operate import assign, delete
from taskdeck.service.override import override_to_queue
from taskdeck.service.release import release
from taskdeck.service.requests import Edit, NewTask
from taskdeck.store.unit import Unit


class Chain(Wire):
    """Fields of the chain, which follow from how a task is made and cannot be given."""

    root_task_id: Any = None
    delegation_depth: Any = None

    @model_validator(mode="after")
    def _chains_are_not_given(self) -> Chain:
        if self.root_task_id is not None or self.delegation_depth:
            raise ValueError("root_task_id and delegation_depth follow from the parent and cannot be given")
        return self


class Fields(Wire):
    """What a task may say."""

    description: Annotated[Text, Field(max_length=10_000)] | None = None
    project_id: Id | None = None
    labels: Labels | None = None
    priority: Priority | None = None
    due_date: Day | None = None
    assigned_to_agent_id: Id | None = None


class NewTaskBody(Fields, Chain):
    """A task to be made."""

    content: Content
    evidence_policy: Literal["required"] | None = None
    parent_task_id: Id | None = None
    context: Known | None = None


class UpdateBody(Fields, Chain):
    """What is to change; an explicit null clears."""

    content: Content | None = None
    evidence_policy: Literal["required"] | None = None
    completed: Flag | None = None
    context: Known | None = None
    parent_task_id: Any = None

    @model_validator(mode="after")
    def _keeps_its_parent(self) -> UpdateBody:
        if self.parent_task_id is not None:
            raise ValueError("parent_task_id cannot be changed")
        if "content" in self.model_fields_set and self.content is None:
            raise ValueError("content cannot be null")
        return self


def content_fields(content: str, extra: Json | None) -> dict[str, Any]:
    """The title for a content, and what is kept of it beside."""
    title = title_of(content)
    return {"title": title, "extra": extra if title == content else as_extra(NAME, {"content": content})}


def wish_of(unit: Unit, who: Principal, said: Fields, content: str, project: str) -> NewTask:
    """A new task as Delega's fields describe it, in `project` if they name none.

    It may be tried as often as the deck lets a task be: Delega's tasks never give up.
    """
    return NewTask(
        project=said.project_id or project,
        description=said.description or "",
        labels=frozenset(said.labels or ()),
        priority=PRIORITY[said.priority or 1],
        due=None if said.due_date is None else due_of(said.due_date),
        assignee=an_assignee(unit, who, said.assigned_to_agent_id),
        max_attempts=MAX_ATTEMPTS_LIMIT,
        **content_fields(content, None),
    )


@route("POST", "/tasks")
async def post_task(call: Call) -> web.StreamResponse:
    """Make a task."""
    said, who = sent(call, NewTaskBody), call.who
    if call.request.headers.get("X-Dedup-Check", "").lower() == "true":
        matches = await alike(call, said.content)
        if matches:
            raise Conflict("Duplicate task detected", code=DUPLICATE, more={"matches": matches})

    def work(unit: Unit) -> Task:
        above = None if said.parent_task_id is None else the_writable(unit, who, said.parent_task_id)
        wish = wish_of(unit, who, said, said.content, above.bucket.project if above else DEFAULT_PROJECT)
        gates = orjson.dumps([POLICY]).decode() if said.evidence_policy else None
        (made,) = create(unit, who, [replace(wish, gates=gates, parent=above.key if above else None)])
        if said.context:
            change_context(unit, who, made.key, said.context)
        return made

    return await change(call, work, 201)


@route("GET", "/tasks/{id}", Role.READER)
async def get_task(call: Call) -> web.StreamResponse:
    """Show a task."""
    task = await read_task(call)
    return call.json((await views(call.deck.reader, [task]))[0])


@route("PUT", "/tasks/{id}")
@route("PATCH", "/tasks/{id}")
async def put_task(call: Call) -> web.StreamResponse:
    """Change what is named, and nothing else."""
    said, who, ref = sent(call, UpdateBody), call.who, call.path("id")
    return await change(call, lambda unit: _updated(unit, who, the_writable(unit, who, ref), said))


def _updated(unit: Unit, who: Principal, task: Task, said: UpdateBody) -> Task:
    given = said.model_fields_set
    fields: dict[str, Any] = {}
    if said.content is not None:
        fields["title"] = title_of(said.content)
    if "description" in given:
        fields["description"] = said.description or ""
    if "labels" in given:
        fields["labels"] = frozenset(said.labels or ())
    if "priority" in given:
        fields["priority"] = PRIORITY[said.priority or 1]
    if "due_date" in given:
        fields["due"] = None if said.due_date is None else due_of(said.due_date)
    if "project_id" in given:
        fields["project"] = said.project_id or DEFAULT_PROJECT
    if "evidence_policy" in given and (said.evidence_policy is not None) != wants_evidence(task.gates):
        fields["gates"] = _gates(who, task, required=said.evidence_policy is not None)
    if fields:
        edit(unit, who, task.key, Edit(fields))
    if said.content is not None:
        rest = {name: value for name, value in extra_of(task, NAME).items() if name != "content"}
        whole = {} if title_of(said.content) == said.content else {"content": said.content}
        keep(unit, who, task, rest | whole)
    if "assigned_to_agent_id" in given and said.assigned_to_agent_id != task.bucket.assignee:
        assign(unit, who, task.key, an_assignee(unit, who, said.assigned_to_agent_id))
    if said.context:
        change_context(unit, who, task.key, said.context)
    if said.completed is not None:
        return completed(unit, who, task) if said.completed else reopened(unit, who, task)
    return task


def _gates(who: Principal, task: Task, *, required: bool) -> Json | None:
    """The task's gates with evidence before completion, or without any."""
    gates = [] if task.gates is None else orjson.loads(task.gates)
    if required:
        gates.append(POLICY)
    else:
        if who.role is not Role.ADMIN:
            raise Forbidden("Only admins take a required evidence policy away.")
        gates = [gate for gate in gates if gate["before"] != POLICY["before"] or "evidence" not in gate]
    return orjson.dumps(gates).decode() if gates else None


@route("DELETE", "/tasks/{id}")
async def delete_task(call: Call) -> web.StreamResponse:
    """Remove a task with all that was said beside it."""
    who, ref = call.who, call.path("id")

    def work(unit: Unit) -> dict[str, Any]:
        task = the_readable(unit, who, ref)
        require_write(task, who)
        if task.state is State.CLAIMED:
            if task.principal == who.name or task.lapsed:
                release(unit, who, task.key, task.fence)
            else:
                override_to_queue(unit, who, task.key, reason="it is removed")
        delete(unit, who, task.key, detached=True)
        return {"ok": True, "deleted": task_id(task.id)}

    return await alter(call, work)
