"""The route table: every route with who may call it and what it takes.

A route that does not say who may call it cannot be built; `PUBLIC` says that anyone may, without a token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taskdeck.domain.principal import Role
from taskdeck.http.models import Body, NoQuery, Query

if TYPE_CHECKING:
    from aiohttp import web

    from taskdeck.http.call import Call

Handler = Callable[["Call"], Awaitable["web.StreamResponse"]]


class Public:
    """Anyone may call it."""


PUBLIC: Final = Public()


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `role` is the least that may call it; `body` None means that it takes none, or with `raw` any JSON.

    It answers `success` when it has done what it says, `already` when that was so before, if it can be.
    """

    method: str
    path: str
    role: Role | Public
    handler: Handler
    summary: str
    body: type[Body] | None
    alternative: type[Body] | None
    query: type[Query]
    success: int
    already: int | None = None
    raw: bool = False


class RouteTable:
    """Routes as they are declared beside their handlers."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def add(
        self,
        method: str,
        path: str,
        role: Role | Public,
        *,
        body: type[Body] | None = None,
        alternative: type[Body] | None = None,
        query: type[Query] = NoQuery,
        success: int = 200,
        already: int | None = None,
        raw: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a route; its summary is the first line of the handler's docstring."""

        def declare(handler: Handler) -> Handler:
            summary = (handler.__doc__ or "").strip().splitlines()[0]
            self.routes.append(
                Route(method, path, role, handler, summary, body, alternative, query, success, already, raw)
            )
            return handler

        return declare


def merged(*tables: RouteTable) -> list[Route]:
    """All routes of `tables`.

    Raises:
        ValueError: two routes have the same method and path.
    """
    seen: set[tuple[str, str]] = set()
    routes: list[Route] = []
    for table in tables:
        for route in table.routes:
            if (route.method, route.path) in seen:
                raise ValueError(f"{route.method} {route.path} is declared twice")
            seen.add((route.method, route.path))
            routes.append(route)
    return routes
