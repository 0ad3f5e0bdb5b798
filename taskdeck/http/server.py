"""Routes behind the gate, where they are served, and an honest answer for what is no route."""

from __future__ import annotations

import re
from functools import cache, partial

from aiohttp import web
from pydantic import ConfigDict

from taskdeck.http import holding, tasks
from taskdeck.http.call import Call
from taskdeck.http.gate import Gate
from taskdeck.http.late import Late
from taskdeck.http.models import Query
from taskdeck.http.routes import PUBLIC, Public, Route
from taskdeck.http.wire import Problem
from taskdeck.loading import loading
from taskdeck.service.near import near

KEEPALIVE_S = 75.0
"""A connection that has sent no whole request head for so long is closed."""
LINGER_S = 2.0
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def build(gate: Gate, *, body_limit: int) -> web.Application:
    """The aiohttp application of the native API. Bodies are at most `body_limit` bytes.

    What makes, shows and holds tasks is served at once; with any other request comes all that there is.
    """
    app = web.Application(client_max_size=body_limit)
    for table in (holding.routes, tasks.routes):
        mount(app.router, gate, table.routes)
    app.router.register_resource(Late("", partial(_fill, gate)))
    return app


def _fill(gate: Gate, router: web.UrlDispatcher) -> None:
    """Serve all of the native API, and answer whatever else is asked."""
    with loading():
        from taskdeck.http.native import all_routes

    routes = all_routes()
    mount(router, gate, routes)
    close(router, gate, routes)


def mount(router: web.UrlDispatcher, gate: Gate, routes: list[Route], prefix: str = "") -> None:
    """Serve `routes` below `prefix`."""
    for route in routes:
        router.add_route(route.method, prefix + route.path, gate.guard(route))
        if route.method == "GET" and isinstance(route.role, Public):  # monitors ask by HEAD
            router.add_route("HEAD", prefix + route.path, gate.guard(route))


def close(router: web.UrlDispatcher, gate: Gate, routes: list[Route], prefix: str = "") -> None:
    """Answer whatever else is asked below `prefix`. What is mounted after it is never reached there."""
    for method in _METHODS:
        router.add_route(method, f"{prefix}/{{path:.*}}", gate.guard(_no_route(method, routes, prefix)))


class _AnyQuery(Query):
    model_config = ConfigDict(extra="ignore")


def _no_route(method: str, routes: list[Route], prefix: str) -> Route:
    """What answers a path that is not there, or not for this method."""

    async def handler(call: Call) -> web.StreamResponse:
        path = call.request.path
        below = path.removeprefix(prefix)
        allowed = ", ".join(sorted({route.method for route in routes if _pattern(route.path).fullmatch(below)}))
        if allowed:
            raise Problem(
                405,
                "method_not_allowed",
                f"{path[:200]} does not take {method}",
                f"It takes {allowed}.",
                headers={"Allow": allowed},
            )
        raise Problem(404, "not_found", f"there is no {path[:200]}", _way_out(method, below, routes, prefix))

    return Route(method, "/{path}", PUBLIC, handler, "No such route.", None, None, _AnyQuery, 404)


def _way_out(method: str, below: str, routes: list[Route], prefix: str) -> str:
    """What to do for who asked for a path that is not there: routes that look like it, those of its method first."""
    all_of_them = "GET /openapi.json lists what the deck's own API has."
    by_path: dict[str, list[str]] = {}
    for route in routes:
        by_path.setdefault(route.path, []).append(route.method)
    close = near(below, by_path, limit=6)
    close.sort(key=lambda found: method not in by_path[found])
    if not close:
        return all_of_them
    named = ", ".join(f"{'|'.join(sorted(by_path[found]))} {prefix}{found}" for found in close[:3])
    return f"Near it: {named}. {all_of_them}"


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """What a path with names in it looks like: a name is one part of it, unless it says what it is."""
    return re.compile(re.sub(r"\{\w+(?::([^{}]+))?\}", lambda name: name[1] or "[^/]+", path))
