"""The acceptance list of the ClaudeBench dialect, each item by its number: the WebSocket, its events, clients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from claudebench_calls import Calls, call, listening
from conftest import Speaking, Spoken


@pytest.fixture
async def spoken(speaking: Speaking) -> AsyncIterator[Spoken]:
    async with speaking("claudebench", opened=True) as spoken:
        yield spoken


@pytest.fixture
async def cb(spoken: Spoken) -> AsyncIterator[Calls]:
    async with aiohttp.ClientSession() as session:
        yield Calls(spoken.url, session)


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
