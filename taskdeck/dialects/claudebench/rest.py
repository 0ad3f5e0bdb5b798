"""The other routes over HTTP: one for each method, and those that tell of the server."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.claudebench.catalogue import BY_NAME, described
from taskdeck.dialects.claudebench.errors import InvalidParams, Refusal, json_reply, reply
from taskdeck.dialects.claudebench.methods import Method, run
from taskdeck.dialects.claudebench.rpc import ask_of
from taskdeck.dialects.claudebench.words import STATES, STATUS
from taskdeck.domain.clock import rfc3339
from taskdeck.domain.principal import Role
from taskdeck.domain.states import State
from taskdeck.http.call import Call
from taskdeck.http.routes import PUBLIC, RouteTable

routes = RouteTable()

VERSION = "0.1.0"
"""The version of the original that is spoken."""


def _now(call: Call) -> str:
    return rfc3339(call.deck.clock.now_ms())


def _route(method: Method) -> None:
    """Give `method` its route."""

    @routes.add("POST", method.path, Role.READER)
    async def post_method(call: Call) -> web.StreamResponse:
        """Run the method."""
        try:
            sent = orjson.loads(call.raw)
        except orjson.JSONDecodeError:
            sent = {}
        told: dict[str, Any] = {"success": False}
        try:
            result = await run(method, ask_of(call), sent)
        except InvalidParams as wrong:
            told |= {"error": "Validation failed", "details": wrong.issues, "event": method.name}
            return json_reply(call.request, told, 400)
        except Refusal as refusal:
            told |= {"error": "Internal server error", "event": method.name, "message": refusal.detail}
            return json_reply(call.request, told, 500)
        told = {"success": True, "data": result, "event": method.name, "timestamp": _now(call)}
        return json_reply(call.request, told)


for _method in BY_NAME.values():
    _route(_method)


@routes.add("GET", "/", PUBLIC)
async def get_banner(call: Call) -> web.StreamResponse:
    """Say that the server lives."""
    told = {"status": "healthy", "service": "claudebench", "version": VERSION, "timestamp": _now(call)}
    return json_reply(call.request, told)


@routes.add("GET", "/routes", Role.READER)
async def get_routes(call: Call) -> web.StreamResponse:
    """List the routes of the methods."""
    told = [
        {**_http_route(one), "handler": one.class_name, **({} if one.about is None else {"description": one.about})}
        for one in BY_NAME.values()
    ]
    return json_reply(call.request, {"total": len(told), "routes": told})


@routes.add("GET", "/handlers", Role.READER)
async def get_handlers(call: Call) -> web.StreamResponse:
    """List the methods."""
    told = [_handler(one) for one in BY_NAME.values()]
    return json_reply(call.request, {"total": len(told), "handlers": told})


def _http_route(method: Method) -> dict[str, Any]:
    return {"method": "POST", "path": method.path, "event": method.name}


def _handler(method: Method) -> dict[str, Any]:
    about = {"description": method.about, "persist": method.persist, "rateLimit": method.label}
    shown = {name: value for name, value in about.items() if value is not None}
    return {"event": method.name, "className": method.class_name, **shown, "httpRoute": _http_route(method)}


@routes.add("GET", "/schemas/{event}", Role.READER)
async def get_schema(call: Call) -> web.StreamResponse:
    """Show what a method takes and gives."""
    event = call.path("event")
    method = BY_NAME.get(event)
    if method is None:
        return json_reply(call.request, {"error": "Handler not found", "event": event}, 404)
    shown = described(method)
    schemas = {"input": shown["inputSchema"], "output": shown["outputSchema"]}
    told = {"event": event, "className": method.class_name, "description": method.about or "", "schemas": schemas}
    return json_reply(call.request, told)


@routes.add("GET", "/metrics", Role.READER)
async def get_metrics(call: Call) -> web.StreamResponse:
    """Show how many tasks there are of each status, for Prometheus."""
    counts = dict.fromkeys(STATES, 0)
    for state, count in (await call.deck.stats(call.who))["counts"].items():
        counts[STATUS[State(state)]] += count
    lines = ["# HELP claudebench_tasks Tasks by status.", "# TYPE claudebench_tasks gauge"]
    lines += [f'claudebench_tasks{{status="{status}"}} {count}' for status, count in counts.items()]
    return reply(call.request, "\n".join([*lines, ""]).encode(), "text/plain")
