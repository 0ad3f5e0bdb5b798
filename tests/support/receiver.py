"""A real web server on loopback that webhooks are sent to, and that answers as a test says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def json(self) -> Any:
        return orjson.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The message as the reference implementation reads it; raises unless it was signed with `secret`."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """Answers `answers` one by one, then 200; `got` keeps what arrived. While `gate` is shut nobody is answered."""

    url: str
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    always: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            async with self._arrived:
                self.got.append(Received(request.path_qs, request.headers.copy(), body))
                self._arrived.notify_all()
            await self.gate.wait()
        finally:
            self.at_once -= 1
        status = self.answers.pop(0) if self.answers else self.always
        return web.Response(status=status, body=self.body, headers=self.headers)

    async def until(self, count: int) -> list[Received]:
        """What arrived, once it is so many."""
        async with asyncio.timeout(15), self._arrived:
            await self._arrived.wait_for(lambda: len(self.got) >= count)
        return self.got


@asynccontextmanager
async def receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port, behind TLS if a context for it is given."""
    made = Receiver("")
    made.gate.set()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
        made.url = f"{scheme}://{host}:{runner.addresses[0][1]}/hook"
        yield made
    finally:
        made.gate.set()
        await runner.cleanup()
