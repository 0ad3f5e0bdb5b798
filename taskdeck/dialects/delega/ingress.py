"""Ingress: this server has inbound sources of its own, which are signed in other ways than Delega's."""

from __future__ import annotations

from aiohttp import web

from taskdeck.dialects.delega.wire import route
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call


@route("GET", "/ingress-sources", Role.ADMIN)
async def get_sources(call: Call) -> web.StreamResponse:
    """List none: there are none of Delega's kind."""
    return call.json([])


@route("POST", "/ingress-sources", Role.ADMIN)
@route("PUT", "/ingress-sources/{id}", Role.ADMIN)
@route("DELETE", "/ingress-sources/{id}", Role.ADMIN)
async def refuse_to_write(_call: Call) -> web.StreamResponse:
    """Refuse, and say what there is instead."""
    raise Invalid(
        "ingress sources are not available on this server",
        hint="It has inbound sources of its own: POST /v1/sources of its API.",
        code="not_available",
    )
