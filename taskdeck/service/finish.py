"""complete and fail: the two ways in which a holder ends its attempt."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.domain.backoff import backoff_seconds
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Invalid
from taskdeck.domain.gates import Before, Shown
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_CLAIM, Json, Review, Task
from taskdeck.service.change import change
from taskdeck.service.create import refuse_successor
from taskdeck.service.fence import held_task, require_held, unheld_task
from taskdeck.service.find import the_task
from taskdeck.service.forms import filled
from taskdeck.service.gates import pass_gates
from taskdeck.service.handoff import handed_off
from taskdeck.service.release import back_to_queue
from taskdeck.service.unblock import carry_on
from taskdeck.store import family
from taskdeck.store.unit import Unit

# here at every completion: until Python 3.12 a member is slow to look up
_DONE, _FAILED, _NO_REVIEW, _COMPLETE = State.DONE, State.FAILED, Review.NONE, Verb.COMPLETE


def complete(
    unit: Unit,
    who: Principal,
    ref: str,
    fence: int | None,
    *,
    result: Json | None = None,
    ask_review: bool = False,
    leave_children: bool = False,
    shown: Shown | None = None,
) -> Task:
    """End `ref` as done with `result`; what waited for it is unblocked. If it is to be reviewed, it awaits that first.

    `ask_review` has it reviewed where the task leaves that to who completes it. A task with open children is not
    completed unless `leave_children` says so; they go on without it.

    The newest holder may do so after its lease has lapsed, until another worker takes the task; even then when
    the lapse spent the last attempt and the task has failed for it. Without a fence, who directs the task says how it
    ended though nobody had begun it.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden, WrongState: see `held_task` and `unheld_task`.
        FormInvalid: what was filled in does not fit the task's form.
        GateUnmet: what must be shown before is not shown.
        Invalid: a review is asked for that the task does not have.
        Conflict: what was delegated from it is not finished (`open_children`); or it failed, is to be reviewed, and
            another task has taken its place under its unique key meanwhile (`unique_key_taken`).
    """
    task = the_task(unit, who, ref) if fence is not None else unheld_task(unit, who, ref)
    if fence is not None and not _failed_by_lapse(task, who, fence):
        require_held(unit, who, task, fence)
    if task.children and not leave_children:
        _refuse_open_children(unit, task)
    to_review = task.review != _NO_REVIEW and (ask_review or task.review != Review.OPTIONAL)
    if ask_review and not to_review:
        raise Invalid(
            f"{task.key} has no review to ask for",
            hint="Complete it without `review`; an operator can give the task one.",
            field="review",
        )
    if to_review and task.state is State.FAILED and task.unique_key is not None:
        refuse_successor(unit, task.unique_key)
    facts: dict[str, Any] = {"from_worker": task.worker}
    if task.claimed_at is not None:
        facts["run_seconds"] = max(0, unit.now - task.claimed_at) / 1000
    worker = task.worker
    fields = NO_CLAIM | {
        "state": State.REVIEW if to_review else _DONE,
        "finished_at": None if to_review else unit.now,
        "result": result,
        "error": None,
        "completed_by": _signature(unit, who, task),
        "verdict": None,
    }
    if task.form is not None or task.draft is not None:
        fields |= filled(unit, task, result)
    if task.gates or shown:
        fields |= pass_gates(task, Before.COMPLETE, shown, facts)
    if task.handoff is not None:
        fields["handoff"] = None
    change(unit, task, _COMPLETE, who.name, fields, facts=facts, worker=worker)
    if not to_review:
        carry_on(unit, task)
    return task


def _refuse_open_children(unit: Unit, task: Task) -> None:
    below = family.open_children(unit, task.key)
    if below:
        raise Conflict(
            f"{', '.join(below)}, delegated from {task.key}, {'is' if len(below) == 1 else 'are'} not finished",
            hint="Wait for them, or complete with `leave_children` to let them go on without it.",
            code="open_children",
        )


def _signature(unit: Unit, who: Principal, task: Task) -> Json:
    """Whose attempt this completion ends, who wrote it, and when."""
    worker, principal = task.worker, task.principal
    if task.state is _FAILED:
        lapsed = orjson.loads(task.error or "{}")
        worker, principal = lapsed.get("worker"), lapsed.get("principal")
    return orjson.dumps({"worker": worker, "principal": principal, "by": who.name, "at": rfc3339(unit.now)}).decode()


def _failed_by_lapse(task: Task, who: Principal, fence: int) -> bool:
    if task.state is not _FAILED or task.fence != fence or task.error is None:
        return False
    error = orjson.loads(task.error)
    return error.get("reason") == "lapsed" and (error.get("principal") == who.name or who.is_operator())


def fail(
    unit: Unit,
    who: Principal,
    ref: str,
    fence: int,
    *,
    message: str,
    retry: bool = True,
    delay_ms: int | None = None,
    note: str | None = None,
    code: str | None = None,
) -> Task:
    """End the attempt with an error: back to the queue after a rest, or failed for good.

    The rest is `delay_ms`, or by the backoff of the task or else its project, doubling with each attempt up to its cap,
    with jitter.
    The task fails for good when its attempts are spent or `retry` is False. `note` is left to the next holder.
    `code` is kept with the error, for programs.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden: see `held_task`.
    """
    task = held_task(unit, who, ref, fence)
    worker = task.worker
    more = {} if code is None else {"code": code}
    error = error_document(unit, task, message, "failed", **more)
    again = retry and task.attempt < task.max_attempts
    if not again:
        fields = NO_CLAIM | handed_off(unit, task, note) | {"state": State.FAILED, "finished_at": unit.now}
        rest = 0
    else:
        rest = _backoff_ms(unit, task) if delay_ms is None else delay_ms
        fields = back_to_queue(unit, task, rest, note)
    facts = {"error": message, "retry": again, "delay_seconds": rest / 1000, "from_worker": worker, "note": note}
    facts["run_seconds"] = max(0, unit.now - (task.claimed_at or unit.now)) / 1000
    return change(unit, task, Verb.FAIL, who.name, fields | {"error": error}, facts=facts | more, worker=worker)


def _backoff_ms(unit: Unit, task: Task) -> int:
    project = unit.mirror.projects[task.bucket.project]
    base = project.backoff_ms if task.backoff_ms is None else task.backoff_ms
    cap = max(project.backoff_cap_ms, base) if task.backoff_cap_ms is None else task.backoff_cap_ms
    seconds = backoff_seconds(task.attempt, base=base / 1000, cap=cap / 1000, random=unit.ids.chance)
    return round(seconds * 1000)


def error_document(unit: Unit, task: Task, message: str, reason: str, **more: str | None) -> Json:
    """What is kept of an attempt that went wrong: the message, why, whose attempt, under which fence and when."""
    document = {
        "message": message,
        "reason": reason,
        "worker": task.worker,
        "attempt": task.attempt,
        "fence": task.fence,
        "at": rfc3339(unit.now),
    }
    return orjson.dumps(document | more).decode()
