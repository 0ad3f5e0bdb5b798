"""Claiming a human task, for oneself or for somebody outside, and giving it back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from taskdeck.dialects.conductor.entry import entry
from taskdeck.dialects.conductor.errors import bad_request
from taskdeck.dialects.conductor.log import fresh, log_of, up_to_claim
from taskdeck.dialects.conductor.reading import form_of, groups_of, known, shown
from taskdeck.dialects.conductor.wire import NOTHING, asked, void
from taskdeck.dialects.conductor.words import MAX_NAME, UserType, name_of, user_of
from taskdeck.domain.errors import Conflict, Forbidden, NotEligible, WrongState
from taskdeck.domain.forms import Form
from taskdeck.domain.people import directs, for_people
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import NO_END, Task
from taskdeck.domain.worker import Kind
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import body
from taskdeck.service.assignments import histories
from taskdeck.service.claim import claim, held
from taskdeck.service.find import the_task
from taskdeck.service.once import Reply
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest
from taskdeck.service.workers import register_worker
from taskdeck.store.unit import Unit

routes = RouteTable()


@routes.add("POST", "/api/human/tasks/{taskId}/claim", Role.AGENT)
async def claim_task(call: Call) -> web.StreamResponse:
    """Claim a task as who calls."""
    return await _claim(call, call.who.worker or call.who.name, None)


@routes.add("POST", "/api/human/tasks/{taskId}/externalUser/{userId:.+}", Role.AGENT)
async def claim_for_outsider(call: Call) -> web.StreamResponse:
    """Claim a task for somebody whom the calling application alone knows."""
    user = call.path("userId")
    name = name_of(UserType.OUTSIDER, user)
    if not user.isprintable() or len(name) > MAX_NAME:
        raise bad_request(f"the user id is too long by {len(name) - MAX_NAME} characters, or not printable")
    return await _claim(call, name, user)


@routes.add("POST", "/api/human/tasks/{taskId}/release", Role.AGENT)
async def release_task(call: Call) -> web.StreamResponse:
    """Give a task back."""

    def work(unit: Unit) -> Task:
        task = the_task(unit, call.who, call.path("taskId"))
        if task.state is not State.CLAIMED or task.lapsed:
            raise WrongState(f"Human task {task.id} is not claimed by anyone")
        return release(unit, call.who, task.id, task.fence)

    await call.deck.answer(work, lambda _: NOTHING, call.once)
    return void(call)


@dataclass(frozen=True, slots=True)
class Taken:
    """A task that was claimed, when it had last changed before, and its form if that is to be shown."""

    task: Task
    changed: int
    form: Form | None
    override: bool


async def _claim(call: Call, worker: str, outsider: str | None) -> web.StreamResponse:
    override, with_template = asked(call, "overrideAssignment"), asked(call, "withTemplate")
    kept: list[Taken] = []

    def work(unit: Unit) -> Taken:
        task = the_task(unit, call.who, call.path("taskId"))
        changed = task.updated_at
        overriding = override and _overrides(task, call.who)
        _take(unit, call, task, worker, outsider, override=overriding)
        return Taken(task, changed, form_of(unit, task) if with_template else None, overriding)

    def render(taken: Taken) -> Reply:
        task = taken.task
        if task.version > _CLAIMED_AT_ONCE:
            kept.append(replace(taken, task=replace(task)))  # its history is read when the claim is on disk
            return NOTHING
        log = fresh(task, groups_of(call.deck, task))
        log.claim(task.updated_at, worker, override=taken.override)
        log.changed_by = call.who.name
        return 200, body(entry(task, log, taken.form, updated_on=taken.changed))

    status, content = await call.deck.answer(work, render, call.once)
    if content:
        return call.reply(status, content)
    if not kept:  # told before, under the same key
        return await shown(call, await known(call), with_template=with_template)
    taken = kept[-1]
    task = taken.task
    history = (await histories(call.deck.reader, [task.number]))[task.number]
    log = log_of(task, up_to_claim(history, task.fence), groups_of(call.deck, task))
    return call.json(entry(task, log, taken.form, updated_on=taken.changed))


_CLAIMED_AT_ONCE = 2
"""The version of a task that was claimed before anything else happened to it."""


def _overrides(task: Task, who: Principal) -> bool:
    """Whether there is an assignment to override, and something that an override changes."""
    assignee = task.bucket.assignee
    return assignee is not None and (for_people(task) or assignee not in {who.name, *who.groups} or directs(who, task))


def _take(unit: Unit, call: Call, task: Task, worker: str, outsider: str | None, *, override: bool) -> None:
    """Claim `task`; whoever holds it already is refused too.

    Raises:
        Conflict: it is claimed, or assigned to another and not overridden by one who may.
        Forbidden: it is assigned to another, and the caller has no say in it.
    """
    if task.state is State.CLAIMED and not task.lapsed:
        raise held(task)
    who = call.who
    behalf = frozenset[str]() if outsider is None else _stands_for(call, task, outsider)
    registered = unit.mirror.workers.get(worker)
    if registered is None or registered.kind is not Kind.HUMAN:
        register_worker(unit, who, worker, kind=Kind.HUMAN)
    request = ClaimRequest(
        worker,
        ref=task.id,
        lease_ms=NO_END,
        override_reason=_REASON if override else None,
        on_behalf_of=behalf,
    )
    try:
        claim(unit, who, request)
    except NotEligible as error:
        assignee = task.bucket.assignee
        if assignee is None or assignee in {who.name, *who.groups} | behalf:
            raise
        if not directs(who, task):
            raise Forbidden(f"{who.name} may not claim human task {task.id}: {error.detail}") from None
        raise Conflict(
            f"Human task {task.id} is assigned to {assignee}; claim it with overrideAssignment=true",
            code="not_eligible",
        ) from None


_REASON = "overrideAssignment"


def _stands_for(call: Call, task: Task, outsider: str) -> frozenset[str]:
    """The names that somebody outside may be meant by: its own, a user's of that id, and groups it is in.

    Who is in a group outside, the deck cannot know: who claims says so.
    """
    groups = {g for t in call.deck.keyring.all() if t.principal.name == outsider for g in t.principal.groups}
    assignee = task.bucket.assignee or ""
    outside = {assignee} if user_of(assignee, frozenset())["userType"] == UserType.OUTSIDE_GROUP else set()
    return frozenset({name_of(UserType.OUTSIDER, outsider), outsider} | groups | outside)
