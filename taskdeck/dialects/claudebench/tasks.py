"""Methods of a task's life: create, claim, complete, update."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.dialects.claudebench import marks
from taskdeck.dialects.claudebench.attached import claimed_attachments
from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.errors import NotAWorker, Reason
from taskdeck.dialects.claudebench.find import require_here, the_task
from taskdeck.dialects.claudebench.methods import Ask, Methods
from taskdeck.dialects.claudebench.moves import end_in_failure, move
from taskdeck.dialects.claudebench.params import Claim, Complete, Create, Update
from taskdeck.dialects.claudebench.words import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    LEASE_MS,
    NAME,
    NO_RESULT,
    STATUS,
    Document,
    assigned_to,
    created_document,
    task_document,
    task_id,
    updated_document,
)
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Draining, StaleFence, TaskCancelled
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.project import DEFAULT_PROJECT
from taskdeck.domain.states import State
from taskdeck.domain.task import DEFAULT_PRIORITY, Json, Task
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.extra import extra_of, keep
from taskdeck.service.finish import complete
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.store.unit import Unit

methods = Methods()


def _json(value: Any) -> Json:
    return orjson.dumps(value).decode()


def _project(who: Principal) -> str:
    """Where new tasks go: the default project, or the first that the caller is let into."""
    return DEFAULT_PROJECT if who.projects is None or who.sees(DEFAULT_PROJECT) else min(who.projects, default="-")


@methods.add(
    "task.create",
    Create,
    about="Create a new task and add it to the queue",
    limit=100,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise="Task creation service temporarily unavailable",
    label=10,
    persist=True,
)
async def create_task(ask: Ask, asked: Create) -> Document:
    project = _project(ask.who)

    def work(unit: Unit) -> Document:
        while True:
            wish = NewTask(
                title=asked.text,
                project=project,
                priority=asked.priority or DEFAULT_PRIORITY,
                metadata=_json(asked.metadata or {}),
                key=f"t-{ask.house.next_id(unit.now)}",
            )
            try:
                (task,) = create(unit, ask.who, [wish])
            except Conflict as error:
                if error.stable_code != "key_taken":
                    raise
            else:
                return created_document(task)

    answer: Document = await ask.write(work)
    return answer


@methods.add(
    "task.claim",
    Claim,
    about="Worker claims next available task (pull model)",
    limit=100,
    timeout_ms=5_000,
    trip=Trip(10, 30_000),
    otherwise={"claimed": False},
    label=100,
)
async def claim_task(ask: Ask, asked: Claim) -> Document:
    if ask.deck.draining:
        raise Draining("the server is stopping and gives out no work", hint="Try again once it is back.")
    request = ClaimRequest(asked.workerId, lease_ms=LEASE_MS)

    def work(unit: Unit) -> Document:
        require_here(unit, ask, asked.workerId, NotAWorker, "Worker not registered: {}", "Worker {} is not available")
        given = claim(unit, ask.who, request).tasks
        if not given:
            return {"claimed": False}
        (task,) = given
        if task.bucket.assignee is not None:
            unit.events[-1].facts[NAME] = {"previousAssignment": asked.workerId}
        attachments = claimed_attachments(unit, task)
        shown = task_document(task) | {"attachments": attachments, "attachmentCount": len(attachments)}
        return {"claimed": True, "taskId": shown["id"], "task": shown}

    answer: Document = await ask.write(work)
    return answer


@methods.add(
    "task.complete",
    Complete,
    about="Mark a task as completed or failed",
    limit=100,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise="Task completion service temporarily unavailable",
    label=100,
    persist=True,
)
async def complete_task(ask: Ask, asked: Complete) -> Document:
    id = asked.id or asked.taskId
    # what JavaScript takes for false is no result; an empty object or list is one
    result = None if asked.result in (None, 0, "") else _result(asked.result)

    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, id, f"Task not found: {id}")
        holder, by = task.worker, asked.workerId or assigned_to(task)
        if assigned_to(task) is None:
            raise Reason("Task already completed" if STATUS[task.state] in (COMPLETED, FAILED) else "Task not assigned")
        since = len(unit.events)
        try:
            _end(unit, ask, task, result, asked.workerId)
        except (StaleFence, TaskCancelled):
            raise Reason("Task already completed") from None
        marks.tell_once(unit, since, task, **({} if by == holder else {"completedBy": by}))
        status = FAILED if result is None else COMPLETED
        return {"id": task_id(task.key, task.number), "status": status, "completedAt": rfc3339(unit.now)}

    answer: Document = await ask.write(work)
    return answer


def _result(value: Any) -> Json:
    """A result as it is kept: a text that is itself JSON is what it says."""
    if isinstance(value, str):
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            return _json(value)
        return value
    return _json(value)


def _end(unit: Unit, ask: Ask, task: Task, result: Json | None, worker: str | None) -> None:
    if worker and worker != assigned_to(task) and task.state is State.CLAIMED:
        keep(unit, ask.who, task, extra_of(task, NAME) | {"completedBy": worker})
    if result is None:
        end_in_failure(unit, ask.who, task, NO_RESULT)
    else:
        begun = STATUS[task.state] in (IN_PROGRESS, COMPLETED, FAILED)
        complete(unit, ask.who, task.key, task.fence if begun else None, result=result)


@methods.add(
    "task.update",
    Update,
    role=Role.OPERATOR,
    about="Update an existing task",
    limit=20,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise="Task update service temporarily unavailable",
    label=20,
    persist=True,
)
async def update_task(ask: Ask, asked: Update) -> Document:
    wanted = asked.updates.model_dump(include=asked.updates.model_fields_set)

    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, asked.id, "Task not found")
        given = orjson.loads(task.metadata)
        status = wanted.get("status", STATUS[task.state])
        if STATUS[task.state] == COMPLETED and status != COMPLETED and not _is_project(given):
            raise Reason(f"Cannot change status of completed task to {status}")
        since = len(unit.events)
        fields: dict[str, object] = {}
        if "text" in wanted:
            fields["title"] = wanted["text"]
        if "priority" in wanted:
            fields["priority"] = wanted["priority"]
        if "metadata" in wanted:
            fields["metadata"] = _json(given | wanted["metadata"])
        edit(unit, ask.who, task.key, Edit(fields))
        move(unit, ask.who, task, status)
        updated = updated_document(task)
        marks.tell_once(unit, since, task, changes=list(wanted), updated=updated)
        return updated

    answer: Document = await ask.write(work)
    return answer


def _is_project(metadata: Document) -> bool:
    return bool(metadata.get("projectId")) or metadata.get("type") == "project"
