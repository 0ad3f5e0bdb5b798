"""JSON-RPC over HTTP: one call at a time, or a batch."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web

from taskdeck.dialects.claudebench.catalogue import BY_NAME
from taskdeck.dialects.claudebench.errors import INVALID_REQUEST, PARSE, NoMethod, Refusal, failure, json_reply, reply
from taskdeck.dialects.claudebench.house import house_of
from taskdeck.dialects.claudebench.methods import Ask, run
from taskdeck.dialects.claudebench.params import Envelope, Wrong
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable

routes = RouteTable()

MOST_IN_BATCH = 1_000


def ask_of(call: Call) -> Ask:
    """Who calls, by the address it calls from."""
    return Ask(call.deck, house_of(call.deck), call.who, call.request.remote or "local", call.once)


def opened(document: object) -> Envelope:
    """The call in `document`.

    Raises:
        Refusal: it is none.
    """
    try:
        return Envelope.open(document)
    except Wrong as wrong:
        raise Refusal(INVALID_REQUEST, "Invalid request", wrong.issues) from None


async def execute(ask: Ask, envelope: Envelope) -> Any:
    """What the method that is called answers.

    Raises:
        Refusal: it is not there, or refuses.
    """
    method = BY_NAME.get(envelope.method)
    if method is None:
        raise NoMethod(envelope.method)
    if envelope.metadata is not None and envelope.metadata.sessionId:
        ask.caller = envelope.metadata.sessionId
    return await run(method, ask, envelope.params)


async def _answer(ask: Ask, document: object) -> dict[str, Any] | None:
    """The reply to one call; None to a notification that went well."""
    id = None
    try:
        envelope = opened(document)
        id = envelope.id
        result = await execute(ask, envelope)
    except Refusal as refusal:
        return failure(id, refusal)
    return None if envelope.is_notification else {"jsonrpc": "2.0", "result": result, "id": id}


def _parsed(raw: bytes, otherwise: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refusal(PARSE, otherwise) from None


@routes.add("POST", "/rpc", Role.READER)
async def post_rpc(call: Call) -> web.StreamResponse:
    """Run one method, or as the bundled client sends it, a batch of them."""
    try:
        document = _parsed(call.raw, "Parse error")
    except Refusal as refusal:
        return json_reply(call.request, failure(None, refusal))
    if isinstance(document, list):
        return await _batch(call, document)
    answer = await _answer(ask_of(call), document)
    return reply(call.request, None, None, 204) if answer is None else json_reply(call.request, answer)


@routes.add("POST", "/rpc/batch", Role.READER)
async def post_batch(call: Call) -> web.StreamResponse:
    """Run several methods at once."""
    try:
        document = _parsed(call.raw, "Invalid batch request")
        if not isinstance(document, list):
            raise Refusal(INVALID_REQUEST, "Batch must be an array")
    except Refusal as refusal:
        return json_reply(call.request, failure(None, refusal))
    return await _batch(call, document)


async def _batch(call: Call, document: list[Any]) -> web.Response:
    """The answers to those that are no notifications, in order."""
    wrong = None
    if not document:
        wrong = "Batch cannot be empty"
    elif len(document) > MOST_IN_BATCH:
        wrong = f"Batch must have at most {MOST_IN_BATCH} members"
    if wrong is not None:
        return json_reply(call.request, failure(None, Refusal(INVALID_REQUEST, wrong)))
    call.once = None  # a key names one write
    answers = await asyncio.gather(*(_answer(ask_of(call), one) for one in document))
    return json_reply(call.request, [answer for answer in answers if answer is not None])
