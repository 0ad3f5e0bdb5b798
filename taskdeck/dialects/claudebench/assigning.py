"""Methods that say who is to have a task, or that nobody is: assign, unassign, delete."""

from __future__ import annotations

from taskdeck.dialects.claudebench import marks
from taskdeck.dialects.claudebench.breakers import Trip
from taskdeck.dialects.claudebench.errors import Reason
from taskdeck.dialects.claudebench.find import require_here, the_task
from taskdeck.dialects.claudebench.methods import Ask, Methods
from taskdeck.dialects.claudebench.params import Assign, Delete, Unassign
from taskdeck.dialects.claudebench.words import COMPLETED, FAILED, STATUS, Document, assigned_to
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Role
from taskdeck.domain.states import State
from taskdeck.service.operate import assign, delete
from taskdeck.service.override import override_to_queue, override_to_worker
from taskdeck.store.unit import Unit

methods = Methods()


@methods.add(
    "task.assign",
    Assign,
    role=Role.OPERATOR,
    about="Assign a task to an instance",
    limit=20,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise="Task assignment service temporarily unavailable",
    label=20,
    persist=True,
)
async def assign_task(ask: Ask, asked: Assign) -> Document:
    id, name = asked.taskId, asked.instanceId

    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, id, f"Task not found: {id}")
        require_here(unit, ask, name, Reason, "Instance not found: {}", "Instance {} is not available")
        if STATUS[task.state] in (COMPLETED, FAILED):
            raise Reason(f"Cannot assign task {id} with status {STATUS[task.state]}")
        before = assigned_to(task)
        if before is not None and before != name:
            raise Reason(f"Task {id} is already assigned to {before}.")
        if before is None and task.state is State.CLAIMED:
            override_to_worker(unit, ask.who, task.key, name, reason="task.assign")
        elif before is None:
            assign(unit, ask.who, task.key, name)
        return {"taskId": id, "instanceId": name, "assignedAt": rfc3339(unit.now)}

    answer: Document = await ask.write(work)
    return answer


@methods.add(
    "task.unassign",
    Unassign,
    role=Role.OPERATOR,
    about="Remove assignment from a task",
    limit=20,
    timeout_ms=5_000,
    trip=Trip(5, 30_000),
    otherwise="Task unassignment service temporarily unavailable",
    label=20,
    persist=True,
)
async def unassign_task(ask: Ask, asked: Unassign) -> Document:
    id = asked.taskId

    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, id, f"Task not found: {id}")
        before = assigned_to(task)
        if STATUS[task.state] in (COMPLETED, FAILED):
            raise Reason(f"Cannot unassign task {id} with status {STATUS[task.state]}")
        if before is None:
            raise Reason(f"Task {id} is not currently assigned")
        since = len(unit.events)
        if task.bucket.assignee is not None:
            assign(unit, ask.who, task.key, None)
        if task.state is State.CLAIMED:
            override_to_queue(unit, ask.who, task.key, reason="task.unassign")
        marks.tell_once(unit, since, task, previousAssignment=before)
        return {"taskId": id, "previousAssignment": before, "unassignedAt": rfc3339(unit.now)}

    answer: Document = await ask.write(work)
    return answer


@methods.add("task.delete", Delete, role=Role.OPERATOR, about="Delete a task", persist=True)
async def delete_task(ask: Ask, asked: Delete) -> Document:
    def work(unit: Unit) -> Document:
        task = the_task(unit, ask, asked.id, "Task not found")
        since = len(unit.events)
        if task.state is State.CLAIMED:
            override_to_queue(unit, ask.who, task.key, reason="task.delete")
        delete(unit, ask.who, task.key)
        marks.tell_once(unit, since, task)
        return {"id": asked.id, "deleted": True, "deletedAt": rfc3339(unit.now)}

    answer: Document = await ask.write(work)
    return answer
