"""The WebSocket: events by subscription, and calls of methods.

Nothing is queued for a client: its place in the log is kept, and it is sent what comes after at the pace at which it
reads. What a call of its own has caused it is told before the call's answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from taskdeck.dialects.claudebench.errors import INTERNAL, INVALID_PARAMS, InvalidParams, Refusal, json_reply
from taskdeck.dialects.claudebench.frames import Teller
from taskdeck.dialects.claudebench.house import Frame, Listener, house_of
from taskdeck.dialects.claudebench.issues import Issue
from taskdeck.dialects.claudebench.methods import Ask
from taskdeck.dialects.claudebench.params import Envelope, Subscription, Wrong
from taskdeck.dialects.claudebench.rpc import execute
from taskdeck.domain.errors import DeckError
from taskdeck.domain.principal import Role
from taskdeck.http import events as streams
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.http.wire import Problem, body

routes = RouteTable()

MOST_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message from a client."""
MOST_PATTERNS = 200
"""Patterns that one client may subscribe to."""
HEARTBEAT_S = 30.0
FAREWELL_S = 1.0
_GOING_AWAY, _TRY_LATER = WSCloseCode.GOING_AWAY, WSCloseCode.TRY_AGAIN_LATER
_ACTIONS = ["subscribe", "unsubscribe", "execute", "ping"]


@routes.add("GET", "/ws", Role.READER)
async def get_socket(call: Call) -> web.StreamResponse:
    """Follow events and call methods over a WebSocket."""
    socket = web.WebSocketResponse(timeout=FAREWELL_S, heartbeat=HEARTBEAT_S, max_msg_size=MOST_MESSAGE, compress=False)
    bus = call.deck.bus
    if not socket.can_prepare(call.request).ok:
        raise Problem(404, "not_found", "this is a WebSocket")
    if bus.listeners >= streams.MAX_STREAMS:
        raise Problem(503, "storage_unavailable", "too many streams are open")
    with bus.listening() as woken, contextlib.suppress(ConnectionError):
        await socket.prepare(call.request)
        client = Client(call, socket, woken)
        house = house_of(call.deck)
        house.listeners[client.listener.id] = client.listener
        feeding = asyncio.create_task(client.feed())
        try:
            await client.send({"type": "connected", "clientId": client.listener.id, "timestamp": client.now()})
            await client.listen()
        except DeckError as error:
            await socket.close(code=_TRY_LATER, message=error.detail.encode()[:120])
        finally:
            del house.listeners[client.listener.id]
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding
    return socket


@routes.add("GET", "/ws/stats", Role.READER)
async def get_stats(call: Call) -> web.StreamResponse:
    """Tell who listens to what."""
    counts: dict[str, int] = {}
    clients = []
    for one in house_of(call.deck).listeners.values():
        for pattern in one.patterns:
            counts[pattern] = counts.get(pattern, 0) + 1
        about = {"connectedAt": one.since_ms, "userAgent": one.agent}
        clients.append({"id": one.id, "subscriptions": list(one.patterns), "metadata": about})
    return json_reply(call.request, {"totalClients": len(clients), "subscriptions": counts, "clients": clients})


class Client:
    """One connection."""

    def __init__(self, call: Call, socket: web.WebSocketResponse, woken: asyncio.Event) -> None:
        self._call = call
        self._socket = socket
        self._seq = call.deck.bus.last_seq
        self._telling = asyncio.Lock()
        self._teller = Teller(call.deck.reader, call.who)
        now = self.now()
        agent = call.request.headers.get("User-Agent", "")[:200]
        self.listener = Listener(f"ws-{now}-{secrets.token_hex(6)}", now, agent, woken)

    def now(self) -> int:
        return self._call.deck.clock.now_ms()

    async def listen(self) -> None:
        """Do what the client asks until it goes."""
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                await self._error("Unexpected binary message", INTERNAL)
                continue
            try:
                asked = orjson.loads(message.data)
            except orjson.JSONDecodeError as error:
                await self._error(f"JSON Parse error: Unexpected token ({error})", INTERNAL)
                continue
            try:
                await self._obey(asked)
            except Wrong as wrong:
                await self._error(_as_text(wrong.issues), INVALID_PARAMS)

    async def _obey(self, asked: Any) -> None:
        match asked.get("action") if isinstance(asked, dict) else None:
            case "ping":
                await self.send({"type": "pong", "timestamp": self.now()})
            case "subscribe" | "unsubscribe" as action:
                events = Subscription.read(asked).events
                await self.catch_up()  # by what it wanted until now
                for pattern in events:
                    if action == "unsubscribe":
                        self.listener.patterns.pop(pattern, None)
                    elif len(self.listener.patterns) < MOST_PATTERNS:
                        self.listener.patterns[pattern] = None
                await self.send({"type": f"{action}d", "events": events, "timestamp": self.now()})
            case "execute":
                await self._execute(asked.get("request"))
            case _:
                choice = " | ".join(f"'{action}'" for action in _ACTIONS)
                message = f"Invalid discriminator value. Expected {choice}"
                issue = {"code": "invalid_union_discriminator", "options": _ACTIONS, "path": ["action"]}
                raise Wrong([issue | {"message": message}])

    async def _execute(self, request: Any) -> None:
        try:
            envelope = Envelope.open({} if request is None else request)
        except Wrong as wrong:
            raise Wrong([issue | {"path": ["request", *issue["path"]]} for issue in wrong.issues]) from None
        ask = Ask(self._call.deck, house_of(self._call.deck), self._call.who, self.listener.id)
        try:
            answer: dict[str, Any] = {"result": await execute(ask, envelope)}
        except Refusal as refusal:
            if envelope.is_notification and refusal.number != -32601:
                return
            answer = {"error": _error_of(refusal)}
        await self.catch_up()
        if not envelope.is_notification or "error" in answer:
            await self.send({"jsonrpc": "2.0", **answer, "id": envelope.id})

    async def feed(self) -> None:
        """Tell of what happens until the bus closes or the socket does."""
        bus, woken = self._call.deck.bus, self.listener.woken
        try:
            while not bus.closed and not self._socket.closed:
                woken.clear()
                await self.catch_up()
                await asyncio.sleep(streams.rest(bus.listeners))
                await woken.wait()
            await self._socket.close(code=_GOING_AWAY, message=b"the server is stopping")
        except ConnectionError:
            pass  # it comes again
        except DeckError as error:
            await self._socket.close(code=_TRY_LATER, message=error.detail.encode()[:120])

    async def catch_up(self) -> None:
        """Tell of what has happened so far, as far as it is wanted."""
        deck, who = self._call.deck, self._call.who
        async with self._telling:
            until = deck.bus.last_seq
            if not self.listener.patterns:
                self._seq = until
            while self._seq < until and (news := await deck.news(self._seq, streams.CHUNK)):
                for event in news:
                    await self._tell_beside(event.seq)
                    self._seq = event.seq
                    if event.project is None or who.sees(event.project):
                        for frame in await self._teller.frames_of(event):
                            await self._tell(frame)
            await self._tell_beside(until + 1)

    async def _tell_beside(self, before: int) -> None:
        """Tell of what is not in the log and came before event `before`."""
        while self.listener.beside and self.listener.beside[0][0] < before:
            await self._tell(self.listener.beside.popleft()[1])

    async def _tell(self, frame: Frame) -> None:
        """Tell of one event, if it is wanted."""
        if self.listener.wants(frame.kind):
            await self.send(frame.document(self.now()))

    async def _error(self, message: str, code: int) -> None:
        await self.send({"type": "error", "error": {"message": message, "code": code}, "timestamp": self.now()})

    async def send(self, document: dict[str, Any]) -> None:
        """Send `document`.

        Raises:
            ConnectionError: the client is gone, or was let go because it takes nothing.
        """
        try:
            async with asyncio.timeout(streams.SEND_DEADLINE_S):
                await self._socket.send_frame(body(document), WSMsgType.TEXT)
        except TimeoutError:
            if self._call.request.transport is not None:
                self._call.request.transport.abort()
            raise ConnectionAbortedError("the client takes nothing") from None


def _as_text(issues: list[Issue]) -> str:
    return orjson.dumps(issues, option=orjson.OPT_INDENT_2).decode()


def _error_of(refusal: Refusal) -> dict[str, Any]:
    """The error as it is told here: the reason is the message."""
    if isinstance(refusal, InvalidParams):
        return {"code": refusal.number, "message": _as_text(refusal.issues)}
    if refusal.number == INTERNAL:
        return {"code": refusal.number, "message": refusal.detail}
    return refusal.document()
