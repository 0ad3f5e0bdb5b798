"""The acceptance list of the ClaudeBench dialect, each item by its number: instances, claims, completions; the page."""

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
