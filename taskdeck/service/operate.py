"""What operators do to tasks: retry, cancel, assign, reprioritize, delete."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.errors import Conflict, WrongState
from taskdeck.domain.people import for_people, has_part, require_director
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import TERMINAL, State, Verb, waiting_state
from taskdeck.domain.task import Json, Task
from taskdeck.domain.turns import NO_TURNS, AtEnd, turns_from
from taskdeck.domain.view import holder_view
from taskdeck.service.cancelling import call_off, call_off_below
from taskdeck.service.change import change, deleted
from taskdeck.service.create import refuse_successor
from taskdeck.service.detach import detach
from taskdeck.service.fence import held_task
from taskdeck.service.find import the_task
from taskdeck.service.unblock import must_wait, settle_goal
from taskdeck.store import buckets, dependencies, family, tasks
from taskdeck.store.unit import Unit

_NAMED = 5
"""How many of the tasks that stand in the way are named."""


def retry(unit: Unit, who: Principal, ref: str, *, delay_ms: int = 0, reset_attempts: bool = True) -> Task:
    """Put a task that has ended back to work, now or after `delay_ms`.

    Its attempts begin anew; without `reset_attempts` they go on, and one more is allowed if all were spent.

    Raises:
        Forbidden: `who` does not direct it.
        WrongState: the task has not ended.
        Conflict: another task has taken its place under its unique key (`unique_key_taken`).
    """
    task = the_task(unit, who, ref)
    require_director(task, who, "retrying")
    if task.state not in TERMINAL:
        raise WrongState(
            f"{task.key} is {task.state}; only a task that is done, failed or cancelled is retried",
            hint="A waiting task needs no retry; a claimed one is taken back with override.",
            holder=holder_view(task),
        )
    if task.unique_key is not None:
        refuse_successor(unit, task.unique_key)
    not_before = unit.now + delay_ms if delay_ms else None
    blocked = must_wait(unit, task)
    attempt = 0 if reset_attempts else task.attempt
    fields: dict[str, Any] = {
        "state": waiting_state(blocked=blocked, not_before=not_before, now=unit.now),
        "not_before": not_before,
        "attempt": attempt,
        "max_attempts": max(task.max_attempts, attempt + 1),
        "finished_at": None,
        "result": None,
        "error": None,
        "completed_by": None,
        "verdict": None,
        "proof": None,
        "draft": None,
    }
    if task.assignees is not None:
        fields |= {"turn": 0, "bucket": reassigned(unit, task, turns_from(task.assignees)[0].assignee)}
    facts = {"reset_attempts": reset_attempts, "delay_seconds": delay_ms / 1000}
    return change(unit, task, Verb.RETRY, who.name, fields, facts=facts)


def cancel(
    unit: Unit,
    who: Principal,
    ref: str,
    *,
    reason: str | None = None,
    with_children: bool = False,
    fence: int | None = None,
) -> Task:
    """End a task that is not wanted any more: who directs it does, or its holder under its `fence`.

    Who holds it is told at its next call. With its children, all that was delegated from it and has not ended goes too;
    many of them some at a time.

    Raises:
        Forbidden: `who` does not direct it and gives no fence, or the claim is another principal's.
        WrongState: it has ended already.
        StaleFence, TaskCancelled: the claim under `fence` is over.
    """
    if fence is None:
        require_director(the_task(unit, who, ref), who, "cancelling")
        task = open_task(unit, who, ref, Verb.CANCEL)
    else:
        task = held_task(unit, who, ref, fence)
    call_off(unit, task, who.name, reason)
    if with_children and task.children:
        call_off_below(unit, task, who.name, reason)
    settle_goal(unit, task)
    return task


def assign(
    unit: Unit, who: Principal, ref: str, assignee: str | None, *, turns: Json | None = None, at_end: str = AtEnd.OPEN
) -> Task:
    """Let only `assignee` (a worker, principal or group) claim the task from now on; None lets anyone.

    With `turns` it is offered to their assignees one after another instead, and to the first one now. A live claim is
    not touched.

    Raises:
        Forbidden: `who` is no operator; nor, of a task for people, its maker, its holder or who it is offered to.
        WrongState: the task has ended.
    """
    task = the_task(unit, who, ref)
    if not (for_people(task) and has_part(who, task)):
        require_director(task, who, "assigning")
    task = open_task(unit, who, ref, Verb.ASSIGN)
    fields: dict[str, Any] = {}
    if turns is not None:
        first = turns_from(turns)[0]
        assignee = first.assignee
        ends_at = first.ends_at(unit.now) if task.state is State.READY else None
        fields = {"assignees": turns, "turn": 0, "turn_ends_at": ends_at, "at_end": at_end}
    elif task.assignees is not None:
        fields = dict(NO_TURNS)
    facts = {"from": task.bucket.assignee, "to": assignee}
    fields["bucket"] = reassigned(unit, task, assignee)
    return change(unit, task, Verb.ASSIGN, who.name, fields, facts=facts)


def reprioritize(unit: Unit, who: Principal, ref: str, priority: int) -> Task:
    """Set the priority, 0 to 100; 100 is claimed first.

    Raises:
        WrongState: the task has ended.
    """
    task = open_task(unit, who, ref, Verb.REPRIORITIZE)
    facts = {"from": task.priority, "to": priority}
    return change(unit, task, Verb.REPRIORITIZE, who.name, {"priority": priority}, facts=facts)


def delete(unit: Unit, who: Principal, ref: str, *, detached: bool = False) -> Task:
    """Remove a task that nobody holds and nothing depends on; its events stay in the log.

    `detached`: what was delegated from it stays without it, and what depends on it does so no longer.

    Raises:
        Forbidden: `who` does not direct it.
        WrongState: it is claimed.
        Conflict: other tasks depend on it (`has_dependents`) or were delegated from it (`has_children`).
    """
    task = the_task(unit, who, ref)
    require_director(task, who, "removing")
    if task.state is State.CLAIMED:
        raise WrongState(
            f"{task.key} is held by {task.worker}",
            hint="A claimed task is cancelled or taken back before it is removed.",
            holder=holder_view(task),
        )
    if detached:
        detach(unit, task, who.name)
    else:
        _refuse_attached(unit, task)
    deleted(unit, task, who.name)
    settle_goal(unit, task)
    return task


def _refuse_attached(unit: Unit, task: Task) -> None:
    if task.children and (below := family.some_children(unit, task.key)):
        raise Conflict(
            f"{', '.join(below)} {'was' if len(below) == 1 else 'were'} delegated from {task.key}",
            hint="Remove them before, or let go of them with `detach`.",
            code="has_children",
        )
    waiting = [tasks.by_number(unit, number) for number in dependencies.dependents(unit, task.number, _NAMED)]
    if waiting:
        raise Conflict(
            f"{', '.join(each.key for each in waiting if each is not None)} depend on {task.key}",
            hint="Change their depends_on before, or let go of them with `detach`.",
            code="has_dependents",
        )


def open_task(unit: Unit, who: Principal, ref: str, verb: Verb) -> Task:
    """The task `ref`, if it has not ended.

    Raises:
        WrongState: it has.
    """
    task = the_task(unit, who, ref)
    if task.state in TERMINAL:
        raise WrongState(
            f"{task.key} is {task.state}; {verb} is for tasks that have not ended",
            hint="An operator puts it back to work with retry.",
            holder=holder_view(task),
        )
    return task


def reassigned(unit: Unit, task: Task, assignee: str | None) -> object:
    """The bucket of `task` with another assignee."""
    bucket = task.bucket
    return buckets.intern(unit, bucket.project, bucket.labels, bucket.capabilities, assignee, bucket.gates)
