"""How one request to a deck travels: connections, errors, retries, and the event stream."""

from __future__ import annotations

import asyncio
import json
import os
import random
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
from yarl import URL

Json = dict[str, Any]

MAX_REPLY_BYTES: Final = 64 * 1024 * 1024
SILENCE_SECONDS: Final = 15.0
"""A stream beats every two seconds; after this long without a byte the connection counts as lost."""


class ApiError(Exception):
    """The deck answered, and refused. `code` is stable; `detail` and `hint` are for people."""

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.problem: Json = dict(problem)
        self.code = str(problem.get("code") or "internal")
        self.detail = str(problem.get("detail") or problem.get("title") or f"the deck answered {status}")
        self.hint = str(problem["hint"]) if problem.get("hint") else None
        self.retryable = bool(problem.get("retryable", False))
        self.request_id = str(problem["request_id"]) if problem.get("request_id") else None
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {self.detail}")


class Unreachable(Exception):
    """No deck answered. `hint` says what to do about it; whether a write arrived is not known."""

    def __init__(self, detail: str, hint: str | None = None) -> None:
        self.detail = detail
        self.hint = hint
        super().__init__(detail)


@dataclass(frozen=True)
class Beat:
    """A sign of life on the event stream that carries no event."""


BEAT: Final = Beat()
_act: ContextVar[str] = ContextVar("act", default="")


@contextmanager
def one_act() -> Iterator[str]:
    """Every write within is a part of one act: its events carry the same `act`, which this gives."""
    act = uuid.uuid4().hex
    token = _act.set(act)
    try:
        yield act
    finally:
        _act.reset(token)


class Transport:
    """Speaks to one deck, over TCP (`url`, `token`) or over its Unix socket (`socket`, no token needed).

    Every call raises `ApiError` when the deck refuses, `Unreachable` when none answers in `timeout` seconds.
    With `attempts` above 1, calls that are safe to repeat are repeated when none answers or the deck says
    that a later attempt may succeed: reads, and writes, each of which then gets an idempotency key. They rest longer
    each time, up to five seconds: 10 attempts bridge about half a minute. `attempts` may be set at any time.

    Raises:
        ValueError: `url` is not an http(s) address, or neither or both of `url` and `socket` are given.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        socket: Path | None = None,
        token: str | None = None,
        timeout: float = 30,
        attempts: int = 1,
    ) -> None:
        if (url is None) == (socket is None):
            raise ValueError("a client needs either a url or a socket")
        self._socket = socket
        self._base = _base_url(url) if url is not None else "http://localhost"
        self.address = self._base if socket is None else f"unix:{socket}"
        self._headers = {"Accept": "application/json"}
        if token:
            if not token.isascii() or not token.isprintable():
                raise ValueError("a token holds printable ASCII characters alone")
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = timeout
        self.attempts = attempts
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._closed = False
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. Whatever is asked afterwards is refused, until the client is entered again."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:  # what comes late would open connections that nobody closes
            raise Unreachable("the client is closed", "Make another, or enter it again with `async with`.")
        if self._session is None:
            connector = aiohttp.UnixConnector(str(self._socket)) if self._socket else aiohttp.TCPConnector()
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        return self._session

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The parsed JSON of the reply to one request; `path` is percent-encoded and begins with a slash."""
        if idempotency_key is None and method != "GET" and self.attempts > 1:
            idempotency_key = uuid.uuid4().hex
        repeatable = method == "GET" or idempotency_key is not None
        most = max(1, self.attempts)
        for attempt in range(1, most + 1):
            try:
                return await self._once(method, path, params, json, idempotency_key, timeout or self._timeout)
            except (ApiError, Unreachable) as error:
                passing = isinstance(error, Unreachable) or error.retryable
                if attempt == most or not repeatable or not passing:
                    raise
                asked = error.retry_after if isinstance(error, ApiError) else None
            await asyncio.sleep(min(asked, 5.0) if asked is not None else _backoff(attempt))
        raise AssertionError("unreachable: the loop returns or raises")

    async def _get(self, path: str, **params: Any) -> Json:
        return as_object(await self.request("GET", path, params=params))

    async def _post(self, path: str, body: Mapping[str, Any], timeout: float | None = None) -> Json:
        return as_object(await self.request("POST", path, json=dict(body), timeout=timeout))

    async def _patch(self, path: str, body: Mapping[str, Any]) -> Json:
        return as_object(await self.request("PATCH", path, json=dict(body)))

    async def _delete(self, path: str) -> Json:
        return as_object(await self.request("DELETE", path))

    async def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Any,
        idempotency_key: str | None,
        timeout: float,
    ) -> Any:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        if (act := _act.get()) and method != "GET":
            headers["Act-Id"] = act
        data: bytes | None = None
        if body is not None:
            data = json.dumps(body, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        try:
            async with self._open().request(
                method,
                self._url(path, params),
                data=data,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                return self._parsed(response, await _bounded_body(response))
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error, timeout) from error

    def _url(self, path: str, params: Mapping[str, Any] | None) -> URL:
        query = urlencode({name: _plain(value) for name, value in (params or {}).items() if value is not None})
        return URL(f"{self._base}{path}{'?' + query if query else ''}", encoded=True)

    def _parsed(self, response: aiohttp.ClientResponse, body: bytes) -> Any:
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Unreachable(
                f"{self.address} answered {response.status}, but not in JSON as a deck does",
                "check that the address is the deck's own and that no proxy answers in its place",
            ) from None
        if response.status < 300:
            return parsed
        problem = parsed if isinstance(parsed, dict) else {}
        raise ApiError(response.status, problem, retry_after=_seconds(response.headers.get("Retry-After")))

    def _unreachable(self, error: Exception, timeout: float) -> Unreachable:
        if isinstance(error, TimeoutError):
            return Unreachable(
                f"{self.address} did not answer within {timeout:g} seconds",
                "the deck may be overloaded or stopped; its log says more",
            )
        if isinstance(error, aiohttp.ClientSSLError):
            return Unreachable(
                f"{self.address} does not speak TLS as it should ({type(error).__name__})",
                "a deck itself speaks plain HTTP: write http://, unless a proxy with TLS stands before it",
            )
        cause = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return Unreachable(
            f"no deck answers at {self.address} ({cause or type(error).__name__})",
            "start one with `taskdeck serve`, or name another with --url",
        )

    async def stream(self, after: int | None = None) -> AsyncIterator[Json | Beat]:
        """Events as they happen, and `BEAT` every two seconds, over one connection.

        `after` resumes behind that sequence number; without it the stream starts at the present end.

        Raises:
            Unreachable: the connection was lost or closed; reconnect with the last sequence number.
            ApiError: the deck refused the stream.
        """
        headers = {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=SILENCE_SECONDS)
        try:
            async with self._open().get(
                self._url("/v1/events/stream", None), headers=headers, allow_redirects=False, timeout=limits
            ) as response:
                if response.status != 200 or response.content_type != "text/event-stream":
                    self._parsed(response, await _bounded_body(response))
                    raise Unreachable(f"{self.address} does not stream events")
                async for item in _server_sent(response.content):
                    yield item
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error, SILENCE_SECONDS) from error
        raise Unreachable(f"{self.address} ended the event stream", "the deck may be stopping; try again soon")


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a deck's address looks like http://127.0.0.1:7337")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("a deck's address holds no user, query or fragment; give the token with --token")
    _ = parts.port  # out of range raises ValueError here, where the caller still knows the address
    return url.rstrip("/")


def as_object(parsed: Any) -> Json:
    if isinstance(parsed, dict):
        return parsed
    raise Unreachable("the reply is JSON, but not a deck's", "check that the address is the deck's own")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, (list, tuple, set, frozenset)) else str(value)


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None


def _backoff(attempt: int) -> float:
    """Seconds until the next attempt: doubling up to five, with jitter so that many callers spread out."""
    return float(min(0.1 * 2**attempt, 5.0) * random.uniform(0.5, 1.0))


async def _bounded_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise Unreachable("the reply is longer than any deck sends", "ask for fewer with --limit")
    return bytes(body)


async def _server_sent(content: aiohttp.StreamReader) -> AsyncIterator[Json | Beat]:
    """Parse an event stream. Lines are split here: an event may exceed the reader's line limit."""
    rest = b""
    data: list[bytes] = []
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_REPLY_BYTES:
            raise Unreachable("an event is longer than any deck sends")
        for line in lines:
            line = line.removesuffix(b"\r")
            if not line:
                if data:
                    yield as_object(orjson.loads(b"\n".join(data)))
                data = []
            elif line.startswith(b":"):
                yield BEAT
            elif line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))


def given(**fields: Any) -> Json:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
