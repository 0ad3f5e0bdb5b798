"""Delega as the deck speaks it: all of its routes, and how it carries tokens and refuses."""

from __future__ import annotations

from aiohttp import web

# each declares its routes in `wire.table` when it is imported
from taskdeck.dialects.delega import (
    agents,
    automations,
    beside,
    claims,
    delegation,
    finding,
    ingress,
    listing,
    overview,
    projects,
    receiving,
    recurrences,
    tasks,
    webhooks,
)
from taskdeck.dialects.delega.errors import refuse
from taskdeck.dialects.delega.letters import LETTER
from taskdeck.dialects.delega.ruling import telling
from taskdeck.dialects.delega.setup import setups
from taskdeck.dialects.delega.wire import table
from taskdeck.dialects.delega.words import NAME
from taskdeck.dialects.dialect import Dialect
from taskdeck.domain.people import STEWARDS
from taskdeck.http.gate import bearer

__all__ = [
    "DIALECT",
    "agents",
    "automations",
    "beside",
    "claims",
    "delegation",
    "finding",
    "ingress",
    "listing",
    "overview",
    "projects",
    "receiving",
    "recurrences",
    "tasks",
    "webhooks",
]


def _secret(request: web.Request) -> str:
    """The key that a request carries, in Delega's own header or as a bearer's."""
    return request.headers.get("X-Agent-Key", "").strip() or bearer(request)


DIALECT = Dialect(
    NAME,
    table,
    refuse,
    secret=_secret,
    groups=frozenset({STEWARDS}),
    letter=LETTER,
    telling=telling,
    setups=setups,
)
