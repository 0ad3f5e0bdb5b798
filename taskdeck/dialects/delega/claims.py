"""Claiming and holding: claim, heartbeat, state, release, complete."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, model_validator

from taskdeck.dialects.delega.errors import LOST
from taskdeck.dialects.delega.replies import alter, change, view
from taskdeck.dialects.delega.standing import held, named, require_write, the_readable, the_writable
from taskdeck.dialects.delega.wire import Detail, EvidenceItem, Id, Labels, LeaseSeconds, Wire, route, sent, shown_of
from taskdeck.dialects.delega.words import task_ref
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, Draining, Forbidden, WrongState
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import TERMINAL, State
from taskdeck.domain.task import Task, WorkState
from taskdeck.http.call import Call
from taskdeck.service.claim import claim
from taskdeck.service.finish import complete
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.operate import retry
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest
from taskdeck.store.unit import Unit

DEFAULT_LEASE_S = 300
MAX_EVIDENCE = 5


class QueueClaim(Wire):
    """A wish for the next task."""

    lease_seconds: LeaseSeconds = DEFAULT_LEASE_S
    project_id: Id | None = None
    labels: Labels | None = None


class NamedClaim(Wire):
    """A wish for one task."""

    lease_seconds: LeaseSeconds = DEFAULT_LEASE_S


class Heartbeat(Wire):
    """A sign of life; a detail goes with a state."""

    lease_seconds: LeaseSeconds = DEFAULT_LEASE_S
    state: WorkState | None = None
    detail: Detail | None = None

    @model_validator(mode="after")
    def _a_detail_has_a_state(self) -> Heartbeat:
        if self.detail is not None and self.state is None:
            raise ValueError("detail goes with state: working, waiting_input or errored")
        return self


class Report(Wire):
    """How the holder is doing."""

    state: WorkState
    detail: Detail | None = None


class Release(Wire):
    """What is left for the next holder."""

    handoff: Detail | None = None


class Complete(Wire):
    """What shows that the work was done."""

    evidence: Annotated[list[EvidenceItem], Field(max_length=MAX_EVIDENCE)] | None = None


def _agent(who: Principal) -> str:
    """The worker as which `who` claims."""
    return who.worker or who.name


@route("POST", "/tasks/claim")
async def claim_next(call: Call) -> web.StreamResponse:
    """Claim the next task of the queue, or tell that there is none."""
    wish, who = sent(call, QueueClaim), call.who
    request = ClaimRequest(
        _agent(who),
        project=wish.project_id,
        labels=frozenset(wish.labels or ()),
        lease_ms=wish.lease_seconds * 1000,
    )
    _refuse_draining(call)

    def work(unit: Unit) -> dict[str, Any]:
        if request.project is not None and not (request.project in unit.mirror.projects and who.sees(request.project)):
            return {"task": None}
        given = claim(unit, who, request).tasks
        return {"task": view(unit, given[0]) if given else None}

    return await alter(call, work)


@route("POST", "/tasks/{id}/claim")
async def claim_one(call: Call) -> web.StreamResponse:
    """Claim the task of that id."""
    wish, who, ref = sent(call, NamedClaim), call.who, call.path("id")
    request = ClaimRequest(_agent(who), ref=task_ref(ref), lease_ms=wish.lease_seconds * 1000)
    _refuse_draining(call)

    def work(unit: Unit) -> dict[str, Any]:
        task = named(unit, who, ref)
        if task.state is State.CLAIMED and not task.lapsed:
            raise _yours(task) if task.principal == who.name else held(task)
        return {"task": view(unit, claim(unit, who, request).tasks[0])}

    return await alter(call, work)


def _refuse_draining(call: Call) -> None:
    if call.deck.draining:
        raise Draining("the server is stopping and gives out no work", hint="Try again once it is back.")


def _yours(task: Task) -> Conflict:
    until = "" if task.expires_at is None else f" until {rfc3339(task.expires_at)}"
    return WrongState(f"You already hold this claim{until}; extend it with POST /tasks/:id/heartbeat.")


@route("POST", "/tasks/{id}/heartbeat")
async def heartbeat_task(call: Call) -> web.StreamResponse:
    """Renew the lease, and say how it goes."""
    told, ref = sent(call, Heartbeat), call.path("id")

    def work(unit: Unit) -> Task:
        task = _held(unit, call.who, ref)
        lease_ms = told.lease_seconds * 1000
        return heartbeat(
            unit, call.who, task.key, task.fence, work_state=told.state, detail=told.detail, lease_ms=lease_ms
        )

    return await change(call, work)


@route("POST", "/tasks/{id}/state")
async def set_state(call: Call) -> web.StreamResponse:
    """Say how it goes, and leave the lease as it is."""
    told, ref = sent(call, Report), call.path("id")

    def work(unit: Unit) -> Task:
        task = _held(unit, call.who, ref)
        return heartbeat(unit, call.who, task.key, task.fence, work_state=told.state, detail=told.detail, renew=False)

    return await change(call, work)


def _held(unit: Unit, who: Principal, ref: str) -> Task:
    """The task `ref`, which `who` holds under a live lease."""
    task = the_readable(unit, who, ref)
    if task.principal != who.name or task.lapsed:
        raise Conflict(LOST, code="claim_lost")
    return task


@route("POST", "/tasks/{id}/release")
async def release_task(call: Call) -> web.StreamResponse:
    """Give the task back to the queue, with a note for the next holder."""
    left, who, ref = sent(call, Release), call.who, call.path("id")

    def work(unit: Unit) -> Task:
        task = the_readable(unit, who, ref)
        if task.state is not State.CLAIMED:
            raise WrongState("Nobody holds a claim on this task; there is nothing to release.")
        if task.principal != who.name and not who.is_operator():
            raise Forbidden("Only the agent that holds the claim, or an admin, releases it.")
        return release(unit, who, task.key, task.fence, note=left.handoff or None)

    return await change(call, work)


@route("POST", "/tasks/{id}/complete")
async def complete_task(call: Call) -> web.StreamResponse:
    """Complete the task; what is completed stays so."""
    done, ref = sent(call, Complete), call.path("id")
    shown = shown_of(done.evidence or [])
    return await change(call, lambda unit: completed(unit, call.who, the_readable(unit, call.who, ref), shown))


def completed(unit: Unit, who: Principal, task: Task, shown: Any = None) -> Task:
    """Complete `task`, whoever may write to it, held or not; its children go on."""
    if task.state is State.DONE:
        return task
    require_write(task, who)
    fence = task.fence if task.state is State.CLAIMED else None
    return complete(unit, who, task.key, fence, leave_children=True, shown=shown)


@route("POST", "/tasks/{id}/uncomplete")
async def uncomplete_task(call: Call) -> web.StreamResponse:
    """Open the task again."""
    ref = call.path("id")
    return await change(call, lambda unit: reopened(unit, call.who, the_writable(unit, call.who, ref)))


def reopened(unit: Unit, who: Principal, task: Task) -> Task:
    """Open `task` again if it has ended."""
    return retry(unit, who, task.key) if task.state in TERMINAL else task
