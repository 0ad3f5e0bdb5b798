"""The verbs of holders on one WebSocket that stays open: for workers that ask often."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from taskdeck.client.holding import HolderCalls
from taskdeck.client.transport import MAX_REPLY_BYTES, ApiError, Json, Transport, Unreachable, as_object

PATH = "/v1/claims/ws"
PING_SECONDS = 20.0
MOST_AT_ONCE = 256
"""So many calls of one socket the deck works on; another waits here for its turn."""


class WorkerSocket(HolderCalls):
    """The verbs of holders, on one connection; several may be under way at once.

    Every call raises `ApiError` when the deck refuses, `Unreachable` when it does not answer in time or the connection
    is lost: open another then. Whether what was asked has happened is not known.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, address: str, timeout: float) -> None:
        self._socket, self._address, self._timeout = socket, address, timeout
        self._ids = itertools.count(1)
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._asked: dict[int, asyncio.Future[Json | None]] = {}
        """Calls under way, by their ids; None tells one that the connection was lost."""

    async def _hold(self, verb: str, ref: str | int | None, fields: Mapping[str, Any], wait_seconds: float = 0) -> Json:
        if self._socket.closed:
            raise self._lost()
        number = next(self._ids)
        message = {"id": number, "verb": verb, "body": fields} | ({} if ref is None else {"task": str(ref)})
        future: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        try:
            async with asyncio.timeout(self._timeout + wait_seconds), self._room:
                await self._socket.send_str(json.dumps(message, allow_nan=False))
                reply = await future
        except TimeoutError:
            raise Unreachable(
                f"{self._address} did not answer within {self._timeout + wait_seconds:g} seconds"
            ) from None
        except (aiohttp.ClientError, OSError):
            raise self._lost() from None
        finally:
            del self._asked[number]
        if reply is None:
            raise self._lost()
        if reply["status"] >= 300:
            raise ApiError(reply["status"], reply["body"], retry_after=reply.get("retry_after"))
        return as_object(reply["body"])

    async def listen(self) -> None:
        """Hand out what is answered, until the connection ends; then tell all who wait yet."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    reply = as_object(orjson.loads(message.data))
                    future = self._asked.get(reply["id"])
                    if future is not None and not future.done():
                        future.set_result(reply)
        finally:
            for future in self._asked.values():
                if not future.done():
                    future.set_result(None)

    def _lost(self) -> Unreachable:
        return Unreachable(
            f"the connection to {self._address} was lost", "the deck may be stopping; connect again soon"
        )


class SocketCalls(Transport):
    """How a worker's socket is opened."""

    @asynccontextmanager
    async def worker_socket(self) -> AsyncIterator[WorkerSocket]:
        """A worker's socket, until the block ends. What is held then stays held until its lease ends.

        Raises:
            ApiError: the deck refuses it.
            Unreachable: no deck answers.
        """
        socket = await self._connected()
        line = WorkerSocket(socket, self.address, self._timeout)
        listening = asyncio.create_task(line.listen())
        try:
            yield line
        finally:
            await socket.close()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _connected(self) -> aiohttp.ClientWebSocketResponse:
        closing = aiohttp.ClientWSTimeout(ws_close=self._timeout)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._open().ws_connect(
                    self._url(PATH, None), heartbeat=PING_SECONDS, max_msg_size=MAX_REPLY_BYTES, timeout=closing
                )
        except aiohttp.WSServerHandshakeError as error:
            await self._get(PATH)  # says why, where the handshake only has a status
            raise Unreachable(f"{self.address} answered {error.status} and opened no socket") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(error, self._timeout) from error
