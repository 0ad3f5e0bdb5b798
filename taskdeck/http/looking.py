"""Routes to look at the deck as a whole: stats, health, readiness."""

from __future__ import annotations

import shutil

from aiohttp import web

from taskdeck import __version__
from taskdeck.domain.errors import DeckError
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.models import Limit, Query
from taskdeck.http.routes import PUBLIC, RouteTable
from taskdeck.service.attention import attention

routes = RouteTable()


class StatsQuery(Query):
    """With `hour`, how each project has done in the last 60 minutes."""

    hour: bool = False


class AttentionQuery(Query):
    """Of one project, or of all the caller may see."""

    project: str | None = None
    limit: Limit = 50


LEAST_FREE_BYTES = 4 << 20
"""With less on the disk a write may find no room: the longest body, and what its change takes beside."""
_ALL_WELL = {"writer": "ok", "reader": "ok", "disk": "ok", "draining": "no", "breaker": "closed"}


@routes.add("GET", "/v1/stats", Role.READER, query=StatsQuery)
async def get_stats(call: Call) -> web.StreamResponse:
    """The vital signs: counts, rates, waits, workers, the age of the oldest ready task."""
    hour = call.params(StatsQuery).hour
    return call.json({"version": __version__, **await call.deck.stats(call.who, hour=hour)})


@routes.add("GET", "/v1/attention", Role.READER, query=AttentionQuery)
async def get_attention(call: Call) -> web.StreamResponse:
    """What needs a human now, most urgent first, each with its reason and the best next act."""
    asked, deck = call.params(AttentionQuery), call.deck
    return call.json(
        await attention(
            deck.reader, call.who, deck.order, deck.heard_since, deck.clock.now_ms(), asked.project, asked.limit
        )
    )


@routes.add("GET", "/healthz", PUBLIC)
async def healthz(call: Call) -> web.StreamResponse:
    """Say that the process lives."""
    return call.json({"status": "ok"})


@routes.add("GET", "/readyz", PUBLIC)
async def readyz(call: Call) -> web.StreamResponse:
    """Say whether the deck gives out work: it can write, read, has room on its disk, and is not stopping."""
    checks = dict(_ALL_WELL)
    try:
        await call.deck.write(lambda unit: None, long=True)  # a disk that hangs must not keep this reply
    except DeckError as error:
        checks["writer"] = error.detail
    try:
        await call.deck.reader.rows("SELECT 1")
    except DeckError as error:
        checks["reader"] = error.detail
    if (free := shutil.disk_usage(call.deck.folder).free) < LEAST_FREE_BYTES:
        checks["disk"] = f"{free} bytes free"
    if call.deck.draining:
        checks["draining"] = "yes"
    checks["breaker"] = call.deck.breaker.state
    ready = checks == _ALL_WELL
    return call.json({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)
