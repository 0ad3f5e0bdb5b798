"""One call of a route: who calls, what was asked, and the ways to answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from aiohttp import web

from taskdeck.domain.principal import Principal
from taskdeck.http.models import Body, Query
from taskdeck.http.wire import JSON, body
from taskdeck.service.deck import Deck
from taskdeck.service.once import OnceKey, Render, Reply
from taskdeck.store.unit import Unit

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)


@dataclass(slots=True)
class Call:
    """A request that was let in: authenticated, entitled, parsed."""

    request: web.Request
    deck: Deck
    who: Principal
    request_id: str
    parsed: Body | None
    query: Query
    once: OnceKey | None
    raw: bytes
    """The body as it came."""
    act: str = ""
    """What its change is one part of, where the caller does the same to several tasks."""

    def body(self, model: type[B]) -> B:
        """The parsed body, which the route declared to be a `model`."""
        return cast(B, self.parsed)

    def params(self, model: type[Q]) -> Q:
        """The parsed query, which the route declared to be a `model`."""
        return cast(Q, self.query)

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    async def write(self, work: Callable[[Unit], Any], render: Render, *, long: bool = False) -> web.Response:
        """Do `work` (once, if the call carries an Idempotency-Key) and reply with what `render` makes of it.

        It is `long` if it may take more than a few milliseconds, see `Writer.submit`.
        """
        return self.reply(*await self.answer(work, render, long=long))

    def answer(self, work: Callable[[Unit], Any], render: Render, *, long: bool = False) -> Awaitable[Reply]:
        """Like `write`, without making a response of the answer."""
        done = _within(self.act, work) if self.act else work
        return self.deck.answer(done, render, self.once, long=long)

    def json(self, document: Any, status: int = 200) -> web.Response:
        """`document` as the reply."""
        return self.reply(status, body(document))

    def reply(self, status: int, content: bytes) -> web.Response:
        return web.Response(status=status, body=content, content_type=JSON, headers={"X-Request-Id": self.request_id})


def _within(act: str, work: Callable[[Unit], Any]) -> Callable[[Unit], Any]:
    """`work`, its events marked as a part of `act`."""

    def marked(unit: Unit) -> Any:
        unit.act = act
        return work(unit)

    return marked
