"""Searching human tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import Field, TypeAdapter, field_validator

from taskdeck.choices import ConductorChoices
from taskdeck.dialects.conductor.entry import entry, form_input
from taskdeck.dialects.conductor.errors import bad_request
from taskdeck.dialects.conductor.query import Holds, conditions, like, words
from taskdeck.dialects.conductor.reading import groups_of, logs, of_workflow
from taskdeck.dialects.conductor.wire import Wire, parsed
from taskdeck.dialects.conductor.words import NAME, HumanState, Names, User, UserType, deck_states, state_of, user_of
from taskdeck.dialects.dialect import OPTIONS
from taskdeck.domain.people import HUMAN, for_people
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.query import parse
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.reading import PAGE_BYTES, fitting
from taskdeck.http.routes import RouteTable
from taskdeck.service.deck import Deck
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks
from taskdeck.store.query import Query

routes = RouteTable()

MOST = 10_000
"""How many tasks are looked at: those that have not ended first, and the newest first."""
_AT_ONCE = 100
MAX_SIZE = 500
SearchType = Literal["ADMIN", "INBOX"]

_Texts = Annotated[tuple[Annotated[str, Field(max_length=500)], ...], Field(max_length=200)]


class WantedUser(Wire):
    """A user to look for, of any type if none is said; `*` stands for any run of characters."""

    user: Annotated[str, Field(max_length=200)] = ""
    userType: UserType | None = None


class Search(Wire):
    """What is looked for. What is empty does not narrow; lists are alternatives."""

    searchType: SearchType | None = None
    start: Annotated[int, Field(ge=0, le=MOST)] = 0
    size: Annotated[int, Field(ge=0)] = 15
    states: Annotated[tuple[HumanState, ...], Field(max_length=20)] = ()
    assignees: Annotated[tuple[WantedUser, ...], Field(max_length=200)] = ()
    claimants: Annotated[tuple[WantedUser, ...], Field(max_length=200)] = ()
    definitionNames: _Texts = ()
    displayNames: _Texts = ()
    taskRefNames: _Texts = ()
    workflowIds: _Texts = ()
    workflowNames: _Texts = ()
    taskInputQuery: str = ""
    taskOutputQuery: str = ""
    fullTextQuery: str = ""
    updateStartTime: int | None = None
    updateEndTime: int | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _nothing_said(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value


_Search = TypeAdapter(Search)


@routes.add("GET", "/api/human/tasks/getTaskDisplayNames", Role.READER)
async def get_display_names(call: Call) -> web.StreamResponse:
    """List the display names of the tasks that a search would show."""
    asked = call.request.query.get("searchType", "")
    if asked not in ("ADMIN", "INBOX"):
        raise bad_request("searchType is required: ADMIN or INBOX")
    wanted = Search(searchType="ADMIN" if asked == "ADMIN" else "INBOX")
    return call.json(sorted({Names(task).display async for task in _found(call, wanted)}))


@routes.add("GET", "/api/human/tasks/backPopulateFullTextIndex", Role.READER)
async def populate_index(call: Call) -> web.StreamResponse:
    """Do nothing: there is no index to fill."""
    return call.json({})


@routes.add("POST", "/api/human/tasks/search", Role.READER)
async def search_tasks(call: Call) -> web.StreamResponse:
    """Search tasks, last changed first."""
    wanted = parsed(_Search, call.raw, b"{}")
    size = min(wanted.size, MAX_SIZE)
    best: list[Task] = []
    total, needed = 0, wanted.start + size
    async for task in _found(call, wanted):
        total += 1
        best.append(task)
        if len(best) > 2 * needed + _AT_ONCE:
            best = sorted(best, key=_order)[:needed]
    page = sorted(best, key=_order)[wanted.start : needed]
    page = page[: fitting(map(_size, page), PAGE_BYTES)]
    told = await logs(call.deck, page)
    return call.json(
        {
            "totalHits": total,
            "results": [entry(task, told[task.number]) for task in page],
            "hits": len(page),
            "start": wanted.start,
            "pageSizeLimit": size,
        }
    )


def _size(task: Task) -> int:
    return sum(len(document or "") for document in (task.payload, task.draft, task.result, task.extra, task.assignees))


def _order(task: Task) -> tuple[int, int, str]:
    return -task.updated_at, -task.created_at, task.id


async def _found(call: Call, wanted: Search) -> AsyncIterator[Task]:
    """The tasks that are looked for and that the caller is shown."""
    if wanted.searchType == "ADMIN" and not call.who.is_operator():
        return
    await call.deck.catch_up()
    states = frozenset(wanted.states) or frozenset(HumanState) - {HumanState.DELETED}
    chosen: ConductorChoices = call.request.app[OPTIONS][NAME]
    test = _Test(call.who, call.deck, wanted, people_only=chosen.scope == "human")
    seen: set[int] = set()  # one may change its state, and be read again, while others are
    async for task in _candidates(call, wanted.workflowIds, deck_states(states), test.narrowed):
        if task.number not in seen and state_of(task) in states and test.passes(task):
            seen.add(task.number)
            yield task


async def _candidates(
    call: Call, workflows: tuple[str, ...], states: tuple[State, ...], narrowed: TaskFilter
) -> AsyncIterator[Task]:
    """The tasks of the workflows, if some are named; else at most `MOST`, state by state and newest first.

    Others are served in between.
    """
    if workflows:
        for workflow in dict.fromkeys(workflows):
            for task in await of_workflow(call.deck, call.who, workflow):
                yield task
        return
    left = MOST
    for state in states:  # one by one each is read in its order, all together they would have to be sorted
        of_state, after = replace(narrowed, states=(state,)), None
        while left > 0:
            tasks = await list_tasks(call.deck.reader, of_state, "-number", call.deck.order, after, _AT_ONCE)
            for task in tasks:
                yield task
            left -= len(tasks)
            if len(tasks) < _AT_ONCE:
                break
            after = (tasks[-1].number,)
            await asyncio.sleep(0)


class _Test:
    """Whether a task is looked for."""

    def __init__(self, who: Principal, deck: Deck, wanted: Search, *, people_only: bool) -> None:
        self._people_only = people_only
        self._names = {who.name, *who.groups}
        self._who = who
        self._deck = deck
        self._wanted = wanted
        self._all = wanted.searchType == "ADMIN" or (wanted.searchType is None and who.is_operator())
        self._owned = wanted.searchType is None
        self._input = _parsed(conditions, wanted.taskInputQuery)
        self._output = _parsed(conditions, wanted.taskOutputQuery)
        self._text = _parsed(words, wanted.fullTextQuery)
        people = Query(parse(f"cap:{HUMAN}"), deck.clock.now_ms(), who.name) if people_only else None
        self.narrowed = TaskFilter(projects=who.projects, query=people)

    def passes(self, task: Task) -> bool:
        return (
            self._shows(task)
            and self._changed_then(task)
            and self._is_called(task)
            and self._is_whose(task)
            and self._says(task)
        )

    def _shows(self, task: Task) -> bool:
        if self._people_only and not for_people(task):
            return False
        if self._all or (self._owned and task.created_by == self._who.name):
            return True
        holder = _holder(task)
        if task.bucket.assignee is None and holder is None:
            return True
        return holder == self._who.name or not self._names.isdisjoint(_assigned(task))

    def _changed_then(self, task: Task) -> bool:
        first, last = self._wanted.updateStartTime, self._wanted.updateEndTime
        return (first is None or task.updated_at >= first) and (last is None or task.updated_at <= last)

    def _is_called(self, task: Task) -> bool:
        wanted, names = self._wanted, Names(task)
        return (
            _in(names.definition, wanted.definitionNames)
            and _in(names.display, wanted.displayNames)
            and _in(names.reference, wanted.taskRefNames)
            and _in(names.workflow, wanted.workflowNames)
        )

    def _is_whose(self, task: Task) -> bool:
        wanted = self._wanted
        if not wanted.assignees and not wanted.claimants:
            return True
        groups, holder = groups_of(self._deck, task), _holder(task)
        return _any_of(wanted.assignees, [user_of(name, groups) for name in _assigned(task)]) and _any_of(
            wanted.claimants, [] if holder is None else [user_of(holder, frozenset())]
        )

    def _says(self, task: Task) -> bool:
        return (
            (self._input is None or self._input(form_input(task)))
            and (self._output is None or self._output(_filled_in(task)))
            and (self._text is None or self._text("\n".join(_texts(task)).lower()))
        )


def _parsed(read: Callable[[str], Holds], text: str) -> Holds | None:
    return read(text) if text.strip() else None


def _in(name: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or name in wanted


def _any_of(wanted: tuple[WantedUser, ...], users: list[User]) -> bool:
    asked = [one for one in wanted if one.user or one.userType]
    return not asked or any(
        (one.userType is None or one.userType == user["userType"]) and (not one.user or like(one.user, user["user"]))
        for one in asked
        for user in users
    )


def _holder(task: Task) -> str | None:
    """Who holds the task, or held it when it was completed."""
    if task.worker is not None:
        return None if task.lapsed else task.worker
    completed: dict[str, str | None] = orjson.loads(task.completed_by or "{}")
    return completed.get("worker")


def _assigned(task: Task) -> list[str]:
    """Who it is offered to, or who took it in that one's place."""
    assignee, holder = task.bucket.assignee, _holder(task)
    if assignee is None:
        return []
    return [assignee] if holder is None else [assignee, holder]


def _filled_in(task: Task) -> Any:
    return orjson.loads(task.draft or task.result or "{}")


def _texts(task: Task) -> Iterator[str]:
    """All that can be found in a task by its words."""
    names = Names(task)
    yield from (task.id, names.workflow_id, names.display, names.definition, names.reference, names.workflow)
    users = {task.created_by, task.bucket.assignee, _holder(task)}
    yield from (user_of(name, frozenset())["user"] for name in users if name is not None)
    yield from _values(form_input(task))
    yield from _values(_filled_in(task))


def _values(document: Any) -> Iterator[str]:
    """Every single value in `document`, as text."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif value is not None:
            yield value if isinstance(value, str) else orjson.dumps(value).decode()
