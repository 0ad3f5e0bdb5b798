"""One keep-alive connection with hand-made HTTP, so light that the server under load is what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, cast

import orjson


class BenchFailed(Exception):
    """The measurement cannot go on: the server refused, hung up or fell silent."""


class Ask(NamedTuple):
    """A request on its way: how its latency is filed, and its bytes."""

    kind: str
    request: bytes


Script = Generator[Ask, bytes, None]
"""What one connection does: yields a request, is sent the body of its reply; ends when it has no more to ask."""


@dataclass(frozen=True, slots=True)
class Site:
    """A server under load: its address and a token that it takes; `base` comes before every path."""

    host: str
    port: int
    token: str
    base: str = ""

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def post(
        self, kind: str, path: str, document: Any, *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Ask:
        """A POST of `document`, or another method, with `headers` beside or instead of the bearer's."""
        body = orjson.dumps(document)
        lines = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        head = (
            f"{method} {self.base}{path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"{told}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return Ask(kind, head.encode() + body)


class Line(asyncio.Protocol):
    """Plays a script on one connection, a request at a time, until it ends or `time.perf_counter` passes `until`.

    `answered` is told of every reply: the kind of its request, and seconds from sending it to having it whole.
    `ended` carries what went wrong, if anything did.
    """

    def __init__(self, script: Script, answered: Callable[[str, float], None]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._script = script
        self._answered = answered
        self._until = 0.0
        self._held = b""
        self._kind = ""
        self._sent_at = 0.0
        self._transport: asyncio.Transport

    @classmethod
    async def connected(cls, site: Site, script: Script, answered: Callable[[str, float], None]) -> Self:
        """A line to `site`, before its first request.

        Raises:
            OSError: it cannot be reached.
        """
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: cls(script, answered), site.host, site.port)
        await line.opened(site)
        return line

    async def opened(self, site: Site) -> None:
        """Return when requests may be sent."""

    def start(self, until: float) -> None:
        """Send the first request."""
        self._until = until
        self._send(next(self._script))

    def close(self) -> None:
        """Hang up, whether or not the script has ended."""
        self._finish(None)
        self.ended.exception()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or len(data) < end + _length(data[:end]):
            self._held = data
            return
        self._held = b""
        self.take(data[end:], refused=data[9:12] >= b"300")

    def take(self, reply: bytes, *, refused: bool) -> None:
        """A reply is whole: go on with the script."""
        now = time.perf_counter()
        self._answered(self._kind, now - self._sent_at)
        try:
            if refused:
                raise BenchFailed(f"{self._kind} was refused: {reply[:500].decode(errors='replace')}")
            if now >= self._until:
                self._finish(None)
            else:
                self._send(self._script.send(reply))
        except StopIteration:
            self._finish(None)
        except Exception as error:
            self._finish(error)

    def connection_lost(self, _error: Exception | None) -> None:
        self._finish(BenchFailed("the server closed a connection"))

    def _send(self, ask: Ask) -> None:
        self._kind = ask.kind
        self._sent_at = time.perf_counter()
        self._transport.write(ask.request)

    def _finish(self, error: Exception | None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


def _length(head: bytes) -> int:
    start = head.find(b"Content-Length: ")
    if start < 0:
        raise BenchFailed("a reply does not say how long it is")
    return int(head[start + 16 : head.find(b"\r\n", start)])
