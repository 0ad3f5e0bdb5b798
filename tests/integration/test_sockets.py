"""The WebSocket of events: who subscribes gets what was asked for, whole, in order and no more."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import socket as sockets
from typing import Any

import aiohttp
import orjson
import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck, running_deck
from taskdeck.config import Settings
from taskdeck.http import events as streams
from taskdeck.http import sockets as socket_module
from taskdeck.http import upgrade
from taskdeck.store.folder import ADMIN_TOKEN

WS = "/v1/events/ws"


class Socket:
    """A WebSocket to the deck; beats are read over unless asked for."""

    def __init__(self, api: Api, *, after: int | None = None, token: str | None = None) -> None:
        self._api = api
        self._path = WS if after is None else f"{WS}?after={after}"
        self._headers = api.headers() if token is None else {"Authorization": f"Bearer {token}"}
        self.ws: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Socket:
        self.ws = await self._api.session.ws_connect(f"{self._api.url}{self._path}", headers=self._headers)
        self.hello = await self.next()
        assert self.hello["type"] == "hello"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ws.close()

    async def next(self, *, beats: bool = False) -> Any:
        async with asyncio.timeout(15):
            while True:
                message = await self.ws.receive()
                assert message.type is aiohttp.WSMsgType.TEXT, message
                found = orjson.loads(message.data)
                if beats or found["type"] != "beat":
                    return found

    async def ask(self, action: str, *events: str, **fields: Any) -> Any:
        """The answer to a message, when nothing else is under way."""
        said = {"action": action} | ({"events": events} if events else {}) | fields
        await self.ws.send_str(orjson.dumps(said).decode())
        return await self.next()

    async def events(self, count: int) -> list[Any]:
        found = [await self.next() for _ in range(count)]
        assert {one["type"] for one in found} <= {"event"}, found
        return [one["event"] for one in found]


async def test_who_subscribes_gets_what_matches(api: Api) -> None:
    async with Socket(api) as socket:
        answer = await socket.ask("subscribe", "task.claimed", "worker.*")
        assert answer == {"type": "subscribed", "events": ["task.claimed", "worker.*"], "projects": None}
        before = await api.last_seq()
        await api.create()
        await api.claim("w")
        got = await socket.events(2)
        assert [event["type"] for event in got] == ["worker.registered", "task.claimed"]
        assert got == [e for e in await api.events(after=before) if e["type"] != "task.created"]
        assert (await socket.ask("unsubscribe", "worker.*", "never.*"))["type"] == "unsubscribed"
        await api.post("/v1/workers", {"id": "other"})
        await api.create()
        await api.claim("w")
        assert [event["type"] for event in await socket.events(1)] == ["task.claimed"]
        assert await socket.ask("ping") == {"type": "pong"}


async def test_nothing_passes_between_the_handshake_and_the_subscription(api: Api) -> None:
    async with Socket(api) as socket:
        task = await api.create()
        assert socket.hello["seq"] < await api.last_seq()
        await socket.ask("subscribe", "*")
        assert (await socket.events(1))[0]["task"]["id"] == task["id"]


async def test_subscriptions_go_by_project_too(api: Api) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    await api.post("/v1/projects", {"name": "theirs"})
    async with Socket(api) as socket:
        await socket.ask("subscribe", "task.*", projects=["ours"])
        await socket.ask("subscribe", "task.cancelled", projects=["theirs"])
        for name in ("ours", "theirs", "default"):
            task = await api.create(name, project=name)
            await api.post(f"/v1/tasks/{task['id']}/cancel")
        got = [(event["project"], event["type"]) for event in await socket.events(3)]
        assert got == [("ours", "task.created"), ("ours", "task.cancelled"), ("theirs", "task.cancelled")]
        await socket.ask("unsubscribe", "task.*", projects=["ours"])
        await api.create(project="ours")
        assert await socket.ask("ping") == {"type": "pong"}


async def test_a_reader_of_one_project_sees_only_its_events(api: Api) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    token = await api.token_for("reader", "inside", projects=["ours"])
    async with Socket(api, token=token) as socket:
        await socket.ask("subscribe", "*")
        refused = await socket.ask("subscribe", "*", projects=["default"])
        assert (refused["type"], refused["code"]) == ("error", "unknown_project")
        await api.create("no")
        await api.create("yes", project="ours")
        assert [event["project"] for event in await socket.events(1)] == ["ours"]


async def test_resuming_has_no_hole_and_no_double_under_writes(api: Api) -> None:
    chance, writes = random.Random(7337), 40

    async def write() -> None:
        for _ in range(writes):
            await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 25})

    begun = last = await api.last_seq()
    writer, seen, connections = asyncio.create_task(write()), [], 0
    while last < begun + writes * 25:
        connections += 1
        async with Socket(api, after=last) as socket:
            await socket.ask("subscribe", "task.*")
            got = await socket.events(min(chance.randint(1, 80), begun + writes * 25 - last))
        seen += [event["seq"] for event in got]
        last = seen[-1]
    await writer
    assert seen == list(range(begun + 1, begun + writes * 25 + 1))
    assert connections > 10


async def test_behind_the_ring_the_table_serves(served: RunningDeck, api: Api) -> None:
    for _ in range(6):
        await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 1000})
    last = await api.last_seq()
    assert served.deck.bus.after(1, 10) is None
    async with Socket(api, after=0) as socket:
        await socket.ask("subscribe", "*")
        assert [event["seq"] for event in await socket.events(last)] == list(range(1, last + 1))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad_json"),
        ("[" * 8000, "bad_json"),
        ("[]", "invalid_request"),
        ('{"action": "dance"}', "invalid_request"),
        ("{}", "invalid_request"),
        ('{"action": "subscribe"}', "invalid_request"),
        ('{"action": "subscribe", "events": []}', "invalid_request"),
        ('{"action": "subscribe", "events": ["ta*"]}', "invalid_request"),
        ('{"action": "subscribe", "events": ["*"], "after": 1}', "unknown_field"),
        ('{"action": "subscribe", "events": ["*"], "projects": ["../x"]}', "invalid_request"),
        ('{"action": "ping", "events": ["*"]}', "unknown_field"),
    ],
)
async def test_a_bad_message_is_answered_and_changes_nothing(api: Api, text: str, code: str) -> None:
    async with Socket(api) as socket:
        await socket.ws.send_str(text)
        answer = await socket.next()
        assert (answer["type"], answer["code"]) == ("error", code), answer
        assert answer["detail"]
        assert answer["hint"]
        assert await socket.ask("ping") == {"type": "pong"}
        await api.create()
        await socket.ask("subscribe", "worker.*")
        assert await socket.ask("ping") == {"type": "pong"}


async def test_subscriptions_have_their_limit(api: Api) -> None:
    async with Socket(api) as socket:
        letters = "abcdefghijklmnopqrstuvwxyz"
        kinds = [f"{one}.{other}" for one in letters for other in letters]
        for start in range(0, socket_module.MAX_SUBSCRIPTIONS, 50):
            assert (await socket.ask("subscribe", *kinds[start : start + 50]))["type"] == "subscribed"
        assert (await socket.ask("subscribe", "one.more"))["code"] == "invalid_request"
        assert (await socket.ask("subscribe", kinds[0]))["type"] == "subscribed"


async def test_binary_and_huge_messages_end_the_socket(api: Api) -> None:
    async with Socket(api) as socket:
        await socket.ws.send_bytes(b"{}")
        message = await socket.ws.receive(10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1003)
    async with Socket(api) as socket:
        await socket.ws.send_str(" " * (socket_module.MAX_MESSAGE + 1))
        message = await socket.ws.receive(10)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_the_handshake_is_guarded_like_any_call(api: Api) -> None:
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer td_wrong"}, 401),
        (api.headers({"Origin": "http://evil.example"}), 403),
        (api.headers({"Host": "evil.example"}), 421),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.session.ws_connect(f"{api.url}{WS}", headers=headers)
        assert refused.value.status == status
    for query in ("?after=-1", "?x=1"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.session.ws_connect(f"{api.url}{WS}{query}", headers=api.headers())
        assert refused.value.status == 422
    plain = await api.call("GET", WS)
    assert (plain.status, plain.code) == (426, "upgrade_required")


async def test_there_are_only_so_many(served: RunningDeck, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_STREAMS", 2)
    async with Socket(api), Socket(api):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await api.session.ws_connect(f"{api.url}{WS}", headers=api.headers())
        assert refused.value.status == 503
    async with asyncio.timeout(10):
        while served.deck.bus.listeners:
            await api.tick()
    async with Socket(api):
        pass


async def test_a_beat_tells_how_far_it_has_come(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BEAT_S", 0.05)
    async with Socket(api) as socket:
        await socket.ask("subscribe", "worker.*")
        await api.create()
        last = await api.last_seq()
        async with asyncio.timeout(10):
            while (await socket.next(beats=True)).get("seq") != last:
                pass


async def test_a_client_that_answers_no_ping_is_let_go(
    served: RunningDeck, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade, "HEARTBEAT_S", 0.2)
    ws = await api.session.ws_connect(f"{api.url}{WS}", headers=api.headers(), autoping=False)
    assert served.deck.bus.listeners == 1
    async with asyncio.timeout(15):
        while served.deck.bus.listeners:
            await api.tick()
    await ws.close()


async def test_a_reader_that_takes_nothing_is_let_go(
    served: RunningDeck, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SEND_DEADLINE_S", 0.5)
    for _ in range(6):
        await api.post("/v1/tasks", {"tasks": [{"title": "t", "description": "x" * 800}] * 1000})
    token = (served.data / ADMIN_TOKEN).read_text().strip()
    host, port = served.url.removeprefix("http://").split(":")
    lazy = sockets.socket()
    lazy.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    lazy.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(lazy, (host, int(port)))
        await loop.sock_sendall(lazy, _handshake(host, token) + _frame(b'{"action":"subscribe","events":["*"]}'))
        async with asyncio.timeout(15):
            while served.deck.bus.listeners == 0:
                await api.tick()
            while served.deck.bus.listeners:
                await api.tick()
            lazy.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 1 << 20)  # what is under way comes quickly now
            with contextlib.suppress(ConnectionError):
                while await loop.sock_recv(lazy, 1 << 20):
                    pass
    finally:
        lazy.close()


def _handshake(host: str, token: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {WS}?after=0 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def _frame(text: bytes) -> bytes:
    """A short masked text frame; the mask is zero."""
    return b"\x81" + bytes([0x80 | len(text)]) + b"\0\0\0\0" + text


async def test_when_the_server_stops_the_socket_is_told(tmp_path: Any) -> None:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_deck(Settings(data=tmp_path / "data", port=0)))
        async with Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as api, Socket(api) as socket:
            await socket.ask("subscribe", "*")
            stopping = asyncio.create_task(stack.aclose())
            message = await socket.ws.receive(10)
            while message.type is aiohttp.WSMsgType.TEXT:
                message = await socket.ws.receive(10)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
            await asyncio.wait_for(stopping, 10)


async def test_who_resumes_before_a_pruned_log_is_told_what_is_missing(
    api: Api, served: RunningDeck, clock: FakeClock
) -> None:
    await api.create()
    last = await api.last_seq()
    clock.advance(91 * 86_400)
    await served.deck.prune()
    await api.create()
    async with Socket(api, after=1) as socket:
        await socket.ask("subscribe", "task.*")
        assert await socket.next() == {"type": "missed", "first": 2, "last": last}
        assert [event["type"] for event in await socket.events(1)] == ["task.created"]
