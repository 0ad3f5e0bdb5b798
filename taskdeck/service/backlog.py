"""promote and shelve: into the queue from the backlog, and back."""

from __future__ import annotations

from taskdeck.domain.errors import WrongState
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import WAITING, State, Verb, waiting_state
from taskdeck.domain.task import Task
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.find import the_task
from taskdeck.service.unblock import finish_settled, must_wait
from taskdeck.store import family, tasks
from taskdeck.store.unit import Unit


def promote(unit: Unit, who: Principal, ref: str, *, reason: str | None = None, with_children: bool = False) -> Task:
    """Offer a task of the backlog: it is ready, or blocked or scheduled as its dependencies and time say.

    With its children, those of them go too that are in the backlog; it may itself be offered already then.

    Raises:
        WrongState: there is nothing of it in the backlog.
    """
    task = the_task(unit, who, ref)
    below = family.in_backlog(unit, task.key) if with_children and task.children else []
    if task.state is not State.BACKLOG and not below:
        raise WrongState(
            f"{task.key} is {task.state}; only a task in the backlog is promoted",
            hint="One that waits needs no promoting; one that has ended is retried.",
            holder=holder_view(task),
        )
    for child in (tasks.by_number(unit, number) for number in below):
        if child is not None:
            _offer(unit, who, child, reason)
    if task.state is State.BACKLOG:
        _offer(unit, who, task, reason)
        finish_settled(unit, task)
    return task


def _offer(unit: Unit, who: Principal, task: Task, reason: str | None) -> None:
    state = waiting_state(blocked=must_wait(unit, task), not_before=task.not_before, now=unit.now)
    change(unit, task, Verb.PROMOTE, who.name, {"state": state}, facts={"reason": reason})


def shelve(unit: Unit, who: Principal, ref: str, *, reason: str | None = None) -> Task:
    """Put a task that nobody holds back into the backlog: it is offered to nobody until it is promoted.

    Raises:
        WrongState: it is held, in review or has ended.
    """
    task = the_task(unit, who, ref)
    if task.state not in WAITING:
        raise WrongState(
            f"{task.key} is {task.state}; only a task that waits for a claim is shelved",
            hint="A claimed one is taken back with override first.",
            holder=holder_view(task),
        )
    return change(unit, task, Verb.SHELVE, who.name, {"state": State.BACKLOG}, facts={"reason": reason})
