"""The event stream: what is resumed has no hole and no double, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from support.api import Api

from taskdeck.app import RunningDeck
from taskdeck.http import events as stream_module
from taskdeck.service import bus as bus_module
from taskdeck.store.folder import ADMIN_TOKEN

Events = AsyncIterator[dict[str, Any]]


@asynccontextmanager
async def stream(
    api: Api, *, after: int | None = None, last: int | None = None, token: str | None = None
) -> AsyncIterator[Events]:
    """The events of one connection."""
    headers = api.headers() if token is None else {"Authorization": f"Bearer {token}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    query = "" if after is None else f"?after={after}"
    async with api.session.get(f"{api.url}/v1/events/stream{query}", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert (await response.content.readline()).startswith(b":")
        yield _parsed(response.content)


async def _parsed(content: Any) -> Events:
    frame: dict[str, bytes] = {}
    async for line in content:
        if line == b"\n":
            if "data" in frame:
                event = orjson.loads(frame["data"])
                assert int(frame["id"]) == event["seq"]
                assert frame["event"].decode() == event["type"]
                yield event
            frame = {}
        elif not line.startswith(b":"):
            name, _, value = line.partition(b": ")
            frame[name.decode()] = value.rstrip(b"\n")


async def take(events: Events, count: int) -> list[dict[str, Any]]:
    """The next events."""
    async with asyncio.timeout(20):
        return [await anext(events) for _ in range(count)]


async def test_a_stream_starts_at_the_present(api: Api) -> None:
    await api.create("before")
    async with stream(api) as events:
        task = await api.create("after")
        (event,) = await take(events, 1)
        assert event["task"]["id"] == task["id"]
        assert event["type"] == "task.created"


async def test_the_stream_says_what_the_log_says(api: Api) -> None:
    async with stream(api, after=0) as events:
        task = await api.create()
        held = await api.claim()
        await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": held["fence"]})
        log = await api.events()
        assert await take(events, len(log)) == log


async def test_last_event_id_wins(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 5})
    last = await api.last_seq()
    async with stream(api, after=0, last=last - 2) as events:
        assert [event["seq"] for event in await take(events, 2)] == [last - 1, last]


@pytest.mark.parametrize("header", ["x", "-1", "1.5", "9" * 30, ""])
async def test_an_odd_last_event_id_is_refused(api: Api, header: str) -> None:
    reply = await api.raw("GET", "/v1/events/stream", None, {"Last-Event-ID": header})
    assert (reply.status, reply.code) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/stream", "/v1/events/ws"])
async def test_a_number_that_the_log_never_reached_is_refused(api: Api, path: str) -> None:
    last = await api.last_seq()
    shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers = shake | {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} if path.endswith("ws") else {}
    reply = await api.raw("GET", f"{path}?after={last + 1}", None, headers)
    assert (reply.status, reply.code) == (410, "events_rewound")
    assert reply.json()["last_seq"] == last
    assert f"after={last}" in reply.json()["hint"]
    async with stream(api, after=last) as events:
        await api.post("/v1/tasks", {"tasks": [{"title": "t"}]})
        assert [event["seq"] for event in await take(events, 1)] == [last + 1]


async def test_resuming_has_no_hole_and_no_double_under_writes(api: Api) -> None:
    chance = random.Random(7337)
    writes = 40

    async def write() -> None:
        for _ in range(writes):
            await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 25})

    begun = await api.last_seq()
    writer, seen, last = asyncio.create_task(write()), [], begun
    connections = 0
    while last < begun + writes * 25:
        connections += 1
        async with stream(api, last=last) as events:
            got = await take(events, min(chance.randint(1, 80), begun + writes * 25 - last))
        seen += [event["seq"] for event in got]
        last = seen[-1]
    await writer
    assert seen == list(range(begun + 1, begun + writes * 25 + 1))
    assert connections > 10


async def test_behind_the_ring_the_table_serves(served: RunningDeck, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 1000})
    last = await api.last_seq()
    assert last > bus_module.RING + 500
    assert served.deck.bus.after(1, 10) is None
    async with stream(api, after=0) as events:
        seen = [event["seq"] for event in await take(events, last)]
        assert seen == list(range(1, last + 1))
        await api.create()
        assert (await take(events, 1))[0]["seq"] == last + 1


async def test_a_reader_of_one_project_sees_only_its_events(api: Api) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    await api.post("/v1/projects", {"name": "theirs"})
    token = await api.token_for("reader", "inside", projects=["ours"])
    async with stream(api, token=token) as events:
        for _ in range(5):
            await api.create("no", project="theirs")
            await api.create("no")
            await api.create("yes", project="ours")
        got = await take(events, 5)
        assert {event["project"] for event in got} == {"ours"}
        assert {event["changes"]["title"] for event in got} == {"yes"}


async def test_a_stream_beats_when_nothing_happens(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "BEAT_S", 0.05)
    async with (
        asyncio.timeout(10),
        api.session.get(f"{api.url}/v1/events/stream", headers=api.headers()) as response,
    ):
        lines = [await response.content.readline() for _ in range(6)]
    assert lines == [b": taskdeck\n", b"\n", b": beat\n", b"\n", b": beat\n", b"\n"]


async def test_a_reader_that_takes_nothing_is_let_go(
    served: RunningDeck, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "SEND_DEADLINE_S", 0.5)
    for _ in range(6):
        await api.post("/v1/tasks", {"tasks": [{"title": "t", "description": "x" * 800}] * 1000})
    token = (served.data / ADMIN_TOKEN).read_text().strip()
    host, port = served.url.removeprefix("http://").split(":")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.setblocking(False)
    try:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(lazy, (host, int(port)))
        head = f"GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        await loop.sock_sendall(lazy, head.encode())
        async with asyncio.timeout(15):
            while served.deck.bus.listeners == 0:
                await api.tick()
            while served.deck.bus.listeners:
                await api.tick()
            taken = b"-"
            with contextlib.suppress(ConnectionError):
                while more := await loop.sock_recv(lazy, 1 << 20):
                    taken = more
    finally:
        lazy.close()
    assert not taken.endswith(b"0\r\n\r\n"), "the reply is cut off; ending it would wait for the reader"
    assert (await api.get("/v1/me"))["role"] == "admin"


async def test_a_reader_that_goes_is_forgotten(served: RunningDeck, api: Api) -> None:
    async with stream(api):
        assert served.deck.bus.listeners == 1
    async with asyncio.timeout(10):
        while served.deck.bus.listeners:
            await api.create()
