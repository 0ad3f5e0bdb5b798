"""override: an operator puts another in the place of who holds a task or was to have it."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.errors import WrongState
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import Task
from taskdeck.domain.turns import NO_TURNS
from taskdeck.domain.view import holder_view
from taskdeck.service.attend import receiver
from taskdeck.service.change import change
from taskdeck.service.claim import new_claim
from taskdeck.service.operate import open_task, reassigned
from taskdeck.service.release import back_to_queue, unspent
from taskdeck.store.unit import Unit


def override_to_worker(
    unit: Unit, who: Principal, ref: str, worker: str, *, reason: str, lease_ms: int | None = None
) -> Task:
    """Pass the claim on `ref` to `worker` under a new fence; the attempt goes on, the old fence is stale at once.

    What the former holder last reported is handed off to the new one, of whom this is no sign of life.

    Raises:
        WrongState: nobody holds the task.
        NotFound: nobody has registered that worker, and it is not who overrides (`unknown_worker`).
    """
    task = open_task(unit, who, ref, Verb.OVERRIDE)
    if task.state is not State.CLAIMED:
        raise WrongState(
            f"{task.key} is {task.state}; there is no claim to pass on",
            hint="Assign it to that worker.",
            holder=holder_view(task),
        )
    facts = _facts(task, reason) | {"to_worker": worker, "to_fence": task.fence + 1}
    to = receiver(unit, who, worker)
    fields = new_claim(unit, who, task, to.id, lease_ms or task.lease_ms)
    fields["principal"] = to.principal
    fields["progress"] = task.progress
    return change(unit, task, Verb.OVERRIDE, who.name, fields, facts=facts, worker=worker)


def override_to_assignee(unit: Unit, who: Principal, ref: str, assignee: str, *, reason: str) -> Task:
    """Let only `assignee` have the task, and nobody after it in turn; a live claim is taken back, its attempt unspent.

    Raises:
        WrongState: the task has ended.
    """
    task = open_task(unit, who, ref, Verb.OVERRIDE)
    facts = _facts(task, reason) | {"from_assignee": task.bucket.assignee, "to_assignee": assignee}
    fields: dict[str, Any] = {"bucket": reassigned(unit, task, assignee)}
    if task.assignees is not None:
        fields |= NO_TURNS
    if task.state is State.CLAIMED:
        fields |= back_to_queue(unit, task, 0) | {"attempt": unspent(task)}
    return change(unit, task, Verb.OVERRIDE, who.name, fields, facts=facts, worker=task.worker)


def override_to_queue(unit: Unit, who: Principal, ref: str, *, reason: str) -> Task:
    """Take the claim on `ref` back; the task is ready again for anyone who may have it, its attempt unspent.

    Raises:
        WrongState: nobody holds the task.
    """
    task = open_task(unit, who, ref, Verb.OVERRIDE)
    if task.state is not State.CLAIMED:
        raise WrongState(
            f"{task.key} is {task.state}; there is no claim to take back",
            hint="A task that nobody holds needs no override.",
            holder=holder_view(task),
        )
    worker = task.worker
    fields = back_to_queue(unit, task, 0) | {"attempt": unspent(task)}
    return change(unit, task, Verb.OVERRIDE, who.name, fields, facts=_facts(task, reason), worker=worker)


def _facts(task: Task, reason: str) -> dict[str, Any]:
    held = task.state is State.CLAIMED
    return {
        "reason": reason,
        "from_worker": task.worker,
        "to_worker": None,
        "from_fence": task.fence if held else None,
        "to_fence": None,
    }
