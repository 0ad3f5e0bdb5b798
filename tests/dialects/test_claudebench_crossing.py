"""ClaudeBench beside the deck's own API and another dialect; many claimers at once; what its bench sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from claudebench_calls import Calls
from conftest import Speaking, Spoken
from race import CLAIMERS, TASKS, race

from taskdeck.bench.dialects import claudebench as load
from taskdeck.bench.line import Site
from taskdeck.bench.scripts import PROJECT
from taskdeck.client import Client


@pytest.fixture
async def spoken(speaking: Speaking) -> AsyncIterator[Spoken]:
    async with speaking("claudebench", opened=True) as spoken:
        yield spoken


@pytest.fixture
async def cb(spoken: Spoken) -> AsyncIterator[Calls]:
    async with aiohttp.ClientSession() as session:
        yield Calls(spoken.below, session)


async def test_a_task_made_natively_is_claimed_and_completed_here(cb: Calls, spoken: Spoken) -> None:
    native = await spoken.native.create("n", priority=80, metadata={"a": 1}, labels=["x"])
    await cb.worker("w1")
    task = await cb.claim("w1")
    assert task is not None
    assert task["id"] == f"t-{native['number']}"
    assert (task["text"], task["priority"], task["metadata"]) == ("n", 80, {"a": 1})
    held = await spoken.native.get(f"/v1/tasks/{native['key']}")
    claim = held["claim"]
    assert (claim["worker"], claim["principal"], claim["via"]) == ("w1", "claudebench", "claudebench")
    assert (claim["lease_seconds"], held["state"]) == (86_400, "claimed")
    (worker,) = (await spoken.native.get("/v1/workers"))["workers"]
    assert (worker["id"], worker["via"]) == ("w1", "claudebench")
    (lease,) = (await spoken.native.get("/v1/leases"))["leases"]
    assert lease["via"] == "claudebench"
    await cb.ok("task.complete", id=task["id"], result={"ok": 1})
    done = await spoken.native.get(f"/v1/tasks/{native['key']}")
    assert (done["state"], done["result"], done["metadata"]) == ("done", {"ok": 1}, {"a": 1})
    assert done["completed_by"]["worker"] == "w1"


async def test_a_task_made_here_is_claimed_and_completed_natively(cb: Calls, spoken: Spoken) -> None:
    id = await cb.new("c", priority=90, metadata={"k": 1})
    held = await spoken.native.claim("n1")
    task = held["task"]
    assert (task["key"], task["title"], task["priority"], task["metadata"]) == (id, "c", 90, {"k": 1})
    shown = await cb.listed(id)
    assert (shown["status"], shown["assignedTo"]) == ("in_progress", "n1")
    assert await cb.ok("task.list", assignedTo="n1", status="in_progress") | {"tasks": []} == {
        "tasks": [], "totalCount": 1, "hasMore": False
    }  # fmt: skip
    await spoken.native.post(f"/v1/tasks/{id}/complete", {"fence": held["fence"], "result": "well"})
    shown = await cb.listed(id)
    assert (shown["status"], shown["result"], shown["assignedTo"]) == ("completed", "well", "n1")
    assert await cb.reason("task.complete", id=id, result=1) == "Task already completed"


async def test_ends_that_others_give_a_task(cb: Calls, spoken: Spoken) -> None:
    failed, cancelled, scheduled = [await cb.new() for _ in range(3)]
    held = await spoken.native.claim("n1")
    end = {"fence": held["fence"], "error": "broken", "retry": False}
    await spoken.native.post(f"/v1/tasks/{failed}/fail", end)
    await spoken.native.post(f"/v1/tasks/{cancelled}/cancel")
    await spoken.native.post(f"/v1/tasks/{scheduled}/shelve")
    shown = [await cb.listed(id) for id in (failed, cancelled, scheduled)]
    assert [task["status"] for task in shown] == ["failed", "failed", "pending"]
    assert (shown[0]["error"], shown[0]["assignedTo"]) == ("broken", "n1")
    await cb.worker("w1")
    assert await cb.claim("w1") is None


async def test_reviews_are_heeded(cb: Calls, spoken: Spoken) -> None:
    made = await spoken.native.create("r", review="required")
    id = f"t-{made['number']}"
    await cb.worker("w1")
    await cb.claim("w1")
    assert (await cb.ok("task.complete", id=id, result=1))["status"] == "completed"
    assert (await spoken.native.get(f"/v1/tasks/{made['number']}"))["state"] == "review"
    assert (await cb.listed(id))["status"] == "completed"
    assert await cb.reason("task.complete", id=id, result=1) == "Task already completed"
    await spoken.native.post(f"/v1/tasks/{made['number']}/reject", {"note": "again"})
    again = await cb.listed(id)
    assert (again["status"], again["metadata"]) == ("pending", None)
    assert (await cb.claim("w1"))["id"] == id  # type: ignore[index]


async def test_attachments_of_both_kinds(cb: Calls, spoken: Spoken) -> None:
    id = await cb.new()
    image = {"type": "binary", "url": "https://example.com/a.png", "mimeType": "image/png", "size": 9}
    await cb.ok("task.create_attachment", taskId=id, key="img", **image)
    await spoken.native.post(f"/v1/tasks/{id}/attachments", {"name": "plan", "value": {"steps": 3}})
    found = (await cb.ok("task.list_attachments", taskId=id))["attachments"]
    assert [(one["key"], one["type"]) for one in found] == [("img", "binary"), ("plan", "json")]
    assert {name: found[0][name] for name in ("url", "mimeType", "size")} == {
        "url": "https://example.com/a.png", "mimeType": "image/png", "size": 9
    }  # fmt: skip
    await cb.worker("w1")
    task = await cb.claim("w1")
    assert task is not None
    assert (task["attachmentCount"], task["attachments"]["plan"]["value"]) == (2, {"steps": 3})
    await cb.ok("task.complete", id=id, result={"ok": 1})
    result = await cb.ok("task.get_attachment", taskId=id, key="result")
    assert (result["type"], result["value"]) == ("json", {"ok": 1})
    gone = await cb.ok("task.delete_attachment", taskId=id, key="result")
    assert (gone["id"], gone["deleted"]) == (result["id"], True)
    assert (await cb.listed(id))["attachmentKeys"] == ["img", "plan"]
    assert (await cb.listed(id))["result"] == {"ok": 1}


async def test_a_task_made_here_is_claimed_through_another_dialect(cb: Calls, spoken: Spoken) -> None:
    """Stride's board is a project of its own; ClaudeBench's tasks lie in the project that a token is let into."""
    await spoken.native.post("/v1/projects", {"name": "board", "prefix": "B"})
    secret = await spoken.token("agent", "ana", projects=["board"])
    bearer = {"Authorization": f"Bearer {secret}"}
    made = {"jsonrpc": "2.0", "method": "task.create", "params": {"text": "both", "priority": 100}, "id": 1}
    _, answer = await cb.send(made, **bearer)
    id = answer["result"]["id"]
    ran = {"exit_code": 0, "output": "", "duration_ms": 1}
    wish = {"agent_name": "Claude", "before_doing_result": ran}
    async with cb.session.post(f"{spoken.running.url}/stride/api/tasks/claim", json=wish, headers=bearer) as reply:
        claimed = (await reply.json())["data"]
    assert (claimed["title"], claimed["priority"], claimed["status"]) == ("both", "critical", "in_progress")
    shown = await cb.listed(id)
    assert (shown["status"], shown["assignedTo"]) == ("in_progress", "Claude@ana")
    assert (await spoken.native.get(f"/v1/tasks/{id}"))["claim"]["via"] == "stride"


async def test_64_claimers_of_1000_tasks_get_each_once(cb: Calls, spoken: Spoken) -> None:
    for _ in range(TASKS // 500):
        await spoken.native.post("/v1/tasks", {"tasks": [{"title": "t"}] * 500})
    names = [f"w{number}" for number in range(CLAIMERS)]
    await cb.worker(*names)
    told: list[Any] = []

    async def claim(number: int) -> str | None:
        answer = await cb.ok("task.claim", workerId=names[number])
        if answer["claimed"]:
            return str(answer["taskId"])
        told.append(answer)
        return None

    given = await race(claim)
    assert len(given) == len(set(given)) == TASKS
    assert told == [{"claimed": False}] * CLAIMERS


async def test_what_the_bench_sends(cb: Calls, spoken: Spoken) -> None:
    secret = spoken.native.token or ""
    await spoken.native.post("/v1/projects", {"name": PROJECT})
    for _ in range(3):
        await spoken.native.post("/v1/tasks", load.TASK)
    host, port = spoken.running.url.removeprefix("http://").split(":")
    site = Site(host, int(port), secret)
    async with Client(spoken.running.url, token=secret) as client:
        await load.prepare(site, client)
    script, answer, sent = load.cycles(site, 0), None, []
    while True:
        try:
            ask = next(script) if answer is None else script.send(answer)
        except StopIteration:
            break
        head, _, body = ask.request.partition(b"\r\n\r\n")
        authorization = head.decode().partition("Authorization: ")[2].partition("\r\n")[0]
        status, found = await cb.send(body, Authorization=authorization)
        assert (status, "result" in found) == (200, True), found
        sent.append(ask.kind)
        answer = orjson.dumps(found)
    assert sent == ["register", *["claim", "complete"] * 3, "claim"]
    done = await spoken.native.get(f"/v1/tasks?state=done&project={PROJECT}")
    assert len(done["tasks"]) == 3


async def test_an_update_lets_an_assignee_hold_that_nobody_has_registered_and_owns_it_not(
    cb: Calls, spoken: Spoken
) -> None:
    native = await spoken.native.create("n", assignee="robin-1")
    id = f"t-{native['number']}"
    updated = await cb.ok("task.update", id=id, updates={"status": "in_progress"})
    assert updated["status"] == "in_progress"
    assert (await spoken.native.get(f"/v1/tasks/{native['id']}"))["claim"]["worker"] == "robin-1"
    assert (await spoken.native.get("/v1/workers"))["workers"] == []
    agent = await spoken.native.token_for("agent", "robin")
    await spoken.native.post("/v1/workers", {"id": "robin-1"}, token=agent)
    (worker,) = (await spoken.native.get("/v1/workers"))["workers"]
    assert (worker["id"], worker["principal"]) == ("robin-1", "robin")
    await cb.ok("task.complete", id=id, workerId="robin-1", result={})
    assert (await spoken.native.get(f"/v1/tasks/{native['id']}"))["state"] == "done"
