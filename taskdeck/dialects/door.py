"""The gate before a dialect's routes, and where they are mounted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from aiohttp import web

from taskdeck.dialects.dialect import Dialect
from taskdeck.dialects.failures import WITHIN_MS, Failures
from taskdeck.domain.errors import DeckError
from taskdeck.domain.principal import Principal
from taskdeck.http.gate import Gate
from taskdeck.http.models import NoQuery, Query
from taskdeck.http.routes import Route
from taskdeck.http.server import close, mount
from taskdeck.http.wire import Problem
from taskdeck.service.deck import Deck

_NO_QUERY = NoQuery()


class Door(Gate):
    """Lets calls of one dialect through, each marked with its name, and refuses in the dialect's words.

    With `opened`, calls without a token act as the dialect's own principal; it is for the caller to see that only this
    machine reaches the door then.
    """

    def __init__(
        self,
        deck: Deck,
        dialect: Dialect,
        *,
        opened: bool = False,
        local: Principal | None = None,
        hosts: Iterable[str] = (),
        body_deadline_s: float = 15.0,
    ) -> None:
        super().__init__(deck, local=local, hosts=hosts, body_deadline_s=body_deadline_s, via=dialect.name)
        self._dialect = dialect
        self._failures = Failures()
        self._guest = Principal(dialect.name, dialect.open_role) if opened else None

    def secret(self, request: web.Request) -> str:
        return self._dialect.secret(request)

    def nobody(self) -> Principal | None:
        return self._guest

    def known_as(self, who: Principal) -> Principal:
        return _by(who, self._dialect.name, self._dialect.groups)

    def query(self, _route: Route, _request: web.Request) -> Query:
        """Nothing: a dialect reads its queries itself."""
        return _NO_QUERY

    async def body(self, request: web.Request) -> bytes:
        size, usual = request.content_length, request.client_max_size
        if self._dialect.body_limit > usual and (size is None or size > usual) and self._knows(request):
            request = request.clone(client_max_size=self._dialect.body_limit)
        return await super().body(request)

    def _knows(self, request: web.Request) -> bool:
        """Whether somebody known calls: nobody else sends long bodies to the routes that all may call."""
        secret = self.secret(request)
        known = self._deck.authenticate(secret, self._via) if secret else self.nobody()
        return known is not None or self.local(request) is not None

    def may_call(self, origin: str, host: str) -> bool:
        return origin in self._dialect.origins or super().may_call(origin, host)

    def refusal(self, error: Problem | DeckError, request: web.Request, request_id: str) -> web.Response:
        if isinstance(error, Problem) and error.status == 401 and self._too_often(request):
            wait_s = WITHIN_MS // 1_000 + 1
            detail = "too many calls without a good token came from this address"
            error = Problem(429, "too_many_failures", detail, "Wait a minute.", headers={"Retry-After": str(wait_s)})
        return self._dialect.refuse(error, request, request_id)

    def _too_often(self, request: web.Request) -> bool:
        most = self._dialect.most_failures
        return most > 0 and self._failures.note(request.remote or "", self._deck.clock.monotonic_ms()) > most


@lru_cache(maxsize=1024)
def _by(who: Principal, dialect: str, groups: frozenset[str]) -> Principal:
    return replace(who, via=dialect, groups=who.groups | groups)


def mount_dialect(router: web.UrlDispatcher, door: Door, dialect: Dialect, prefix: str = "") -> None:
    """Serve the dialect below `prefix`, and answer there in its words whatever it does not have."""
    mount(router, door, dialect.routes.routes, prefix)
    close(router, door, dialect.routes.routes, prefix)
