"""The acceptance list of the ClaudeBench dialect, each item by its number: envelopes, batches, routes, WebSocket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from claudebench_calls import Calls, Socket
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


@asynccontextmanager
async def listening(cb: Calls, *patterns: str) -> AsyncIterator[Socket]:
    async with cb.session.ws_connect(f"{cb.url}/ws") as connection:
        socket = Socket(connection)
        first = await socket.next()
        assert first.keys() == {"type", "clientId", "timestamp"}
        assert first["type"] == "connected"
        assert first["clientId"].startswith("ws-")
        if patterns:
            told = await socket.ask({"action": "subscribe", "events": list(patterns)})
            assert (told["type"], told["events"]) == ("subscribed", list(patterns))
        yield socket


def call(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, **more}


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


async def test_35_events_of_a_create_and_a_claim(cb: Calls, spoken: Spoken) -> None:
    async with listening(cb, "task.*", "*") as both, listening(cb, "task.*") as tasks:
        await cb.worker("w1")
        assert (await both.next())["data"]["payload"] == {
            "id": "w1", "roles": ["worker"], "becameLeader": True, "timestamp": spoken.clock.now_ms()
        }  # fmt: skip
        made = await cb.ok("task.create", text="a", priority=61)
        frame = await tasks.next()
        assert frame.keys() == {"type", "event", "data", "timestamp"}
        assert (frame["type"], frame["event"]) == ("event", "task.created")
        assert frame["data"].keys() == {"type", "payload", "metadata", "id", "timestamp"}
        assert (frame["data"]["type"], frame["data"]["payload"]) == ("task.created", made)
        assert re.fullmatch(r"evt-\d+-\w+", frame["data"]["id"])
        claimed = await cb.claim("w1")
        assert claimed is not None
        for socket in (tasks, both):
            frames = [await socket.next() for _ in range(3 if socket is tasks else 4)][-3:]
            assert [one["event"] for one in frames] == ["task.assigned", "task.updated", "task.claimed"]
            first, second, third = (one["data"] for one in frames)
            assert first["payload"] == {"taskId": made["id"], "instanceId": "w1", "previousAssignment": None}
            assert second["metadata"]["changes"] == ["status"]
            assert second["payload"] == made | {"status": "in_progress", "updatedAt": claimed["updatedAt"]}
            assert third["payload"] == {"taskId": made["id"], "workerId": "w1"}
            assert third["metadata"] == {"claimedAt": claimed["updatedAt"]}
            assert await socket.quiet()


async def test_36_calls_over_the_socket(cb: Calls) -> None:
    async with listening(cb, "task.*") as socket:
        event, answer = await socket.execute("task.create", {"text": "a"}, id="c")
        assert (event["event"], answer["id"]) == ("task.created", "c")
        assert event["data"]["payload"] == answer["result"]
        event, pong = await socket.execute("task.create", {"text": "quiet"})
        assert (event["event"], pong["type"]) == ("task.created", "pong")
        (refused,) = await socket.execute("task.complete", {"id": "t-404", "result": 1}, id=2)
        assert refused["error"] == {"code": -32603, "message": "Task not found: t-404"}
        (refused,) = await socket.execute("task.claim", {}, id=3)
        assert refused["error"]["code"] == -32602
        assert '\n  {\n    "code": "invalid_type"' in refused["error"]["message"]
        (refused,) = await socket.execute("nope", {})
        assert refused["error"] == {"code": -32601, "message": "Method not found: nope"}
        assert (await socket.next())["type"] == "pong"
        (pong,) = await socket.execute("task.create", {"text": ""})
        assert pong["type"] == "pong"


async def test_37_faults_of_a_socket(cb: Calls) -> None:
    async with listening(cb, "task.*") as socket:
        wrong = await socket.ask("not json")
        assert (wrong["type"], wrong["error"]["code"]) == ("error", -32603)
        assert "Unexpected" in wrong["error"]["message"]
        for bad in (
            call("system.health", id=9),
            {"action": "bogus"},
            {"action": "subscribe"},
            {"action": "execute", "request": {"method": "task.create"}},
            [1],
        ):
            wrong = await socket.ask(bad)
            assert (wrong["type"], wrong["error"]["code"]) == ("error", -32602), bad
        assert (await socket.ask({"action": "ping"}))["type"] == "pong"
        gone = await socket.ask({"action": "unsubscribe", "events": ["task.*", "never"]})
        assert (gone["type"], gone["events"]) == ("unsubscribed", ["task.*", "never"])
        await cb.new()
        assert await socket.quiet()


async def test_who_listens(cb: Calls) -> None:
    assert await (await cb.get("/ws/stats")).json() == {"totalClients": 0, "subscriptions": {}, "clients": []}
    async with listening(cb, "task.*", "*"), listening(cb, "*"):
        stats = await (await cb.get("/ws/stats")).json()
        assert (stats["totalClients"], stats["subscriptions"]) == (2, {"task.*": 1, "*": 2})
        assert stats["clients"][0].keys() == {"id", "subscriptions", "metadata"}
        assert "aiohttp" in stats["clients"][0]["metadata"]["userAgent"]


async def test_events_of_every_other_method(cb: Calls, spoken: Spoken) -> None:
    """Each with the payload and metadata that the table of events gives it, and none beside it."""
    await cb.worker("w1", "worker-2")
    first, second = await cb.new("a"), await cb.new("b")
    async with listening(cb, "*") as socket:

        async def told(method: str, **params: Any) -> list[tuple[str, Any, Any]]:
            *frames, answer = await socket.execute(method, params, id=1)
            assert "result" in answer, answer
            return [(one["event"], one["data"]["payload"], one["data"].get("metadata")) for one in frames]

        ((kind, payload, metadata),) = await told("task.assign", taskId=first, instanceId="w1")
        assert (kind, metadata) == ("task.assigned", {"assignedBy": "taskdeck"})
        assert payload == {"taskId": first, "instanceId": "w1", "previousAssignment": None}
        assigned, _, _ = await told("task.claim", workerId="w1")
        assert assigned[1]["previousAssignment"] == "w1"
        ((kind, payload, metadata),) = await told("task.unassign", taskId=first)
        assert (kind, payload) == ("task.unassigned", {"taskId": first, "previousAssignment": "w1"})
        assert metadata.keys() == {"unassignedBy", "unassignedAt"}
        updates = {"text": "new", "status": "failed", "metadata": {"k": 1}}
        ((kind, payload, metadata),) = await told("task.update", id=first, updates=updates)
        assert (kind, payload["text"], payload["status"]) == ("task.updated", "new", "failed")
        assert (metadata["updatedBy"], set(metadata["changes"])) == ("taskdeck", {"text", "status", "metadata"})
        await told("task.claim", workerId="w1")
        spoken.clock.advance(1.5)
        ((kind, payload, metadata),) = await told("task.complete", id=second, workerId="other", result=1)
        assert (kind, metadata) == ("task.completed", {"completedBy": "other"})
        assert payload == {"id": second, "status": "completed", "duration": 1500}
        third = await cb.new("c")
        await socket.next()
        await told("task.claim", workerId="w1")
        ((kind, payload, metadata),) = await told("task.complete", id=third)
        assert (kind, payload["status"], metadata) == ("task.completed", "failed", {"completedBy": "w1"})
        ((kind, payload, metadata),) = await told("task.delete", id=second)
        assert (kind, payload.keys()) == ("task.deleted", {"id", "deletedAt", "deletedBy"})
        assert metadata.keys() == {"instanceId", "eventId"}
        sent = {"taskId": first, "key": "k", "type": "text", "content": "x"}
        assert await told("task.create_attachment", **sent) == []
        ((kind, payload, metadata),) = await told("task.delete_attachment", taskId=first, key="k")
        assert (kind, payload["taskId"], payload["key"]) == ("task.attachment.deleted", first, "k")
        assert (payload["attachmentId"][:3], metadata.keys()) == ("ta-", {"deletedBy", "deletedAt"})
        fourth = await cb.new("d")
        await socket.next()
        await told("task.claim", workerId="w1")
        await cb.worker("worker-2")
        spoken.clock.advance(5)
        await told("system.heartbeat", instanceId="worker-2")
        ((kind, payload, metadata),) = await told("system.check_health", timeout=2000)
        assert (kind, metadata) == ("instance.failed", None)
        assert payload == {"id": "w1", "lastSeen": spoken.clock.now_ms() - 6500, "tasksReassigned": 1}
        freed, left = await told("system.unregister", instanceId="w1", sessionId="s", timestamp=7)
        assert (freed[0], freed[1]) == ("task.unassigned", {"taskId": fourth, "previousAssignment": "w1"})
        assert left == (
            "instance.unregistered", {"id": "w1", "sessionId": "s", "tasksReassigned": 1, "timestamp": 7}, None
        )  # fmt: skip
        batch = {"batchId": "b", "instanceId": "i", "items": [1, 2]}
        assert await told("system.batch.process", **batch) == [
            ("batch.completed", {"batchId": "b", "processorId": "i", "itemsProcessed": 2}, None)
        ]
        lost = await cb.ok("system.batch.process", **batch)
        assert lost == {"processed": False, "processorId": "i", "itemsProcessed": 0}


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


@pytest.mark.parametrize("place", ["url", "below"])
async def test_40_what_the_bundled_clients_send(spoken: Spoken, place: str) -> None:
    """Request by request, at the root of a port and below the prefix: its web client, then its relay."""
    async with aiohttp.ClientSession() as session:
        cb = Calls(getattr(spoken, place), session)
        about = {"sessionId": "5c1f", "correlationId": "c", "timestamp": 1758272100000}
        count = 0

        async def invoke(method: str, params: Any) -> Any:
            nonlocal count
            count += 1
            status, answer = await cb.send(call(method, params, id=count, metadata=about))
            assert (status, "error" in answer) == (200, False), answer
            return answer["result"]

        async with listening(cb, "task.*") as socket:
            await invoke("system.register", {"id": "w", "roles": ["worker"]})
            made = await invoke("task.create", {"text": "a"})
            claimed = await invoke("task.claim", {"workerId": "w"})
            await invoke("task.complete", {"id": claimed["taskId"], "result": {"ok": True}})
            status, _ = await cb.send(call("task.create", {"text": "b"}, metadata=about))
            assert status == 204
            batch = [call("system.health", None, id=f"{n}-{n}", metadata=about) for n in range(2)]
            status, answers = await cb.send(batch)
            assert (status, [answer["id"] for answer in answers]) == (200, ["0-0", "1-1"])
            found = (await invoke("system.discover", {"domain": "task"}))["methods"]
            assert len(found) == 13
            assert all(one["name"].startswith("task.") for one in found)
            events = [await socket.next() for _ in range(6)]
            assert [one["event"] for one in events] == [
                "task.created", "task.assigned", "task.updated", "task.claimed", "task.completed", "task.created"
            ]  # fmt: skip
            assert events[0]["data"]["payload"] == made

        async def relay(method: str, **params: Any) -> Any:
            status, answer = await cb.send(call(method, params, id=1))
            assert (status, "error" in answer) == (200, False), answer
            return answer["result"]

        assert await relay("system.register", id="relay-1", roles=["observer", "relay"]) == {"registered": True}
        assert await relay("system.heartbeat", instanceId="relay-1") == {"alive": True}
        spoken.clock.advance(31)
        assert await relay("system.heartbeat", instanceId="relay-1") == {"alive": False}
        assert await relay("system.register", id="relay-1", roles=["observer", "relay"]) == {"registered": True}
        assert await relay("system.heartbeat", instanceId="relay-1") == {"alive": True}
        left = await relay("system.unregister", instanceId="relay-1", sessionId="s", timestamp=1758272100000)
        assert left == {"unregistered": True, "tasksReassigned": 0}
