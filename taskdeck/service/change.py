"""The one way a task changes: its row, its counts and its event together."""

from __future__ import annotations

from typing import Any

from taskdeck.domain.events import Event
from taskdeck.domain.reviews import review_clock
from taskdeck.domain.states import EVENT_OF, State, Verb, allows
from taskdeck.domain.task import Task
from taskdeck.domain.turns import clock
from taskdeck.domain.view import changes_view, task_view
from taskdeck.store import tasks
from taskdeck.store.held import hold_of
from taskdeck.store.unit import Unit

HELD = frozenset({State.CLAIMED, State.REVIEW})
"""States from which a task comes back to the place in the queue that it had."""
_READY = State.READY  # here at every change of every task: until Python 3.12 a member is slow to look up
_SCHEDULED = State.SCHEDULED


def claimable(task: Task) -> bool:
    """Whether a claim may take `task`, as far as its state goes."""
    return task.state is _READY or task.lapsed


def change(
    unit: Unit,
    task: Task,
    verb: Verb,
    actor: str,
    fields: dict[str, Any],
    *,
    facts: dict[str, Any] | None = None,
    worker: str | None = None,
) -> Task:
    """Set `fields` of `task` by `verb` and leave the event for it; return the task.

    `worker` is whom the event concerns, if not who holds the task afterwards.
    Reaching `ready` sets `ready_at`, and `queued_at` but after a claim or its review.

    Raises:
        RuntimeError: the state table does not allow it; a caller forgot to check.
    """
    before, after = task.state, fields.get("state", task.state)
    if not allows(verb, before, after):
        raise RuntimeError(f"{verb} does not lead from {before} to {after}")
    was_claimable, bucket = claimable(task), task.bucket
    if after is _READY and before is not _READY:
        fields["ready_at"] = unit.now
        if before not in HELD:
            fields["queued_at"] = unit.now
    if task.assignees is not None:
        fields |= clock(task, fields, unit.now)
    if task.approve_after_ms is not None and before is not after:
        fields |= review_clock(task, after, unit.now)
    fields["version"] = task.version + 1
    fields["updated_at"] = unit.now
    held = unit.mirror.held
    hold = hold_of(task) if held.on else None
    tasks.update(unit, task, fields)
    if held.on:
        held.moved(unit, hold, hold_of(task))
    if claimable(task) and not (was_claimable and bucket is task.bucket):
        unit.opened += 1
    _watch_time(unit, task, fields)
    unit.append(
        Event(
            unit.now,
            EVENT_OF[verb],
            actor,
            task,
            task.bucket.project,
            worker or task.worker,
            changes_view(task, fields),
            facts or {},
        )
    )
    return task


def created(unit: Unit, task: Task) -> None:
    """Write a new task; its event follows with `announce_created`."""
    tasks.insert(unit, task)
    if claimable(task):
        unit.opened += 1
    _watch_time(unit, task, {})


def announce_created(unit: Unit, task: Task, actor: str) -> None:
    """Leave the event of a new task, once its dependencies are in place."""
    unit.append(Event(unit.now, EVENT_OF[Verb.CREATE], actor, task, task.bucket.project, None, task_view(task), {}))


def deleted(unit: Unit, task: Task, actor: str) -> None:
    """Remove `task` and leave the event for it."""
    if unit.mirror.held.on:
        unit.mirror.held.moved(unit, hold_of(task), None)
    tasks.delete(unit, task)
    unit.append(Event(unit.now, EVENT_OF[Verb.DELETE], actor, task, task.bucket.project, None, {}, {}))


def _watch_time(unit: Unit, task: Task, fields: dict[str, Any]) -> None:
    if task.expires_at is not None and "expires_at" in fields and not task.lapsed:
        unit.mirror.due_by(task.expires_at)
    if task.turn_ends_at is not None:
        unit.mirror.due_by(task.turn_ends_at)
    if task.review_ends_at is not None:
        unit.mirror.due_by(task.review_ends_at)
    if task.state is _SCHEDULED and task.not_before is not None:
        unit.mirror.due_by(task.not_before)
    if task.due is not None and task.overdue_at is None and task.finished_at is None:
        unit.mirror.due_by(task.due)
