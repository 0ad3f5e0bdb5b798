"""Stride as the deck speaks it: all of its routes, and how it carries tokens and refuses."""

from __future__ import annotations

from taskdeck.dialects.dialect import Dialect
from taskdeck.dialects.stride import claiming, finishing, goals, onboarding, producing, reading, uploading
from taskdeck.dialects.stride.errors import bearer, refuse
from taskdeck.dialects.stride.paths import forgiving
from taskdeck.dialects.stride.words import NAME
from taskdeck.http.routes import RouteTable

MAX_BODY = 12 * 1024 * 1024
"""Bytes of the longest body: the diffs of a task, packed into base64."""

MOST_FAILURES = 20
"""Calls without a good token in a minute, from one address, before it is told to wait."""


def _routes() -> RouteTable:
    table = RouteTable()
    for module in (claiming, finishing, producing, goals, uploading, reading, onboarding):
        table.routes += module.routes.routes
    return forgiving(table)


DIALECT = Dialect(NAME, _routes(), refuse, secret=bearer, body_limit=MAX_BODY, most_failures=MOST_FAILURES)
