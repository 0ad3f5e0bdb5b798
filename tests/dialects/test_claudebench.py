"""The acceptance list of the ClaudeBench dialect, each item by its number: calls of methods."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from claudebench_calls import Calls
from conftest import Speaking, Spoken
from support.failing import failing

THIRTEEN = {
    "id", "text", "priority", "status", "assignedTo", "metadata", "result", "error", "createdAt", "updatedAt",
    "completedAt", "attachments", "attachmentCount",
}  # fmt: skip
SEED = json.loads((Path(__file__).parent / "claudebench" / "seed.json").read_text())


@pytest.fixture
async def spoken(speaking: Speaking) -> AsyncIterator[Spoken]:
    async with speaking("claudebench", opened=True) as spoken:
        yield spoken


@pytest.fixture
async def cb(spoken: Spoken) -> AsyncIterator[Calls]:
    async with aiohttp.ClientSession() as session:
        yield Calls(spoken.url, session)


async def test_01_to_04_register_and_heartbeat(cb: Calls) -> None:
    answer = await cb.rpc("system.register", {"id": "w1", "roles": ["worker"]})
    assert answer["result"] == {"registered": True}
    (issue,) = await cb.issues("system.register", id="w1")
    assert (issue["path"], issue["message"]) == (["roles"], "Required")
    assert await cb.ok("system.heartbeat", instanceId="w1") == {"alive": True}
    assert await cb.ok("system.heartbeat", instanceId="w2") == {"alive": False}
    await cb.worker("w2")
    assert await cb.ok("system.heartbeat", instanceId="w2") == {"alive": True}


async def test_05_a_new_task(cb: Calls) -> None:
    made = await cb.ok("task.create", text="a", priority=75, metadata={"k": 1})
    assert made.keys() == {"id", "text", "status", "priority", "createdAt"}
    assert re.fullmatch(r"t-\d+", made["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["createdAt"])
    assert (made["text"], made["status"], made["priority"]) == ("a", "pending", 75)


async def test_06_creates_of_one_millisecond_have_ids_of_their_own(cb: Calls) -> None:
    assert len(set(await asyncio.gather(*(cb.new() for _ in range(200))))) == 200


async def test_07_all_faults_of_a_call_are_told_at_once(cb: Calls) -> None:
    short, fraction = await cb.issues("task.create", text="", priority=1.5)
    assert (short["code"], short["minimum"], short["path"]) == ("too_small", 1, ["text"])
    assert (fraction["expected"], fraction["received"], fraction["path"]) == ("integer", "float", ["priority"])
    (long,) = await cb.issues("task.create", text="x" * 501)
    assert (long["code"], long["maximum"]) == ("too_big", 500)
    (long,) = await cb.issues("task.create", text="😀" * 251)  # two UTF-16 units each
    assert long["code"] == "too_big"
    assert (await cb.ok("task.create", text="😀" * 250, priority=75.0))["priority"] == 75
    missing, boolean = await cb.issues("task.create", priority=True)
    assert (missing["message"], boolean["message"]) == ("Required", "Expected number, received boolean")


async def test_08_priorities_that_are_not_given(cb: Calls) -> None:
    assert (await cb.ok("task.create", text="a"))["priority"] == 50
    zero = await cb.ok("task.create", text="a", priority=0)
    assert zero["priority"] == 50
    assert (await cb.ok("task.update", id=zero["id"], updates={"priority": 0}))["priority"] == 0


async def test_09_claims_go_by_priority_then_age(cb: Calls) -> None:
    ids = [await cb.new(priority=priority) for priority in (10, 90, 50, 50, 100)]
    await cb.worker("w1")
    found = [(await cb.claim("w1"))["id"] for _ in ids]  # type: ignore[index]
    assert found == [ids[4], ids[1], ids[2], ids[3], ids[0]]
    assert await cb.ok("task.claim", workerId="w1") == {"claimed": False}


async def test_10_what_a_claim_answers(cb: Calls, spoken: Spoken) -> None:
    id = await cb.new("a", priority=80, metadata={"env": "prod"})
    await cb.worker("w1")
    spoken.clock.advance(1)
    answer = await cb.ok("task.claim", workerId="w1")
    assert answer.keys() == {"claimed", "taskId", "task"}
    task = answer["task"]
    assert task.keys() == THIRTEEN
    assert (answer["taskId"], task["id"], task["status"], task["assignedTo"]) == (id, id, "in_progress", "w1")
    assert task["metadata"] == {"env": "prod"}
    assert [task[name] for name in ("result", "error", "completedAt")] == [None] * 3
    assert (task["attachments"], task["attachmentCount"]) == ({}, 0)
    assert task["updatedAt"] > task["createdAt"]


async def test_12_parameters_of_a_claim(cb: Calls) -> None:
    await cb.worker("w1")
    for wrong in (0, 11, 1.5, "2", None):
        (issue,) = await cb.issues("task.claim", workerId="w1", maxTasks=wrong)
        assert issue["path"] == ["maxTasks"]
    (issue,) = await cb.issues("task.claim", workerId="")
    assert issue["path"] == ["workerId"]
    ids = [await cb.new() for _ in range(3)]
    answer = await cb.ok("task.claim", workerId="w1", maxTasks=10)
    assert answer["taskId"] == ids[0]
    assert (await cb.ok("task.list", status="pending"))["totalCount"] == 2


async def test_13_concurrent_claims_win_different_tasks(cb: Calls) -> None:
    names = [f"w{n}" for n in range(50)]
    await cb.worker(*names)
    for _ in range(20):
        await cb.new()
    claims = await asyncio.gather(*(cb.ok("task.claim", workerId=name) for name in names))
    won = [claim["taskId"] for claim in claims if claim["claimed"]]
    assert len(won) == len(set(won)) == 20
    assert all(claim == {"claimed": False} for claim in claims if not claim["claimed"])


async def test_14_a_hundred_claims_a_minute_for_each_worker(cb: Calls, spoken: Spoken) -> None:
    await cb.worker("w1", "w2")
    for _ in range(100):
        await cb.ok("task.claim", workerId="w1")
    assert await cb.reason("task.claim", workerId="w1") == "Rate limit exceeded: 100 requests per 60000ms"
    await cb.ok("task.claim", workerId="w2")
    spoken.clock.advance(60)
    await cb.worker("w1")
    await cb.ok("task.claim", workerId="w1")


async def test_15_silent_instances_are_offline_until_they_register(cb: Calls, spoken: Spoken) -> None:
    await cb.worker("w1")
    spoken.clock.advance(0.005)
    found = await cb.ok("system.check_health", timeout=1)
    assert found == {"healthy": [], "failed": ["w1"], "reassigned": {}}
    refused = await cb.error("task.claim", workerId="w1")
    assert (refused["code"], refused["message"]) == (-32602, "Worker w1 is not available (status: OFFLINE)")
    assert await cb.ok("system.heartbeat", instanceId="w1") == {"alive": True}
    assert (await cb.error("task.claim", workerId="w1"))["code"] == -32602
    await cb.worker("w1")
    assert await cb.ok("task.claim", workerId="w1") == {"claimed": False}


async def test_16_and_17_a_lost_lease_takes_nothing_away(cb: Calls, spoken: Spoken) -> None:
    await cb.worker("w1")
    id = await cb.new()
    await cb.claim("w1")
    spoken.clock.advance(27)
    assert await cb.ok("task.claim", workerId="w1") == {"claimed": False}
    spoken.clock.advance(4)
    assert (await cb.error("task.claim", workerId="w1"))["message"] == "Worker not registered: w1"
    assert await cb.ok("system.heartbeat", instanceId="w1") == {"alive": False}
    task = await cb.listed(id)
    assert (task["status"], task["assignedTo"]) == ("in_progress", "w1")
    assert (await cb.ok("task.complete", id=id, workerId="w1", result={"late": True}))["status"] == "completed"
    await cb.worker("w1")
    await cb.new()
    assert await cb.claim("w1") is not None


async def test_18_a_completion(cb: Calls, spoken: Spoken) -> None:
    await cb.worker("w1")
    id = await cb.new(metadata={"k": 1})
    await cb.claim("w1")
    spoken.clock.advance(2)
    done = await cb.ok("task.complete", id=id, result={"ok": 1})
    assert done.keys() == {"id", "status", "completedAt"}
    assert (done["id"], done["status"]) == (id, "completed")
    task = await cb.listed(id)
    assert task["result"] == {"ok": 1}
    assert task["metadata"] == {"k": 1, "duration": 2000, "completedBy": "w1", "resultSize": 8}
    assert (task["attachmentKeys"], task["resultAttachment"]["value"]) == (["result"], {"ok": 1})
    assert task["completedAt"] == done["completedAt"]


@pytest.mark.parametrize("sent", [{}, {"result": None}, {"result": 0}, {"result": False}, {"result": ""}], ids=str)
async def test_19_a_completion_without_a_result_is_a_failure(cb: Calls, sent: dict[str, Any]) -> None:
    await cb.worker("w1")
    id = await cb.new()
    await cb.claim("w1")
    assert (await cb.ok("task.complete", taskId=id, **sent))["status"] == "failed"
    task = await cb.listed(id)
    assert (task["status"], task["result"], task["error"], task["resultAttachment"]) == ("failed", None, None, None)
    assert task["metadata"] == {"duration": 0, "completedBy": "w1", "resultSize": 0}


async def test_19_anything_else_is_a_success(cb: Calls) -> None:
    await cb.worker("w1")
    for sent, kept in (({}, {}), ([], []), ('{"x":2}', {"x": 2}), ("done", "done"), ("0", 0)):
        id = await cb.new()
        await cb.claim("w1")
        assert (await cb.ok("task.complete", id=id, result=sent))["status"] == "completed"
        task = await cb.listed(id)
        assert (task["result"], task["resultAttachment"]["value"]) == (kept, kept)


async def test_20_completions_that_are_refused(cb: Calls) -> None:
    await cb.worker("w1")
    id = await cb.new()
    assert await cb.reason("task.complete", id=id, result=1) == "Task not assigned"
    await cb.claim("w1")
    await cb.ok("task.complete", id=id, result=1)
    assert await cb.reason("task.complete", id=id, result=1) == "Task already completed"
    assert await cb.reason("task.complete", id=id) == "Task already completed"
    assert await cb.reason("task.complete", id="t-404", result=1) == "Task not found: t-404"
    (issue,) = await cb.issues("task.complete", result=1)
    assert issue == {"code": "custom", "path": ["id"], "message": "Either 'id' or 'taskId' must be provided"}
    short, custom = await cb.issues("task.complete", id="")
    assert (short["code"], custom["code"]) == ("too_small", "custom")


async def test_21_anybody_may_complete(cb: Calls) -> None:
    await cb.worker("w1")
    id = await cb.new()
    await cb.claim("w1")
    assert (await cb.ok("task.complete", id=id, workerId="other", result=1))["status"] == "completed"
    task = await cb.listed(id)
    assert (task["assignedTo"], task["metadata"]["completedBy"]) == ("w1", "other")


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


async def test_the_pages_own_examples(cb: Calls, spoken: Spoken) -> None:
    """Request by request: same status, each field of the page there with its type and meaning."""
    request, given = SEED["request"], SEED["available"]
    refused = await cb.send(request)
    assert refused == (200, SEED["error"])
    await cb.worker(request["params"]["workerId"])
    shown = given["result"]["task"]
    await cb.new(shown["text"], priority=shown["priority"], metadata=shown["metadata"])
    status, answer = await cb.send(request)
    assert status == 200
    same_shape(given, answer)
    times = ("id", "createdAt", "updatedAt")
    task = answer["result"]["task"]
    assert {name: task[name] for name in shown if name not in times} == {
        name: value for name, value in shown.items() if name not in times
    }
    assert answer["result"]["taskId"] == task["id"]
    assert await cb.send(request) == (200, SEED["none"])


def same_shape(wanted: Any, found: Any, path: str = "") -> None:
    """Each member that is wanted is found, of the same type."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict), path
        for name, value in wanted.items():
            assert name in found, f"{path}.{name}"
            same_shape(value, found[name], f"{path}.{name}")
    else:
        assert type(found) is type(wanted), path
