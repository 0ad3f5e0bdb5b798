"""claim: the best task a worker may have, several, or one by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.eligibility import Claimer, admits, checks
from taskdeck.domain.errors import ClaimedByOther, Conflict, Invalid, NotEligible, WrongState
from taskdeck.domain.gates import Before, Shown
from taskdeck.domain.people import HUMAN, directs, for_people, require_director
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import NO_END, Kind, Task, WorkState
from taskdeck.domain.view import holder_view
from taskdeck.domain.worker import Kind as WorkerKind
from taskdeck.domain.worker import Worker
from taskdeck.service import limits
from taskdeck.service.attend import attend
from taskdeck.service.awaiting import keys_of
from taskdeck.service.change import change
from taskdeck.service.find import the_project, the_task
from taskdeck.service.gates import pass_gates, shut
from taskdeck.service.handoff import handed_off
from taskdeck.service.heartbeat import renewal
from taskdeck.service.requests import ClaimRequest
from taskdeck.service.sessions import require_session
from taskdeck.store import selection, tasks
from taskdeck.store.unit import Unit

# here at every claim: until Python 3.12 a member is slow to look up
_READY, _CLAIMED, _WORKING = State.READY, State.CLAIMED, WorkState.WORKING
_PERSON, _CLAIM = WorkerKind.HUMAN, Verb.CLAIM


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a claim found nothing: a stable code and the facts."""

    code: str
    detail: str


STOPPING = Reason("draining", "the server is stopping; try again once it is back")


@dataclass(slots=True)
class Claimed:
    """What a claim gave: the tasks, best first; or why there is none."""

    tasks: list[Task]
    reasons: list[Reason] = field(default_factory=list)


def claimer_for(unit: Unit, who: Principal, request: ClaimRequest) -> Claimer:
    """Who asks, with what they can do and are called, as the rules of eligibility want to know it."""
    capabilities = request.capabilities
    worker = unit.mirror.workers.get(request.worker)
    if capabilities is None:
        capabilities = who.capabilities | (worker.capabilities if worker else frozenset())
    if request.ref is not None or (worker is not None and worker.kind is _PERSON):
        capabilities |= {HUMAN}
    return Claimer(
        worker=request.worker,
        identities=who.groups | {request.worker, who.name} | request.on_behalf_of,
        capabilities=capabilities,
        projects=who.projects,
        project=request.project,
        labels=request.labels,
    )


def claim(unit: Unit, who: Principal, request: ClaimRequest) -> Claimed:
    """Claim for `request.worker`, which registers if it is new.

    Raises:
        NotFound: the project or the named task is unknown.
        Conflict: the named task cannot be had; says who holds it, or what else stands in the way.
        GateUnmet: what must be shown before a claim is not shown, of the named task or of all there are.
        RateLimited: claims were given too fast in the last minute.
        Forbidden: the worker is another principal's; or an override, or a claim on another's behalf, was asked for by
            one who does not direct the task.
    """
    if request.override_reason is not None and not who.is_operator():
        _refuse_override(unit, who, request)
    if request.project is not None:
        the_project(unit, who, request.project)
    worker = attend(unit, who, request.worker, request.capabilities)
    if request.session is not None:
        require_session(unit, worker.id, request.session)
    if request.ref is not None:
        return Claimed([_claim_named(unit, who, request, worker)])
    if worker.draining:
        return Claimed([], [Reason("worker_draining", f"{worker.id} is draining and is given no more work")])
    claimer = claimer_for(unit, who, request)
    given: list[Task] = []
    wanted = request.max_tasks
    if unit.mirror.pace.on:
        wanted = min(wanted, limits.room_for(unit, who, worker.id))
    while len(given) < wanted:
        number = limits.best(unit, claimer, shut(unit, request.shown))
        if number is None and not given:
            number = limits.best(unit, claimer)  # only what is behind a gate is left: it is told what would open it
        task = None if number is None else tasks.by_number(unit, number)
        if task is None or (given and request.lease_ms == NO_END and not _held_without_end(unit, task, worker.id)):
            break
        given.append(give(unit, who, task, worker.id, request.lease_ms, shown=request.shown, session=request.session))
        selection.served(unit, task.bucket.project)
    return Claimed(given, [] if given else reasons(unit, claimer))


def peek(unit: Unit, who: Principal, request: ClaimRequest) -> Task | None:
    """The task that comes first for a claim of `request`, left as it is; None if there is none.

    It may have gates before a claim, which only a claim that shows what they ask for passes.

    Raises:
        NotFound: the project is unknown.
    """
    if request.project is not None:
        the_project(unit, who, request.project)
    number = limits.best(unit, claimer_for(unit, who, request))
    return None if number is None else tasks.by_number(unit, number)


def give(
    unit: Unit,
    who: Principal,
    task: Task,
    worker: str,
    lease_ms: int | None,
    override_reason: str | None = None,
    shown: Shown | None = None,
    session: str | None = None,
) -> Task:
    """Hand `task`, ready or lapsed, to `worker` under a new fence; this begins an attempt.

    Raises:
        GateUnmet: a gate before a claim stays shut. An override passes it.
    """
    facts: dict[str, Any] = {}
    if task.ready_at is not None and task.state is _READY:
        facts["wait_seconds"] = max(0, unit.now - task.ready_at) / 1000
    if task.lapsed:
        facts["lapsed_from"] = task.worker
    if override_reason is not None:
        facts["override_reason"] = override_reason
    fields = new_claim(unit, who, task, worker, lease_ms, session)
    fields["state"] = _CLAIMED
    fields["attempt"] = task.attempt + 1
    if (task.gates or task.proof or shown) and (override_reason is None or not directs(who, task)):
        fields |= pass_gates(task, Before.CLAIM, shown, facts)
    if unit.mirror.pace.on:
        limits.count_claim(unit, who, worker)
    return change(unit, task, _CLAIM, who.name, fields, facts=facts)


def hold_unheard(unit: Unit, who: Principal, task: Task, worker: str, *, reason: str, lease_ms: int) -> Task:
    """Let `worker`, which nobody has registered, hold `task`: the name is still free for who registers it.

    Raises:
        WrongState: the task is neither ready nor lapsed.
        Forbidden: `who` does not direct it.
    """
    require_director(task, who, "giving another a claim on")
    if task.state is not State.READY and not task.lapsed:
        raise _not_ready(task)
    return give(unit, who, task, worker, lease_ms, reason)


def new_claim(
    unit: Unit, who: Principal, task: Task, worker: str, lease_ms: int | None, session: str | None = None
) -> dict[str, Any]:
    """The fields of a claim by `worker` that begins now, under the task's next fence, and of what is handed off."""
    length = lease_ms or unit.mirror.projects[task.bucket.project].lease_ms
    if lease_ms == NO_END:
        _refuse_endless(unit, task, worker)
    fields = {
        "fence": task.fence + 1,
        "worker": worker,
        "principal": who.name,
        "via": who.via,
        "claimed_at": unit.now,
        "heartbeat_at": unit.now,
        "expires_at": None if lease_ms == NO_END else unit.now + length,
        "lease_ms": None if lease_ms == NO_END else length,
        "lapsed": False,
        "work_state": _WORKING,
        "detail": None,
        "progress": None,
        "session": session,
        "question": None,
    }
    return fields if task.detail is None else fields | handed_off(unit, task)


def _held_without_end(unit: Unit, task: Task, worker: str) -> bool:
    """Whether a lease of `worker` on `task` may have no end."""
    known = unit.mirror.workers.get(worker)
    return task.form is not None or (known is not None and known.kind is WorkerKind.HUMAN)


def _refuse_endless(unit: Unit, task: Task, worker: str) -> None:
    if not _held_without_end(unit, task, worker):
        raise Invalid(
            f"a claim of {task.key} by {worker} needs a lease that ends",
            hint="Only people, and whoever claims a task with a form, hold one without end.",
            field="lease_seconds",
        )


def _refuse_override(unit: Unit, who: Principal, request: ClaimRequest) -> None:
    """Refuse an override by one who is no operator, unless of what is for people: there it may be its maker's."""
    task = tasks.find(unit, request.ref or "")
    if task is None or not for_people(task):
        who.require(Role.OPERATOR, "overriding a claim")


def _claim_named(unit: Unit, who: Principal, request: ClaimRequest, worker: Worker) -> Task:
    task = the_task(unit, who, request.ref or "")
    override = request.override_reason
    if request.on_behalf_of and task.bucket.assignee is not None:
        require_director(task, who, "claiming on another's behalf")
    if task.state is State.CLAIMED and not task.lapsed:
        if task.worker == worker.id and task.principal == who.name:
            return _again(unit, who, task, request.lease_ms)
        if override is None:
            raise held(task)
        require_director(task, who, "taking over")
        fields = new_claim(unit, who, task, worker.id, request.lease_ms, request.session)
        facts = {"reason": override, "from_worker": task.worker, "to_worker": worker.id,
                 "from_fence": task.fence, "to_fence": task.fence + 1}  # fmt: skip
        return change(unit, task, Verb.OVERRIDE, who.name, fields, facts=facts, worker=worker.id)
    if task.state is not State.READY and not task.lapsed:
        raise _not_ready(task)
    if override is None or not directs(who, task):
        if worker.draining:
            raise Conflict(
                f"{worker.id} is draining and is given no more work",
                hint="Let an operator end the draining, or claim as another worker.",
                code="worker_draining",
            )
        claimer = claimer_for(unit, who, request)
        if not admits(task.bucket, claimer, unit.mirror.paused):
            if override is not None:
                require_director(task, who, "overriding the assignment of")
            raise _ineligible(unit, task, claimer)
        if unit.mirror.held.on:
            limits.refuse_over_limit(unit, task, worker.id)
        if unit.mirror.pace.on:
            limits.room_for(unit, who, worker.id)
    return give(unit, who, task, worker.id, request.lease_ms, override, request.shown, request.session)


def _again(unit: Unit, who: Principal, task: Task, lease_ms: int | None) -> Task:
    """A holder that claims what it holds keeps its fence; its lease is renewed."""
    return change(unit, task, Verb.HEARTBEAT, who.name, renewal(unit, task, lease_ms))


def held(task: Task) -> Conflict:
    """Why a live claim on `task` stands in the way of another."""
    until = "with no end" if task.expires_at is None else f"until {rfc3339(task.expires_at)}"
    return ClaimedByOther(
        f"{task.key} is held by {task.worker} under fence {task.fence} {until}",
        hint="Claim another task, or try again after that moment.",
        holder=holder_view(task),
    )


def _not_ready(task: Task) -> Conflict:
    why = {
        State.BLOCKED: what_it_waits_for(task),
        State.SCHEDULED: f"is not to be begun before {rfc3339(task.not_before or 0)}",
        State.BACKLOG: "is in the backlog until an operator promotes it",
        State.REVIEW: "awaits its review",
    }.get(task.state, f"is {task.state}")
    return WrongState(
        f"{task.key} cannot be claimed: it {why}",
        hint="GET its /explain to see every rule, or claim the next task instead.",
        holder=holder_view(task),
    )


def what_it_waits_for(task: Task) -> str:
    """Why a blocked task is blocked."""
    goal = "is a goal, finished when the last of its children is" if task.kind == Kind.GOAL else ""
    keys = (*task.depends_on, *keys_of(task.awaits))
    others = f"waits for {', '.join(keys)}" if keys else ""
    return " and ".join(filter(None, (goal, others)))


def _ineligible(unit: Unit, task: Task, claimer: Claimer) -> NotEligible:
    failed = [check for check in checks(task.bucket, claimer, unit.mirror.paused) if not check.passed]
    return NotEligible(
        f"{task.key} is not for {claimer.worker}: " + "; ".join(check.detail for check in failed),
        hint="Claim without `task` to be given work you may have.",
        code="project_paused" if failed[0].rule == "project_paused" else None,
        holder=holder_view(task),
        more={"rules": [check.rule for check in failed]},
    )


_LOOKED_AT = 200
_NOT_YET = {State.SCHEDULED: "scheduled", State.BLOCKED: "blocked", State.BACKLOG: "in the backlog"}


def reasons(unit: Unit, claimer: Claimer) -> list[Reason]:
    """Why nothing is there for `claimer`: what stands in the way of the ready tasks, then what is not ready.

    Looks at no more than 200 kinds of ready task, in memory.
    """
    mirror = unit.mirror
    barred: Counter[str] = Counter()
    example: dict[str, str] = {}
    for number, count in list(mirror.claimable.items())[:_LOOKED_AT]:
        bucket = mirror.buckets[number]
        if not (claimer.projects is None or bucket.project in claimer.projects):
            continue
        for check in checks(bucket, claimer, mirror.paused):
            if not check.passed:
                barred[check.rule] += count
                example.setdefault(check.rule, check.detail)
                break
    found = [
        Reason(
            rule,
            f"{count} ready {'task' if count == 1 else 'tasks'} not for {claimer.worker}: {example[rule]}",
        )
        for rule, count in barred.most_common()
    ]
    if mirror.held.on:
        found += [Reason(*reason) for reason in limits.limit_reasons(unit, claimer)]
    if not found:
        found.append(Reason("nothing_ready", "no task is ready"))
    for kind, where in _NOT_YET.items():
        waiting = sum(n for (number, k), n in mirror.counts.items() if k == kind and _visible(unit, number, claimer))
        if waiting:
            found.append(Reason(kind.value, f"{waiting} {'task is' if waiting == 1 else 'tasks are'} {where}"))
    return found


def _visible(unit: Unit, bucket: int, claimer: Claimer) -> bool:
    project = unit.mirror.buckets[bucket].project
    return (claimer.projects is None or project in claimer.projects) and (
        claimer.project is None or project == claimer.project
    )
