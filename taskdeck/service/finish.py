"""complete and fail: the two ways in which a holder ends its attempt."""

from __future__ import annotations

import orjson

from taskdeck.domain.backoff import backoff_seconds
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_CLAIM, Json, Task
from taskdeck.service.change import change
from taskdeck.service.fence import held_task, require_held
from taskdeck.service.find import the_task
from taskdeck.service.release import back_to_queue
from taskdeck.service.unblock import unblock_children
from taskdeck.store.unit import Unit


def complete(unit: Unit, who: Principal, ref: str, fence: int, *, result: Json | None = None) -> Task:
    """End `ref` as done with `result`; what waited for it is unblocked.

    The newest holder may do so after its lease has lapsed, until another worker takes the task; even then when
    the lapse spent the last attempt and the task has failed for it.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden: see `held_task`.
    """
    task = the_task(unit, who, ref)
    if not _failed_by_lapse(task, who, fence):
        require_held(unit, who, task, fence)
    facts = {"from_worker": task.worker}
    if task.claimed_at is not None:
        facts["run_seconds"] = max(0, unit.now - task.claimed_at) / 1000  # type: ignore[assignment]
    worker = task.worker
    fields = NO_CLAIM | {"state": State.DONE, "finished_at": unit.now, "result": result, "error": None}
    change(unit, task, Verb.COMPLETE, who.name, fields, facts=facts, worker=worker)
    unblock_children(unit, task)
    return task


def _failed_by_lapse(task: Task, who: Principal, fence: int) -> bool:
    if task.state is not State.FAILED or task.fence != fence or task.error is None:
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
) -> Task:
    """End the attempt with an error: back to the queue after a rest, or failed for good.

    The rest is `delay_ms`, or by the project's backoff, doubling with each attempt up to its cap, with jitter.
    The task fails for good when its attempts are spent or `retry` is False.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden: see `held_task`.
    """
    task = held_task(unit, who, ref, fence)
    worker = task.worker
    error = error_document(unit, task, message, "failed")
    again = retry and task.attempt < task.max_attempts
    if not again:
        fields = NO_CLAIM | {"state": State.FAILED, "finished_at": unit.now}
        rest = 0
    else:
        rest = _backoff_ms(unit, task) if delay_ms is None else delay_ms
        fields = back_to_queue(unit, task, rest)
    facts = {"error": message, "retry": again, "delay_seconds": rest / 1000, "from_worker": worker}
    facts["run_seconds"] = max(0, unit.now - (task.claimed_at or unit.now)) / 1000
    return change(unit, task, Verb.FAIL, who.name, fields | {"error": error}, facts=facts, worker=worker)


def _backoff_ms(unit: Unit, task: Task) -> int:
    project = unit.mirror.projects[task.bucket.project]
    seconds = backoff_seconds(
        task.attempt,
        base=project.backoff_ms / 1000,
        cap=project.backoff_cap_ms / 1000,
        random=unit.ids.chance,
    )
    return round(seconds * 1000)


def error_document(unit: Unit, task: Task, message: str, reason: str, **more: str | None) -> Json:
    """What is kept of an attempt that went wrong: the message, why, whose attempt and when."""
    document = {
        "message": message,
        "reason": reason,
        "worker": task.worker,
        "attempt": task.attempt,
        "at": rfc3339(unit.now),
    }
    return orjson.dumps(document | more).decode()
