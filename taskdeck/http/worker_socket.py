"""The route of the worker's socket: the verbs of holders as messages on one connection, for a worker that stays.

A request of its own for every verb costs more than most verbs do. Here a message is answered when what it asks for is
on disk; others are read meanwhile, and answers come in the order in which they are ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import ValidationError

from taskdeck.domain.errors import DeckError
from taskdeck.domain.principal import Principal, Role
from taskdeck.http import verbs
from taskdeck.http.call import Call
from taskdeck.http.gate import bearer
from taskdeck.http.parsing import invalid, refuse_non_numbers
from taskdeck.http.routes import RouteTable
from taskdeck.http.upgrade import websocket
from taskdeck.http.wire import INTERNAL, Problem, Reply, body, problem
from taskdeck.http.worker_socket_models import ASKED, Asked, ClaimAsked, CompleteAsked, FailAsked, HeartbeatAsked
from taskdeck.service.deck import Deck
from taskdeck.service.once import OnceKey, Render, request_digest
from taskdeck.store.unit import Unit

log = logging.getLogger(__name__)
routes = RouteTable()

MOST_AT_ONCE = 256
"""Messages of one socket that are worked on. Another is refused, not left unread: pongs come the same way."""
LAST_ANSWERS_S = 5.0
"""How long a server that stops waits for what a socket has asked."""
_TOO_MANY = Problem(
    429,
    "too_many_at_once",
    f"{MOST_AT_ONCE} messages of this socket are worked on; nothing was changed",
    "Wait for an answer and send it again, or open another socket.",
)


@dataclass(slots=True)
class Asking:
    """One message: who asks, of which deck."""

    deck: Deck
    who: Principal
    once: OnceKey | None

    def answer(self, work: Callable[[Unit], Any], render: Render, *, long: bool = False) -> Awaitable[Reply]:
        """Do `work` and answer with what `render` makes of it."""
        return self.deck.answer(work, render, self.once, long=long)


@routes.add("GET", "/v1/claims/ws", Role.AGENT, success=101)
async def worker_socket(call: Call) -> web.StreamResponse:
    """Claim, heartbeat, release, complete and fail by messages on one WebSocket."""
    socket = websocket(
        call, most_bytes=call.request.client_max_size, instead="/v1/claims and the verbs of /v1/tasks serve"
    )
    with contextlib.suppress(ConnectionError):
        await socket.prepare(call.request)
        await _Worker(call, socket).serve()
    return socket


class _Worker:
    """One socket, until its client goes, its token opens it no more, or the server stops."""

    def __init__(self, call: Call, socket: web.WebSocketResponse) -> None:
        self._deck, self._who, self._socket = call.deck, call.who, socket
        self._request_id = call.request_id
        # on the local socket nobody shows one
        self._secret = None if isinstance(call.request.get_extra_info("sockname"), str) else bearer(call.request)
        self._answering: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer what is asked."""
        reading, ending = (asyncio.create_task(some) for some in (self._read(), self._deck.bus.ended.wait()))
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done() and self._answering:
                await asyncio.wait(self._answering, timeout=LAST_ANSWERS_S)
        finally:
            for task in (reading, ending, *self._answering):
                task.cancel()
            ended = await asyncio.gather(reading, ending, *self._answering, return_exceptions=True)
        if isinstance(ended[0], Exception):
            log.error("the reading of %s failed", self._request_id, exc_info=ended[0])
        await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server is stopping")

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"messages are JSON text")
                return
            who = self._known()
            if who is None:
                await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"the token opens this no more")
                return
            if len(self._answering) >= MOST_AT_ONCE:
                await self._send(self._refusal(_TOO_MANY, _id_of(message.data)))
                continue
            answering = asyncio.create_task(self._answer(message.data, who))
            self._answering.add(answering)
            answering.add_done_callback(self._answering.discard)

    def _known(self) -> Principal | None:
        """Who asks, by what the token is good for now."""
        if self._secret is None:
            return self._who
        who = self._deck.authenticate(self._secret)
        return who if who is not None and who.role.reaches(Role.AGENT) else None

    async def _answer(self, text: str, who: Principal) -> None:
        asked: Asked | None = None
        try:
            asked = _parsed(text)
            once = None if asked.key is None else _once(asked, text, who)
            status, content = await _done(Asking(self._deck, who, once), asked)
            told = b'{"id":%s,"status":%d,"body":%s}' % (orjson.dumps(asked.id), status, content)
        except (Problem, DeckError) as error:
            told = self._refusal(error, _id_of(text) if asked is None else asked.id)
        except Exception:
            log.exception("a message of %s failed", self._request_id)
            told = self._refusal(INTERNAL, _id_of(text))
        await self._send(told)

    async def _send(self, told: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_frame(told, WSMsgType.TEXT)

    def _refusal(self, error: Problem | DeckError, name: Any) -> bytes:
        status, document, headers = problem(error, self._request_id)
        told = {"id": name, "status": status, "body": document}
        if "Retry-After" in headers:
            told["retry_after"] = int(headers["Retry-After"])
        return body(told)


def _done(asking: Asking, asked: Asked) -> Awaitable[Reply]:
    if isinstance(asked, ClaimAsked):
        return verbs.claim(asking, asked.body)
    if isinstance(asked, CompleteAsked):
        return verbs.complete(asking, asked.task, asked.body)
    if isinstance(asked, HeartbeatAsked):
        return verbs.heartbeat(asking, asked.task, asked.body)
    if isinstance(asked, FailAsked):
        return verbs.fail(asking, asked.task, asked.body)
    return verbs.release(asking, asked.task, asked.body)


def _parsed(text: str) -> Asked:
    refuse_non_numbers(text.encode())
    try:
        return ASKED.validate_json(text)
    except ValidationError as error:
        raise invalid(error) from None
    except RecursionError:
        raise Problem(400, "bad_json", "the message is nested too deeply", "Send it flatter.") from None


def _once(asked: Asked, text: str, who: Principal) -> OnceKey:
    """The same for each repetition, whatever its `id`."""
    said = orjson.loads(text)
    rest = {name: said[name] for name in said if name not in ("id", "key")}
    return OnceKey(who.name, asked.key or "", request_digest("WS", "", orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)))


def _id_of(text: str) -> Any:
    """The `id` of a message that is not understood, where it has one."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    name = said.get("id") if isinstance(said, dict) else None
    return name if isinstance(name, int | str) and len(str(name)) <= 64 else None
