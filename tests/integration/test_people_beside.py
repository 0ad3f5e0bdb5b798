"""Where people's work meets the rest: what waits for it is let go; retention, unique keys and handoff keep to it."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck

DAY_S = 86_400


async def _show(api: Api, task: Any) -> Any:
    return await api.get(f"/v1/tasks/{task['id']}")


async def _finish(api: Api, task: Any, **more: Any) -> Any:
    fence = (await api.claim(task=task["id"]))["fence"]
    return await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence, **more})


@pytest.mark.parametrize("review", ["none", "required"])
async def test_what_comes_to_wait_for_a_task_in_memory_is_let_go(api: Api, review: str) -> None:
    first = await api.create(review=review)
    claim = await api.claim(task=first["id"])  # it is in memory, and nothing waited for it when it came there
    waiting = await api.create(depends_on=[first["key"]])
    edited = await api.create()
    await api.patch(f"/v1/tasks/{edited['id']}", {"depends_on": [first["key"]]})
    parent = await api.create()
    held = await api.claim(task=parent["id"])
    delegated = await api.post(
        f"/v1/tasks/{parent['id']}/delegate", {"fence": held["fence"], "title": "c", "review": review, "wait": True}
    )
    goal = await api.create(kind="goal")
    part = await api.create(parent=goal["key"], review=review)
    behind = await api.create(depends_on=[goal["key"]])
    await api.post(f"/v1/tasks/{first['id']}/complete", {"fence": claim["fence"]})
    await _finish(api, delegated["child"])
    await _finish(api, part)
    if review == "required":
        for task in (waiting, edited, parent, behind):
            assert (await _show(api, task))["state"] == "blocked"
        for task in (first, delegated["child"], part):
            await api.post(f"/v1/tasks/{task['id']}/approve")
    for task in (waiting, edited, parent, behind):
        assert (await _show(api, task))["state"] == "ready"
    assert (await _show(api, goal))["state"] == "done"


async def test_what_a_goal_counts_is_kept_until_the_goal_has_ended(
    api: Api, served: RunningDeck, clock: FakeClock
) -> None:
    goal = await api.create(kind="goal", key="AIM")
    done, left = [await api.create(parent="AIM") for _ in range(2)]
    await _finish(api, done)
    clock.advance(40 * DAY_S)
    await served.deck.prune()
    assert (await _show(api, done))["state"] == "done"
    await api.post(f"/v1/tasks/{left['id']}/cancel")
    assert (await _show(api, goal))["state"] == "done"
    await served.deck.prune()
    assert (await api.call("GET", f"/v1/tasks/{done['id']}")).code == "unknown_task"
    clock.advance(29 * DAY_S)
    await served.deck.prune()
    assert (await _show(api, left))["parent"] == "AIM"
    clock.advance(DAY_S)
    await served.deck.prune()
    assert (await api.get("/v1/tasks"))["tasks"] == []


async def test_a_key_that_others_still_name_is_not_given_again(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    await api.patch("/v1/projects/default", {"keep_failed_days": 90})
    root = await api.create(key="TOP")
    child = (await api.post("/v1/tasks/TOP/delegate", {"title": "child"}))["child"]
    await _finish(api, child)
    await _finish(api, root)
    await api.post(f"/v1/tasks/{child['id']}/retry")
    clock.advance(31 * DAY_S)
    await served.deck.prune()
    assert (await api.call("GET", "/v1/tasks/TOP")).code == "unknown_task"
    assert (await api.call("POST", "/v1/tasks", {"title": "t", "key": "TOP"})).code == "key_taken"
    chain = await api.get(f"/v1/tasks/{child['id']}/chain")
    assert [task["key"] for task in chain["tasks"]] == [child["key"]]
    await api.delete(f"/v1/tasks/{child['id']}")
    assert (await api.create(key="TOP"))["key"] == "TOP"


async def test_a_late_completion_does_not_open_a_task_again_beside_its_successor(api: Api, clock: FakeClock) -> None:
    task = await api.create(unique_key="u", review="required", max_attempts=1)
    fence = (await api.claim(task=task["id"], lease_seconds=5))["fence"]
    clock.advance(6)
    successor = await api.create(unique_key="u")
    assert successor["id"] != task["id"]
    refused = await api.call("POST", f"/v1/tasks/{task['id']}/complete", {"fence": fence})
    assert (refused.status, refused.code) == (409, "unique_key_taken")
    assert (await _show(api, task))["state"] == "failed"
    await api.post(f"/v1/tasks/{successor['id']}/cancel")
    assert (await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence}))["state"] == "review"


async def test_no_second_child_is_delegated_under_a_unique_key(api: Api) -> None:
    parent = await api.create()
    wish = {"title": "child", "unique_key": "u"}
    first = (await api.post(f"/v1/tasks/{parent['id']}/delegate", wish))["child"]
    refused = await api.call("POST", f"/v1/tasks/{parent['id']}/delegate", wish)
    assert (refused.status, refused.code) == (409, "unique_key_taken")
    assert (await _show(api, parent))["depends_on"] == [first["key"]]
    again = await api.create(parent=parent["key"], unique_key="u")
    assert (again["id"], again["existed"]) == (first["id"], True)
    assert (await _show(api, parent))["children"] == 1


async def test_who_waits_for_what_it_delegated_hands_off_what_it_reported(api: Api) -> None:
    task = await api.create()
    fence = (await api.claim(task=task["id"]))["fence"]
    await api.post(f"/v1/tasks/{task['id']}/heartbeat", {"fence": fence, "detail": "half way"})
    reply = await api.post(f"/v1/tasks/{task['id']}/delegate", {"fence": fence, "title": "c", "wait": True})
    assert (reply["task"]["state"], reply["task"]["handoff"]["note"]) == ("blocked", "half way")
