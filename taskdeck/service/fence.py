"""The fence: only the newest claim on a task may write to it."""

from __future__ import annotations

import json

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Forbidden, StaleFence, TaskCancelled, WrongState
from taskdeck.domain.people import directs, require_director
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import UNSTARTED, State
from taskdeck.domain.task import Task
from taskdeck.domain.view import holder_view
from taskdeck.service.attend import seen_by_name
from taskdeck.service.find import require_voice, the_task
from taskdeck.store.unit import Unit

_CLAIMED = State.CLAIMED  # here at whatever a holder does: until Python 3.12 a member is slow to look up


def held_task(unit: Unit, who: Principal, ref: str, fence: int) -> Task:
    """The task `ref`, which `who` holds under `fence`, lapsed or not.

    Raises:
        NotFound: there is no such task.
        StaleFence: the claim under `fence` is over; nothing was changed.
        TaskCancelled: the task was cancelled under its holder.
        Forbidden: the claim is another principal's.
    """
    task = the_task(unit, who, ref)
    require_held(unit, who, task, fence)
    return task


def require_held(unit: Unit, who: Principal, task: Task, fence: int) -> None:
    """Refuse a write to `task` by anyone but its holder under `fence`; its worker is heard of.

    Raises:
        StaleFence, TaskCancelled, Forbidden: see `held_task`.
    """
    if task.state is not _CLAIMED or task.fence != fence:
        raise over(task, fence)
    require_holder(task, who)
    if task.worker is not None:
        seen_by_name(unit, task.worker)


def require_holder(task: Task, who: Principal) -> None:
    """Refuse a principal that writes under somebody else's claim, or with a token that is for another worker.

    Raises:
        Forbidden: it does, and does not direct the task.
    """
    require_voice(who, task.worker)
    if task.principal is not None and task.principal != who.name and not directs(who, task):
        raise Forbidden(
            f"{task.key} was claimed by another principal than {who.name}",
            hint="Only the claim's own principal, or an operator, may write under it.",
        )


def unheld_task(unit: Unit, who: Principal, ref: str) -> Task:
    """The task `ref`, which nobody holds and which has not been begun, for who directs it.

    Raises:
        NotFound: there is no such task.
        Forbidden: `who` does not direct it.
        WrongState: somebody holds it, or it was handed in or has ended.
    """
    task = the_task(unit, who, ref)
    require_director(task, who, "writing without a claim to")
    if task.state not in UNSTARTED:
        raise WrongState(
            f"{task.key} is {task.state}; without a fence only what nobody has begun is written to",
            hint="Give the fence of its claim.",
            holder=holder_view(task),
        )
    return task


def over(task: Task, fence: int) -> Conflict:
    """Why a write under `fence` is refused: who has the task now, or how it ended."""
    holder = holder_view(task)
    if task.state is State.CANCELLED and task.fence == fence:
        why = json.loads(task.error or "{}")
        reason = f": {why['message']}" if why.get("message") else ""
        return TaskCancelled(
            f"{task.key} was cancelled by {why.get('by', 'an operator')} at {rfc3339(task.updated_at)}{reason}",
            hint="Stop working on it; its result is not wanted. Claim another task.",
            holder=holder,
        )
    if task.state is State.CLAIMED and task.claimed_at is not None:
        now = f"{task.worker} holds it under fence {task.fence} since {rfc3339(task.claimed_at)}"
    else:
        place = "in review" if task.state is State.REVIEW else task.state
        now = f"it is {place} since {rfc3339(task.updated_at)} (newest fence {task.fence})"
    valid = "is no longer valid" if fence <= task.fence else "was never given"
    hint = "Your claim is over and nothing was changed. Stop working on this task and claim another."
    if task.fence == fence and task.completed_by is not None:
        hint = "It was completed: if the reply to that is what you miss, nothing is left to do. Claim another."
    return StaleFence(f"fence {fence} of {task.key} {valid}: {now}", hint=hint, holder=holder)
