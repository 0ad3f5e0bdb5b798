"""heartbeat: the holder is alive; its lease is renewed, lapsed or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import Task, WorkState
from taskdeck.service.answer import asked
from taskdeck.service.change import change
from taskdeck.service.fence import held_task, require_holder
from taskdeck.service.find import the_task
from taskdeck.store.unit import Unit


def heartbeat(
    unit: Unit,
    who: Principal,
    ref: str,
    fence: int,
    *,
    progress: int | None = None,
    work_state: WorkState | None = None,
    detail: str | None = None,
    lease_ms: int | None = None,
    question: str | None = None,
    options: Sequence[str] = (),
    renew: bool = True,
) -> Task:
    """Renew the lease by its own length, or by `lease_ms` from now on; note what the holder reports.

    A detail stands until the next report of a state, progress or detail; a question and its answer until the holder
    asks anew or reports another state than `waiting_input`. A lease is never shortened; without `renew` it stays as
    it is, lapsed or not.

    Raises:
        StaleFence, TaskCancelled, NotFound, Forbidden: see `held_task`.
    """
    task = held_task(unit, who, ref, fence)
    fields: dict[str, Any] = renewal(unit, task, lease_ms) if renew else {"heartbeat_at": unit.now}
    if progress is not None:
        fields["progress"] = progress
    if work_state is not None:
        fields["work_state"] = work_state
    if detail is not None or work_state is not None:
        fields["detail"] = detail
    if question is not None:
        fields["question"] = asked(question, options, unit.now)
    elif work_state not in (None, WorkState.WAITING_INPUT):
        fields["question"] = None
    facts: dict[str, Any] = {}
    if (fields.get("work_state", task.work_state), fields.get("detail", task.detail)) != (task.work_state, task.detail):
        facts["from_state"] = task.work_state
    return change(unit, task, Verb.HEARTBEAT, who.name, fields, facts=facts)


def renewal(unit: Unit, task: Task, lease_ms: int | None = None) -> dict[str, Any]:
    """The fields of a lease renewed now. One with no end keeps none; none ends earlier than before."""
    length = lease_ms or task.lease_ms
    fields: dict[str, Any] = {"heartbeat_at": unit.now, "lapsed": False}
    if length is not None and (task.expires_at is not None or lease_ms is not None):
        fields |= {"expires_at": max(task.expires_at or 0, unit.now + length), "lease_ms": length}
    return fields


def touch(unit: Unit, who: Principal, ref: str, fence: int) -> Task:
    """The task `ref`, its lease renewed if `fence` is the live one; what any call that carries a fence does.

    A stale fence is no error here: the caller sees in the task that its claim is over.
    """
    task = the_task(unit, who, ref)
    if task.state is not State.CLAIMED or task.fence != fence:
        return task
    require_holder(task, who)
    return heartbeat(unit, who, ref, fence)
