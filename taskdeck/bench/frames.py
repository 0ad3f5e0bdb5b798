"""One worker's socket with hand-made frames (RFC 6455), as light as the lines of plain HTTP."""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Any

import orjson

from taskdeck.bench.line import Ask, BenchFailed, Line, Site

PATH = "/v1/claims/ws"
OPEN_S = 10.0
_TEXT, _CLOSE = 1, 8


def ask(kind: str, verb: str, body: Any, ref: int | None = None) -> Ask:
    """A message; there is one under way at a time, so all have the same id."""
    message = {"id": 1, "verb": verb, "body": body} | ({} if ref is None else {"task": str(ref)})
    return Ask(kind, _frame(_TEXT, orjson.dumps(message)))


class SocketLine(Line):
    """Plays a script of messages on one WebSocket; it is sent the body of each answer."""

    _up: asyncio.Future[None] | None = None

    async def opened(self, site: Site) -> None:
        """Shake hands.

        Raises:
            BenchFailed: the server opens no socket.
        """
        self._up = asyncio.get_running_loop().create_future()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            f"GET {site.base}{PATH} HTTP/1.1", f"Host: {site.host}:{site.port}", f"Authorization: Bearer {site.token}",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
        )  # fmt: skip
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async with asyncio.timeout(OPEN_S):
            await self._up

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._up is not None:
            self._shake_hands(self._up)
        while (found := _first_frame(self._held)) is not None:
            kind, text, self._held = found
            if kind == _CLOSE:
                self._finish(BenchFailed("the server closed a socket"))
            elif kind == _TEXT:
                self.take(text, refused=b'"status":2' not in text[:40])

    def _shake_hands(self, up: asyncio.Future[None]) -> None:
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            return
        self._up, self._held = None, rest
        if head[9:12] == b"101":
            up.set_result(None)
        else:
            up.set_exception(BenchFailed(f"the server opened no socket: {head[:100].decode(errors='replace')}"))


def _frame(kind: int, text: bytes) -> bytes:
    """A frame of a client, masked by a key of zeros."""
    size = len(text)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([0x80 | kind]) + length + bytes(4) + text


def _first_frame(held: bytes) -> tuple[int, bytes, bytes] | None:
    """What a server's first whole frame holds, by its kind, and what follows it."""
    if len(held) < 2:
        return None
    size, head = held[1] & 0x7F, 2
    if size >= 126:
        head += 2 if size == 126 else 8
        if len(held) < head:
            return None
        size = int.from_bytes(held[2:head], "big")
    if len(held) < head + size:
        return None
    return held[0] & 0x0F, held[head : head + size], held[head + size :]
