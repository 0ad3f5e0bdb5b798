"""What a request must look like before anyone looks at what it wants."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN


@pytest.fixture
async def hasty(tmp_path: Path, clock: FakeClock) -> AsyncIterator[RunningDeck]:
    """A deck that waits half a second for a body, and answers to a name of its own."""
    settings = Settings(data=tmp_path / "data", port=0, request_deadline_seconds=0.5, allowed_hosts=("deck.example",))
    async with running_deck(settings, clock=clock) as running:
        yield running


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost@evil", "\udcff", "10.1.2.3.evil.example", "10.1.2"],
)
async def test_a_foreign_host_is_refused(api: Api, host: str) -> None:
    for path in ("/v1/me", "/healthz"):
        reply = await api.raw("GET", path, None, {"Host": host})
        assert (reply.status, reply.code) == (421, "misdirected_host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:7337", "10.1.2.3:7337", "[2001:db8::1]:7337"]
)
async def test_a_loopback_host_or_an_address_is_let_in(api: Api, host: str) -> None:
    assert (await api.raw("GET", "/v1/me", None, {"Host": host})).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "", "http://[", "file://", "http://127.0.0.1:1", "\udcff"]
)
async def test_a_foreign_origin_is_refused(api: Api, origin: str) -> None:
    before = await api.last_seq()
    reply = await api.raw("POST", "/v1/tasks", b'{"title": "t"}', {"Origin": origin})
    assert (reply.status, reply.code) == (403, "foreign_origin")
    assert await api.last_seq() == before


async def test_its_own_origin_is_let_in(api: Api) -> None:
    assert (await api.raw("GET", "/v1/me", None, {"Origin": api.url})).status == 200


async def test_an_allowed_name_is_let_in(hasty: RunningDeck) -> None:
    async with Api(hasty.url, (hasty.data / ADMIN_TOKEN).read_text().strip()) as api:
        assert (await api.raw("GET", "/v1/me", None, {"Host": "deck.example:1"})).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_body_of_another_kind_is_refused(api: Api, kind: str) -> None:
    reply = await api.raw("POST", "/v1/tasks", b'{"title": "t"}', {"Content-Type": kind})
    assert (reply.status, reply.code) == (415, "unsupported_media_type")
    assert await api.get("/v1/tasks") == {"tasks": [], "next_cursor": None}


async def test_a_compressed_body_is_refused(api: Api) -> None:
    bomb = gzip.compress(b'{"title": "' + b"x" * 50_000_000 + b'"}')
    for encoding in ("gzip", "deflate", "compress"):
        reply = await api.raw("POST", "/v1/tasks", bomb, {"Content-Encoding": encoding})
        assert (reply.status, reply.code) == (415, "unsupported_media_type")


async def test_an_unknown_path_and_a_wrong_method_say_so(api: Api) -> None:
    reply = await api.raw("GET", "/v2/tasks")
    assert (reply.status, reply.code) == (404, "not_found")
    for method, path, allowed in (
        ("PUT", "/v1/tasks", "GET, POST"),
        ("DELETE", "/v1/claims", "POST"),
        ("POST", "/v1/tasks/x", "DELETE, GET, PATCH"),
        ("OPTIONS", "/v1/me", "GET"),
    ):
        reply = await api.raw(method, path)
        assert (reply.status, reply.code, reply.headers["Allow"]) == (405, "method_not_allowed", allowed)


async def test_monitors_may_ask_by_head_what_needs_no_token(api: Api) -> None:
    for path in ("/healthz", "/readyz"):
        reply = await api.raw("HEAD", path)
        assert (reply.status, reply.body) == (200, b"")
    assert (await api.raw("HEAD", "/v1/me")).status == 405


async def test_a_slow_body_is_given_up(hasty: RunningDeck) -> None:
    token = (hasty.data / ADMIN_TOKEN).read_text().strip()
    host, port = hasty.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /v1/tasks HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    writer.write(head.encode() + b'{"title": ')
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"timeout"' in answer
    assert b'"retryable":true' in answer


async def test_a_client_that_goes_in_the_middle_of_its_body_harms_nobody(hasty: RunningDeck) -> None:
    token = (hasty.data / ADMIN_TOKEN).read_text().strip()
    host, port = hasty.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /v1/tasks HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
    )
    await writer.drain()
    writer.transport.abort()
    async with Api(hasty.url, token) as api:
        assert (await api.get("/v1/tasks"))["tasks"] == []


async def test_the_local_socket_needs_no_token(served: RunningDeck) -> None:
    assert served.socket is not None
    assert served.socket.stat().st_mode & 0o777 == 0o600
    reader, writer = await asyncio.open_unix_connection(served.socket)
    writer.write(b"GET /v1/me HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"role":"admin"' in answer
