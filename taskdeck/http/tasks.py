"""Routes of tasks: create, list, show, edit, delete, explain."""

from __future__ import annotations

from typing import Any, cast

import orjson
from aiohttp import web

from taskdeck.domain.errors import DeckError, Invalid
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.query import QueryError, parse
from taskdeck.domain.task import Json, Task
from taskdeck.domain.view import task_summary, task_view
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.event_models import EventQuery
from taskdeck.http.events import event_page
from taskdeck.http.gate_models import GatesQuery
from taskdeck.http.reading import PAGE_BYTES, fitting, seen_task
from taskdeck.http.routes import RouteTable
from taskdeck.http.task_models import (
    AssignmentQuery,
    CreateTask,
    CreateTasks,
    DeleteQuery,
    DuplicateQuery,
    EditTask,
    ExplainQuery,
    OneTaskQuery,
    TaskEventQuery,
    TaskQuery,
)
from taskdeck.http.wire import body, explanation, task_reply
from taskdeck.service.assignments import assignment_log
from taskdeck.service.create import Made, create_or_find
from taskdeck.service.duplicates import duplicates
from taskdeck.service.edit import edit
from taskdeck.service.explain import explain
from taskdeck.service.gates import gates_view
from taskdeck.service.heartbeat import touch
from taskdeck.service.operate import delete
from taskdeck.service.requests import MANY, Edit, NewTask
from taskdeck.store.claims import list_claims
from taskdeck.store.event_listing import EventFilter
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks, page
from taskdeck.store.query import Query
from taskdeck.store.sorts import way_of
from taskdeck.store.unit import Unit

routes = RouteTable()


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
        series=wish.series,
        awaits=tuple(wish.awaits),
        approve_after_ms=_ms(wish.approve_after_seconds),
        backoff_ms=_ms(wish.backoff_seconds),
        backoff_cap_ms=_ms(wish.backoff_cap_seconds),
        backlog=wish.backlog,
        review=wish.review,
        kind=wish.kind,
        parent=wish.parent,
        assignees=cast("Json | None", wish.assignees),
        at_end=wish.at_end,
        form=None if wish.form is None else (wish.form.name, wish.form.version),
        gates=cast("Json | None", wish.gates),
        unique_key=wish.unique_key,
        refuse_existing=wish.if_exists == "refuse",
        run=wish.run,
        extra=cast("Json | None", wish.extra),
    )


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


@routes.add("POST", "/v1/tasks", Role.AGENT, body=CreateTask, alternative=CreateTasks, success=201)
async def create_tasks(call: Call) -> web.StreamResponse:
    """Create a task, or up to 1,000 at once."""
    if isinstance(call.parsed, CreateTasks):
        wishes = [new_task(wish) for wish in call.parsed.tasks]
        return await call.write(
            lambda unit: _create_many(unit, call.who, wishes),
            lambda made: (201, body({"tasks": [_made_view(one) for one in made]})),
            long=len(wishes) > MANY,
        )
    wish = new_task(call.body(CreateTask))
    return await call.write(
        lambda unit: create_or_find(unit, call.who, [wish])[0],
        lambda made: (200 if made.existed else 201, body(_made_view(made))),
    )


def _create_many(unit: Unit, who: Principal, wishes: list[NewTask]) -> list[Made]:
    """As `create_or_find`; a refusal names the one of `tasks` that it is about."""
    try:
        return create_or_find(unit, who, wishes)
    except DeckError as error:
        if error.place is not None:
            error.field = f"tasks.{error.place}" + (f".{error.field}" if error.field else "")
        raise


def _made_view(made: Made) -> dict[str, Any]:
    """A task as its creation shows it; one that was there before is marked."""
    return task_view(made.task) | {"existed": True} if made.existed else task_view(made.task)


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
        parent=asked.parent,
        run=asked.run,
        concerning=None if asked.concerning is None else (asked.concerning, frozenset()),
        overdue=asked.overdue,
        due_after=asked.due_after,
        due_before=asked.due_before,
        query=_query(call, asked.q),
    )
    way = way_of(asked.sort)
    after = cursor.decode(asked.sort, len(way.columns), asked.cursor, texts=way.texts)
    found = await list_tasks(call.deck.reader, wanted, asked.sort, call.deck.order, after, asked.limit + 1)
    shown, more = page(found, asked.limit)
    view: Any = task_summary
    if asked.view == "full":
        view = task_view
        whole = fitting((_size(task) for task in shown), PAGE_BYTES)
        more, shown = more or whole < len(shown), shown[:whole]
    next_cursor = cursor.encode(asked.sort, way.key(shown[-1], call.deck.order)) if more else None
    return call.json({"tasks": [view(task) for task in shown], "next_cursor": next_cursor})


def _size(task: Task) -> int:
    documents = (
        task.description,
        task.payload,
        task.metadata,
        task.result,
        task.handoff,
        task.draft,
        task.proof,
        task.gates,
    )
    return sum(len(document) for document in documents if document is not None)


def _query(call: Call, text: str) -> Query | None:
    """The filter `q`, as asked now by this caller; None for an empty one.

    Raises:
        Invalid: it cannot be read; the detail begins with the column of the fault.
    """
    try:
        node = parse(text)
    except QueryError as error:
        raise Invalid(
            f"q: {error}",
            hint="/openapi.json says of `q` what may be asked; quote text that is none.",
            field="q",
        ) from None
    return Query(node, call.deck.clock.now_ms(), call.who.name) if node.parts else None


@routes.add("GET", "/v1/tasks/duplicates", Role.READER, query=DuplicateQuery)
async def get_duplicates(call: Call) -> web.StreamResponse:
    """Suggest tasks that may be the same as one of this title."""
    asked = call.params(DuplicateQuery)
    wanted = call.who.projects
    if asked.project is not None:
        wanted = frozenset({asked.project}) if wanted is None else wanted & {asked.project}
    found = await duplicates(call.deck.reader, asked.title, wanted, threshold=asked.threshold, limit=asked.limit)
    return call.json({"duplicates": found})


@routes.add("GET", "/v1/tasks/{ref}", Role.READER, query=OneTaskQuery)
async def get_task(call: Call) -> web.StreamResponse:
    """Show a task; its holder renews the lease by giving the fence."""
    ref, fence = call.path("ref"), call.params(OneTaskQuery).fence
    if fence is not None and call.who.role.reaches(Role.AGENT):
        return call.reply(*await call.deck.answer(lambda unit: touch(unit, call.who, ref, fence), task_reply))
    return call.reply(*task_reply(await seen_task(call)))


@routes.add("PATCH", "/v1/tasks/{ref}", Role.AGENT, body=EditTask)
async def edit_task(call: Call) -> web.StreamResponse:
    """Edit a task: operators any field, its holder the description and metadata."""
    asked = call.body(EditTask)
    fields = {name: getattr(asked, name) for name in asked.model_fields_set - {"version", "fence"}}
    if "files" in fields:
        fields["files"] = orjson.dumps(fields["files"]).decode()
    for name in fields.keys() & {"backoff_seconds", "backoff_cap_seconds"}:
        fields[name.replace("seconds", "ms")] = _ms(fields.pop(name))
    wish = Edit(fields, asked.version, asked.fence)
    return await call.write(lambda unit: edit(unit, call.who, call.path("ref"), wish), task_reply)


@routes.add("DELETE", "/v1/tasks/{ref}", Role.AGENT, query=DeleteQuery)
async def delete_task(call: Call) -> web.StreamResponse:
    """Remove a task that nobody holds and nothing depends on; its events stay."""
    detached = call.params(DeleteQuery).detach
    return await call.write(
        lambda unit: delete(unit, call.who, call.path("ref"), detached=detached),
        lambda task: (200, body({"deleted": task.key})),
    )


@routes.add("GET", "/v1/tasks/{ref}/explain", Role.READER, query=ExplainQuery)
async def explain_task(call: Call) -> web.StreamResponse:
    """Say, rule by rule, why a worker can or cannot claim the task now."""
    ref, worker = call.path("ref"), call.params(ExplainQuery).worker or call.who.name
    return call.reply(
        *await call.deck.answer(
            lambda unit: explain(unit, call.who, ref, worker),
            lambda found: (200, body(explanation(found[0], worker, found[1]))),
        )
    )


@routes.add("GET", "/v1/tasks/{ref}/gates", Role.READER, query=GatesQuery)
async def get_gates(call: Call) -> web.StreamResponse:
    """Say what must be shown before the task is claimed, completed or approved."""
    task = await seen_task(call)
    worker = call.params(GatesQuery).worker or call.who.name
    return call.json({"task": task.key, "gates": gates_view(task, worker)})


@routes.add("GET", "/v1/tasks/{ref}/assignments", Role.READER, query=AssignmentQuery)
async def get_assignments(call: Call) -> web.StreamResponse:
    """Say to whom the task was offered, who took it and who gave it back, oldest first."""
    asked = call.params(AssignmentQuery)
    task = await seen_task(call)
    found = await assignment_log(call.deck.reader, task.number, asked.after, asked.limit + 1)
    shown, more = page(found, asked.limit)
    return call.json({"task": task.key, "assignments": shown, "next_after": shown[-1]["seq"] if more else None})


@routes.add("GET", "/v1/tasks/{ref}/events", Role.READER, query=TaskEventQuery)
async def get_task_events(call: Call) -> web.StreamResponse:
    """The task's history, oldest first."""
    asked, task = call.params(TaskEventQuery), await seen_task(call)
    query = EventQuery(after=asked.after, before=asked.before, limit=asked.limit)
    return await event_page(call, query, EventFilter(task=task.number))


@routes.add("GET", "/v1/tasks/{ref}/claims", Role.READER)
async def get_claims(call: Call) -> web.StreamResponse:
    """List who has held the task, from when to when, and how each claim ended, as far back as events are kept."""
    task = await seen_task(call)
    found = await list_claims(call.deck.reader, task.number)
    return call.json({"task": task.key, "claims": [claim.view() for claim in found]})
