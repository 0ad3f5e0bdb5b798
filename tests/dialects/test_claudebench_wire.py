"""The acceptance list of the ClaudeBench dialect, each item by its number: envelopes, batches, routes, tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from claudebench_calls import Calls, call, listening
from conftest import Speaking, Spoken

from taskdeck.dialects.claudebench.catalogue import BY_NAME


@pytest.fixture
async def spoken(speaking: Speaking) -> AsyncIterator[Spoken]:
    async with speaking("claudebench", opened=True) as spoken:
        yield spoken


@pytest.fixture
async def cb(spoken: Spoken) -> AsyncIterator[Calls]:
    async with aiohttp.ClientSession() as session:
        yield Calls(spoken.url, session)


async def test_11_a_claim_by_an_unknown_worker(cb: Calls) -> None:
    refusal = {
        "code": -32602,
        "message": "Worker not registered: ghost",
        "data": {"validation": "Worker must be registered and active"},
    }
    claim = call("task.claim", {"workerId": "ghost"}, id="c")
    expected = {"jsonrpc": "2.0", "error": refusal, "id": "c"}
    assert await cb.send(claim) == (200, expected)
    assert await cb.send([claim], "/rpc/batch") == (200, [expected])
    async with listening(cb) as socket:
        assert await socket.ask({"action": "execute", "request": claim}) == expected


async def test_31_envelopes(cb: Calls) -> None:
    assert await cb.send(b"{not json") == await cb.send(b"")
    status, answer = await cb.send(b'{"jsonrpc":"2.0","method":"system.health","id":NaN}')
    assert (status, answer) == (
        200,
        {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None},
    )
    for wrong, path in (
        ({"method": "system.health", "id": 1}, ["jsonrpc"]),
        ({"jsonrpc": "1.0", "method": "system.health", "id": 1}, ["jsonrpc"]),
        ({"jsonrpc": "2.0", "id": 1}, ["method"]),
        (call("system.health", id={"a": 1}), ["id"]),
        (call("system.health", id=True), ["id"]),
        (call("system.health", id=1, metadata={"sessionId": 5}), ["metadata", "sessionId"]),
        ("text", []),
    ):
        status, answer = await cb.send(wrong)
        assert (status, answer["id"], answer["error"]["code"]) == (200, None, -32600), wrong
        assert answer["error"]["message"] == "Invalid request"
        assert answer["error"]["data"][0]["path"] == path
    status, answer = await cb.send(call("task.nope", id="x"))
    assert (status, answer["id"]) == (200, "x")
    assert answer["error"] == {"code": -32601, "message": "Method not found: task.nope"}
    for id in (None, 1.5, "x"):
        status, answer = await cb.send(call("system.health", id=id) | {"extra": 1})
        assert (status, answer["id"], answer["result"]["status"]) == (200, id, "degraded")
    (issue,) = (await cb.send(call("task.claim", ["w"], id=1)))[1]["error"]["data"]
    assert (issue["path"], issue["received"]) == ([], "array")


async def test_32_notifications(cb: Calls) -> None:
    assert await cb.send(call("task.create", {"text": "quiet"})) == (204, None)
    status, answer = await cb.send(call("task.create", {"text": ""}))
    assert (status, answer["id"], answer["error"]["code"]) == (200, None, -32602)
    assert (await cb.ok("task.list"))["totalCount"] == 1


async def test_33_batches(cb: Calls) -> None:
    quiet = call("system.heartbeat", {"instanceId": "n"})
    batch = [call("task.create", {"text": "b"}, id="b1"), call("nope", id="b2"), quiet, {"bad": 1}]
    for path in ("/rpc/batch", "/rpc"):
        status, answers = await cb.send(batch, path)
        assert (status, [answer["id"] for answer in answers]) == (200, ["b1", "b2", None])
        assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32600]
    assert await cb.send([quiet], "/rpc/batch") == (200, [])

    async def refused(document: Any) -> tuple[int, str]:
        status, answer = await cb.send(document, "/rpc/batch")
        assert (status, answer["id"]) == (200, None)
        return answer["error"]["code"], answer["error"]["message"]

    assert await refused([]) == (-32600, "Batch cannot be empty")
    assert await refused({}) == (-32600, "Batch must be an array")
    assert await refused(b"[") == (-32700, "Invalid batch request")


async def test_34_routes(cb: Calls) -> None:
    status, made = await cb.send({"text": "r"}, "/task/create")
    assert (status, made.keys()) == (200, {"success", "data", "event", "timestamp"})
    assert (made["success"], made["event"], made["data"]["text"]) == (True, "task.create", "r")
    for wrong in ({"text": ""}, b"{not json"):
        status, refused = await cb.send(wrong, "/task/create")
        assert (status, refused.keys()) == (400, {"success", "error", "details", "event"})
        assert (refused["success"], refused["error"]) == (False, "Validation failed")
    status, refused = await cb.send({"workerId": "ghost"}, "/task/claim")
    assert (status, refused) == (
        500,
        {
            "success": False,
            "error": "Internal server error",
            "event": "task.claim",
            "message": "Worker not registered: ghost",
        },
    )
    for method, path in (
        ("GET", "/task/list"),
        ("POST", "/task/nope"),
        ("GET", "/rpc"),
        ("GET", "/ws"),
        ("GET", "/mcp"),
    ):
        reply = await cb.get(path, method)
        assert (reply.status, reply.content_type, await reply.text()) == (404, "text/plain", "404 Not Found")
    status, answer = await cb.send({"batchId": "b", "instanceId": "i", "items": [1]}, "/system/batch")
    assert (status, answer["data"]) == (200, {"processed": True, "processorId": "i", "itemsProcessed": 1})


async def test_what_tells_of_the_server(cb: Calls) -> None:
    banner = await (await cb.get("/")).json()
    assert (banner["status"], banner["service"], banner["version"]) == ("healthy", "claudebench", "0.1.0")
    routes, handlers = await (await cb.get("/routes")).json(), await (await cb.get("/handlers")).json()
    assert routes["total"] == handlers["total"] == len(BY_NAME)
    for one, route in zip(handlers["handlers"], routes["routes"], strict=True):
        assert {"event", "className", "persist", "httpRoute"} <= one.keys()
        assert {"method", "path", "event", "handler"} <= route.keys()
        schema = await (await cb.get(f"/schemas/{one['event']}")).json()
        assert (schema["className"], schema["schemas"].keys()) == (one["className"], {"input", "output"})
    unknown = await cb.get("/schemas/none.such")
    assert (unknown.status, await unknown.json()) == (404, {"error": "Handler not found", "event": "none.such"})
    (found,) = [one for one in (await cb.ok("system.discover"))["methods"] if one["name"] == "task.claim"]
    assert found["inputSchema"]["required"] == ["workerId"]
    assert found["inputSchema"]["properties"]["maxTasks"] | {"title": ""} == {
        "default": 1, "minimum": 1, "maximum": 10, "title": "", "type": "integer"
    }  # fmt: skip
    assert (await cb.ok("system.discover", domain="nope")) == {"methods": []}
    assert "claudebench_tasks" in await (await cb.get("/metrics")).text()


async def test_39_what_browsers_are_told(cb: Calls) -> None:
    page = "http://localhost:3001"
    async with cb.session.post(f"{cb.url}/rpc", json=call("system.health", id=1), headers={"Origin": page}) as reply:
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, page)
        assert (reply.headers["Vary"], reply.headers["Access-Control-Allow-Credentials"]) == ("Origin", "true")
    foreign = await cb.session.post(f"{cb.url}/rpc", json={}, headers={"Origin": "http://evil.example"})
    assert foreign.status == 403
    assert "Access-Control-Allow-Origin" not in foreign.headers
    assert "Access-Control-Allow-Origin" not in (await cb.get("/")).headers
    for path in ("/rpc", "/task/create"):
        flight = await cb.get(path, "OPTIONS", Origin=page)
        assert flight.status == 204
        assert flight.headers["Access-Control-Allow-Methods"] == "GET,POST,DELETE,OPTIONS"
        assert flight.headers["Access-Control-Allow-Headers"] == "Content-Type,Authorization,mcp-session-id"
        assert flight.headers["Access-Control-Allow-Origin"] == page


async def test_results_may_be_long(cb: Calls) -> None:
    await cb.worker("w1")
    id = await cb.new()
    await cb.claim("w1")
    big = {"big": "x" * 2_000_000}
    assert (await cb.ok("task.complete", id=id, result=big))["status"] == "completed"
    assert (await cb.listed(id))["result"] == big
    status, _ = await cb.send(b'"%s"' % (b"x" * (16 * 1024 * 1024)))
    assert status == 413


async def test_without_a_token_only_where_it_was_opened(speaking: Speaking) -> None:
    async with speaking("claudebench") as spoken, aiohttp.ClientSession() as session:
        cb = Calls(spoken.url, session)
        status, answer = await cb.send(call("system.health", id=1))
        assert (status, answer["error"]["message"]) == (401, "Unauthorized")
        key = await spoken.token("agent", "ana")
        bearer = {"Authorization": f"Bearer {key}"}
        assert (await cb.send(call("task.create", {"text": "a"}, id=1), **bearer))[1]["result"]["text"] == "a"
        update = call("task.update", {"id": "t-1", "updates": {}}, id=1)
        status, answer = await cb.send(update, **bearer)
        assert (status, answer["error"]["code"], answer["error"]["message"]) == (200, -32002, "Unauthorized")
        reader = {"Authorization": f"Bearer {await spoken.token('reader', 'rob')}"}
        assert (await cb.send(call("task.create", {"text": "a"}, id=1), **reader))[1]["error"]["code"] == -32002
        assert (await cb.send(call("task.list", id=1), **reader))[1]["result"]["totalCount"] == 1


async def test_a_write_with_an_idempotency_key_is_done_once(cb: Calls) -> None:
    sent = call("task.create", {"text": "once"}, id=1)
    answers = await asyncio.gather(*(cb.send(sent, **{"Idempotency-Key": "k"}) for _ in range(3)))
    assert answers[0][1]["result"]["text"] == "once"
    assert answers == [answers[0]] * 3
    assert (await cb.ok("task.list"))["totalCount"] == 1


async def test_limits_are_each_callers_own(cb: Calls) -> None:
    id = await cb.new()
    for _ in range(20):
        await cb.rpc("task.update", {"id": id, "updates": {}}, session="mine")
    refused = await cb.rpc("task.update", {"id": id, "updates": {}}, session="mine")
    assert refused["error"]["data"] == "Rate limit exceeded: 20 requests per 60000ms"
    assert "result" in await cb.rpc("task.update", {"id": id, "updates": {}}, session="yours")
    status, _ = await cb.send({"id": id, "updates": {}}, "/task/update")
    assert status == 200
