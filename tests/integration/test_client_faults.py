"""The client against servers that are no deck, or a deck in trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from taskdeck.client import ApiError, Beat, Client, Unreachable

pytestmark = pytest.mark.integration

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def impostor(handler: Handler) -> AsyncIterator[str]:
    """A server that answers every request with `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_write_is_repeated_under_one_key_until_it_is_answered() -> None:
    keys: list[str | None] = []

    async def flaky(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Idempotency-Key"))
        if len(keys) < 3:
            return web.json_response(
                {"code": "storage_unavailable", "retryable": True}, status=503, headers={"Retry-After": "0"}
            )
        return web.json_response({"key": "T1"}, status=201)

    async with impostor(flaky) as url, Client(url, attempts=3) as client:
        assert await client.create(title="t") == {"key": "T1"}
    assert len(keys) == 3
    assert keys[0]
    assert len(set(keys)) == 1


async def test_a_write_without_a_key_is_sent_once() -> None:
    count = 0

    async def dropping(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with impostor(dropping) as url, Client(url) as client:
        with pytest.raises(Unreachable):
            await client.create(title="t")
    assert count == 1


async def test_a_refusal_is_not_repeated() -> None:
    count = 0

    async def refusing(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.json_response({"code": "wrong_state", "detail": "no", "hint": "look first"}, status=409)

    async with impostor(refusing) as url, Client(url, attempts=5) as client:
        with pytest.raises(ApiError) as refused:
            await client.cancel("T1")
    assert (count, refused.value.hint, refused.value.retryable) == (1, "look first", False)


async def test_what_is_no_deck_is_called_so() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    async with impostor(page) as url, Client(url) as client:
        with pytest.raises(Unreachable, match="not in JSON"):
            await client.stats()
        with pytest.raises(Unreachable):
            await anext(client.stream())

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/")

    async with impostor(redirect) as url, Client(url, token="td_secret") as client:
        with pytest.raises(Unreachable):
            await client.stats()


async def test_a_server_that_says_nothing_is_given_up() -> None:
    release = asyncio.Event()

    async def silent(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with impostor(silent) as url, Client(url, timeout=0.2) as client:
        with pytest.raises(Unreachable, match="within"):
            await client.stats()
        release.set()


async def test_an_event_may_arrive_in_pieces_and_be_long() -> None:
    event = {"seq": 9, "text": "ä" * 300_000}

    async def pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        text = f": beat\r\n\r\nid: 9\r\ndata: {json.dumps(event, ensure_ascii=False)}\r\n\r\n".encode()
        for start in range(0, len(text), 99_991):
            await response.write(text[start : start + 99_991])
        return response

    async with impostor(pieces) as url, Client(url) as client:
        items = []
        with pytest.raises(Unreachable, match="ended the event stream"):
            async for item in client.stream():
                items.append(item)
    assert [isinstance(item, Beat) for item in items] == [True, False]
    assert items[1] == event


@pytest.mark.parametrize("url", ["deck", "ftp://deck", "http://", "http://u:p@deck", "http://d/?q", "http://d:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Client(url)


async def test_a_deck_that_is_called_by_https_is_said_to_speak_http() -> None:
    async def never(request: web.Request) -> web.Response:
        raise AssertionError("no request gets through")

    async with impostor(never) as url, Client(url.replace("http:", "https:")) as client:
        with pytest.raises(Unreachable) as gone:
            await client.me()
    assert "does not speak TLS" in gone.value.detail
    assert "http://" in str(gone.value.hint)
