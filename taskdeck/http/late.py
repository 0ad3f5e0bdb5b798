"""Routes that are put together when one of them is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from aiohttp import web


class Late(web.PlainResource):
    """What is below `prefix`: `fill` adds it to a router of its own, at the first request that leads there.

    If `fill` raises, that request is answered with 500 and the error logged, and the next one tries anew.
    """

    def __init__(self, prefix: str, fill: Callable[[web.UrlDispatcher], None]) -> None:
        super().__init__(prefix)
        self._fill = fill

    @cached_property
    def router(self) -> web.UrlDispatcher:
        """The routes, whole."""
        router = web.UrlDispatcher()
        self._fill(router)
        router.freeze()
        return router

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        found = await self.router.resolve(request)
        return (None if found.http_exception else found), set()
