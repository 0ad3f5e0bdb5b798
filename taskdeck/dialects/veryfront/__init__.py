"""Veryfront: pull-based agent workers that register, claim runs under leases, tell events and complete them."""

from __future__ import annotations

from aiohttp import web

from taskdeck.dialects.dialect import Dialect
from taskdeck.dialects.veryfront import completing, events, leases, runs, workers
from taskdeck.dialects.veryfront.errors import refuse
from taskdeck.dialects.veryfront.words import NAME, needs
from taskdeck.dialects.veryfront.workers import TOKEN_PREFIX
from taskdeck.http.gate import bearer
from taskdeck.http.routes import RouteTable, merged
from taskdeck.service.tokens import SECRET_PREFIX

BODY_LIMIT = 11 * 1024 * 1024


def _secret(request: web.Request) -> str:
    """The deck's own token, in either header. What is none counts as no token: clients cannot but send something."""
    told = bearer(request) or request.headers.get("X-API-Key", "").strip()
    return told if told.startswith((SECRET_PREFIX, TOKEN_PREFIX)) else ""


_routes = RouteTable()
_routes.routes = merged(leases.routes, completing.routes, events.routes, workers.routes, runs.routes)

DIALECT = Dialect(NAME, _routes, refuse, _secret, needs=needs, body_limit=BODY_LIMIT)
