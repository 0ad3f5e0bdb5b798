"""Who gets which task and when: dependencies, times, pauses, assignees, drains, and what cannot be removed."""

from __future__ import annotations

from typing import Any

from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.clock import rfc3339


async def _state(api: Api, task: Any) -> str:
    return str((await api.get(f"/v1/tasks/{task['id']}"))["state"])


async def _finish(api: Api, task: Any) -> None:
    claim = await api.claim(task=task["id"])
    await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"]})


async def test_a_task_is_blocked_until_all_it_waits_for_is_done(api: Api) -> None:
    one, two = await api.create("one"), await api.create("two")
    child = await api.create("child", depends_on=[two["key"], one["id"], str(one["number"])])
    assert (child["state"], child["depends_on"]) == ("blocked", [one["key"], two["key"]])
    reply = await api.call("POST", "/v1/claims", {"worker": "w", "task": child["key"]})
    assert (reply.status, reply.code) == (409, "wrong_state")
    assert one["key"] in reply.json()["detail"]
    await _finish(api, one)
    assert await _state(api, child) == "blocked"
    await _finish(api, two)
    assert await _state(api, child) == "ready"
    event = (await api.get(f"/v1/tasks/{child['id']}/events"))["events"][-1]
    assert (event["type"], event["facts"]) == ("task.unblocked", {"by": two["key"]})


async def test_a_failed_or_cancelled_parent_keeps_its_children_waiting(api: Api) -> None:
    parent = await api.create("parent")
    child = await api.create("child", depends_on=[parent["id"]])
    await api.post(f"/v1/tasks/{parent['id']}/cancel")
    assert await _state(api, child) == "blocked"
    await api.patch(f"/v1/tasks/{child['id']}", {"depends_on": []})
    assert await _state(api, child) == "ready"


async def test_more_children_than_one_batch_unblocks_all_go_on(api: Api) -> None:
    parent = await api.create("parent")
    await api.post("/v1/tasks", {"tasks": [{"title": "c", "depends_on": [parent["key"]]}] * 350})
    await _finish(api, parent)
    for _ in range(5):
        await api.tick()
    assert (await api.get("/v1/stats"))["counts"]["ready"] == 350
    assert len(await api.events(type="task.unblocked")) == 350


async def test_a_cycle_is_refused(api: Api) -> None:
    a = await api.create("a")
    b = await api.create("b", depends_on=[a["id"]])
    c = await api.create("c", depends_on=[b["id"]])
    before = await api.last_seq()
    for on in ([c["id"]], [b["id"]], [a["id"]]):
        reply = await api.call("PATCH", f"/v1/tasks/{a['id']}", {"depends_on": on})
        assert (reply.status, reply.code) == (422, "dependency_cycle")
    assert await api.last_seq() == before


async def test_many_may_depend_on_earlier_ones_of_their_batch(api: Api) -> None:
    wishes = [{"title": "a", "key": "A"}, {"title": "b", "key": "B", "depends_on": ["A"]}]
    made = (await api.post("/v1/tasks", {"tasks": wishes}))["tasks"]
    assert [task["state"] for task in made] == ["ready", "blocked"]
    late = {"tasks": [{"title": "d", "depends_on": ["E"]}, {"title": "e", "key": "E"}]}
    assert (await api.call("POST", "/v1/tasks", late)).code == "unknown_task"
    assert len((await api.get("/v1/tasks"))["tasks"]) == 2


async def test_nothing_begins_before_its_time(api: Api, clock: FakeClock) -> None:
    task = await api.create(not_before=rfc3339(clock.now_ms() + 60_000))
    assert task["state"] == "scheduled"
    assert await api.claim() is None
    clock.advance(59.999)
    assert await api.claim() is None
    clock.advance(0.001)
    assert (await api.claim())["task"]["id"] == task["id"]
    types = [event["type"] for event in (await api.get(f"/v1/tasks/{task['id']}/events"))["events"]]
    assert types == ["task.created", "task.due", "task.claimed"]


async def test_a_release_may_rest_and_spends_no_attempt(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    claim = await api.claim()
    body = {"fence": claim["fence"], "note": "needs a key", "delay_seconds": 30}
    released = await api.post(f"/v1/tasks/{task['id']}/release", body)
    assert (released["state"], released["attempt"]) == ("scheduled", 0)
    clock.advance(30)
    assert (await api.claim())["task"]["attempt"] == 1


async def test_a_paused_project_gives_nothing_out_and_lets_holders_go_on(api: Api) -> None:
    held, free = await api.create("held"), await api.create("free")
    claim = await api.claim(task=held["id"])
    paused = await api.post("/v1/projects/default/pause", {"reason": "deploy"})
    assert (paused["paused"]["by"], paused["paused"]["reason"]) == ("admin", "deploy")
    assert await api.claim() is None
    assert (await api.call("POST", "/v1/claims", {"worker": "w", "task": free["id"]})).code == "project_paused"
    await api.post(f"/v1/tasks/{held['id']}/heartbeat", {"fence": claim["fence"]})
    await api.post(f"/v1/tasks/{held['id']}/complete", {"fence": claim["fence"]})
    await api.post("/v1/projects/default/pause", {"reason": "again"})
    assert len(await api.events(type="project.paused")) == 1
    assert (await api.post("/v1/projects/default/resume"))["paused"] is None
    assert (await api.claim())["task"]["id"] == free["id"]


async def test_an_assignee_is_a_worker_a_principal_or_a_group(api: Api) -> None:
    token = await api.token_for("agent", "ann", groups=["crew"])
    for assignee in ("w1", "ann", "crew"):
        task = await api.create(assignee=assignee)
        assert await api.claim("stranger") is None
        reply = await api.call("POST", "/v1/claims", {"worker": "stranger", "task": task["id"]})
        assert (reply.status, reply.code) == (409, "not_eligible")
        claim = await api.post("/v1/claims", {"worker": "w1"}, token=token)
        assert claim["claims"][0]["task"]["id"] == task["id"]


async def test_labels_and_capabilities_decide(api: Api) -> None:
    both = await api.create("both", labels=["a", "b"], capabilities=["gpu"])
    assert await api.claim("w1", labels=["a"]) is None
    assert await api.claim("w1", labels=["a", "c"], capabilities=["gpu"]) is None
    await api.post("/v1/workers", {"id": "w2", "capabilities": ["gpu", "py"]})
    checks = (await api.get(f"/v1/tasks/{both['id']}/explain?worker=w1"))["checks"]
    assert {check["rule"] for check in checks if not check["passed"]} == {"capabilities_missing"}
    assert (await api.get(f"/v1/tasks/{both['id']}/explain?worker=w2"))["claimable"] is True
    assert (await api.claim("w2", labels=["b", "a"]))["task"]["id"] == both["id"]


async def test_a_draining_worker_finishes_and_gets_nothing_new(api: Api) -> None:
    one, two = await api.create(), await api.create()
    claim = await api.claim("w")
    await api.post("/v1/workers/w/drain")
    assert await api.claim("w") is None
    assert (await api.call("POST", "/v1/claims", {"worker": "w", "task": two["id"]})).code == "worker_draining"
    await api.post(f"/v1/tasks/{one['id']}/complete", {"fence": claim["fence"]})
    await api.post("/v1/workers/w/drain", {"draining": False})
    assert (await api.claim("w"))["task"]["id"] == two["id"]


async def test_what_is_in_use_is_not_removed(api: Api) -> None:
    parent = await api.create("parent")
    child = await api.create("child", depends_on=[parent["id"]])
    before = await api.last_seq()
    reply = await api.call("DELETE", f"/v1/tasks/{parent['id']}")
    assert (reply.status, reply.code) == (409, "has_dependents")
    assert child["key"] in reply.json()["detail"]
    assert await api.last_seq() == before
    claim = await api.claim("w")
    assert (await api.call("DELETE", f"/v1/tasks/{parent['id']}")).code == "wrong_state"
    reply = await api.call("DELETE", "/v1/workers/w")
    assert (reply.status, reply.code) == (409, "holds_claims")
    await api.post(f"/v1/tasks/{parent['id']}/complete", {"fence": claim["fence"]})
    await api.delete("/v1/workers/w")
    await api.delete(f"/v1/tasks/{child['id']}")
    assert (await api.delete(f"/v1/tasks/{parent['id']}")) == {"deleted": parent["key"]}
    assert (await api.call("GET", f"/v1/tasks/{parent['id']}")).code == "unknown_task"
    assert len([e for e in await api.events() if e["task"] and e["task"]["id"] == parent["id"]]) == 4


async def test_a_number_or_key_is_never_given_twice(api: Api) -> None:
    first = await api.create()
    await api.delete(f"/v1/tasks/{first['id']}")
    second = await api.create()
    assert second["number"] > first["number"]
    assert second["key"] != first["key"]
    await api.create(key="T3")
    assert (await api.create())["key"] == "T4"


async def test_attempts_may_be_reset_or_go_on(api: Api) -> None:
    task = await api.create(max_attempts=1)
    claim = await api.claim()
    await api.post(f"/v1/tasks/{task['id']}/fail", {"fence": claim["fence"], "error": "e"})
    on = await api.post(f"/v1/tasks/{task['id']}/retry", {"reset_attempts": False})
    assert (on["state"], on["attempt"], on["max_attempts"]) == ("ready", 1, 2)
    await api.post(f"/v1/tasks/{task['id']}/cancel")
    anew = await api.post(f"/v1/tasks/{task['id']}/retry")
    assert (anew["attempt"], anew["error"], anew["finished_at"]) == (0, None, None)


async def test_a_batch_of_claims_is_the_best_of_the_queue(api: Api) -> None:
    made = [await api.create(priority=p) for p in (10, 90, 50, 90, 0)]
    given = (await api.post("/v1/claims", {"worker": "w", "max_tasks": 4}))["claims"]
    assert [claim["task"]["id"] for claim in given] == [made[n]["id"] for n in (1, 3, 2, 0)]


async def test_workers_grow_late_and_go_offline(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/workers", {"id": "w", "heartbeat_seconds": 10})

    async def liveness() -> str:
        (worker,) = (await api.get("/v1/workers"))["workers"]
        return str(worker["liveness"])

    seen = [await liveness()]
    for _ in range(2):
        clock.advance(10.5)
        seen.append(await liveness())
    assert seen == ["idle", "late", "offline"]
    await api.post("/v1/workers/w/heartbeat", {"state": "waiting_input", "detail": "a key"})
    (worker,) = (await api.get("/v1/workers"))["workers"]
    assert (worker["liveness"], worker["state"], worker["detail"]) == ("idle", "waiting_input", "a key")
