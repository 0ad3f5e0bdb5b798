"""Refusing what would make a task wait for itself."""

from __future__ import annotations

from collections.abc import Iterable

from taskdeck.domain.errors import DependencyCycle
from taskdeck.domain.task import Task
from taskdeck.store import dependencies
from taskdeck.store.unit import Unit


def refuse_cycle(unit: Unit, task: Task, parents: Iterable[Task]) -> None:
    """Refuse dependencies that would make `task` wait for itself.

    Raises:
        DependencyCycle: one of `parents` is `task` or already waits for it.
    """
    for parent in parents:
        if parent.parent == task.key or parent.key in task.depends_on:
            continue  # `task` waits for it as it is, and nothing waits for itself: a long chain is not walked each time
        if dependencies.waits_for(unit, parent.number, task.number):
            raise DependencyCycle(
                f"{task.key} cannot depend on {parent.key}, which already waits for {task.key}",
                hint="Leave that dependency out, or turn it round.",
                field="depends_on",
            )
