"""Letting go of a task that is to be removed: what depends on it depends on it no longer."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.errors import Conflict
from taskdeck.domain.states import State, Verb, waiting_state
from taskdeck.domain.task import Task
from taskdeck.service.change import change
from taskdeck.service.unblock import finish_settled, must_wait
from taskdeck.store import dependencies, tasks
from taskdeck.store.unit import Unit

MOST = 64
"""How many tasks may depend on one that is let go of."""


def detach(unit: Unit, task: Task, actor: str) -> None:
    """Let no task depend on `task` any more; those that wait for nothing else go on.

    Raises:
        Conflict: too many depend on it (`has_dependents`).
    """
    numbers = dependencies.dependents(unit, task.number, MOST + 1)
    if len(numbers) > MOST:
        raise Conflict(
            f"more than {MOST} tasks depend on {task.key}",
            hint="Change the depends_on of some before.",
            code="has_dependents",
        )
    for number in numbers:
        waiting = tasks.by_number(unit, number)
        if waiting is not None:
            _let_go(unit, waiting, task, actor)


def _let_go(unit: Unit, waiting: Task, task: Task, actor: str) -> None:
    dependencies.remove(unit, waiting.number, task.number)
    fields: dict[str, Any] = {"depends_on": tuple(key for key in waiting.depends_on if key != task.key)}
    if waiting.state is State.BLOCKED and not must_wait(unit, waiting):
        fields["state"] = waiting_state(blocked=False, not_before=waiting.not_before, now=unit.now)
    change(unit, waiting, Verb.EDIT, actor, fields, facts={"detached": task.key})
    finish_settled(unit, waiting)
