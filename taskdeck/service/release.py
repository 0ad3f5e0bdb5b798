"""release: the holder gives the task back; the attempt is not spent."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_CLAIM, Task
from taskdeck.service.change import change
from taskdeck.service.fence import held_task
from taskdeck.service.handoff import handed_off
from taskdeck.store import dependencies
from taskdeck.store.unit import Unit


def release(unit: Unit, who: Principal, ref: str, fence: int, *, note: str | None = None, delay_ms: int = 0) -> Task:
    """Give `ref` back to the queue, at once, to the place that it had, or after `delay_ms`.

    An attempt that had lapsed stays spent. `note` is left to the next holder.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden: see `held_task`.
    """
    task = held_task(unit, who, ref, fence)
    facts = {"note": note, "from_worker": task.worker, "delay_seconds": delay_ms / 1000}
    facts["run_seconds"] = max(0, unit.now - (task.claimed_at or unit.now)) / 1000
    fields = back_to_queue(unit, task, delay_ms, note) | {"attempt": unspent(task)}
    return change(unit, task, Verb.RELEASE, who.name, fields, facts=facts, worker=task.worker)


def unspent(task: Task) -> int:
    """The task's attempts if the present one does not count, which it does once its lease has lapsed."""
    return task.attempt if task.lapsed else task.attempt - 1


def back_to_queue(unit: Unit, task: Task, delay_ms: int, note: str | None = None) -> dict[str, Any]:
    """The fields of a task that nobody holds any more and that is to be claimed again, with what its holder leaves.

    It is blocked if it waits for what its holder delegated.
    """
    given_up = NO_CLAIM | handed_off(unit, task, note)
    rest = {"not_before": unit.now + delay_ms} if delay_ms > 0 else {}
    if task.depends_on and dependencies.has_open(unit, task.number):
        return given_up | {"state": State.BLOCKED} | rest
    return given_up | {"state": State.SCHEDULED if rest else State.READY} | rest
