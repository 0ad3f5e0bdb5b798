"""lapse: a lease ends without its holder having finished."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_CLAIM, Task
from taskdeck.service.change import change
from taskdeck.service.finish import error_document
from taskdeck.service.handoff import handed_off
from taskdeck.service.unblock import BY_TIME
from taskdeck.store import tasks
from taskdeck.store.unit import Unit


def lapse(unit: Unit, number: int) -> None:
    """The lease of task `number` has ended and the attempt is spent: others may take it, or it has failed."""
    task = the_numbered(unit, number)
    _lapse(unit, task, {"lapsed": True}, {}, "lapsed")


def lapse_early(unit: Unit, number: int) -> None:
    """The same, before its time, because the holder is offline and the task's project asks for it."""
    task = the_numbered(unit, number)
    ended = {} if task.expires_at is None else {"expires_at": unit.now}
    _lapse(unit, task, {"lapsed": True} | ended, {"why": "worker_offline"}, "was ended, for it is offline,")


def the_numbered(unit: Unit, number: int) -> Task:
    """The task that an index of ours named."""
    task = tasks.by_number(unit, number)
    if task is None:
        raise RuntimeError(f"an index names task {number}, which is not there")
    return task


def _lapse(unit: Unit, task: Task, fields: dict[str, Any], more: dict[str, Any], how: str) -> None:
    worker = task.worker
    facts = {"from_worker": worker, "fence": task.fence} | more
    if task.attempt < task.max_attempts:
        change(unit, task, Verb.LAPSE, BY_TIME, fields, facts=facts, worker=worker)
        return
    message = f"the lease of {worker} {how} and attempt {task.attempt} of {task.max_attempts} was the last"
    error = error_document(unit, task, message, "lapsed", principal=task.principal)
    fields = NO_CLAIM | handed_off(unit, task) | {"state": State.FAILED, "finished_at": unit.now, "error": error}
    change(unit, task, Verb.LAPSE, BY_TIME, fields, facts=facts, worker=worker)
