"""Automations and ingress: this server has rules and sources of its own, which Delega's words do not reach."""

from __future__ import annotations

from aiohttp import web

from taskdeck.dialects.delega.wire import route
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call

_INSTEAD = {"automations": "rules (POST /v1/rules of its own API)", "ingress-sources": "sources (POST /v1/sources)"}


@route("GET", "/automations", Role.ADMIN)
@route("GET", "/ingress-sources", Role.ADMIN)
async def get_nothing(call: Call) -> web.StreamResponse:
    """List none: there are none of Delega's kind."""
    return call.json([])


@route("POST", "/automations", Role.ADMIN)
@route("POST", "/ingress-sources", Role.ADMIN)
@route("PUT", "/automations/{id}", Role.ADMIN)
@route("PUT", "/ingress-sources/{id}", Role.ADMIN)
@route("DELETE", "/automations/{id}", Role.ADMIN)
@route("DELETE", "/ingress-sources/{id}", Role.ADMIN)
async def refuse_to_write(call: Call) -> web.StreamResponse:
    """Refuse, and say what there is instead."""
    kind = next(name for name in _INSTEAD if name in call.request.path)
    raise Invalid(f"{kind} are not available on this server", hint=f"It has {_INSTEAD[kind]}.", code="not_available")
