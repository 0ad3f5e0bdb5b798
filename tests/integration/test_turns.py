"""Tasks offered to one assignee after another: by time, by hand, and to the end."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.replay import replay

THREE = [{"assignee": "ann", "seconds": 60}, {"assignee": "crew", "seconds": 120}, {"assignee": "bob"}]
TWO = [{"assignee": "ann", "seconds": 60}, {"assignee": "bob", "seconds": 60}]


async def _now(api: Api, task: Any) -> tuple[Any, Any, Any, Any]:
    shown = await api.get(f"/v1/tasks/{task['id']}")
    return shown["state"], shown["assignee"], shown["turn"], shown["turn_ends_at"]


async def test_a_task_passes_on_when_time_is_over(api: Api, clock: FakeClock) -> None:
    begun = clock.now_ms()
    task = await api.create(assignees=THREE)
    assert await _now(api, task) == ("ready", "ann", 0, rfc3339(begun + 60_000))
    clock.advance(59)
    assert (await api.call("POST", "/v1/claims", {"worker": "x", "task": task["key"]})).code == "not_eligible"
    clock.advance(40)
    await api.tick()
    # the turn began when the last one ended, not when somebody looked
    assert await _now(api, task) == ("ready", "crew", 1, rfc3339(begun + 180_000))
    clock.advance(1_000)
    await api.tick()
    assert await _now(api, task) == ("ready", "bob", 2, None)
    passed = await api.events(type="task.passed")
    assert [(e["actor"], e["facts"]) for e in passed] == [
        ("deck", {"from": "ann", "turn": 0, "to": "crew"}), ("deck", {"from": "crew", "turn": 1, "to": "bob"}),
    ]  # fmt: skip


async def test_whole_turns_may_pass_unseen(api: Api, clock: FakeClock) -> None:
    task = await api.create(assignees=THREE)
    clock.advance(181)
    ann = await api.token_for("agent", "ann")
    reply = await api.call("POST", "/v1/claims", {"worker": "w", "task": task["key"]}, token=ann)
    assert reply.code == "not_eligible"
    assert (await _now(api, task))[1:3] == ("bob", 2)


@pytest.mark.parametrize(
    ("at_end", "left"),
    [
        ("open", ("ready", None, None, None)),
        ("stay", ("ready", "bob", None, None)),
        ("give_up", ("failed", "bob", None, None)),
    ],
)
async def test_the_last_turn_has_an_end(api: Api, clock: FakeClock, at_end: str, left: Any) -> None:
    task = await api.create(assignees=TWO, at_end=at_end)
    clock.advance(121)
    await api.tick()
    assert await _now(api, task) == left
    if at_end == "give_up":
        shown = await api.get(f"/v1/tasks/{task['id']}")
        assert shown["error"]["reason"] == "given_up"
        anew = await api.post(f"/v1/tasks/{task['id']}/retry")
        assert (anew["state"], anew["assignee"], anew["turn"]) == ("ready", "ann", 0)


async def test_a_claim_stops_the_clock_and_a_release_begins_it_anew(api: Api, clock: FakeClock) -> None:
    ann = await api.token_for("agent", "ann")
    task = await api.create(assignees=TWO)
    clock.advance(50)
    wish = {"worker": "w", "lease_seconds": 600}
    (claim,) = (await api.post("/v1/claims", wish, token=ann))["claims"]
    assert claim["task"]["turn_ends_at"] is None
    clock.advance(500)
    await api.tick()
    assert (await _now(api, task))[:3] == ("claimed", "ann", 0)
    await api.post(f"/v1/tasks/{task['id']}/release", {"fence": claim["fence"]}, token=ann)
    assert await _now(api, task) == ("ready", "ann", 0, rfc3339(clock.now_ms() + 60_000))


async def test_no_time_runs_before_a_task_is_ready(api: Api, clock: FakeClock) -> None:
    parent = await api.create()
    task = await api.create(assignees=TWO, depends_on=[parent["key"]])
    clock.advance(1_000)
    await api.tick()
    assert await _now(api, task) == ("blocked", "ann", 0, None)
    fence = (await api.claim(task=parent["id"]))["fence"]
    await api.post(f"/v1/tasks/{parent['id']}/complete", {"fence": fence})
    assert await _now(api, task) == ("ready", "ann", 0, rfc3339(clock.now_ms() + 60_000))


async def test_turns_are_skipped_by_hand(api: Api, clock: FakeClock) -> None:
    bob, eve = await api.token_for("agent", "bob", groups=["crew"]), await api.token_for("agent", "eve")
    task = await api.create(assignees=[{"assignee": "crew"}, {"assignee": "ann", "seconds": 60}])
    path = f"/v1/tasks/{task['id']}/skip"
    reply = await api.call("POST", path, {}, token=eve)
    assert (reply.status, reply.code) == (403, "forbidden")
    (claim,) = (await api.post("/v1/claims", {"worker": "b"}, token=bob))["claims"]
    skipped = await api.post(path, {"reason": "on holiday"}, token=bob)
    assert (skipped["state"], skipped["assignee"], skipped["turn"], skipped["attempt"]) == ("ready", "ann", 1, 0)
    assert skipped["turn_ends_at"] == rfc3339(clock.now_ms() + 60_000)
    stale = await api.call("POST", f"/v1/tasks/{task['id']}/heartbeat", {"fence": claim["fence"]}, token=bob)
    assert stale.code == "stale_fence"
    opened = await api.post(path)
    assert (opened["assignee"], opened["turn"]) == (None, None)
    assert (await api.call("POST", path, {})).code == "wrong_state"


async def test_an_assignment_replaces_the_turns(api: Api, clock: FakeClock) -> None:
    task = await api.create(assignees=TWO)
    path = f"/v1/tasks/{task['id']}/assign"
    again = await api.post(path, {"assignees": THREE[1:], "at_end": "stay"})
    assert (again["assignee"], again["turn"], again["at_end"], len(again["assignees"])) == ("crew", 0, "stay", 2)
    assert again["turn_ends_at"] == rfc3339(clock.now_ms() + 120_000)
    alone = await api.post(path, {"assignee": "dan"})
    assert [alone[name] for name in ("assignee", "assignees", "turn", "turn_ends_at", "at_end")] == ["dan"] + [None] * 4
    await api.post(path, {"assignees": TWO})
    over = await api.post(f"/v1/tasks/{task['id']}/override", {"reason": "r", "assignee": "eve"})
    assert (over["assignee"], over["assignees"]) == ("eve", None)


async def test_the_log_says_to_whom_it_was_offered_and_who_took_it(api: Api, clock: FakeClock) -> None:
    bob = await api.token_for("agent", "bob")
    task = await api.create(assignees=TWO)
    clock.advance(61)
    (claim,) = (await api.post("/v1/claims", {"worker": "b"}, token=bob))["claims"]
    await api.post(f"/v1/tasks/{task['id']}/heartbeat", {"fence": claim["fence"]}, token=bob)
    await api.post(f"/v1/tasks/{task['id']}/release", {"fence": claim["fence"], "note": "ill"}, token=bob)
    await api.post(f"/v1/tasks/{task['id']}/assign", {"assignee": "eve"})
    log = await api.get(f"/v1/tasks/{task['id']}/assignments")
    told = [(e["act"], e["by"], e.get("assignee"), e["worker"], e["reason"]) for e in log["assignments"]]
    assert told == [
        ("offered", "admin", "ann", None, None), ("passed", "deck", "bob", None, None),
        ("claimed", "bob", None, "b", None), ("released", "bob", None, "b", "ill"),
        ("reassigned", "admin", "eve", None, None),
    ]  # fmt: skip
    first = await api.get(f"/v1/tasks/{task['id']}/assignments?limit=2")
    assert (len(first["assignments"]), first["next_after"]) == (2, first["assignments"][1]["seq"])
    rest = await api.get(f"/v1/tasks/{task['id']}/assignments?after={first['next_after']}")
    assert first["assignments"] + rest["assignments"] == log["assignments"]


async def test_explain_says_until_when_it_is_offered(api: Api) -> None:
    task = await api.create(assignees=TWO)
    checks = (await api.get(f"/v1/tasks/{task['id']}/explain?worker=w"))["checks"]
    assert "offered to ann until" in checks[0]["detail"]
    assert [check["rule"] for check in checks if not check["passed"]] == ["assigned_to_others"]


async def test_many_turns_over_at_once_pass_some_at_a_time(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t", "assignees": TWO}] * 200})
    clock.advance(61)
    await api.tick()
    assert 0 < len(await api.events(type="task.passed")) <= 128
    for _ in range(4):
        await api.tick()
    assert len(await api.events(type="task.passed")) == 200


async def test_a_clock_that_jumps_cuts_no_turn_short(api: Api, clock: FakeClock) -> None:
    task = await api.create(assignees=TWO)
    for jump in (3600, -7200, 86_400):
        clock.jump(jump)
        await api.tick()
        assert await _now(api, task) == ("ready", "ann", 0, rfc3339(clock.now_ms() + 60_000))
    assert [event["facts"]["turns"] for event in await api.events(type="clock.jumped")] == [1, 1, 1]
    assert replay(await api.events())[task["id"]] == await api.get(f"/v1/tasks/{task['id']}")
    clock.advance(61)
    await api.tick()
    assert (await _now(api, task))[1] == "bob"
