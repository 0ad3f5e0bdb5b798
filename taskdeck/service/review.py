"""approve and reject: what a completion comes to where it is looked at before it counts."""

from __future__ import annotations

from typing import Any, Literal

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Forbidden, WrongState
from taskdeck.domain.gates import Before, Shown
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import Json, Review, Task
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.claim import new_claim
from taskdeck.service.find import the_task
from taskdeck.service.gates import pass_gates
from taskdeck.service.unblock import carry_on, must_wait
from taskdeck.store.unit import Unit


def approve(unit: Unit, who: Principal, ref: str, *, note: str | None = None, shown: Shown | None = None) -> Task:
    """Accept what was completed: the task is done, what waited for it is unblocked.

    Raises:
        WrongState: it is not in review.
        GateUnmet: what must be shown before is not shown.
        Forbidden: four eyes are wanted, and `who` completed it (`four_eyes`).
    """
    task, completed = _in_review(unit, who, ref, Verb.APPROVE)
    if task.review == Review.FOUR_EYES and who.name in (completed.get("principal"), completed.get("by")):
        raise Forbidden(
            f"{task.key} was completed by {who.name} and is approved by another",
            hint="Ask another operator to look at it.",
            code="four_eyes",
        )
    fields = {"state": State.DONE, "finished_at": unit.now, "verdict": _verdict(unit, who, "approved", note)}
    facts: dict[str, Any] = {"note": note, "completed_by": completed.get("principal")}
    if task.gates or shown:
        fields |= pass_gates(task, Before.APPROVE, shown, facts)
    change(unit, task, Verb.APPROVE, who.name, fields, facts=facts, worker=completed.get("worker"))
    carry_on(unit, task)
    return task


def reject(unit: Unit, who: Principal, ref: str, *, note: str, to: Literal["queue", "worker"] = "queue") -> Task:
    """Send what was completed back with what is wrong with it; the result stays readable.

    To the queue: its attempt is spent, and one more is allowed if it was the last. To the worker that completed it:
    that holds it again under a new fence and a new lease, and its attempt goes on. A goal waits for
    what is delegated from it next.

    Raises:
        WrongState: it is not in review.
        Conflict: that worker is not registered any more (`worker_gone`).
    """
    task, completed = _in_review(unit, who, ref, Verb.REJECT)
    worker = completed.get("worker")
    facts: dict[str, Any] = {"note": note, "to": to, "completed_by": completed.get("principal")}
    fields: dict[str, Any] = {"verdict": _verdict(unit, who, "rejected", note)}
    if to == "queue":
        state = State.BLOCKED if must_wait(unit, task) else State.READY
        fields |= {"state": state, "max_attempts": max(task.max_attempts, task.attempt + 1)}
    else:
        known = unit.mirror.workers.get(worker or "")
        if worker is None or known is None:
            raise Conflict(
                f"{worker or 'the deck'}, which completed {task.key}, is no registered worker",
                hint="Reject it to the queue.",
                code="worker_gone",
            )
        fields |= {"state": State.CLAIMED} | new_claim(unit, who, task, worker, None)
        fields["principal"] = known.principal
        facts["to_fence"] = task.fence + 1
    return change(unit, task, Verb.REJECT, who.name, fields, facts=facts, worker=worker)


def _in_review(unit: Unit, who: Principal, ref: str, verb: Verb) -> tuple[Task, dict[str, Any]]:
    """The task, and by whom it was completed."""
    task = the_task(unit, who, ref)
    if task.state is not State.REVIEW:
        raise WrongState(
            f"{task.key} is {task.state}; {verb} is for tasks in review",
            hint="A task comes to review by complete, if its `review` says so.",
            holder=holder_view(task),
        )
    return task, orjson.loads(task.completed_by or "{}")


def _verdict(unit: Unit, who: Principal, verdict: str, note: str | None) -> Json:
    return orjson.dumps({"verdict": verdict, "by": who.name, "at": rfc3339(unit.now), "note": note}).decode()
