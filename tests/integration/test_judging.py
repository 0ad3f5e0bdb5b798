"""Verdicts that are given first and followed later, and reviews that end by themselves."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.clock import rfc3339


async def _handed_in(api: Api, token: str | None = None, **fields: Any) -> Any:
    """A task that was completed by the worker `w` and awaits its review."""
    task = await api.create(**({"review": "required"} | fields))
    claim = (await api.post("/v1/claims", {"worker": "w", "task": task["key"]}, token=token))["claims"][0]
    body: dict[str, Any] = {"fence": claim["fence"], "result": {"pr": 7}}
    return await api.post(f"/v1/tasks/{task['id']}/complete", body, token=token)


async def _types(api: Api, task: Any) -> list[str]:
    return [event["type"] for event in (await api.get(f"/v1/tasks/{task['id']}/events"))["events"]]


async def test_an_approval_is_done_once_it_is_heeded(api: Api) -> None:
    ann = await api.token_for("agent", "ann")
    task = await _handed_in(api, ann)
    path = f"/v1/tasks/{task['id']}"
    refused = await api.call("POST", f"{path}/heed", {}, token=ann)
    assert (refused.status, refused.code) == (409, "not_judged")
    judged = await api.post(f"{path}/judge", {"verdict": "approved", "note": "fine"})
    assert (judged["state"], judged["verdict"]["verdict"], judged["finished_at"]) == ("review", "approved", None)
    done = await api.post(f"{path}/heed", {}, token=ann)
    assert (done["state"], done["result"]) == ("done", {"pr": 7})
    verdict = {name: done["verdict"][name] for name in ("verdict", "by", "note", "heeded_by")}
    assert verdict == {"verdict": "approved", "by": "admin", "note": "fine", "heeded_by": "ann"}
    assert (await _types(api, task))[-2:] == ["task.judged", "task.heeded"]


@pytest.mark.parametrize("word", ["changes_requested", "rejected"])
async def test_what_is_wrong_goes_back_to_its_worker_when_it_heeds(api: Api, word: str) -> None:
    ann, bob = await api.token_for("agent", "ann"), await api.token_for("agent", "bob")
    task = await _handed_in(api, ann)
    path = f"/v1/tasks/{task['id']}"
    await api.post(f"{path}/judge", {"verdict": "approved"})
    await api.post(f"{path}/judge", {"verdict": word, "note": "no tests"})  # the last word counts
    refused = await api.call("POST", f"{path}/heed", {}, token=bob)
    assert (refused.status, refused.code) == (403, "forbidden")
    back = await api.post(f"{path}/heed", {}, token=ann)
    assert (back["state"], back["attempt"], back["fence"]) == ("claimed", 1, task["fence"] + 1)
    assert (back["claim"]["worker"], back["claim"]["principal"]) == ("w", "ann")
    assert (back["verdict"]["verdict"], back["verdict"]["note"]) == (word, "no tests")
    again = await api.post(f"{path}/complete", {"fence": back["fence"]}, token=ann)
    assert (again["state"], again["verdict"]) == ("review", None)


async def test_gates_before_an_approval_stand_before_heeding_one(api: Api) -> None:
    task = await _handed_in(api, gates=[{"before": "approve", "hook": "merge"}])
    path = f"/v1/tasks/{task['id']}"
    await api.post(f"{path}/judge", {"verdict": "approved"})
    assert (await api.call("POST", f"{path}/heed", {})).code == "gate_unmet"
    shown = {"hooks": {"merge": {"exit_code": 0, "output": "", "duration_ms": 1}}}
    assert (await api.post(f"{path}/heed", {"shown": shown}))["state"] == "done"


async def test_four_eyes_hold_for_a_verdict_too(api: Api) -> None:
    task = await _handed_in(api, review="four_eyes")
    path = f"/v1/tasks/{task['id']}"
    assert (await api.call("POST", f"{path}/judge", {"verdict": "approved"})).code == "four_eyes"
    eve = await api.token_for("operator", "eve")
    await api.post(f"{path}/judge", {"verdict": "approved"}, token=eve)
    assert (await api.post(f"{path}/heed", {}))["state"] == "done"


async def test_what_nobody_judges_in_time_is_approved(api: Api, clock: FakeClock) -> None:
    task = await _handed_in(api, approve_after_seconds=60)
    child = await api.create("child", depends_on=[task["key"]])
    assert (task["approve_after_seconds"], task["review_ends_at"]) == (60, rfc3339(clock.now_ms() + 60_000))
    clock.advance(59)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{task['id']}"))["state"] == "review"
    clock.advance(1)
    await api.tick()
    done = await api.get(f"/v1/tasks/{task['id']}")
    assert (done["state"], done["review_ends_at"], done["verdict"]["by"]) == ("done", None, "deck")
    assert (await api.get(f"/v1/tasks/{child['id']}"))["state"] == "ready"


async def test_a_clock_that_jumps_cuts_no_review_short(api: Api, clock: FakeClock) -> None:
    task = await _handed_in(api, approve_after_seconds=60)
    for jump in (3600, -7200, 86_400):
        clock.jump(jump)
        await api.tick()
        found = await api.get(f"/v1/tasks/{task['id']}")
        assert (found["state"], found["review_ends_at"]) == ("review", rfc3339(clock.now_ms() + 60_000))
    assert [event["facts"]["reviews"] for event in await api.events(type="clock.jumped")] == [1, 1, 1]
    clock.advance(60)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{task['id']}"))["state"] == "done"


@pytest.mark.parametrize(
    "fields",
    [{"review": "four_eyes"}, {"gates": [{"before": "approve", "hook": "h"}]}],
    ids=["four eyes", "gates"],
)
async def test_what_the_deck_may_not_decide_waits(api: Api, clock: FakeClock, fields: dict[str, Any]) -> None:
    task = await _handed_in(api, approve_after_seconds=60, **fields)
    assert task["review_ends_at"] is None
    clock.advance(61)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{task['id']}"))["state"] == "review"


async def test_a_verdict_stops_the_time_and_so_does_a_rejection(api: Api, clock: FakeClock) -> None:
    judged = await _handed_in(api, approve_after_seconds=60)
    held = await api.post(f"/v1/tasks/{judged['id']}/judge", {"verdict": "rejected", "note": "n"})
    assert held["review_ends_at"] is None
    rejected = await _handed_in(api, approve_after_seconds=60)
    back = await api.post(f"/v1/tasks/{rejected['id']}/reject", {"note": "n"})
    assert (back["state"], back["review_ends_at"]) == ("ready", None)
    clock.advance(61)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{judged['id']}"))["state"] == "review"


async def test_a_goal_may_wait_a_moment_before_it_is_done(api: Api, clock: FakeClock) -> None:
    goal = await api.create("goal", kind="goal", review="required", approve_after_seconds=1)
    await api.create("child", parent=goal["key"])
    claim = await api.claim()
    await api.post(f"/v1/tasks/{claim['task']['id']}/complete", {"fence": claim["fence"]})
    assert (await api.get(f"/v1/tasks/{goal['id']}"))["state"] == "review"
    clock.advance(1)
    await api.tick()
    assert (await api.get(f"/v1/tasks/{goal['id']}"))["state"] == "done"
