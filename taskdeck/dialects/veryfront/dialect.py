"""Veryfront as the deck speaks it: all of its routes, and how it carries tokens and refuses."""

from __future__ import annotations

from taskdeck.dialects.dialect import Dialect
from taskdeck.dialects.veryfront import completing, events, finalizing, leases, runs, sessions, workers
from taskdeck.dialects.veryfront.credentials import secret_of
from taskdeck.dialects.veryfront.errors import refuse
from taskdeck.dialects.veryfront.words import NAME
from taskdeck.http.routes import RouteTable, merged

BODY_LIMIT = 11 * 1024 * 1024


_routes = RouteTable()
_routes.routes = merged(
    *(module.routes for module in (leases, completing, events, sessions, finalizing, workers, runs))
)

DIALECT = Dialect(NAME, _routes, refuse, secret_of, body_limit=BODY_LIMIT)
