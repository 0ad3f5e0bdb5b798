"""Lists of tasks: those to do first, the most urgent first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from taskdeck.dialects.delega.replies import views
from taskdeck.dialects.delega.standing import scope_of
from taskdeck.dialects.delega.wire import Day, Id, Wire, asked, route
from taskdeck.dialects.delega.words import SPAN, day_of, due_of, midnight
from taskdeck.domain.principal import Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.query import All, Term
from taskdeck.domain.states import OPEN, State
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.models import Text
from taskdeck.http.wire import JSON, body
from taskdeck.store.listing import TaskFilter, count_tasks, list_tasks
from taskdeck.store.query import Query

MAX_LISTED = 500
MAX_OFFSET = 10_000
SOON_DAYS = 7
_OPEN = tuple(state for state in State if state in OPEN)
_UNHELD = tuple(state for state in _OPEN if state is not State.CLAIMED)


class ListQuery(Wire):
    """Which tasks; numbers and flags are text here."""

    project_id: Id | None = None
    label: str | None = None
    labels: list[str] = Field(default_factory=list)
    due: Literal["today", "upcoming", "overdue"] | None = None
    due_after: Day | None = None
    due_before: Day | None = None
    completed: bool | None = None
    include_completed: bool = False
    claimed: bool | None = None
    priority: Annotated[int, Field(ge=1, le=4)] | None = None
    assigned_to: str | None = None
    search: Annotated[Text, Field(max_length=200)] | None = None
    include: str | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] | None = None
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0


@route("GET", "/tasks", Role.READER)
async def get_tasks(call: Call) -> web.StreamResponse:
    """List tasks: those to do first, the most urgent first."""
    wanted = asked(call, ListQuery)
    await call.deck.catch_up()
    filters = _filters(call, wanted)
    limit = wanted.limit or MAX_LISTED
    total = 0
    found: list[Task] = []
    for each in filters:
        count = sum(sum(kinds.values()) for kinds in (await count_tasks(call.deck.reader, each)).values())
        room = wanted.offset + limit - len(found)
        if count and room > 0:
            found += await list_tasks(call.deck.reader, each, "priority", call.deck.order, None, room)
        total += count
    shown = await views(call.deck.reader, sorted(found, key=_place)[wanted.offset : wanted.offset + limit])
    if wanted.include == "pagination":
        return call.json(_page(shown, total, limit, wanted.offset))
    headers = {"X-Total-Count": str(total), "X-Request-Id": call.request_id}
    return web.Response(body=body(shown), content_type=JSON, headers=headers)


def _page(shown: list[dict[str, Any]], total: int, limit: int, offset: int) -> dict[str, Any]:
    more = bool(shown) and offset + len(shown) < total
    return {
        "items": shown,
        "total": total,
        "limit": limit,
        "offset": offset,
        "has_more": more,
        "next_offset": offset + len(shown) if more else None,
    }


def _place(task: Task) -> tuple[Any, ...]:
    return (task.finished_at is not None, -task.priority, task.due is None, task.due or 0, task.created_at, task.number)


def _filters(call: Call, wanted: ListQuery) -> list[TaskFilter]:
    """What to list, one after the other: what is open, what is completed."""
    today = day_of(call.deck.clock.now_ms())
    after, before = _window(wanted, today)
    groups: list[tuple[State, ...]] = []
    if wanted.completed is not True or wanted.include_completed:
        groups.append(_OPEN)
    if (wanted.completed or wanted.include_completed) and wanted.due is None:
        groups.append((State.DONE,))
    if wanted.claimed is not None:
        groups = [(State.CLAIMED,)] if wanted.claimed else [_UNHELD if group is _OPEN else group for group in groups]
    text = wanted.search and wanted.search.strip()
    query = None
    if text:
        node = All((Term("word", patterns=(text.lower(),)),))
        query = Query(node, call.deck.clock.now_ms(), call.who.name)
    return [
        TaskFilter(
            states=states,
            project=DEFAULT_PROJECT if wanted.project_id == "" else wanted.project_id,
            projects=call.who.projects,
            label=wanted.label or None,
            labels=tuple(wanted.labels),
            assignee=wanted.assigned_to or None,
            due_after=after,
            due_before=before,
            priority=None if wanted.priority is None else SPAN[wanted.priority],
            concerning=scope_of(call.who),
            query=query,
        )
        for states in groups
    ]


def _window(wanted: ListQuery, today: date) -> tuple[int | None, int | None]:
    """From when, and before when, what is wanted is due. What is due on a day is late at the next midnight."""
    after = None if wanted.due_after is None else due_of(wanted.due_after)
    before = None if wanted.due_before is None else due_of(wanted.due_before)
    if wanted.due == "today":
        before = due_of(today) + 1
    elif wanted.due == "upcoming":
        after, before = due_of(today) + 1, due_of(today + timedelta(days=SOON_DAYS)) + 1
    elif wanted.due == "overdue":
        before = midnight(today) + 1
    return after, before
