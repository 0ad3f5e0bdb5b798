"""The worker's socket: holders' verbs as messages, each answered as its route answers, on a connection that stays."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from support.api import Api
from support.clock import FakeClock
from support.ids import CountingIds

from taskdeck.app import RunningDeck, running_deck
from taskdeck.client import ApiError, Client, Unreachable, WorkerSocket
from taskdeck.config import Settings
from taskdeck.http.worker_socket import MOST_AT_ONCE
from taskdeck.store.folder import ADMIN_TOKEN

WS = "/v1/claims/ws"


class Line:
    """A worker's socket, spoken to by hand."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self._ids = itertools.count(1)

    async def say(self, verb: str, body: Any, **more: Any) -> Any:
        """Send a message, and do not wait; its id."""
        name = more.pop("id", None) or next(self._ids)
        await self.ws.send_str(orjson.dumps({"id": name, "verb": verb, "body": body, **more}).decode())
        return name

    async def heard(self) -> Any:
        """The next answer."""
        async with asyncio.timeout(15):
            message = await self.ws.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return orjson.loads(message.data)

    async def ask(self, verb: str, body: Any, **more: Any) -> Any:
        """The answer to a message, when nothing else is under way."""
        name = await self.say(verb, body, **more)
        answer = await self.heard()
        assert answer["id"] == name
        return answer

    async def closed(self) -> int:
        """The code with which the server ends it."""
        async with asyncio.timeout(15):
            message = await self.ws.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return int(message.data)


@asynccontextmanager
async def line(api: Api, token: str | None = None) -> AsyncIterator[Line]:
    headers = api.headers() if token is None else {"Authorization": f"Bearer {token}"}
    async with api.session.ws_connect(f"{api.url}{WS}", headers=headers) as ws:
        yield Line(ws)


async def test_every_verb_is_answered_as_its_route_answers(api: Api) -> None:
    for number in range(4):
        await api.create(f"t{number}")
    async with line(api) as worker:
        claimed = await worker.ask("claim", {"worker": "w", "lease_seconds": 60})
        (given,) = claimed["body"]["claims"]
        key = given["task"]["key"]
        assert (claimed["status"], given["fence"], given["task"]) == (200, 1, await api.get(f"/v1/tasks/{key}"))
        beat = await worker.ask("heartbeat", {"fence": 1, "progress": 40}, task=key)
        assert (beat["body"]["signal"], beat["body"]["task"]["claim"]["progress"]) == ("continue", 40)
        released = await worker.ask("release", {"fence": 1, "note": "lunch"}, task=key)
        assert (released["body"]["state"], released["body"]["handoff"]["note"]) == ("ready", "lunch")
        again = await worker.ask("claim", {"worker": "w", "task": key})
        failed = await worker.ask(
            "fail", {"fence": 2, "error": "boom", "retry": False}, task=again["body"]["claims"][0]["task"]["id"]
        )
        assert (failed["status"], failed["body"]["state"]) == (200, "failed")
        second = (await worker.ask("claim", {"worker": "w"}))["body"]["claims"][0]
        done = await worker.ask("complete", {"fence": 1, "result": 7, "next": {}}, task=second["task"]["key"])
        assert (done["body"]["state"], done["body"]["result"]) == ("done", 7)
        assert done["body"]["next"]["claims"][0]["task"]["title"] == "t2"
        assert {**done["body"], "next": None} == {**await api.get(f"/v1/tasks/{second['task']['key']}"), "next": None}


async def test_workers_on_sockets_never_share_a_task(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": f"t{n}"} for n in range(60)]})
    done: list[str] = []

    async def work(name: str) -> None:
        async with line(api) as worker:
            claims = (await worker.ask("claim", {"worker": name}))["body"]["claims"]
            while claims:
                key, fence = claims[0]["task"]["key"], claims[0]["fence"]
                ended = await worker.ask("complete", {"fence": fence, "next": {}}, task=key)
                assert (ended["status"], ended["body"]["state"]) == (200, "done")
                done.append(key)
                claims = ended["body"]["next"]["claims"]

    await asyncio.gather(*(work(f"w{number}") for number in range(8)))
    assert sorted(done) == sorted({f"T{number}" for number in range(1, 61)})


async def test_a_claim_that_waits_holds_nothing_up(api: Api) -> None:
    held = await api.create("held")
    async with line(api) as worker:
        await worker.ask("claim", {"worker": "w"})
        waiting = await worker.say("claim", {"worker": "w", "wait_seconds": 30})
        beat = await worker.ask("heartbeat", {"fence": 1}, task=held["key"])
        assert beat["status"] == 200
        await api.create("new")
        answer = await worker.heard()
        assert (answer["id"], answer["body"]["claims"][0]["task"]["title"]) == (waiting, "new")


@pytest.mark.parametrize(
    ("text", "status", "code", "name"),
    [
        ("{", 400, "bad_json", None),
        ("[]", 422, "invalid_request", None),
        ('{"id": 5}', 422, "invalid_request", 5),
        ('{"id": "a", "verb": "claim"}', 422, "invalid_request", "a"),
        ('{"verb": "claim", "body": {"worker": "w"}}', 422, "invalid_request", None),
        ('{"id": 1, "verb": "cancel", "task": "T1", "body": {}}', 422, "invalid_request", 1),
        ('{"id": 1, "verb": "claim", "task": "T1", "body": {"worker": "w"}}', 422, "unknown_field", 1),
        ('{"id": 1, "verb": "complete", "body": {"fence": 1}}', 422, "invalid_request", 1),
        ('{"id": 1, "verb": "complete", "task": "T1", "body": {"fence": "1"}}', 422, "invalid_request", 1),
        ('{"id": 1, "verb": "complete", "task": "T1", "body": {"fence": 1, "result": NaN}}', 400, "bad_json", None),
        ('{"id": 1, "verb": "complete", "task": "T9", "body": {"fence": 1}}', 404, "unknown_task", 1),
        ('{"id": 1, "verb": "complete", "task": "T1", "body": {"fence": 3}}', 409, "stale_fence", 1),
        ('{"id": {}, "verb": "claim", "body": {"worker": "w"}}', 422, "invalid_request", None),
        ('{"id": 1, "key": "", "verb": "claim", "body": {"worker": "w"}}', 422, "invalid_request", 1),
        pytest.param('{"id": 1, "body": ' + '{"a":' * 3_000 + "1" + "}" * 3_001, 400, "bad_json", None, id="nested"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    api: Api, text: str, status: int, code: str, name: Any
) -> None:
    await api.create()
    before = await api.last_seq()
    async with line(api) as worker:
        await worker.ws.send_str(text)
        answer = await worker.heard()
        assert (answer["status"], answer["body"]["code"]) == (status, code)
        assert answer["id"] == name
        assert answer["body"]["detail"] and answer["body"]["hint"]
        assert await api.last_seq() == before
        assert (await worker.ask("claim", {"worker": "w"}))["status"] == 200, "the socket goes on"


async def test_a_repetition_under_its_key_gets_the_first_answer(api: Api) -> None:
    await api.create("a")
    await api.create("b")
    async with line(api) as worker:
        first = await worker.ask("claim", {"worker": "w"}, key="k", id="one")
    async with line(api) as worker:  # as after a lost connection
        again = await worker.ask("claim", {"worker": "w"}, key="k", id="two")
        assert again["body"] == first["body"]
        other = await worker.ask("claim", {"worker": "x"}, key="k")
        assert (other["status"], other["body"]["code"]) == (409, "idempotency_mismatch")
    assert (await api.get("/v1/stats"))["counts"]["claimed"] == 1


async def test_a_token_that_is_revoked_opens_an_open_socket_no_more(api: Api) -> None:
    made = await api.post("/v1/tokens", {"principal": "ann", "role": "agent"})
    task = await api.create()
    async with line(api, made["secret"]) as worker:
        assert (await worker.ask("claim", {"worker": "w"}))["status"] == 200
        await api.delete(f"/v1/tokens/{made['token']['id']}")
        await worker.say("complete", {"fence": 1}, task=task["key"])
        assert await worker.closed() == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert (await api.get(f"/v1/tasks/{task['key']}"))["state"] == "claimed"


async def test_who_may_not_claim_opens_none(api: Api) -> None:
    reader = await api.token_for("reader")
    for token, status in ((reader, 403), ("td_unknown", 401)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with line(api, token):
                pass
        assert refused.value.status == status
    plain = await api.call("GET", WS)
    assert (plain.status, plain.code, plain.headers["Upgrade"]) == (426, "upgrade_required", "websocket")


async def test_a_client_that_goes_swallows_no_task(api: Api) -> None:
    async with line(api) as worker:
        await worker.say("claim", {"worker": "w", "wait_seconds": 60})
        await api.until_waiting(1)
    await api.until_waiting(0)
    task = await api.create()
    assert (await api.get(f"/v1/tasks/{task['key']}"))["state"] == "ready"


async def test_so_many_at_once_and_another_is_refused(api: Api) -> None:
    async with line(api) as worker:
        for _ in range(MOST_AT_ONCE):
            await worker.say("claim", {"worker": "w", "wait_seconds": 60})
        await api.until_waiting(MOST_AT_ONCE)
        refused = await worker.ask("claim", {"worker": "w"})
        assert (refused["status"], refused["body"]["code"], refused["retry_after"]) == (429, "too_many_at_once", 1)
        await api.create()
        assert len((await worker.heard())["body"]["claims"]) == 1
        assert (await worker.ask("claim", {"worker": "w", "labels": ["none"]}))["status"] == 200


async def test_a_client_that_asks_for_more_at_once_waits_for_its_turn(served: RunningDeck, api: Api) -> None:
    async with _client(served) as client, client.worker_socket() as worker:
        waiting = [asyncio.create_task(worker.claim("w", wait_seconds=60)) for _ in range(MOST_AT_ONCE)]
        await api.until_waiting(MOST_AT_ONCE)
        late = asyncio.create_task(worker.claim("w", labels=["none"]))
        await client.create(title="t")
        assert (await late)["claims"] == []
        for task in waiting:
            task.cancel()
        given = [one for one in await asyncio.gather(*waiting, return_exceptions=True) if isinstance(one, dict)]
        assert [len(one["claims"]) for one in given] == [1]


async def test_bytes_are_no_messages_and_long_ones_are_not_taken(api: Api) -> None:
    async with line(api) as worker:
        await worker.ws.send_bytes(b"{}")
        assert await worker.closed() == aiohttp.WSCloseCode.UNSUPPORTED_DATA
    async with line(api) as worker:
        await worker.ws.send_str(" " * (2 * 1024 * 1024))
        assert await worker.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_when_a_claim_may_be_tried_again_is_told(tmp_path: Path, clock: FakeClock) -> None:
    settings = Settings(data=tmp_path / "data", port=0, claims_per_minute_per_worker=1)
    async with (
        running_deck(settings, clock=clock, ids=CountingIds()) as running,
        Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as api,
        line(api) as worker,
    ):
        await api.create()
        await worker.ask("claim", {"worker": "w"})
        refused = await worker.ask("claim", {"worker": "w"})
        assert (refused["status"], refused["body"]["code"], refused["retry_after"]) == (429, "rate_limited", 60)


async def test_a_server_that_stops_answers_first(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_deck(Settings(data=tmp_path / "data", port=0)))
        async with (
            Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as api,
            line(api) as worker,
        ):
            await worker.say("claim", {"worker": "w", "wait_seconds": 60})
            await api.until_waiting(1)
            stopping = asyncio.create_task(stack.aclose())
            answer = await worker.heard()
            assert [reason["code"] for reason in answer["body"]["reasons"]] == ["draining"]
            assert await worker.closed() == aiohttp.WSCloseCode.GOING_AWAY
            await asyncio.wait_for(stopping, 10)


# -- the client's side


def _client(running: RunningDeck, **more: Any) -> Client:
    return Client(running.url, token=(running.data / ADMIN_TOKEN).read_text().strip(), **more)


async def test_the_client_works_on_a_socket_as_over_http(served: RunningDeck) -> None:
    async with _client(served) as client, client.worker_socket() as worker:
        await client.create_many([{"title": "a"}, {"title": "b"}])
        given = (await worker.claim("w", lease_seconds=60))["claims"][0]
        assert (await worker.heartbeat(given["task"]["id"], given["fence"]))["signal"] == "continue"
        waiting = asyncio.create_task(worker.claim("w", labels=["late"], wait_seconds=30))
        ended = await worker.complete(given["task"]["number"], given["fence"], {"a": 1}, next={"lease_seconds": 30})
        second = ended["next"]["claims"][0]
        assert (ended["state"], second["task"]["title"]) == ("done", "b")
        with pytest.raises(ApiError) as stale:
            await worker.release(given["task"]["key"], given["fence"])
        assert (stale.value.status, stale.value.code) == (409, "stale_fence")
        assert (await worker.fail(second["task"]["key"], second["fence"], "boom"))["error"]["message"] == "boom"
        await client.create(title="c", labels=["late"])
        assert (await waiting)["claims"][0]["task"]["title"] == "c"


async def test_over_the_local_socket_nobody_shows_a_token(served: RunningDeck) -> None:
    async with Client(socket=served.socket) as client, client.worker_socket() as worker:
        assert (await worker.claim("w"))["claims"] == []


async def test_why_no_socket_is_opened_is_told(served: RunningDeck) -> None:
    async with Client(served.url, token="td_unknown") as client:
        with pytest.raises(ApiError) as refused:
            async with client.worker_socket():
                pass
    assert (refused.value.status, refused.value.code) == (401, "unauthorized")


async def test_what_goes_wrong_beside_the_socket_is_not_taken_for_a_lost_deck(served: RunningDeck) -> None:
    async with _client(served) as client:
        with pytest.raises(FileNotFoundError):
            async with client.worker_socket() as worker:
                await worker.claim("w")
                raise FileNotFoundError("a file of the worker's own")


async def test_where_no_deck_is_no_socket_is_opened(unused_tcp_port: int) -> None:
    async with Client(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(Unreachable):
            async with client.worker_socket():
                pass


async def test_a_lost_connection_is_told_to_all_who_wait(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_deck(Settings(data=tmp_path / "data", port=0)))
        async with _client(running) as client, client.worker_socket() as worker:
            assert isinstance(worker, WorkerSocket)
            await client.create(title="a")
            given = (await worker.claim("w"))["claims"][0]
            await stack.aclose()
            with pytest.raises(Unreachable):
                await worker.heartbeat(given["task"]["key"], given["fence"])
            with pytest.raises(Unreachable):
                await worker.claim("w")
