"""Runs told of and ended with the credentials of their claim, as later clients do it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.dialects.veryfront import errors
from taskdeck.dialects.veryfront.attempts import Attempt, the_run
from taskdeck.dialects.veryfront.completing import end_run
from taskdeck.dialects.veryfront.credentials import Credential, read_credential
from taskdeck.dialects.veryfront.events import append_to, batch
from taskdeck.dialects.veryfront.models import Complete, Finalize, read, text_of
from taskdeck.dialects.veryfront.shapes import canonical
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.gate import bearer
from taskdeck.http.routes import PUBLIC, RouteTable
from taskdeck.http.wire import Reply, body
from taskdeck.store.unit import Unit

routes = RouteTable()

TERMINAL_TOKEN = "X-Veryfront-Run-Terminal-Token"  # noqa: S105  (a header's name)


def _reply(document: dict[str, Any]) -> Reply:
    return 200, body(document)


@routes.add("POST", "/runs/{run_id}/events", PUBLIC)
async def append_with_token(call: Call) -> web.StreamResponse:
    """Append events to the run whose event token the call carries."""
    held = _credential(call, bearer(call.request))
    asked, fault = batch(call.raw)

    def work(unit: Unit) -> dict[str, Any]:
        task, fence = the_run(unit, held.owner, held.run)
        if fault is not None:
            raise fault
        return append_to(unit, held.owner, held.run, task, fence, *asked)

    return await call.write(work, _reply)


@routes.add("POST", "/runs/{run_id}/finalize", Role.AGENT)
async def finalize(call: Call) -> web.StreamResponse:
    """End a run as completed or failed with its terminal token."""
    held, asked = terminal_credential(call), read(Finalize, call.raw)
    error = asked.error
    told = Complete(
        status=asked.status,
        terminal_error_code=None if error is None else error.code,
        terminal_error_message=None if error is None else error.message,
    )
    output = None if asked.output is None else text_of(asked.output, "output")
    return await call.write(lambda unit: canonical(_end(unit, held, told, output)), _reply)


async def cancel_with_token(call: Call) -> web.StreamResponse:
    """Cancel a run with its terminal token: what its worker does under its lease."""
    held, told = terminal_credential(call), Complete(status="cancelled")

    def work(unit: Unit) -> dict[str, Any]:
        return {"cancelled": True, "run": canonical(_end(unit, held, told, None))}

    return await call.write(work, _reply)


def _end(unit: Unit, held: Credential, told: Complete, output: str | None) -> Attempt:
    task, fence = the_run(unit, held.owner, held.run)
    if fence is None:
        raise errors.lease_lost()
    return end_run(unit, held.owner, held.run, task, fence, told, output)


def terminal_credential(call: Call) -> Credential:
    """The credential in the header of its own."""
    return _credential(call, call.request.headers.get(TERMINAL_TOKEN, ""))


def _credential(call: Call, text: str) -> Credential:
    return read_credential(call.deck.keyring, text, call.path("run_id"), call.deck.clock.now_ms())
