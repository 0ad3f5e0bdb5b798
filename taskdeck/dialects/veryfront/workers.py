"""Workers: registering with a token of their own, signs of life, the list of them, disabling."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.dialects.veryfront import errors, words
from taskdeck.dialects.veryfront.credentials import WORKER_PREFIX
from taskdeck.dialects.veryfront.models import Register, an_id, read
from taskdeck.dialects.veryfront.shapes import connection, worker_document
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.domain.errors import Forbidden
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.worker import Worker
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Reply, body
from taskdeck.service.attend import attend
from taskdeck.service.extra import extra_of
from taskdeck.service.find import the_project, the_worker
from taskdeck.service.projects import create_project
from taskdeck.service.reads import all_workers
from taskdeck.service.tokens import create_worker_token, revoke_worker_tokens
from taskdeck.service.workers import drain_worker, register_worker
from taskdeck.store.unit import Unit

routes = RouteTable()

HEARTBEAT_MS = 45_000
"""After two of these without a sign of life a worker counts as gone, here and in the deck."""
_MAX_REFERENCE = 128


@routes.add("POST", "/agent-workers/projects/{project_reference}/workers", Role.AGENT, success=201)
async def register(call: Call) -> web.StreamResponse:
    """Register a worker by its kind and key, or change what it says of itself; each time it gets a further token."""
    refuse_worker_token(call.who, "registers no workers")
    asked, reference = read(Register, call.raw), call.path("project_reference")
    made: dict[str, object] = {}

    def work(unit: Unit) -> Worker:
        project = the_project_of(unit, call.who, reference)
        identity = words.worker_id(project, asked.implementation_kind, asked.worker_key)
        known = unit.mirror.workers.get(identity)
        told: dict[str, Any] = {} if known is None else extra_of(known, NAME)
        again = bool(told.get("disabled"))
        told = told | asked.given() | {"project": project, "updated_at": unit.now, "disabled": False}
        told |= {"implementation_kind": asked.implementation_kind, "worker_key": asked.worker_key}
        worker, _ = register_worker(
            unit,
            call.who,
            identity,
            capabilities=words.abilities(asked.implementation_kind, asked.worker_key),
            heartbeat_ms=HEARTBEAT_MS,
            label=told.get("display_name") or asked.worker_key,
            extra=told,
        )
        if again:
            worker = drain_worker(unit, call.who, identity, draining=False)
        _, secret = create_worker_token(unit, call.deck.keyring, call.who, identity, prefix=WORKER_PREFIX)
        made.update(worker=worker_document(worker), token=secret)
        return worker

    # what is kept for a repetition must not hold the secret
    repeated = await call.write(work, lambda worker: (201, body({"worker": worker_document(worker), "token": None})))
    return call.json(made, 201) if made else repeated


@routes.add("POST", "/agent-workers/workers/{worker_id}/heartbeat", Role.AGENT)
async def heartbeat(call: Call) -> web.StreamResponse:
    """Note that a worker lives; its leases stay as they are."""
    identity = worker_named(call)

    def render(worker: Worker) -> Reply:
        return 200, body({"worker": worker_document(worker), "token": None})

    return await call.write(lambda unit: the_agent(unit, call.who, identity), render)


@routes.add("GET", "/agent-workers/projects/{project_reference}/workers", Role.READER)
async def list_workers(call: Call) -> web.StreamResponse:
    """List a project's workers, and whether each is there."""
    refuse_worker_token(call.who, "lists no workers")
    name = words.project_name(call.path("project_reference"))
    ids = (call.path("project_reference").lower(), words.project_id(name))
    now = call.deck.clock.now_ms()
    found = [
        worker_document(worker) | {"connection_status": connection(worker, now)}
        for worker in await all_workers(call.deck.reader)
        if (project := extra_of(worker, NAME).get("project"))
        and words.project_id(project) in ids
        and call.who.sees(project)
    ]
    return call.json({"data": found})


@routes.add("DELETE", "/agent-workers/workers/{worker_id}", Role.AGENT)
async def disable(call: Call) -> web.StreamResponse:
    """Disable a worker: its tokens open nothing, it is given no more work, and what it holds runs to its end."""
    refuse_worker_token(call.who, "disables no workers")
    identity = worker_named(call)

    def work(unit: Unit) -> Worker:
        worker = _registered(unit, call.who, identity)
        told = extra_of(worker, NAME)
        if told["disabled"]:
            return worker
        revoke_worker_tokens(unit, call.deck.keyring, call.who, identity)
        told = told | {"disabled": True, "updated_at": unit.now}
        register_worker(unit, call.who, identity, extra=told)
        return drain_worker(unit, call.who, identity)

    return await call.write(work, lambda worker: (200, body({"worker": worker_document(worker)})))


def worker_named(call: Call) -> str:
    """The id in the path.

    Raises:
        Problem: it is none.
    """
    return an_id(call.path("worker_id"), "worker_id")


def the_agent(unit: Unit, who: Principal, identity: str) -> Worker:
    """The worker that calls, heard of now.

    Raises:
        NotFound: no such worker has registered here.
        Forbidden: it is another's, or disabled.
    """
    worker = _registered(unit, who, identity)
    if extra_of(worker, NAME)["disabled"]:
        raise Forbidden("this worker is disabled", hint="Register it again to let it work.")
    attend(unit, who, identity)
    return unit.mirror.workers[identity]


def _registered(unit: Unit, who: Principal, identity: str) -> Worker:
    worker = the_worker(unit, who, identity)
    if not extra_of(worker, NAME):  # one of the deck's own that happens to be called so
        raise errors.unknown("worker", identity)
    return worker


def the_project_of(unit: Unit, who: Principal, reference: str) -> str:
    """The name of the project that `reference` (a name, or an id made of one) means; an operator who asks makes it.

    Raises:
        NotFound, Problem: there is none.
        Forbidden: `who` is let into certain projects only.
    """
    if not 1 <= len(reference) <= _MAX_REFERENCE or "\0" in reference:
        raise errors.invalid(f"a project reference has 1 to {_MAX_REFERENCE} characters")
    if words.UUID_TEXT.fullmatch(reference):
        found = next((name for name in unit.mirror.projects if words.project_id(name) == reference.lower()), None)
        if found is None:
            raise errors.unknown("project", reference)
        return the_project(unit, who, found).name
    name = words.project_name(reference)
    if name in unit.mirror.projects or not who.is_operator():
        return the_project(unit, who, name).name
    return create_project(unit, who, name, None, {} if name == reference else {"description": reference}).name


def refuse_worker_token(who: Principal, what: str) -> None:
    """Refuse what is not for a worker's own token.

    Raises:
        Forbidden: it is one.
    """
    if who.worker is not None:
        raise Forbidden(f"a worker's token {what}", hint="Use an API token.")
