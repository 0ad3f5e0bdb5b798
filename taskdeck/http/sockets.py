"""The route of the WebSocket: the live events that a client subscribes to, and no others.

As with the stream, nothing is queued for a reader: its socket keeps the number of the last event dealt with and takes
what came after from the bus, at the pace at which it is read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import ValidationError

from taskdeck.domain.errors import DeckError
from taskdeck.domain.patterns import matches
from taskdeck.domain.principal import Principal, Role
from taskdeck.http import events as streams
from taskdeck.http.call import Call
from taskdeck.http.event_models import StreamQuery
from taskdeck.http.parsing import invalid
from taskdeck.http.routes import RouteTable
from taskdeck.http.socket_models import MESSAGE, Ping, Subscribe
from taskdeck.http.upgrade import websocket
from taskdeck.http.wire import Problem, body

routes = RouteTable()

MAX_MESSAGE = 16 * 1024
"""Bytes of a message from a client."""
MAX_SUBSCRIPTIONS = 200
"""Pairs of a pattern and a project on one socket."""


class Subscriptions:
    """What a socket is to be sent: patterns by project, those of all projects under None."""

    def __init__(self, who: Principal) -> None:
        self._who = who
        self._wanted: dict[str | None, set[str]] = {}
        self.begun = False

    def add(self, patterns: Iterable[str], projects: Iterable[str | None]) -> None:
        """Want these too.

        Raises:
            Problem: a project is not the principal's to see, or there are too many.
        """
        pairs = {(project, pattern) for project in projects for pattern in patterns}
        for project, _ in pairs:
            if project is not None and not self._who.sees(project):
                raise Problem(
                    404, "unknown_project", f"there is no project {project!r}", "GET /v1/projects lists them."
                )
        known = {(project, pattern) for project, patterns in self._wanted.items() for pattern in patterns}
        if len(known | pairs) > MAX_SUBSCRIPTIONS:
            raise Problem(
                422,
                "invalid_request",
                f"a socket has at most {MAX_SUBSCRIPTIONS} subscriptions",
                "Subscribe to wider patterns, or unsubscribe from some.",
            )
        for project, pattern in pairs:
            self._wanted.setdefault(project, set()).add(pattern)
        self.begun = True

    def remove(self, patterns: Iterable[str], projects: Iterable[str | None]) -> None:
        """Want these no more; what was not wanted may be named too."""
        gone = set(patterns)
        for project in projects:
            self._wanted[project] = self._wanted.get(project, set()) - gone
            if not self._wanted[project]:
                del self._wanted[project]

    def want(self, kind: str, project: str | None) -> bool:
        """Whether an event of that type and project is to be sent."""
        if self._who.projects is not None and project not in self._who.projects:
            return False
        return matches(self._wanted.get(None, ()), kind) or (
            project is not None and matches(self._wanted.get(project, ()), kind)
        )


@routes.add("GET", "/v1/events/ws", Role.READER, query=StreamQuery, success=101)
async def socket_of_events(call: Call) -> web.StreamResponse:
    """Follow the log over a WebSocket, by subscriptions; `after` resumes without hole or double."""
    socket = websocket(call, most_bytes=MAX_MESSAGE, instead="/v1/events/stream serves")
    if call.deck.bus.listeners >= streams.MAX_STREAMS:
        raise Problem(503, "storage_unavailable", "too many streams are open", "Close some, or read /v1/events.")
    after = call.params(StreamQuery).after
    await streams.refuse_rewound(call, after)
    seq = call.deck.bus.last_seq if after is None else after
    wanted = Subscriptions(call.who)
    with call.deck.bus.listening() as woken, contextlib.suppress(ConnectionError):
        await socket.prepare(call.request)
        await _send(call, socket, body({"type": "hello", "seq": seq}))
        feeding = asyncio.create_task(_feed(call, socket, wanted, seq, woken))
        try:
            await _listen(call, socket, wanted, woken)
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding
    return socket


async def _listen(call: Call, socket: web.WebSocketResponse, wanted: Subscriptions, woken: asyncio.Event) -> None:
    """Do what the client asks until it goes."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"messages are JSON text")
            return
        try:
            answer = _obey(message.data, wanted)
        except Problem as error:
            answer = {"type": "error", "code": error.code, "detail": error.detail, "hint": error.hint}
        await _send(call, socket, body(answer))
        woken.set()


def _obey(text: str, wanted: Subscriptions) -> dict[str, object]:
    try:
        asked = MESSAGE.validate_json(text)
    except ValidationError as error:
        raise invalid(error) from None
    except RecursionError:
        raise Problem(400, "bad_json", "the message is nested too deeply", "Send it flatter.") from None
    if isinstance(asked, Ping):
        return {"type": "pong"}
    projects: Iterable[str | None] = (None,) if asked.projects is None else asked.projects
    if isinstance(asked, Subscribe):
        wanted.add(asked.events, projects)
    else:
        wanted.remove(asked.events, projects)
    named = None if asked.projects is None else sorted(asked.projects)
    return {"type": f"{asked.action}d", "events": asked.events, "projects": named}


async def _feed(
    call: Call, socket: web.WebSocketResponse, wanted: Subscriptions, seq: int, woken: asyncio.Event
) -> None:
    """Send what is wanted of what comes after `seq`, until the bus closes or the socket does."""
    bus = call.deck.bus
    try:
        while not bus.closed and not socket.closed:
            woken.clear()
            # before the first subscription the place is kept, so that nothing passes unseen meanwhile
            if wanted.begun:
                seq = await _send_news(call, socket, wanted, seq)
                if seq < bus.last_seq:
                    await asyncio.sleep(0)  # far behind: let others have their turn
                    continue
            await asyncio.sleep(streams.rest(bus.listeners))
            try:
                async with asyncio.timeout(streams.BEAT_S):
                    await woken.wait()
            except TimeoutError:
                # also tells how far it has come, where little is wanted of much
                await _send(call, socket, body({"type": "beat", "seq": seq}))
        await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server is stopping")
    except ConnectionError:
        pass  # the reader is gone; it resumes where it was
    except DeckError as error:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=error.detail.encode()[:120])


async def _send_news(call: Call, socket: web.WebSocketResponse, wanted: Subscriptions, seq: int) -> int:
    """Send what is wanted of the next events, a chunk at most; the number of the last one dealt with.

    Where the log does not reach back to them any more, what is missing is told first.
    """
    news = await call.deck.news(seq, streams.CHUNK)
    if news and news[0].seq > seq + 1:
        await _send(call, socket, body({"type": "missed", "first": seq + 1, "last": news[0].seq - 1}))
    for event in news:
        if wanted.want(event.type, event.project):
            await _send(call, socket, b'{"type":"event","event":%s}' % event.body)
    return news[-1].seq if news else seq


async def _send(call: Call, socket: web.WebSocketResponse, text: bytes) -> None:
    """Send `text`.

    Raises:
        ConnectionError: the reader is gone, or was let go because it takes nothing.
    """
    try:
        async with asyncio.timeout(streams.SEND_DEADLINE_S):
            await socket.send_frame(text, WSMsgType.TEXT)
    except TimeoutError:
        # it would take no farewell either
        if call.request.transport is not None:
            call.request.transport.abort()
        raise ConnectionAbortedError("the reader takes nothing") from None
