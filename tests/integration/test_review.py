"""Work that people let in and look at: the backlog, and reviews."""

from __future__ import annotations

from typing import Any

from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.clock import rfc3339


async def _handed_in(api: Api, worker: str = "w", token: str | None = None, **fields: Any) -> Any:
    """A task that was completed and awaits its review."""
    task = await api.create(**({"review": "required"} | fields))
    claim = {"worker": worker, "task": task["key"]}
    fence = (await api.post("/v1/claims", claim, token=token))["claims"][0]["fence"]
    return await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence, "result": {"pr": 7}}, token=token)


async def _types(api: Api, task: Any) -> list[str]:
    return [event["type"] for event in (await api.get(f"/v1/tasks/{task['id']}/events"))["events"]]


async def test_the_backlog_is_offered_to_nobody_until_it_is_promoted(api: Api) -> None:
    task = await api.create(backlog=True)
    assert (task["state"], task["ready_at"]) == ("backlog", None)
    reply = await api.post("/v1/claims", {"worker": "w"})
    assert {"code": "backlog", "detail": "1 task is in the backlog"} in reply["reasons"]
    refused = await api.call("POST", "/v1/claims", {"worker": "w", "task": task["key"]})
    assert (refused.status, refused.code) == (409, "wrong_state")
    assert "promotes" in refused.json()["detail"]
    (check, *_) = (await api.get(f"/v1/tasks/{task['id']}/explain?worker=w"))["checks"]
    assert (check["passed"], "backlog" in check["detail"]) == (False, True)
    promoted = await api.post(f"/v1/tasks/{task['id']}/promote", {"reason": "agreed"})
    assert promoted["state"] == "ready"
    assert promoted["ready_at"] is not None
    event = (await api.events())[-1]
    assert (event["type"], event["actor"], event["facts"]) == ("task.promoted", "admin", {"reason": "agreed"})
    assert (await api.claim())["task"]["id"] == task["id"]


async def test_what_waits_is_promoted_to_where_it_waits(api: Api, clock: FakeClock) -> None:
    parent = await api.create("parent", backlog=True)
    child = await api.create("child", backlog=True, depends_on=[parent["key"]])
    later = await api.create("later", backlog=True, not_before=rfc3339(clock.now_ms() + 60_000))
    assert (await api.post(f"/v1/tasks/{child['id']}/promote"))["state"] == "blocked"
    assert (await api.post(f"/v1/tasks/{later['id']}/promote"))["state"] == "scheduled"
    for task in (child, later):
        assert (await api.post(f"/v1/tasks/{task['id']}/shelve"))["state"] == "backlog"
    edited = await api.patch(f"/v1/tasks/{child['id']}", {"depends_on": []})
    assert (edited["state"], edited["depends_on"]) == ("backlog", [])
    clock.advance(60)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{later['id']}"))["state"] == "backlog"
    assert (await api.post(f"/v1/tasks/{later['id']}/promote"))["state"] == "ready"


async def test_a_parent_that_is_done_while_its_child_is_shelved_leaves_it_there(api: Api) -> None:
    parent = await api.create("parent")
    child = await api.create("child", depends_on=[parent["key"]])
    await api.post(f"/v1/tasks/{child['id']}/shelve")
    fence = (await api.claim(task=parent["key"]))["fence"]
    await api.post(f"/v1/tasks/{parent['id']}/complete", {"fence": fence})
    assert (await api.get(f"/v1/tasks/{child['id']}"))["state"] == "backlog"
    assert (await api.post(f"/v1/tasks/{child['id']}/promote"))["state"] == "ready"


async def test_a_completion_awaits_its_review(api: Api) -> None:
    task = await api.create(review="required")
    child = await api.create("child", depends_on=[task["key"]])
    claim = await api.claim(task=task["key"])
    shown = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"], "result": 1})
    assert (shown["state"], shown["claim"], shown["result"], shown["fence"]) == ("review", None, 1, claim["fence"])
    assert shown["finished_at"] is None
    assert {name: shown["completed_by"][name] for name in ("worker", "principal", "by")} == {
        "worker": "w", "principal": "admin", "by": "admin",
    }  # fmt: skip
    assert (await api.get(f"/v1/tasks/{child['id']}"))["state"] == "blocked"
    assert (await api.call("POST", f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"]})).code == "stale_fence"
    done = await api.post(f"/v1/tasks/{task['id']}/approve", {"note": "fine"})
    assert (done["state"], done["result"], done["verdict"]["verdict"], done["verdict"]["note"]) == (
        "done", 1, "approved", "fine",
    )  # fmt: skip
    assert done["finished_at"] is not None
    assert (await api.get(f"/v1/tasks/{child['id']}"))["state"] == "ready"
    assert await _types(api, task) == ["task.created", "task.claimed", "task.completed", "task.approved"]


async def test_a_rejection_says_what_is_wrong_to_whoever_mends_it(api: Api) -> None:
    task = await _handed_in(api, max_attempts=1)
    back = await api.post(f"/v1/tasks/{task['id']}/reject", {"note": "no tests"})
    assert (back["state"], back["attempt"], back["max_attempts"]) == ("ready", 1, 2)
    claim = await api.claim("other")
    assert (claim["task"]["verdict"]["note"], claim["task"]["result"]) == ("no tests", {"pr": 7})
    again = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"]})
    assert (again["state"], again["verdict"], again["completed_by"]["worker"]) == ("review", None, "other")


async def test_a_rejection_to_the_worker_gives_it_the_task_under_a_new_fence(api: Api, clock: FakeClock) -> None:
    ann = await api.token_for("agent", "ann")
    task = await _handed_in(api, "w", ann)
    back = await api.post(f"/v1/tasks/{task['id']}/reject", {"note": "no tests", "to": "worker"})
    claim = back["claim"]
    assert (back["state"], back["attempt"], claim["worker"], claim["principal"]) == ("claimed", 1, "w", "ann")
    assert claim["fence"] == task["fence"] + 1
    assert claim["expires_at"] == rfc3339(clock.now_ms() + 300_000)
    assert (await api.events())[-1]["facts"] == {
        "note": "no tests", "to": "worker", "completed_by": "ann", "to_fence": claim["fence"],
    }  # fmt: skip
    held = (await api.post("/v1/claims", {"worker": "w", "task": task["key"]}, token=ann))["claims"][0]
    assert held["fence"] == claim["fence"]
    done = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"]}, token=ann)
    assert done["state"] == "review"


async def test_a_worker_that_is_gone_gets_nothing_back(api: Api) -> None:
    task = await _handed_in(api)
    await api.delete("/v1/workers/w")
    reply = await api.call("POST", f"/v1/tasks/{task['id']}/reject", {"note": "n", "to": "worker"})
    assert (reply.status, reply.code) == (409, "worker_gone")
    assert (await api.post(f"/v1/tasks/{task['id']}/reject", {"note": "n"}))["state"] == "ready"


async def test_four_eyes_are_two_people(api: Api) -> None:
    eve = await api.token_for("operator", "eve")
    task = await _handed_in(api, "e", eve, review="four_eyes")
    reply = await api.call("POST", f"/v1/tasks/{task['id']}/approve", {}, token=eve)
    assert (reply.status, reply.code) == (403, "four_eyes")
    assert (await api.post(f"/v1/tasks/{task['id']}/approve"))["state"] == "done"
    # whoever writes the completion under another's claim is one of the two as well
    theirs = await api.create(review="four_eyes")
    fence = (await api.post("/v1/claims", {"worker": "e", "task": theirs["key"]}, token=eve))["claims"][0]["fence"]
    await api.post(f"/v1/tasks/{theirs['id']}/complete", {"fence": fence})
    assert (await api.call("POST", f"/v1/tasks/{theirs['id']}/approve", {})).code == "four_eyes"


async def test_an_optional_review_is_had_for_the_asking(api: Api) -> None:
    states = []
    for wish, ask in (("optional", False), ("optional", True), ("required", True)):
        task = await api.create(review=wish)
        fence = (await api.claim(task=task["key"]))["fence"]
        done = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence, "review": ask})
        states.append(done["state"])
    assert states == ["done", "review", "review"]
    plain = await api.create()
    fence = (await api.claim(task=plain["key"]))["fence"]
    reply = await api.call("POST", f"/v1/tasks/{plain['id']}/complete", {"fence": fence, "review": True})
    assert (reply.status, reply.json()["errors"][0]["field"]) == (422, "review")
    assert (await api.get(f"/v1/tasks/{plain['id']}"))["state"] == "claimed"


async def test_a_project_says_what_its_new_tasks_are_reviewed_by(api: Api) -> None:
    old = await api.create()
    await api.patch("/v1/projects/default", {"review": "four_eyes"})
    new, plain = await api.create(), await api.create(review="none")
    assert [task["review"] for task in (old, new, plain)] == ["none", "four_eyes", "none"]
    assert (await api.get("/v1/projects/default"))["review"] == "four_eyes"
    assert (await api.patch(f"/v1/tasks/{plain['id']}", {"review": "required"}))["review"] == "required"


async def test_a_late_completion_is_reviewed_too(api: Api, clock: FakeClock) -> None:
    task = await api.create(review="required", max_attempts=1)
    fence = (await api.claim())["fence"]
    clock.advance(301)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{task['id']}"))["state"] == "failed"
    late = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence})
    assert (late["state"], late["finished_at"], late["completed_by"]["worker"]) == ("review", None, "w")


async def test_a_review_may_be_cancelled_and_retried_from_the_start(api: Api) -> None:
    task = await _handed_in(api)
    assert (await api.post(f"/v1/tasks/{task['id']}/cancel"))["state"] == "cancelled"
    anew = await api.post(f"/v1/tasks/{task['id']}/retry")
    assert (anew["state"], anew["attempt"], anew["completed_by"], anew["result"]) == ("ready", 0, None, None)
