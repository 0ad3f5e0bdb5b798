"""Reading tasks for those who may see them."""

from __future__ import annotations

import contextlib

import orjson
from aiohttp import web

from taskdeck.dialects.conductor.entry import entry
from taskdeck.dialects.conductor.errors import not_found
from taskdeck.dialects.conductor.log import Log, fresh, log_of
from taskdeck.dialects.conductor.words import Names, other_id
from taskdeck.domain.errors import Forbidden, NotFound
from taskdeck.domain.forms import Form
from taskdeck.domain.people import has_part
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.domain.turns import turns_from
from taskdeck.http.call import Call
from taskdeck.service.assignments import histories
from taskdeck.service.deck import Deck
from taskdeck.service.forms import the_form
from taskdeck.store.filters import TaskFilter
from taskdeck.store.forms import read_form
from taskdeck.store.listing import find_task, list_tasks
from taskdeck.store.unit import Unit


def groups_of(deck: Deck, task: Task) -> frozenset[str]:
    """Which of the names in the task's assignments are groups'."""
    names = {task.bucket.assignee} if task.bucket.assignee is not None else set()
    marked = set()
    if task.assignees is not None:
        turns = turns_from(task.assignees)
        names |= {turn.assignee for turn in turns}
        marked = {turn.assignee for turn in turns if turn.group}
    return frozenset(marked | (names & deck.keyring.groups))


def form_of(unit: Unit, task: Task) -> Form | None:
    """The task's form, if it has one that is still there."""
    if task.form is None:
        return None
    wanted = orjson.loads(task.form)
    try:
        return the_form(unit, wanted["name"], wanted["version"])
    except NotFound:
        return None


async def form_read(deck: Deck, task: Task) -> Form | None:
    """As `form_of`, beside the writer."""
    if task.form is None:
        return None
    wanted = orjson.loads(task.form)
    return await read_form(deck.reader, wanted["name"], wanted["version"])


async def logs(deck: Deck, tasks: list[Task]) -> dict[int, Log]:
    """The action logs of `tasks`, by number."""
    found = await histories(deck.reader, [task.number for task in tasks if task.version > 1])
    return {
        task.number: log_of(task, found[task.number], groups_of(deck, task))
        if task.number in found
        else fresh(task, groups_of(deck, task))
        for task in tasks
    }


def may_see(who: Principal, task: Task) -> bool:
    """Whether `who` has a part in `task`, or it is anybody's."""
    return task.bucket.assignee is None or has_part(who, task)


async def known(call: Call, *, missing: int = 404) -> Task:
    """The task that the path names, as it is now.

    Raises:
        Problem: there is none (404).
        NotFound: there is none, and another status is wanted for that.
        Forbidden: the caller has no part in it.
    """
    await call.deck.catch_up()
    ref = call.path("taskId")
    task = await find_task(call.deck.reader, ref, call.who)
    if task is None:
        told = f"There is no human task {ref[:80]}"
        raise not_found(told) if missing == 404 else NotFound(told, code="unknown_task")
    if not may_see(call.who, task):
        raise Forbidden(f"{call.who.name} has no part in human task {task.id}")
    return task


async def shown(call: Call, task: Task, *, with_template: bool) -> web.StreamResponse:
    """The entry of `task` as the reply."""
    log = (await logs(call.deck, [task]))[task.number]
    return call.json(entry(task, log, await form_read(call.deck, task) if with_template else None))


_OF_A_WORKFLOW = 1_000


async def of_workflow(deck: Deck, who: Principal, workflow: str) -> list[Task]:
    """The tasks of the workflow of that id, which `who` is let into, at most 1,000 and newest first."""
    reader, seen = deck.reader, who.projects
    found = await list_tasks(
        reader, TaskFilter(projects=seen, run=workflow), "-number", deck.order, None, _OF_A_WORKFLOW
    )
    found += await list_tasks(
        reader, TaskFilter(projects=seen, parent=workflow), "-number", deck.order, None, _OF_A_WORKFLOW
    )
    with contextlib.suppress(ValueError):  # an id that we made, of a task that belongs to no workflow
        alone = await find_task(reader, other_id(workflow), who)
        found += [] if alone is None else [alone]
    return [task for task in found if Names(task).workflow_id == workflow]
