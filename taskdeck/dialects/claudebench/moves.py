"""Moves: how a status that a client sets becomes verbs of the deck."""

from __future__ import annotations

from taskdeck.dialects.claudebench.errors import Reason
from taskdeck.dialects.claudebench.words import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    LEASE_MS,
    NOBODY,
    PENDING,
    SET_SO,
    STATUS,
    assigned_to,
    completed_at,
)
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.service.claim import claim, hold_unheard
from taskdeck.service.extra import keep
from taskdeck.service.finish import complete, fail
from taskdeck.service.operate import assign, retry
from taskdeck.service.override import override_to_assignee, override_to_queue
from taskdeck.service.requests import ClaimRequest
from taskdeck.store.unit import Unit


def move(unit: Unit, who: Principal, task: Task, status: str) -> None:
    """Bring `task` to `status`; who has it stays.

    Raises:
        Reason: it is handed in and awaits its review.
        DeckError: see the verbs.
    """
    if STATUS[task.state] == status:
        return
    if task.state is State.REVIEW:
        raise Reason("The task awaits its review")
    if STATUS[task.state] in (COMPLETED, FAILED):
        _reopen(unit, who, task)
    match status:
        case "pending":
            _put_back(unit, who, task)
        case "in_progress":
            hold(unit, who, task)
        case "completed":
            complete(unit, who, task.key, task.fence if STATUS[task.state] == IN_PROGRESS else None)
        case "failed":
            end_in_failure(unit, who, task, SET_SO)


def hold(unit: Unit, who: Principal, task: Task) -> None:
    """Let `task` be under way with who it is assigned to, or with nobody."""
    if STATUS[task.state] != PENDING:
        return
    worker = assigned_to(task)
    if worker is not None and worker not in unit.mirror.workers:
        # whoever comes by that name is its owner, not who says here that it is at work
        hold_unheard(unit, who, task, worker, reason=SET_SO, lease_ms=LEASE_MS)
    else:
        worker = worker or NOBODY
        claim(unit, who, ClaimRequest(worker, ref=task.key, lease_ms=LEASE_MS, override_reason=SET_SO))


def end_in_failure(unit: Unit, who: Principal, task: Task, why: str) -> None:
    """End `task` as failed, for good."""
    hold(unit, who, task)
    fail(unit, who, task.key, task.fence, message=why, retry=False)


def _put_back(unit: Unit, who: Principal, task: Task) -> None:
    if task.state is not State.CLAIMED:
        return
    worker = assigned_to(task)
    if worker is None:
        override_to_queue(unit, who, task.key, reason=SET_SO)
    else:
        override_to_assignee(unit, who, task.key, worker, reason=SET_SO)


def _reopen(unit: Unit, who: Principal, task: Task) -> None:
    """Put back to work what has ended: for who had it, and remembering when it ended."""
    worker, ended_at = assigned_to(task), completed_at(task)
    retry(unit, who, task.key)
    if worker is not None and task.bucket.assignee != worker:
        assign(unit, who, task.key, worker)
    keep(unit, who, task, {"completedAt": ended_at})
