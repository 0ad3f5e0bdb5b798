"""The acceptance list of the ClaudeBench dialect, each item by its number: updates, assignments, lists, state."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from claudebench_calls import Calls
from conftest import Speaking, Spoken
from support.failing import failing


@pytest.fixture
async def spoken(speaking: Speaking) -> AsyncIterator[Spoken]:
    async with speaking("claudebench", opened=True) as spoken:
        yield spoken


@pytest.fixture
async def cb(spoken: Spoken) -> AsyncIterator[Calls]:
    async with aiohttp.ClientSession() as session:
        yield Calls(spoken.url, session)


async def test_22_updates(cb: Calls) -> None:
    id = await cb.new(metadata={"a": 1})
    updated = await cb.ok("task.update", id=id, updates={"metadata": {"b": 2}, "text": "new"})
    assert updated.keys() == {"id", "text", "status", "priority", "createdAt", "updatedAt"}
    task = await cb.listed(id)
    assert (task["text"], task["metadata"]) == ("new", {"a": 1, "b": 2})
    assert (await cb.ok("task.update", id=id, updates={}))["text"] == "new"
    assert await cb.reason("task.update", id="t-404", updates={}) == "Task not found"
    assert await cb.reason("task.update", id="nonsense", updates={}) == "Task not found"


async def test_23_a_completed_task_stays_so_unless_it_is_a_project(cb: Calls) -> None:
    id, project = await cb.new(), await cb.new(metadata={"projectId": "p"})
    for one in (id, project):
        await cb.ok("task.update", id=one, updates={"status": "completed"})
    refused = await cb.reason("task.update", id=id, updates={"status": "pending"})
    assert refused == "Cannot change status of completed task to pending"
    assert (await cb.ok("task.update", id=id, updates={"status": "completed", "text": "b"}))["text"] == "b"
    assert (await cb.ok("task.update", id=project, updates={"status": "pending"}))["status"] == "pending"


async def test_23_every_other_change_of_status_is_allowed(cb: Calls) -> None:
    await cb.worker("w1", "w2")
    id = await cb.new()
    await cb.claim("w1")
    for status in ("pending", "in_progress", "failed", "in_progress", "failed", "pending"):
        assert (await cb.ok("task.update", id=id, updates={"status": status}))["status"] == status
        assert (await cb.listed(id))["assignedTo"] == "w1"
    assert (await cb.listed(id))["completedAt"] is not None
    assert await cb.claim("w2") is None
    assert (await cb.claim("w1"))["id"] == id  # type: ignore[index]
    alone = await cb.new()
    await cb.ok("task.update", id=alone, updates={"status": "in_progress"})
    task = await cb.listed(alone)
    assert (task["status"], task["assignedTo"]) == ("in_progress", None)
    assert await cb.reason("task.complete", id=alone, result=1) == "Task not assigned"
    assert (await cb.ok("task.assign", taskId=alone, instanceId="w2"))["instanceId"] == "w2"
    assert (await cb.ok("task.complete", id=alone, result=1))["status"] == "completed"


async def test_24_assigning(cb: Calls, spoken: Spoken) -> None:
    await cb.worker("w1", "w2")
    id = await cb.new()
    assigned = await cb.ok("task.assign", taskId=id, instanceId="w1")
    assert assigned.keys() == {"taskId", "instanceId", "assignedAt"}
    task = await cb.listed(id)
    assert (task["status"], task["assignedTo"]) == ("pending", "w1")
    assert await cb.claim("w2") is None
    assert (await cb.reason("task.assign", taskId=id, instanceId="w2")).endswith("already assigned to w1.")
    await cb.ok("task.assign", taskId=id, instanceId="w1")
    assert (await cb.claim("w1"))["id"] == id  # type: ignore[index]
    assert await cb.reason("task.assign", taskId=id, instanceId="ghost") == "Instance not found: ghost"
    assert await cb.reason("task.assign", taskId="t-404", instanceId="w1") == "Task not found: t-404"
    await cb.ok("task.complete", id=id, result=1)
    assert "completed" in await cb.reason("task.assign", taskId=id, instanceId="w1")
    spoken.clock.advance(0.01)
    await cb.ok("system.check_health", timeout=1)
    offline = await cb.reason("task.assign", taskId=await cb.new(), instanceId="w2")
    assert offline == "Instance w2 is not available (status: OFFLINE)"


async def test_24_an_assigned_task_may_be_completed_unclaimed(cb: Calls) -> None:
    await cb.worker("w1")
    for result, status in ((1, "completed"), (None, "failed")):
        id = await cb.new()
        await cb.ok("task.assign", taskId=id, instanceId="w1")
        assert (await cb.ok("task.complete", id=id, result=result))["status"] == status
        assert (await cb.listed(id))["assignedTo"] == "w1"


async def test_25_unassigning(cb: Calls) -> None:
    await cb.worker("w1", "w2")
    id = await cb.new()
    await cb.ok("task.assign", taskId=id, instanceId="w1")
    await cb.claim("w1")
    freed = await cb.ok("task.unassign", taskId=id)
    assert freed.keys() == {"taskId", "previousAssignment", "unassignedAt"}
    assert freed["previousAssignment"] == "w1"
    assert (await cb.reason("task.unassign", taskId=id)).endswith("is not currently assigned")
    assert (await cb.claim("w2"))["id"] == id  # type: ignore[index]
    await cb.ok("task.complete", id=id)
    assert await cb.reason("task.unassign", taskId=id) == f"Cannot unassign task {id} with status failed"
    assert await cb.reason("task.unassign", taskId="t-404") == "Task not found: t-404"


async def test_26_deleting(cb: Calls) -> None:
    await cb.worker("w1")
    id = await cb.new()
    await cb.claim("w1")
    gone = await cb.ok("task.delete", id=id)
    assert gone.keys() == {"id", "deleted", "deletedAt"}
    assert (gone["id"], gone["deleted"]) == (id, True)
    assert await cb.reason("task.delete", id=id) == "Task not found"


async def test_27_lists(cb: Calls) -> None:
    await cb.worker("w1", "w2")
    ids = [await cb.new(priority=5 if n > 4 else 50) for n in range(12)]
    await cb.ok("task.assign", taskId=ids[0], instanceId="w2")
    await cb.ok("task.assign", taskId=ids[1], instanceId="w1")
    for id, status in ((ids[2], "failed"), (ids[3], "in_progress"), (ids[4], "completed")):
        await cb.ok("task.update", id=id, updates={"status": status})

    async def names(member: str, **asked: Any) -> list[Any]:
        return [task[member] for task in (await cb.ok("task.list", **asked))["tasks"]]

    assert await names("assignedTo", orderBy="assignedTo", order="asc") == ["w1", "w2"] + [None] * 10
    assert await names("assignedTo", orderBy="assignedTo") == [None] * 10 + ["w2", "w1"]
    sorted_by_status = await names("status", orderBy="status", order="asc")
    assert sorted_by_status == ["pending"] * 9 + ["in_progress", "completed", "failed"]
    assert await names("id") == ids[::-1]
    assert await names("id", priority=5, limit=3) == ids[:8:-1]
    assert await names("id", assignedTo="w1") == [ids[1]]
    assert await names("priority", orderBy="priority") == [50] * 5 + [5] * 7
    assert len(await names("id", assignedTo="", orderBy="updatedAt")) == 12
    page = await cb.ok("task.list", limit=5)
    assert (len(page["tasks"]), page["totalCount"], page["hasMore"]) == (5, 12, True)
    page = await cb.ok("task.list", limit=5, offset=10, order="asc")
    assert ([task["id"] for task in page["tasks"]], page["hasMore"]) == (ids[10:], False)
    assert (await cb.ok("task.list", limit=12))["hasMore"] is False
    (issue,) = await cb.issues("task.list", orderBy="completedAt")
    assert issue["code"] == "invalid_enum_value"


async def test_28_attachments_that_come_with_a_claim(cb: Calls) -> None:
    await cb.worker("w1")
    id = await cb.new()
    for sent in (
        {"key": "plan", "type": "json", "value": {"steps": 3}},
        {"key": "notes", "type": "markdown", "content": "# hi"},
        {"key": "link", "type": "url", "url": "https://example.com/a"},
        {"key": "git-commit-x", "type": "json", "value": {"diff": "+1"}},
    ):
        made = await cb.ok("task.create_attachment", taskId=id, **sent)
        assert made.keys() == {"id", "taskId", "key", "type", "createdAt"}
    task = await cb.claim("w1")
    assert task is not None
    shown, count = task["attachments"], task["attachmentCount"]
    assert count == 4
    assert (shown["plan"]["value"], shown["git-commit-x"]["value"]) == ({"steps": 3}, None)
    assert "value" not in shown["notes"]
    assert "value" not in shown["link"]
    assert {name: one["type"] for name, one in shown.items()} == {
        "plan": "json", "notes": "markdown", "link": "url", "git-commit-x": "json"
    }  # fmt: skip


async def test_29_unregistering_gives_back(cb: Calls) -> None:
    await cb.worker("w1")
    id = await cb.new()
    await cb.claim("w1")
    params = {"instanceId": "w1", "sessionId": "s", "timestamp": 1758272100000}
    assert await cb.ok("system.unregister", **params) == {"unregistered": True, "tasksReassigned": 1}
    task = await cb.listed(id)
    assert (task["status"], task["assignedTo"]) == ("pending", None)
    assert await cb.ok("system.unregister", **params) == {"unregistered": True, "tasksReassigned": 0}
    assert await cb.ok("system.heartbeat", instanceId="w1") == {"alive": False}
    (issue,) = await cb.issues("system.unregister", instanceId="w1", timestamp=1)
    assert issue["path"] == ["sessionId"]


async def test_29_what_was_kept_for_it_is_let_go_too(cb: Calls) -> None:
    await cb.worker("w1", "w2")
    held, kept = [await cb.new() for _ in range(2)]
    for id in (held, kept):
        await cb.ok("task.assign", taskId=id, instanceId="w1")
    assert (await cb.claim("w1"))["id"] == held  # type: ignore[index]
    params = {"instanceId": "w1", "sessionId": "s", "timestamp": 1}
    assert await cb.ok("system.unregister", **params) == {"unregistered": True, "tasksReassigned": 2}
    found = [await cb.claim("w2") for _ in range(2)]
    assert [task and task["id"] for task in found] == [held, kept]


async def test_30_the_state_is_made_of_texts(cb: Calls) -> None:
    assert await cb.ok("system.get_state") == {}
    await cb.worker(*(f"w{n:02}" for n in range(12)))
    ids = [await cb.new(metadata={"k": 1}) for _ in range(12)]
    await cb.claim("w00")
    await cb.ok("task.complete", id=ids[0], result={"a": 1})
    await cb.ok("system.heartbeat", instanceId="w00")
    state = await cb.ok("system.get_state")
    assert (len(state["tasks"]), len(state["instances"])) == (10, 10)
    assert all(isinstance(value, str) for one in state["tasks"] + state["instances"] for value in one.values())
    assert json.loads(state["instances"][0]["roles"]) == ["worker"]
    assert "lastHeartbeat" in state["instances"][0]
    assert ids[0] not in {task["id"] for task in state["tasks"]}  # unfinished ones are of more use


async def test_38_faults_open_the_breaker_and_client_errors_do_not(cb: Calls, spoken: Spoken) -> None:
    await cb.worker("w1")
    await cb.new()
    for _ in range(10):
        await cb.error("task.claim", workerId="ghost")
    assert await cb.claim("w1") is not None
    await cb.new()
    with failing(spoken.running):
        for _ in range(10):
            assert (await cb.error("task.claim", workerId="w1"))["code"] == -32603
        assert await cb.ok("task.claim", workerId="w1") == {"claimed": False}
    spoken.clock.advance(29)
    assert await cb.ok("task.claim", workerId="w1") == {"claimed": False}
    spoken.clock.advance(1)
    await cb.worker("w1")
    assert await cb.claim("w1") is not None
