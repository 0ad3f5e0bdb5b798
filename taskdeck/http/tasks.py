"""Routes of tasks: create, list, show, edit, delete, explain."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.view import task_summary, task_view
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.events import event_page
from taskdeck.http.models import (
    CreateTask,
    CreateTasks,
    EditTask,
    EventQuery,
    ExplainQuery,
    OneTaskQuery,
    TaskEventQuery,
    TaskQuery,
)
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body, explanation, task_reply
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.explain import explain
from taskdeck.service.find import unknown_task
from taskdeck.service.heartbeat import touch
from taskdeck.service.operate import delete
from taskdeck.service.requests import Edit, NewTask
from taskdeck.store.listing import EventFilter, TaskFilter, find_task, list_tasks, page, sort_key

routes = RouteTable()

PAGE_BYTES = 4 << 20
"""A page of whole tasks ends where their documents reach this size."""


def new_task(wish: CreateTask) -> NewTask:
    """The service's request from the wire's."""
    return NewTask(
        title=wish.title,
        project=wish.project,
        description=wish.description,
        priority=wish.priority,
        labels=wish.labels,
        capabilities=wish.capabilities,
        payload=wish.payload,
        metadata=wish.metadata,
        files=orjson.dumps(wish.files).decode(),
        assignee=wish.assignee,
        depends_on=tuple(wish.depends_on),
        not_before=wish.not_before,
        due=wish.due,
        max_attempts=wish.max_attempts,
        key=wish.key,
    )


@routes.add("POST", "/v1/tasks", Role.AGENT, body=CreateTask, alternative=CreateTasks, success=201)
async def create_tasks(call: Call) -> web.StreamResponse:
    """Create a task, or up to 1,000 at once."""
    if isinstance(call.parsed, CreateTasks):
        wishes = [new_task(wish) for wish in call.parsed.tasks]
        return await call.write(
            lambda unit: create(unit, call.who, wishes),
            lambda made: (201, body({"tasks": [task_view(task) for task in made]})),
        )
    wish = new_task(call.body(CreateTask))
    return await call.write(lambda unit: create(unit, call.who, [wish]), lambda made: (201, body(task_view(made[0]))))


@routes.add("GET", "/v1/tasks", Role.READER, query=TaskQuery)
async def get_tasks(call: Call) -> web.StreamResponse:
    """List tasks, newest first unless `sort` says otherwise."""
    asked = call.params(TaskQuery)
    wanted = TaskFilter(
        states=asked.state,
        project=asked.project,
        projects=call.who.projects,
        label=asked.label,
        assignee=asked.assignee,
        worker=asked.worker,
        words=tuple(asked.q.split()),
    )
    after = cursor.decode(asked.sort, 2 if asked.sort == "priority" else 1, asked.cursor)
    found = await list_tasks(call.deck.reader, wanted, asked.sort, after, asked.limit + 1)
    shown, more = page(found, asked.limit)
    view: Any = task_summary
    if asked.view == "full":
        view = task_view
        fitting = _fitting(shown)
        more, shown = more or fitting < len(shown), shown[:fitting]
    next_cursor = cursor.encode(asked.sort, sort_key(shown[-1], asked.sort)) if more else None
    return call.json({"tasks": [view(task) for task in shown], "next_cursor": next_cursor})


def _fitting(tasks: list[Any]) -> int:
    """How many of `tasks`, at least one, stay within `PAGE_BYTES`."""
    size = 0
    for count, task in enumerate(tasks):
        size += len(task.payload) + len(task.metadata) + len(task.result or "") + len(task.description)
        if size > PAGE_BYTES and count:
            return count
    return len(tasks)


@routes.add("GET", "/v1/tasks/{ref}", Role.READER, query=OneTaskQuery)
async def get_task(call: Call) -> web.StreamResponse:
    """Show a task; its holder renews the lease by giving the fence."""
    ref, fence = call.path("ref"), call.params(OneTaskQuery).fence
    if fence is not None and call.who.role.reaches(Role.AGENT):
        return call.answer(await call.deck.write(lambda unit: touch(unit, call.who, ref, fence)), task_reply)
    task = await find_task(call.deck.reader, ref, call.who)
    if task is None:
        raise unknown_task(ref)
    return call.answer(task, task_reply)


@routes.add("PATCH", "/v1/tasks/{ref}", Role.AGENT, body=EditTask)
async def edit_task(call: Call) -> web.StreamResponse:
    """Edit a task: operators any field, its holder the description and metadata."""
    asked = call.body(EditTask)
    fields = {name: getattr(asked, name) for name in asked.model_fields_set - {"version", "fence"}}
    if "files" in fields:
        fields["files"] = orjson.dumps(fields["files"]).decode()
    wish = Edit(fields, asked.version, asked.fence)
    return await call.write(lambda unit: edit(unit, call.who, call.path("ref"), wish), task_reply)


@routes.add("DELETE", "/v1/tasks/{ref}", Role.OPERATOR)
async def delete_task(call: Call) -> web.StreamResponse:
    """Remove a task that nobody holds and nothing depends on; its events stay."""
    return await call.write(
        lambda unit: delete(unit, call.who, call.path("ref")), lambda task: (200, body({"deleted": task.key}))
    )


@routes.add("GET", "/v1/tasks/{ref}/explain", Role.READER, query=ExplainQuery)
async def explain_task(call: Call) -> web.StreamResponse:
    """Say, rule by rule, why a worker can or cannot claim the task now."""
    ref, worker = call.path("ref"), call.params(ExplainQuery).worker or call.who.name
    task, checks = await call.deck.write(lambda unit: explain(unit, call.who, ref, worker))
    return call.json(explanation(task, worker, checks))


@routes.add("GET", "/v1/tasks/{ref}/events", Role.READER, query=TaskEventQuery)
async def get_task_events(call: Call) -> web.StreamResponse:
    """The task's history, oldest first."""
    asked = call.params(TaskEventQuery)
    task = await find_task(call.deck.reader, call.path("ref"), call.who)
    if task is None:
        raise unknown_task(call.path("ref"))
    query = EventQuery(after=asked.after, before=asked.before, limit=asked.limit)
    return await event_page(call, query, EventFilter(task=task.number))
