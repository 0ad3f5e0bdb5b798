"""Who may read and who may write, said as Delega says it; what follows from it is the deck's to decide."""

from __future__ import annotations

import orjson

from taskdeck.dialects.delega.errors import NO_WRITE
from taskdeck.dialects.delega.words import task_ref
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import ClaimedByOther, Forbidden, NotFound
from taskdeck.domain.people import concerns, directs, held_by_other
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.domain.view import holder_view
from taskdeck.http.call import Call
from taskdeck.service.find import the_task
from taskdeck.store.listing import find_task
from taskdeck.store.tokens import find_principal
from taskdeck.store.unit import Unit

READ_ALL, COMMENT_ALL = "tasks.read_all", "tasks.comment_all"
"""Delega's permissions are groups of the deck."""


def reads_all(who: Principal) -> bool:
    """Whether `who` sees every task; others see those they have or had a part in."""
    return who.is_operator() or READ_ALL in who.groups


def readable(task: Task, who: Principal) -> bool:
    """Whether `who` sees `task`."""
    return (
        reads_all(who)
        or concerns(task, who)
        or (task.completed_by is not None and orjson.loads(task.completed_by)["by"] == who.name)
    )


def scope_of(who: Principal) -> tuple[str, frozenset[str]] | None:
    """Which tasks a list for `who` is about: None for all."""
    return None if reads_all(who) else (who.name, who.groups)


def the_readable(unit: Unit, who: Principal, ref: str) -> Task:
    """The task `ref`.

    Raises:
        NotFound: there is none that `who` sees.
    """
    task = named(unit, who, ref)
    if not readable(task, who):
        raise _unknown(ref)
    return task


def named(unit: Unit, who: Principal, ref: str) -> Task:
    """The task `ref`, whoever it concerns.

    Raises:
        NotFound: there is none, in the words in which one is denied that `who` does not see.
    """
    try:
        return the_task(unit, who, task_ref(ref))
    except NotFound:
        raise _unknown(ref) from None


async def read_task(call: Call) -> Task:
    """The task that the path names, read beside the writer.

    Raises:
        NotFound: there is none that the caller sees.
    """
    await call.deck.catch_up()
    ref = call.path("id")
    task = await find_task(call.deck.reader, task_ref(ref), call.who)
    if task is None or not readable(task, call.who):
        raise _unknown(ref)
    return task


def _unknown(ref: str) -> NotFound:
    return NotFound(f"Task {ref[:80]!r} not found", code="unknown_task")


def the_writable(unit: Unit, who: Principal, ref: str) -> Task:
    """The task `ref`, which `who` may change.

    Raises:
        NotFound: there is none that `who` sees.
        ClaimedByOther: another agent holds it.
        Forbidden: `who` neither holds nor made it, nor is it assigned to it.
    """
    task = the_readable(unit, who, ref)
    require_write(task, who)
    return task


def require_write(task: Task, who: Principal) -> None:
    """Refuse who may not change `task`; see `the_writable`."""
    if directs(who, task):
        return
    if held_by_other(task, who):
        raise held(task)
    raise Forbidden(NO_WRITE)


def held(task: Task) -> ClaimedByOther:
    """Why somebody else's claim stands in the way."""
    until = "" if task.expires_at is None else f" until {rfc3339(task.expires_at)}"
    return ClaimedByOther(
        f"Conflict: agent {task.worker} holds a claim on this task{until}; wait for it or pick another task",
        holder=holder_view(task),
    )


def an_assignee(unit: Unit, who: Principal, name: str | None) -> str | None:
    """The agent `name`, to whom `who` may assign tasks.

    Raises:
        Forbidden: it is another than `who`, which neither coordinates nor administers.
        NotFound: there is no such agent.
    """
    if name is None or name == who.name:
        return name
    if not reads_all(who):
        raise Forbidden("Only coordinators and admins assign tasks to other agents.")
    if name not in unit.mirror.workers and find_principal(unit, name) is None:
        raise NotFound(f"Agent {name[:80]!r} not found", code="unknown_principal")
    return name
