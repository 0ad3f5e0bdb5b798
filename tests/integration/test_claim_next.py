"""Ending a task and claiming the next in one request: one commit, one reply, and no end that is lost for a claim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import Api, Reply
from support.clock import FakeClock
from support.ids import CountingIds

from taskdeck.app import running_deck
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN


async def _held(api: Api, *titles: str, worker: str = "w") -> Any:
    """Tasks of these titles, the first of them claimed: its claim."""
    await api.post("/v1/tasks", {"tasks": [{"title": title} for title in titles]})
    return await api.claim(worker)


async def _complete(api: Api, claim: Any, wish: Any, **fields: Any) -> Reply:
    path = f"/v1/tasks/{claim['task']['key']}/complete"
    return await api.call("POST", path, {"fence": claim["fence"], "next": wish, **fields})


async def test_a_completion_brings_the_next_task(api: Api) -> None:
    first = await _held(api, "a", "b")
    reply = (await _complete(api, first, {"lease_seconds": 90}, result=7)).json()
    assert (reply["key"], reply["state"], reply["result"]) == (first["task"]["key"], "done", 7)
    (given,) = reply["next"]["claims"]
    assert reply["next"]["reasons"] == []
    assert (given["task"]["title"], given["task"]["claim"]["worker"], given["fence"]) == ("b", "w", 1)
    assert given["task"]["claim"]["lease_seconds"] == 90
    done, claimed = (await api.events())[-2:]
    assert (done["type"], claimed["type"]) == ("task.completed", "task.claimed")
    assert (claimed["seq"], claimed["task"]["key"]) == (done["seq"] + 1, given["task"]["key"])
    last = (await _complete(api, given, {})).json()
    assert last["next"]["claims"] == []
    assert [reason["code"] for reason in last["next"]["reasons"]] == ["nothing_ready"]


async def test_without_the_wish_nothing_is_claimed_and_the_reply_is_the_task(api: Api) -> None:
    first = await _held(api, "a", "b")
    reply = await api.post(f"/v1/tasks/{first['task']['key']}/complete", {"fence": 1})
    assert "next" not in reply
    assert (await api.get("/v1/stats"))["counts"]["claimed"] == 0


async def test_what_the_end_lets_go_on_can_be_claimed_with_it(api: Api) -> None:
    first = await _held(api, "a")
    after = await api.create("after", depends_on=[first["task"]["key"]])
    reply = (await _complete(api, first, {})).json()
    assert [given["task"]["key"] for given in reply["next"]["claims"]] == [after["key"]]


async def test_the_wish_says_which_and_how_many(api: Api) -> None:
    first = await _held(api, "a", "b")
    wanted = [await api.create(f"docs {number}", labels=["docs"], capabilities=["print"]) for number in range(3)]
    wish = {"labels": ["docs"], "capabilities": ["print"], "max_tasks": 2}
    reply = (await _complete(api, first, wish)).json()
    assert [given["task"]["key"] for given in reply["next"]["claims"]] == [task["key"] for task in wanted[:2]]


async def test_a_failed_attempt_brings_the_next_as_well(api: Api) -> None:
    first = await _held(api, "a", "b")
    path = f"/v1/tasks/{first['task']['key']}/fail"
    failed = await api.post(path, {"fence": 1, "error": "boom", "delay_seconds": 60, "next": {}})
    assert (failed["state"], failed["error"]["message"]) == ("scheduled", "boom")
    assert [given["task"]["title"] for given in failed["next"]["claims"]] == ["b"]


async def test_a_failed_task_that_needs_no_rest_may_be_the_next(api: Api) -> None:
    claim = await _held(api, "a")
    path = f"/v1/tasks/{claim['task']['key']}/fail"
    failed = await api.post(path, {"fence": 1, "error": "boom", "delay_seconds": 0, "next": {}})
    assert (failed["state"], failed["claim"]) == ("ready", None)
    (again,) = failed["next"]["claims"]
    assert (again["task"]["key"], again["task"]["attempt"], again["fence"]) == (failed["key"], 2, 2)


async def test_a_refused_end_claims_nothing(api: Api) -> None:
    first = await _held(api, "a", "b")
    before = await api.last_seq()
    for claim, code in (({**first, "fence": 9}, "stale_fence"), ({"task": {"key": "T99"}, "fence": 1}, "unknown_task")):
        assert (await _complete(api, claim, {})).code == code
    assert await api.last_seq() == before


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"project": "nowhere"}, 404, "unknown_project"),
        ({"session": "s1"}, 404, "unknown_session"),
        ({"lease_seconds": None}, 422, "invalid_request"),
        ({"max_tasks": 0}, 422, "invalid_request"),
        ({"worker": "x"}, 422, "unknown_field"),
        ({"wait_seconds": 5}, 422, "unknown_field"),
    ],
)
async def test_a_wish_that_cannot_be_refuses_the_end_too(api: Api, wish: Any, status: int, code: str) -> None:
    first = await _held(api, "a", "b")
    before = await api.last_seq()
    reply = await _complete(api, first, wish)
    assert (reply.status, reply.code) == (status, code)
    assert await api.last_seq() == before
    assert (await api.get(f"/v1/tasks/{first['task']['key']}"))["state"] == "claimed"


async def test_who_held_nothing_has_no_next(api: Api) -> None:
    task = await api.create()
    reply = await api.call("POST", f"/v1/tasks/{task['key']}/complete", {"fence": None, "next": {}})
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert (await api.get(f"/v1/tasks/{task['key']}"))["state"] == "ready"


async def test_a_worker_that_drains_ends_and_is_given_nothing(api: Api) -> None:
    first = await _held(api, "a", "b")
    await api.post("/v1/workers/w/drain")
    reply = (await _complete(api, first, {})).json()
    assert reply["state"] == "done"
    assert [reason["code"] for reason in reply["next"]["reasons"]] == ["worker_draining"]


async def test_a_gate_before_the_next_leaves_the_end_as_it_is(api: Api) -> None:
    first = await _held(api, "a")
    gated = await api.create("b", gates=[{"before": "claim", "hook": "lint", "timeout_seconds": 60}])
    reply = (await _complete(api, first, {})).json()
    assert reply["state"] == "done"
    (reason,) = reply["next"]["reasons"]
    assert (reason["code"], gated["key"] in reason["detail"]) == ("gate_unmet", True)
    second = await api.create("c", priority=90)
    shown = {"hooks": {"lint": {"exit_code": 0, "output": "fine", "duration_ms": 1}}}
    held = await api.claim("w")
    assert held["task"]["key"] == second["key"]
    shows = (await _complete(api, held, {"shown": shown})).json()
    assert [given["task"]["key"] for given in shows["next"]["claims"]] == [gated["key"]]


async def test_past_its_pace_a_worker_ends_and_is_given_nothing(tmp_path: Path, clock: FakeClock) -> None:
    settings = Settings(data=tmp_path / "data", port=0, claims_per_minute_per_worker=1)
    async with (
        running_deck(settings, clock=clock, ids=CountingIds()) as running,
        Api(running.url, (running.data / ADMIN_TOKEN).read_text().strip()) as api,
    ):
        first = await _held(api, "a", "b")
        reply = (await _complete(api, first, {})).json()
        assert reply["state"] == "done"
        assert [reason["code"] for reason in reply["next"]["reasons"]] == ["rate_limited"]


async def test_after_a_lapse_the_late_completion_brings_the_next(api: Api, clock: FakeClock) -> None:
    await api.create("a", max_attempts=1)
    first = await api.claim(lease_seconds=30)
    await api.create("b")
    clock.advance(31)
    await api.tick()
    reply = (await _complete(api, first, {})).json()
    assert reply["state"] == "done"
    assert [given["task"]["claim"]["worker"] for given in reply["next"]["claims"]] == ["w"]


async def test_a_repetition_under_its_key_gives_the_same_claim(api: Api) -> None:
    first = await _held(api, "a", "b", "c")
    path = f"/v1/tasks/{first['task']['key']}/complete"
    body = {"fence": 1, "next": {}}
    once = await api.call("POST", path, body, key="k")
    before = await api.last_seq()
    again = await api.call("POST", path, body, key="k")
    assert (again.status, again.body) == (200, once.body)
    assert await api.last_seq() == before
    assert (await api.get("/v1/stats"))["counts"]["claimed"] == 1
