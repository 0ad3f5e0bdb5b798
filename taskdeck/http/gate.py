"""The gate before every route: whom it lets in, and what it makes of a request before a handler sees it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from taskdeck.domain.errors import DeckError, Forbidden
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.via import NATIVE
from taskdeck.http.call import Call
from taskdeck.http.models import NoQuery, Query
from taskdeck.http.parsing import parse, validated
from taskdeck.http.routes import Public, Route
from taskdeck.http.wire import INTERNAL, Problem, problem_response
from taskdeck.service.deck import Deck
from taskdeck.service.once import OnceKey, request_digest

log = logging.getLogger(__name__)

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MAX_KEY = 255
ACT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_QUERY = NoQuery()
_NOBODY = Principal("anonymous", Role.READER, projects=frozenset())


class Gate:
    """Lets requests through to handlers and turns whatever goes wrong into a problem reply.

    Who comes over a Unix socket is the principal `local`, if there is one; no token, host or origin is looked at.
    `hosts` are the names under which this server may be called, against DNS rebinding. `via` is the interface
    behind it.
    """

    def __init__(
        self,
        deck: Deck,
        *,
        local: Principal | None = None,
        hosts: Iterable[str] = (),
        body_deadline_s: float = 15.0,
        via: str = NATIVE,
    ) -> None:
        self._deck = deck
        self._via = via
        self._local = local
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        self._body_deadline_s = body_deadline_s
        self._boot = secrets.token_hex(4)
        self._count = itertools.count(1)

    def guard(self, route: Route) -> Any:
        """The aiohttp handler of `route`."""

        async def handle(request: web.Request) -> web.StreamResponse:
            request_id = f"{self._boot}-{next(self._count):x}"
            try:
                return await self._let_through(route, request, request_id)
            except (Problem, DeckError) as error:
                return self.refusal(error, request, request_id)
            except web.HTTPRequestEntityTooLarge:
                return self.refusal(self._too_large(request), request, request_id)
            except Exception:
                log.exception("request %s failed: %s %s", request_id, request.method, request.path)
                return self.refusal(INTERNAL, request, request_id)

        return handle

    def local(self, request: web.Request) -> Principal | None:
        """Who calls if it came over a Unix socket, which has a path for its name."""
        return self._local if self._local and isinstance(request.get_extra_info("sockname"), str) else None

    def secret(self, request: web.Request) -> str:
        """The token that a request carries; empty if it carries none."""
        return bearer(request)

    def nobody(self) -> Principal | None:
        """Who it is that calls without a token; None if nobody may."""
        return None

    def refusal(self, error: Problem | DeckError, _request: web.Request, request_id: str) -> web.Response:
        """The reply that tells of `error`."""
        return problem_response(error, request_id)

    async def _let_through(self, route: Route, request: web.Request, request_id: str) -> web.StreamResponse:
        local = self.local(request)
        if local is None:
            self._check_host(request)
        who = self.known_as(self._authenticate(request, route, local))
        query = self.query(route, request)
        raw = await self.body(request)
        parsed = None if route.body is None else parse(route, raw, request)
        return await route.handler(
            Call(request, self._deck, who, request_id, parsed, query, self._once(request, who, raw), raw, _act(request))
        )

    def _check_host(self, request: web.Request) -> None:
        host = request.headers.get("Host", "")
        name = _bare(host)
        if name not in self._hosts and not _is_address(name):
            raise Problem(
                421,
                "misdirected_host",
                f"this server is not called {host[:80]!r}",
                "Call it by its address, or let the operator add this name to allowed_hosts and start it anew.",
            )
        origin = request.headers.get("Origin")
        if origin is not None and not self.may_call(origin, host):
            raise Problem(
                403,
                "foreign_origin",
                "a page of another origin may not call this server",
                "Call it from a program.",
            )

    def _authenticate(self, request: web.Request, route: Route, local: Principal | None) -> Principal:
        if isinstance(route.role, Public):
            return local or self.nobody() or _NOBODY
        who = local or self._owner(request)
        if not who.role.reaches(route.role):
            raise Forbidden(
                f"{route.method} {route.path} needs the role {route.role}; {who.name} has {who.role}",
                hint="Ask an operator, or use a token with that role.",
            )
        return who

    def _owner(self, request: web.Request) -> Principal:
        secret = self.secret(request)
        who = self._deck.authenticate(secret, self._via) if secret else self.nobody()
        if who is None:
            expired = self._deck.expired(secret)
            known = "the token has expired" if expired else "the token is unknown or revoked"
            raise Problem(
                401,
                "token_expired" if expired else "unauthorized",
                known if secret else "a token is needed",
                "Send `Authorization: Bearer td_…`; an admin makes tokens with `taskdeck token create`.",
                headers={"WWW-Authenticate": 'Bearer realm="taskdeck"'},
            )
        return who

    def known_as(self, who: Principal) -> Principal:
        """`who` as the routes behind this gate are to know it."""
        return who

    def may_call(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may call the server, which it calls `host`."""
        return _netloc(origin) == host.lower()

    def query(self, route: Route, request: web.Request) -> Query:
        """The query of a request, as its route declares it."""
        if not request.query_string:
            return _NO_QUERY if route.query is NoQuery else validated(route.query, {})
        return validated(route.query, dict(request.query))

    async def body(self, request: web.Request) -> bytes:
        """The body of a request, all of it."""
        if not request.body_exists:
            return b""
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem(
                415,
                "unsupported_media_type",
                "compressed bodies are not taken",
                "Send it as it is.",
                headers={"Connection": "close"},
            )
        try:
            if request.content.is_eof():  # all of it is there: no timer is needed
                return await request.read()
            async with asyncio.timeout(self._body_deadline_s):
                return await request.read()
        except TimeoutError:
            raise Problem(
                408,
                "timeout",
                f"the body did not arrive within {self._body_deadline_s:g} seconds; nothing was changed",
                "Send the request again.",
                headers={"Connection": "close"},
            ) from None
        except web.RequestPayloadError:
            raise Problem(400, "bad_json", "the body was cut short; nothing was changed", "Send it again.") from None

    def _once(self, request: web.Request, who: Principal, raw: bytes) -> OnceKey | None:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method == "GET":
            return None
        if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
            raise Problem(
                422,
                "invalid_request",
                f"an Idempotency-Key has 1 to {MAX_KEY} printable characters",
                "Use a UUID.",
            )
        return OnceKey(who.name, key, request_digest(request.method, request.path, raw))

    def _too_large(self, request: web.Request) -> Problem:
        return Problem(
            413,
            "body_too_large",
            f"the body is larger than {request.client_max_size} bytes; nothing was changed",
            "Send less at once; keep large documents elsewhere and refer to them.",
            headers={"Connection": "close"},
        )


def _act(request: web.Request) -> str:
    """The act that a request says it is a part of; empty if it says none."""
    act = request.headers.get("Act-Id", "")
    if act and not ACT.fullmatch(act):
        raise Problem(
            422,
            "invalid_request",
            "an Act-Id has 1 to 64 letters, digits, dashes and underscores",
            "Use a UUID, one for all requests of the act.",
        )
    return act


def bearer(request: web.Request) -> str:
    """The token of an `Authorization: Bearer` header (RFC 6750); empty if there is none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _bare(host: str) -> str:
    """The name in a Host header, without its port."""
    host = host.lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    """Whether a Host names no name: what a browser was led to by a name it does not call by its address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _netloc(origin: str) -> str | None:
    """Host and port of an Origin; None if it is no address at all."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
