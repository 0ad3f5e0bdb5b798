"""explain: why a worker can or cannot claim a task, rule by rule."""

from __future__ import annotations

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.eligibility import Check, checks
from taskdeck.domain.gates import Before
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State
from taskdeck.domain.task import Json, Task
from taskdeck.service.change import claimable
from taskdeck.service.claim import claimer_for, what_it_waits_for
from taskdeck.service.find import the_task
from taskdeck.service.gates import asked_for
from taskdeck.service.limits import files_check, limit_checks, pace_check
from taskdeck.service.requests import ClaimRequest
from taskdeck.store.unit import Unit


def explain(unit: Unit, who: Principal, ref: str, worker: str) -> tuple[Task, list[Check]]:
    """The task and every rule that decides whether `worker` could claim it now."""
    task = the_task(unit, who, ref)
    claimer = claimer_for(unit, who, ClaimRequest(worker))
    known = unit.mirror.workers.get(worker)
    draining = known is not None and known.draining
    return task, [
        Check("state", claimable(task), _state(task) + _raised(unit, task)),
        *checks(task.bucket, claimer, unit.mirror.paused),
        *([] if task.gates is None else [_gates(task.gates)]),
        *limit_checks(unit.mirror, task.bucket, worker),
        *(files_check(unit.mirror, task) if claimable(task) else []),
        *pace_check(unit, who, worker),
        Check("worker_draining", not draining, f"{worker} is {'draining' if draining else 'not draining'}"),
    ]


def _gates(gates: Json) -> Check:
    wanted = asked_for(gates, Before.CLAIM)
    detail = "nothing is to be shown before a claim"
    if wanted:
        detail = f"{'; '.join(wanted)}: a claim without a name that does not show it is given the next task instead"
    return Check("gate_unmet", not wanted, detail)


def _raised(unit: Unit, task: Task) -> str:
    by = unit.mirror.order.raised(unit.now - task.queued_at) if claimable(task) else 0
    return f"; waiting has raised its priority from {task.priority} to {task.priority + by}" if by else ""


def _state(task: Task) -> str:
    match task.state:
        case State.READY if task.turn_ends_at is not None:
            return f"is ready, and offered to {task.bucket.assignee} until {rfc3339(task.turn_ends_at)}"
        case State.READY:
            return "is ready"
        case State.CLAIMED if task.lapsed:
            return f"is claimed by {task.worker}, but the lease has lapsed"
        case State.CLAIMED:
            until = "with no end" if task.expires_at is None else f"until {rfc3339(task.expires_at)}"
            return f"is held by {task.worker} under fence {task.fence} {until}"
        case State.BLOCKED:
            return f"is blocked: {what_it_waits_for(task)}"
        case State.SCHEDULED:
            return f"is scheduled: not before {rfc3339(task.not_before or 0)}"
        case State.BACKLOG:
            return "is in the backlog: an operator promotes it first"
        case State.REVIEW:
            return "awaits its review"
        case _:
            return f"is {task.state}"
