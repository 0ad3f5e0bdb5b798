"""Calling a task off, and all that was delegated from it, some at a time."""

from __future__ import annotations

from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_CLAIM, Task
from taskdeck.service.change import change
from taskdeck.service.finish import error_document
from taskdeck.store import family, tasks
from taskdeck.store.unit import Unit

AT_ONCE = 64
"""How many tasks are called off in one unit of work; the rest follow in later batches."""


def call_off(unit: Unit, task: Task, actor: str, reason: str | None, *, under: str | None = None) -> None:
    """Cancel `task`, which has not ended; `under` is the parent it was called off with."""
    worker = task.worker
    error = error_document(unit, task, reason or "", "cancelled", by=actor)
    fields = NO_CLAIM | {"state": State.CANCELLED, "finished_at": unit.now, "error": error}
    facts = {"reason": reason, "from_worker": worker}
    if under is not None:
        facts["with"] = under
    change(unit, task, Verb.CANCEL, actor, fields, facts=facts, worker=worker)


def call_off_below(unit: Unit, parent: Task, actor: str, reason: str | None) -> None:
    """Cancel what was delegated from `parent` and has not ended, at every depth."""
    above, left = [parent], AT_ONCE
    while above and left:
        task = above.pop(0)
        called_off = _call_off_children(unit, task, actor, reason, left)
        above += [child for child in called_off if child.children]
        left -= len(called_off)
        if not left:
            above.append(task)
    for task in above:
        family.remember_cancelling(unit, task.number, actor, reason)
        unit.mirror.due_by(0)


def call_off_remembered(unit: Unit) -> None:
    """Go on with a cancelled parent whose children are not all cancelled yet."""
    row = family.remembered_cancelling(unit)
    if row is None:
        return
    number, actor, reason = row
    family.forget_cancelling(unit, number)
    parent = tasks.by_number(unit, number)
    if parent is not None:
        call_off_below(unit, parent, actor, reason)


def _call_off_children(unit: Unit, parent: Task, actor: str, reason: str | None, limit: int) -> list[Task]:
    called_off = []
    for number in family.to_cancel(unit, parent.key, limit):
        child = tasks.by_number(unit, number)
        if child is not None:
            call_off(unit, child, actor, reason, under=parent.key)
            called_off.append(child)
    return called_off
