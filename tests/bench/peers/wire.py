"""One connection to a server with a protocol of lines and lengths, so light that the server is what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import cast

from peers.ground import HOST
from peers.peer import Played, watch
from taskdeck.bench.line import BenchFailed
from taskdeck.bench.load import SILENCE_S

Whole = Callable[[bytes], int]
"""Where the first reply within the bytes ends; 0 while it is not all there."""
Cycles = Generator[bytes, bytes, None]
"""What a connection does: yields a request, is sent its reply; ends when there is no task left.

An empty request is not sent: it says that a cycle has ended.
"""
AT_ONCE = 500


class Wire(asyncio.Protocol):
    """Sends requests, one or several at once, and waits for all their replies before it sends the next."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._held = b""
        self._due = 0
        self._then: Callable[[bytes], None]
        self._ended: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._end(BenchFailed("the server closed a connection"))

    def data_received(self, data: bytes) -> None:
        self._held += data
        while end := self._whole(self._held):
            reply, self._held = self._held[:end], self._held[end:]
            self._due -= 1
            if self._due == 0:
                try:
                    self._then(reply)
                except Exception as error:
                    self._end(error)

    async def ask(self, request: bytes, replies: int = 1) -> bytes:
        """The last of the replies.

        Raises:
            BenchFailed: the server hung up or did not answer in time.
        """
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._ended = ended
        self._then = ended.set_result
        self._due = replies
        self._transport.write(request)
        try:
            async with asyncio.timeout(SILENCE_S):
                return await ended
        except TimeoutError:
            raise BenchFailed(f"no answer for {SILENCE_S:g} seconds") from None

    async def pour(self, request: bytes, times: int) -> None:
        """The same request so many times, many of them under way at once."""
        while times > 0:
            now = min(times, AT_ONCE)
            await self.ask(request * now, now)
            times -= now

    def play(self, cycles: Cycles, until: float, samples: list[float]) -> asyncio.Future[bytes]:
        """Go through `cycles` until `time.perf_counter` passes `until`; what each took is added to `samples`."""
        self._ended = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()

        def answered(reply: bytes) -> None:
            nonlocal begun
            try:
                request = cycles.send(reply)
                if not request:
                    now = time.perf_counter()
                    samples.append(now - begun)
                    begun = now
                    request = next(cycles) if now < until else b""
            except StopIteration:
                request = b""
            if request:
                self._due = 1
                self._transport.write(request)
            else:
                self._end(None)

        self._then = answered
        self._due = 1
        self._transport.write(next(cycles))
        return self._ended

    def close(self) -> None:
        """Hang up."""
        self._end(None)
        self._transport.close()

    def _end(self, error: Exception | None) -> None:
        if self._ended is None or self._ended.done():
            return
        if error is None:
            self._ended.set_result(b"")
        else:
            self._ended.set_exception(error)


@asynccontextmanager
async def wires(port: int, count: int, whole: Whole, greeting: bytes = b"") -> AsyncIterator[list[Wire]]:
    """So many connections; each has sent `greeting` and had its reply."""
    loop = asyncio.get_running_loop()
    opened: list[Wire] = []
    try:
        for _ in range(count):
            _, wire = await loop.create_connection(lambda: Wire(whole), HOST, port)
            opened.append(wire)
            if greeting:
                await wire.ask(greeting)
        yield opened
    finally:
        for wire in opened:
            wire.close()


async def play_wires(opened: list[Wire], script: Callable[[], Cycles], seconds: float) -> Played:
    """Each connection its own `script()`, all at once, for `seconds`.

    Raises:
        BenchFailed: the server refused, hung up, or did not answer in time.
    """
    with watch() as round_:
        until = time.perf_counter() + seconds
        under_way = [wire.play(script(), until, round_.samples) for wire in opened]
        try:
            async with asyncio.timeout(seconds + SILENCE_S):
                await asyncio.gather(*under_way)
        except TimeoutError:
            raise BenchFailed(f"no answer for {SILENCE_S:g} seconds") from None
        return round_.played()
