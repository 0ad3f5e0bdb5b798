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
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.query import All, Node, Not, Term
from taskdeck.domain.states import OPEN, State
from taskdeck.domain.task import Task, WorkState
from taskdeck.http.call import Call
from taskdeck.http.models import Text
from taskdeck.http.wire import JSON, body
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks
from taskdeck.store.ordered import TOO_MANY, Order, Wanted, count, list_page
from taskdeck.store.query import Query

MAX_LISTED = 500
MAX_OFFSET = 10_000
SOON_DAYS = 7
_ERRORED, _ASKING = Term("is", patterns=("errored",)), Term("is", patterns=("asks",))
_DOING: dict[WorkState, tuple[Node, ...]] = {
    WorkState.WORKING: (Not(_ERRORED), Not(_ASKING)),
    WorkState.WAITING_INPUT: (_ASKING,),
    WorkState.ERRORED: (_ERRORED,),
}
"""How the holder says it is doing, of what is held; who says nothing is working."""
_ORDERS: dict[str | None, tuple[Order, bool]] = {
    None: ("first", False),
    "priority": ("first", False),
    "updated": ("updated", True),
    "due": ("due", False),
    "completed": ("ended", True),
}


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
    state: WorkState | None = None
    sort: Literal["priority", "updated", "due", "completed"] | None = None
    search: Annotated[Text, Field(max_length=200)] | None = None
    include: str | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] | None = None
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0


@route("GET", "/tasks", Role.READER)
async def get_tasks(call: Call) -> web.StreamResponse:
    """List tasks: those to do first, the most urgent first."""
    wanted = asked(call, ListQuery)
    await call.deck.catch_up()
    limit = wanted.limit or MAX_LISTED
    found, total = await _found(call, wanted, limit)
    shown = await views(call.deck.reader, found)
    if wanted.include == "pagination":
        return call.json(_page(shown, total, limit, wanted.offset))
    headers = {"X-Total-Count": str(total), "X-Request-Id": call.request_id}
    return web.Response(body=body(shown), content_type=JSON, headers=headers)


async def _found(call: Call, wanted: ListQuery, limit: int) -> tuple[list[Task], int]:
    """A page of the tasks that are wanted, and how many there are.

    More than can be sorted for a page come in the order of claims, which an index has.
    """
    filtered, reader = _filter(call, wanted), call.deck.reader
    if not filtered.states:
        return [], 0
    order, descending = _ORDERS[wanted.sort]
    try:
        return await list_page(reader, Wanted(filtered, order, descending, wanted.offset, limit))
    except Invalid as error:
        if error.stable_code != TOO_MANY:
            raise
    first = await list_tasks(reader, filtered, "priority", call.deck.order, None, wanted.offset + limit)
    return first[wanted.offset :], await count(reader, filtered)


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


def _filter(call: Call, wanted: ListQuery) -> TaskFilter:
    """What to list: what is open, what is completed, or both. Without states, nothing."""
    after, before = _window(wanted, day_of(call.deck.clock.now_ms()))
    nodes: list[Node] = []
    if text := wanted.search and wanted.search.strip():
        nodes.append(Term("word", patterns=(text.lower(),)))
    if wanted.state is not None:
        nodes += _DOING[wanted.state]
    return TaskFilter(
        states=tuple(state for state in State if state in _states(wanted)),
        project=DEFAULT_PROJECT if wanted.project_id == "" else wanted.project_id,
        projects=call.who.projects,
        label=wanted.label or None,
        labels=tuple(wanted.labels),
        assignee=wanted.assigned_to or None,
        due_after=after,
        due_before=before,
        priority=None if wanted.priority is None else SPAN[wanted.priority],
        concerning=scope_of(call.who),
        query=Query(All(tuple(nodes)), call.deck.clock.now_ms(), call.who.name) if nodes else None,
    )


def _states(wanted: ListQuery) -> frozenset[State]:
    done = bool(wanted.completed or wanted.include_completed) and wanted.due is None
    states = frozenset({State.DONE}) if done else frozenset()
    if wanted.completed is not True or wanted.include_completed:
        states |= OPEN
    if wanted.state is not None or wanted.claimed:
        return states & {State.CLAIMED} if wanted.claimed is not False else frozenset()
    return states - {State.CLAIMED} if wanted.claimed is False else states


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
