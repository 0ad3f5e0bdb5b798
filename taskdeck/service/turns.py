"""pass and skip: a task goes on to its next assignee, by time or by hand."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.errors import Forbidden, WrongState
from taskdeck.domain.people import has_part
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_CLAIM, Task
from taskdeck.domain.turns import AtEnd, turns_from
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.finish import error_document
from taskdeck.service.operate import open_task, reassigned
from taskdeck.service.release import back_to_queue, unspent
from taskdeck.service.unblock import BY_TIME
from taskdeck.store.unit import Unit


def pass_on(unit: Unit, task: Task) -> None:
    """The time of the task's assignee is over: on to the next, and on, until somebody has time left.

    Each turn begins where the last one ended, however late this is noticed.
    """
    while task.state is State.READY and task.turn_ends_at is not None and task.turn_ends_at <= unit.now:
        facts = {"from": task.bucket.assignee, "turn": task.turn}
        fields = _next_turn(unit, task, task.turn_ends_at)
        change(unit, task, Verb.PASS, BY_TIME, fields, facts=facts | {"to": _assignee(task, fields)})


def skip(unit: Unit, who: Principal, ref: str, *, reason: str | None = None) -> Task:
    """End the turn of the task's assignee now. A live claim is taken back, its attempt unspent.

    Raises:
        Forbidden: `who` is neither the assignee, nor the holder, nor the creator, nor an operator.
        WrongState: the task has ended or is in review, or no turn is running.
    """
    task = open_task(unit, who, ref, Verb.SKIP)
    assigned = unit.mirror.workers.get(task.bucket.assignee or "")
    if not has_part(who, task) and (assigned is None or assigned.principal != who.name):
        raise Forbidden(
            f"{who.name} may not skip {task.bucket.assignee}",
            hint="The assignee, the holder, the creator or an operator may.",
        )
    if task.turn is None or task.state is State.REVIEW:
        raise WrongState(
            f"{task.key} is {task.state} and has no turn to skip",
            hint="Assign it, with `assignees` for several in turn.",
            holder=holder_view(task),
        )
    worker = task.worker
    facts = {"reason": reason, "from": task.bucket.assignee, "turn": task.turn, "from_worker": worker}
    fields: dict[str, Any] = {}
    if task.state is State.CLAIMED:
        fields = back_to_queue(unit, task, 0) | {"attempt": unspent(task)}
    fields |= _next_turn(unit, task, unit.now, ready=fields.get("state", task.state) is State.READY)
    facts["to"] = _assignee(task, fields)
    return change(unit, task, Verb.SKIP, who.name, fields, facts=facts, worker=worker)


def _next_turn(unit: Unit, task: Task, begun: int, *, ready: bool = True) -> dict[str, Any]:
    """The fields of `task` when its turn is over, the next one beginning at `begun` if the task is `ready`."""
    turns = turns_from(task.assignees or "[]")
    following = (task.turn or 0) + 1
    if following < len(turns):
        ends_at = turns[following].ends_at(begun) if ready else None
        return {
            "bucket": reassigned(unit, task, turns[following].assignee),
            "turn": following,
            "turn_ends_at": ends_at,
        }
    over: dict[str, Any] = {"turn": None, "turn_ends_at": None}
    match task.at_end:
        case AtEnd.STAY:
            return over
        case AtEnd.GIVE_UP:
            error = error_document(unit, task, "none of its assignees took it in time", "given_up")
            return over | NO_CLAIM | {"state": State.FAILED, "finished_at": unit.now, "error": error}
        case _:
            return over | {"bucket": reassigned(unit, task, None)}


def _assignee(task: Task, fields: dict[str, Any]) -> str | None:
    bucket = fields.get("bucket", task.bucket)
    return None if fields.get("state") is State.FAILED else bucket.assignee
