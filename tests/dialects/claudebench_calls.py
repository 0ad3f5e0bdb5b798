"""A client of the ClaudeBench dialect that keeps what came back."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson


class Calls:
    """Calls to `url`, each counted as another caller's unless it says whose it is."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self._count = itertools.count(1)

    async def send(self, document: Any, path: str = "/rpc", **headers: str) -> tuple[int, Any]:
        """Status and body of a POST; `document` as it is if it is bytes."""
        content = document if isinstance(document, bytes) else orjson.dumps(document)
        # aiohttp warns of large bytes, which it sends in one go
        sent: Any = io.BytesIO(content) if len(content) > 1 << 20 else content
        async with self.session.post(f"{self.url}{path}", headers=headers, data=sent) as reply:
            text = await reply.text()
            return reply.status, orjson.loads(text) if reply.content_type == "application/json" else text or None

    async def rpc(self, method: str, params: Any = None, *, session: str | None = None) -> dict[str, Any]:
        """The whole answer to one call, which is HTTP 200."""
        number = next(self._count)
        about = {"sessionId": session or f"s{number}"}
        request = {"jsonrpc": "2.0", "method": method, "params": params or {}, "id": number, "metadata": about}
        status, answer = await self.send(request)
        assert (status, answer["id"], answer["jsonrpc"]) == (200, number, "2.0")
        assert len(answer.keys() & {"result", "error"}) == 1
        return answer  # type: ignore[no-any-return]

    async def ok(self, method: str, **params: Any) -> Any:
        """The result of a call that succeeds."""
        answer = await self.rpc(method, params)
        assert "result" in answer, answer
        return answer["result"]

    async def error(self, method: str, **params: Any) -> Any:
        """The error of a call that is refused."""
        answer = await self.rpc(method, params)
        assert "error" in answer, answer
        return answer["error"]

    async def reason(self, method: str, **params: Any) -> Any:
        """The reason of a call that could not be done."""
        error = await self.error(method, **params)
        assert (error["code"], error["message"]) == (-32603, "Internal error"), error
        return error["data"]

    async def issues(self, method: str, **params: Any) -> list[Any]:
        """What was wrong with the parameters."""
        error = await self.error(method, **params)
        assert (error["code"], error["message"]) == (-32602, "Invalid parameters"), error
        return error["data"]  # type: ignore[no-any-return]

    async def get(self, path: str, method: str = "GET", **headers: str) -> aiohttp.ClientResponse:
        async with self.session.request(method, f"{self.url}{path}", headers=headers) as reply:
            await reply.read()
            return reply

    async def worker(self, *names: str) -> None:
        """Register instances."""
        for name in names:
            assert await self.ok("system.register", id=name, roles=["worker"]) == {"registered": True}

    async def new(self, text: str = "t", **more: Any) -> str:
        """The id of a new task."""
        return str((await self.ok("task.create", text=text, **more))["id"])

    async def claim(self, worker: str) -> dict[str, Any] | None:
        """The task that was claimed, or None."""
        answer = await self.ok("task.claim", workerId=worker)
        return answer["task"] if answer["claimed"] else None

    async def listed(self, id: str) -> dict[str, Any]:
        """A task as lists show it."""
        found = (await self.ok("task.list", limit=1000))["tasks"]
        return next(task for task in found if task["id"] == id)


class Socket:
    """A connection to the WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, document: Any) -> None:
        await (self.socket.send_str(document) if isinstance(document, str) else self.socket.send_json(document))

    async def next(self) -> Any:
        return await self.socket.receive_json(timeout=5)

    async def ask(self, document: Any) -> Any:
        """The frame that comes next after `document` was sent."""
        await self.send(document)
        return await self.next()

    async def quiet(self) -> bool:
        """Whether all that happened so far was told."""
        return len(await self.execute("system.health", {}, id=0)) == 1

    async def execute(self, method: str, params: Any, **more: Any) -> list[Any]:
        """All frames up to the answer of a call, that last; or, of a notification, up to the answer to a ping."""
        request = {"jsonrpc": "2.0", "method": method, "params": params, **more}
        await self.send({"action": "execute", "request": request})
        if "id" not in more:
            await self.send({"action": "ping"})
        frames = []
        while True:
            frames.append(await self.next())
            if "jsonrpc" in frames[-1] or frames[-1]["type"] == "pong":
                return frames


@asynccontextmanager
async def listening(cb: Calls, *patterns: str) -> AsyncIterator[Socket]:
    """A connection that is told of events of these patterns."""
    async with cb.session.ws_connect(f"{cb.url}/ws") as connection:
        socket = Socket(connection)
        first = await socket.next()
        assert first.keys() == {"type", "clientId", "timestamp"}
        assert first["type"] == "connected"
        assert first["clientId"].startswith("ws-")
        if patterns:
            told = await socket.ask({"action": "subscribe", "events": list(patterns)})
            assert (told["type"], told["events"]) == ("subscribed", list(patterns))
        yield socket


def call(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "method": method, "params": params, **more}
