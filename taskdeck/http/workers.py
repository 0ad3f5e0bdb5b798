"""Routes of workers and leases."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.http import cursor
from taskdeck.http.call import Call
from taskdeck.http.models import Nothing, ms
from taskdeck.http.routes import RouteTable
from taskdeck.http.tokens import with_secret
from taskdeck.http.wire import Reply, body, lease_row
from taskdeck.http.worker_models import Drain, LeaseQuery, RegisterWorker, WorkerHeartbeat
from taskdeck.service.find import unknown_worker
from taskdeck.service.leave import leave
from taskdeck.service.reads import View, list_workers, shown_worker
from taskdeck.service.signals import signal_to
from taskdeck.service.tokens import create_worker_token
from taskdeck.service.workers import delete_worker, drain_worker, register_worker, worker_heartbeat
from taskdeck.store.listing import list_leases, page
from taskdeck.store.unit import Unit

routes = RouteTable()


@routes.add("GET", "/v1/leases", Role.READER, query=LeaseQuery)
async def get_leases(call: Call) -> web.StreamResponse:
    """List the claims there are: lapsed ones first, then those that end soonest."""
    asked = call.params(LeaseQuery)
    after = cursor.decode("leases", 3, asked.cursor)
    place = None if after is None else (after[0], after[1], after[2])
    found = await list_leases(call.deck.reader, call.who.projects, place, asked.limit + 1)
    shown, more = page(found, asked.limit)
    last = shown[-1] if more else None
    next_cursor = last and cursor.encode("leases", (int(last.lapsed), last.expires_at or 0, last.number))
    return call.json({"leases": [lease_row(task) for task in shown], "next_cursor": next_cursor})


@routes.add("GET", "/v1/workers", Role.READER)
async def get_workers(call: Call) -> web.StreamResponse:
    """List the workers with how alive they are, how much they hold and what they have completed of late."""
    deck, now = call.deck, call.deck.clock.now_ms()
    found = await list_workers(deck.reader, deck.heard_since, now)
    return call.json({"workers": [_paced(call, one, now) for one in found]})


def _paced(call: Call, worker: View, now: int) -> View:
    return {**worker, "completions_by_minute": call.deck.figures.tallies.pace(worker["id"], now)}


@routes.add("GET", "/v1/workers/{id}", Role.READER)
async def get_worker(call: Call) -> web.StreamResponse:
    """Show a worker with what it holds and what it has done."""
    deck, name, now = call.deck, call.path("id"), call.deck.clock.now_ms()
    found = await list_workers(deck.reader, deck.heard_since, now, name)
    if not found:
        raise unknown_worker(name)
    return call.json({**_paced(call, found[0], now), "metrics": deck.figures.tallies.view(name, now)})


@routes.add("POST", "/v1/workers", Role.AGENT, body=RegisterWorker, success=201, already=200)
async def post_worker(call: Call) -> web.StreamResponse:
    """Register a worker, or change what it said of itself."""
    asked = call.body(RegisterWorker)

    def work(unit: Unit) -> tuple[View, bool]:
        worker, new = register_worker(
            unit,
            call.who,
            asked.id,
            kind=asked.kind,
            capabilities=asked.capabilities,
            heartbeat_ms=ms(asked.heartbeat_seconds),
            label=asked.label,
            roles=asked.roles,
            instance=asked.instance,
            client=asked.client,
        )
        return shown_worker(unit, worker), new

    return await call.write(work, lambda shown: (201 if shown[1] else 200, body(shown[0])))


def _reply(shown: View) -> Reply:
    return 200, body(shown)


@routes.add("POST", "/v1/workers/{id}/heartbeat", Role.AGENT, body=WorkerHeartbeat)
async def heartbeat_worker(call: Call) -> web.StreamResponse:
    """Note that a worker lives; its leases are renewed by heartbeats of its tasks."""
    name, asked = call.path("id"), call.body(WorkerHeartbeat)

    def work(unit: Unit) -> View:
        shown = shown_worker(unit, worker_heartbeat(unit, call.who, name, asked.state, asked.detail))
        return shown | {"signal": signal_to(unit, name, stopping=call.deck.draining)}

    return await call.write(work, _reply)


@routes.add("POST", "/v1/workers/{id}/leave", Role.AGENT, body=Nothing)
async def post_leave(call: Call) -> web.StreamResponse:
    """Go in good order: what the worker holds goes back to the queue, unspent, and it counts as offline."""
    name = call.path("id")

    def work(unit: Unit) -> View:
        worker, released = leave(unit, call.who, name)
        return shown_worker(unit, worker) | {"released": released}

    return await call.write(work, _reply)


@routes.add("POST", "/v1/workers/{id}/tokens", Role.AGENT, body=Nothing, success=201)
async def post_worker_token(call: Call) -> web.StreamResponse:
    """Make a token that acts as this worker alone. Its secret is shown in the first reply alone."""
    name = call.path("id")
    return await with_secret(call, lambda unit: create_worker_token(unit, call.deck.keyring, call.who, name))


@routes.add("POST", "/v1/workers/{id}/drain", Role.OPERATOR, body=Drain)
async def post_drain(call: Call) -> web.StreamResponse:
    """Give a worker no more work; it may finish what it holds."""
    name, asked = call.path("id"), call.body(Drain)
    return await call.write(
        lambda unit: shown_worker(unit, drain_worker(unit, call.who, name, draining=asked.draining)), _reply
    )


@routes.add("DELETE", "/v1/workers/{id}", Role.OPERATOR)
async def remove_worker(call: Call) -> web.StreamResponse:
    """Forget a worker that holds nothing."""
    name = call.path("id")
    return await call.write(
        lambda unit: delete_worker(unit, call.who, name), lambda worker: (200, body({"deleted": worker.id}))
    )
