"""What a completion comes to where it is looked at before it counts: approve and reject, or judge and heed."""

from __future__ import annotations

from typing import Any, Literal

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Forbidden, WrongState
from taskdeck.domain.gates import Before, Shown
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import Json, Review, Task, Verdict
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.claim import new_claim
from taskdeck.service.find import the_task
from taskdeck.service.gates import pass_gates
from taskdeck.service.unblock import BY_TIME, carry_on, must_wait
from taskdeck.store.unit import Unit


def approve(unit: Unit, who: Principal, ref: str, *, note: str | None = None, shown: Shown | None = None) -> Task:
    """Accept what was completed: the task is done, what waited for it is unblocked.

    Raises:
        WrongState: it is not in review.
        GateUnmet: what must be shown before is not shown.
        Forbidden: four eyes are wanted, and `who` completed it (`four_eyes`).
    """
    task, completed = _in_review(unit, who, ref, Verb.APPROVE)
    _refuse_own(who, task, completed)
    verdict = _verdict(unit, who.name, Verdict.APPROVED, note)
    facts = {"note": note, "completed_by": completed.get("principal")}
    return _finish(unit, task, Verb.APPROVE, who.name, verdict, completed, facts, shown)


def approve_unjudged(unit: Unit, task: Task) -> Task:
    """Accept what was completed, as its time for a review is over and nobody has said anything."""
    completed = orjson.loads(task.completed_by or "{}")
    verdict = _verdict(unit, BY_TIME, Verdict.APPROVED, None)
    facts = {"note": None, "completed_by": completed.get("principal")}
    return _finish(unit, task, Verb.APPROVE, BY_TIME, verdict, completed, facts, None)


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
    facts: dict[str, Any] = {"note": note, "to": to, "completed_by": completed.get("principal")}
    fields: dict[str, Any] = {"verdict": _verdict(unit, who.name, Verdict.REJECTED, note)}
    if to == "queue":
        state = State.BLOCKED if must_wait(unit, task) else State.READY
        fields |= {"state": state, "max_attempts": max(task.max_attempts, task.attempt + 1)}
    else:
        fields |= _back_to_worker(unit, who, task, completed)
        facts["to_fence"] = task.fence + 1
    return change(unit, task, Verb.REJECT, who.name, fields, facts=facts, worker=completed.get("worker"))


def judge(unit: Unit, who: Principal, ref: str, verdict: Verdict, *, note: str | None = None) -> Task:
    """Say what the review comes to. The task stays there until `heed`, `approve` or `reject`; no time ends it now.

    Raises:
        WrongState: it is not in review.
        Forbidden: four eyes are wanted, it is approved, and `who` completed it (`four_eyes`).
    """
    task, completed = _in_review(unit, who, ref, Verb.JUDGE)
    if verdict is Verdict.APPROVED:
        _refuse_own(who, task, completed)
    fields: dict[str, Any] = {"verdict": _verdict(unit, who.name, verdict, note)}
    if task.review_ends_at is not None:
        fields["review_ends_at"] = None
    facts = {"verdict": verdict, "note": note, "completed_by": completed.get("principal")}
    return change(unit, task, Verb.JUDGE, who.name, fields, facts=facts, worker=completed.get("worker"))


def heed(unit: Unit, who: Principal, ref: str, *, shown: Shown | None = None, lease_ms: int | None = None) -> Task:
    """Do what the verdict says, as who completed it or an operator: the task is done if it was approved.

    Else its worker holds it again under a new fence and a new lease, of `lease_ms` or as long as its project's, and its
    attempt goes on. `heeded_by` in the verdict says who did.

    Raises:
        WrongState: it is not in review, or not judged yet (`not_judged`).
        GateUnmet: it was approved, and what must be shown before is not shown.
        Forbidden: another completed it.
        Conflict: that worker is not registered any more (`worker_gone`).
    """
    task, completed = _in_review(unit, who, ref, Verb.HEED)
    if who.name != completed.get("principal") and not who.is_operator():
        raise Forbidden(
            f"{task.key} was completed by another than {who.name}",
            hint="Who completed it heeds the verdict, or an operator.",
        )
    if task.verdict is None:
        raise WrongState(
            f"{task.key} has not been judged yet",
            hint="An operator judges it; its event is task.judged.",
            code="not_judged",
            holder=holder_view(task),
        )
    given = orjson.loads(task.verdict)
    verdict = orjson.dumps(given | {"heeded_by": who.name}).decode()
    facts: dict[str, Any] = {"verdict": given["verdict"], "completed_by": completed.get("principal")}
    if given["verdict"] == Verdict.APPROVED:
        return _finish(unit, task, Verb.HEED, who.name, verdict, completed, facts, shown)
    fields = {"verdict": verdict} | _back_to_worker(unit, who, task, completed, lease_ms)
    facts["to_fence"] = task.fence + 1
    return change(unit, task, Verb.HEED, who.name, fields, facts=facts, worker=completed.get("worker"))


def _finish(
    unit: Unit,
    task: Task,
    verb: Verb,
    actor: str,
    verdict: Json,
    completed: dict[str, Any],
    facts: dict[str, Any],
    shown: Shown | None,
) -> Task:
    """The task is done, and what waited for it goes on."""
    fields: dict[str, Any] = {"state": State.DONE, "finished_at": unit.now, "verdict": verdict}
    if task.gates or shown:
        fields |= pass_gates(task, Before.APPROVE, shown, facts)
    change(unit, task, verb, actor, fields, facts=facts, worker=completed.get("worker"))
    carry_on(unit, task)
    return task


def _back_to_worker(
    unit: Unit, who: Principal, task: Task, completed: dict[str, Any], lease_ms: int | None = None
) -> dict[str, Any]:
    """The fields of a new claim by the worker that completed the task."""
    worker = completed.get("worker")
    known = unit.mirror.workers.get(worker or "")
    if worker is None or known is None:
        raise Conflict(
            f"{worker or 'the deck'}, which completed {task.key}, is no registered worker",
            hint="Reject it to the queue.",
            code="worker_gone",
        )
    fields = {"state": State.CLAIMED} | new_claim(unit, who, task, worker, lease_ms)
    return fields | {"principal": known.principal}


def _refuse_own(who: Principal, task: Task, completed: dict[str, Any]) -> None:
    if task.review == Review.FOUR_EYES and who.name in (completed.get("principal"), completed.get("by")):
        raise Forbidden(
            f"{task.key} was completed by {who.name} and is approved by another",
            hint="Ask another operator to look at it.",
            code="four_eyes",
        )


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


def _verdict(unit: Unit, by: str, verdict: Verdict, note: str | None) -> Json:
    return orjson.dumps({"verdict": verdict, "by": by, "at": rfc3339(unit.now), "note": note}).decode()
