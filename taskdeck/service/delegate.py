"""delegate: the holder of a task, or an operator, makes a child of it for another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taskdeck.domain.errors import Forbidden, WrongState
from taskdeck.domain.people import directs
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import WAITING, State, Verb
from taskdeck.domain.task import NO_CLAIM, Task
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.create import existing, make
from taskdeck.service.family import counted
from taskdeck.service.fence import held_task
from taskdeck.service.find import the_task
from taskdeck.service.handoff import handed_off
from taskdeck.service.heartbeat import renewal
from taskdeck.service.release import unspent
from taskdeck.service.requests import NewTask
from taskdeck.store import dependencies, projects
from taskdeck.store.unit import Unit


def delegate(
    unit: Unit, who: Principal, ref: str, wish: NewTask, *, fence: int | None, wait: bool = False
) -> tuple[Task, Task]:
    """Make `wish` a child of `ref`, which waits for it from now on; return both.

    A holder's lease is renewed and its claim goes on: the task is blocked only once it is given back. With `wait`
    that is at once, the attempt unspent.

    Raises:
        Forbidden: no fence is given, and `who` does not direct the task.
        WrongState: the task has ended; or it is to wait while it is held, and no fence is given.
        StaleFence, TaskCancelled, NotFound: see `held_task`.
        Conflict, Invalid: see `service.create.create`.
    """
    task = the_task(unit, who, ref) if fence is None else held_task(unit, who, ref, fence)
    if fence is None and not directs(who, task):
        raise Forbidden(f"{who.name} delegates without a fence", hint="Claim the task, and give its fence.")
    if fence is None and wait and task.state not in WAITING:
        raise WrongState(
            f"{task.key} is {task.state} and cannot be made to wait without its fence",
            hint="Let its holder delegate, or leave `wait` out.",
            holder=holder_view(task),
        )
    wish = replace(wish, parent=task.key, refuse_existing=True)
    existing(unit, who, wish)
    child = make(unit, who, wish)
    projects.save_last_key(unit, unit.mirror.projects[child.bucket.project])
    dependencies.add(unit, task.number, child.number)
    fields: dict[str, Any] = {"children": counted(task, 1), "depends_on": (*task.depends_on, child.key)}
    if fence is not None and not wait:
        fields |= renewal(unit, task)
    elif fence is not None:
        fields |= NO_CLAIM | handed_off(unit, task) | {"state": State.BLOCKED, "attempt": unspent(task)}
    elif task.state in WAITING:
        fields["state"] = State.BLOCKED
    facts = {"children": [child.key], "to": child.bucket.assignee, "wait": wait}
    change(unit, task, Verb.DELEGATE, who.name, fields, facts=facts, worker=task.worker)
    return task, child
