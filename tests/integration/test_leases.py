"""Leases and fences: what renews them, what ends them, and who may still write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock
from support.server import server

from taskdeck.domain.clock import from_rfc3339


def _expires(claim: Any) -> int:
    return from_rfc3339(claim["expires_at"])


async def _task(api: Api, ref: str) -> Any:
    return await api.get(f"/v1/tasks/{ref}")


async def test_the_lease_is_the_callers_or_the_projects(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "quick", "lease_seconds": 7.5})
    await api.post("/v1/tasks", {"tasks": [{"title": "a"}, {"title": "b", "project": "quick"}, {"title": "c"}]})
    for wish, seconds in (({"project": "default"}, 300), ({"project": "quick"}, 7.5), ({"lease_seconds": 60}, 60)):
        claim = await api.claim(**wish)
        assert _expires(claim) - clock.now_ms() == seconds * 1000
        assert claim["task"]["claim"]["lease_seconds"] == seconds


async def test_a_heartbeat_renews_and_never_shortens(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    claim = await api.claim(lease_seconds=100)
    path, fence = f"/v1/tasks/{task['id']}/heartbeat", claim["fence"]
    clock.advance(40)
    beat = await api.post(path, {"fence": fence, "progress": 30, "state": "waiting_input", "detail": "which?"})
    assert _expires(beat) == clock.now_ms() + 100_000
    shown = beat["task"]["claim"]
    assert (shown["progress"], shown["state"], shown["detail"]) == (30, "waiting_input", "which?")
    beat = await api.post(path, {"fence": fence, "lease_seconds": 5})
    assert _expires(beat) == clock.now_ms() + 100_000
    beat = await api.post(path, {"fence": fence, "lease_seconds": 500})
    assert _expires(beat) == clock.now_ms() + 500_000
    assert beat["task"]["claim"]["progress"] == 30


async def test_every_call_with_the_fence_renews(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    claim = await api.claim(lease_seconds=100)
    ref = task["id"]
    clock.advance(50)
    shown = await api.get(f"/v1/tasks/{ref}?fence={claim['fence']}")
    assert _expires(shown["claim"]) == clock.now_ms() + 100_000
    clock.advance(50)
    shown = await api.patch(f"/v1/tasks/{ref}", {"metadata": {"a": 1}, "fence": claim["fence"]})
    assert _expires(shown["claim"]) == clock.now_ms() + 100_000
    clock.advance(50)
    again = await api.claim(task=ref)
    assert (again["fence"], _expires(again)) == (claim["fence"], clock.now_ms() + 100_000)
    clock.advance(50)
    before = await api.last_seq()
    shown = await api.get(f"/v1/tasks/{ref}")
    stale = await api.get(f"/v1/tasks/{ref}?fence={claim['fence'] + 1}")
    assert _expires(shown["claim"]) == _expires(stale["claim"]) == clock.now_ms() + 50_000
    assert await api.last_seq() == before


async def test_a_lapse_spends_an_attempt_and_lets_others_in(api: Api, clock: FakeClock) -> None:
    task = await api.create(max_attempts=3)
    first = await api.claim("one", lease_seconds=60)
    clock.advance(60)
    await api.tick()
    shown = await _task(api, task["id"])
    assert (shown["state"], shown["claim"]["lapsed"], shown["claim"]["worker"]) == ("claimed", True, "one")
    assert (await api.get("/v1/stats"))["lapsed"] == 1
    assert (await api.get("/v1/leases"))["leases"][0]["lapsed"] is True
    second = await api.claim("two")
    assert (second["task"]["id"], second["fence"], second["task"]["attempt"]) == (task["id"], first["fence"] + 1, 2)
    reply = await api.call("POST", f"/v1/tasks/{task['id']}/complete", {"fence": first["fence"]})
    assert (reply.status, reply.code) == (409, "stale_fence")
    assert "two" in reply.json()["detail"]
    holder = reply.json()["task"]
    assert (holder["worker"], holder["fence"], holder["state"]) == ("two", second["fence"], "claimed")
    assert holder["claimed_at"]
    assert (await _task(api, task["id"]))["claim"]["worker"] == "two"


@pytest.mark.parametrize("verb", ["heartbeat", "release", "complete", "fail"])
async def test_the_holder_may_still_write_until_another_takes_it(api: Api, clock: FakeClock, verb: str) -> None:
    task = await api.create(max_attempts=3)
    claim = await api.claim(lease_seconds=60)
    clock.advance(3600)
    await api.tick()
    body = {"fence": claim["fence"]} | ({"error": "e", "delay_seconds": 0} if verb == "fail" else {})
    await api.post(f"/v1/tasks/{task['id']}/{verb}", body)
    shown = await _task(api, task["id"])
    state = {"heartbeat": "claimed", "release": "ready", "complete": "done", "fail": "ready"}[verb]
    assert (shown["state"], shown["attempt"]) == (state, 1)
    if verb == "heartbeat":
        assert shown["claim"]["lapsed"] is False
        assert await api.claim("other") is None


async def test_the_last_lapse_fails_the_task_and_its_holder_may_still_complete(api: Api, clock: FakeClock) -> None:
    task = await api.create(max_attempts=1)
    claim = await api.claim("one", lease_seconds=60)
    clock.advance(61)
    await api.tick()
    shown = await _task(api, task["id"])
    assert (shown["state"], shown["error"]["reason"], shown["error"]["worker"]) == ("failed", "lapsed", "one")
    for fence, code in ((claim["fence"] + 1, "stale_fence"), (0, "stale_fence")):
        assert (await api.call("POST", f"/v1/tasks/{task['id']}/complete", {"fence": fence})).code == code
    stranger = await api.token_for("agent", "stranger")
    reply = await api.call("POST", f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"]}, token=stranger)
    assert reply.status in (403, 409)
    done = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"], "result": {"late": True}})
    assert (done["state"], done["error"], done["result"]) == ("done", None, {"late": True})


async def test_a_reported_failure_is_not_completed_later(api: Api) -> None:
    task = await api.create(max_attempts=1)
    claim = await api.claim()
    failed = await api.post(f"/v1/tasks/{task['id']}/fail", {"fence": claim["fence"], "error": "no"})
    assert (failed["state"], failed["error"]["reason"]) == ("failed", "failed")
    assert (await api.call("POST", f"/v1/tasks/{task['id']}/complete", {"fence": claim["fence"]})).code == "stale_fence"


async def test_a_cancellation_tells_the_holder(api: Api) -> None:
    task = await api.create()
    claim = await api.claim()
    await api.post(f"/v1/tasks/{task['id']}/cancel", {"reason": "not wanted"})
    for verb, more in {"heartbeat": {}, "release": {}, "complete": {}, "fail": {"error": "e"}}.items():
        reply = await api.call("POST", f"/v1/tasks/{task['id']}/{verb}", {"fence": claim["fence"], **more})
        assert (reply.status, reply.code) == (409, "task_cancelled")
        assert "not wanted" in reply.json()["detail"]


async def test_each_override_makes_the_old_fence_stale_at_once(api: Api) -> None:
    await api.register("two")
    for form in ({"worker": "two"}, {"assignee": "two"}, {"release": True}):
        task = await api.create()
        claim = await api.claim("one", task=task["id"])
        path = f"/v1/tasks/{task['id']}"
        after = await api.post(f"{path}/override", {"reason": "stuck", **form})
        reply = await api.call("POST", f"{path}/complete", {"fence": claim["fence"]})
        assert (reply.status, reply.code) == (409, "stale_fence")
        event = (await api.get(f"{path}/events"))["events"][-1]
        assert (event["type"], event["actor"], event["facts"]["reason"]) == ("task.overridden", "admin", "stuck")
        assert event["facts"]["from_worker"] == "one"
        if "worker" in form:
            assert (after["claim"]["worker"], after["fence"], after["attempt"]) == ("two", claim["fence"] + 1, 1)
            await api.post(f"{path}/complete", {"fence": after["fence"]})
        else:
            assert (after["state"], after["attempt"]) == ("ready", 0)
            assert (await api.claim("two", task=task["id"]))["fence"] == claim["fence"] + 1


async def test_an_operator_takes_a_live_claim_by_claiming_with_override(api: Api) -> None:
    task = await api.create()
    claim = await api.claim("one")
    reply = await api.call("POST", "/v1/claims", {"worker": "two", "task": task["key"]})
    assert (reply.status, reply.code, reply.json()["task"]["worker"]) == (409, "claimed_by_other", "one")
    taken = await api.claim("two", task=task["key"], override={"reason": "urgent"})
    assert (taken["fence"], taken["task"]["claim"]["worker"]) == (claim["fence"] + 1, "two")


async def test_a_clock_that_jumps_cuts_no_lease_short(api: Api, clock: FakeClock) -> None:
    await api.create()
    await api.claim("one", lease_seconds=100)
    for jump in (3600, -7200, 86_400):
        clock.jump(jump)
        await api.tick()
        (lease,) = (await api.get("/v1/leases"))["leases"]
        assert (lease["lapsed"], _expires(lease) - clock.now_ms()) == (False, 100_000)
    assert [e["facts"]["by_seconds"] for e in await api.events(type="clock.jumped")] == [3600, -7200, 86400]
    clock.advance(99)
    await api.tick()
    assert (await api.get("/v1/stats"))["lapsed"] == 0
    clock.advance(1)
    await api.tick()
    assert (await api.get("/v1/stats"))["lapsed"] == 1


async def test_a_task_may_have_rests_of_its_own(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "p", "backoff_seconds": 1, "backoff_cap_seconds": 2})
    own = {"backoff_seconds": 100, "backoff_cap_seconds": 150}
    task = await api.create(project="p", max_attempts=9, **own)
    assert {name: task[name] for name in own} == own

    async def rest() -> float:
        fence = (await api.claim("w", project="p"))["fence"]
        await api.post(f"/v1/tasks/{task['id']}/fail", {"fence": fence, "error": "e"})
        not_before = from_rfc3339((await api.get(f"/v1/tasks/{task['id']}"))["not_before"])
        before, _ = clock.now_ms(), clock.advance(150)
        return (not_before - before) / 1000

    assert 50 <= await rest() <= 100
    assert 75 <= await rest() <= 150
    edited = await api.patch(f"/v1/tasks/{task['id']}", {"backoff_seconds": 0.5, "backoff_cap_seconds": None})
    assert (edited["backoff_seconds"], edited["backoff_cap_seconds"]) == (0.5, None)
    assert 1 <= await rest() <= 2, "up to the cap of its project"
    odd = await api.call("POST", "/v1/tasks", {"title": "t", "backoff_seconds": 9, "backoff_cap_seconds": 5})
    assert odd.code == "invalid_request"


async def test_attempts_rest_by_the_projects_backoff(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/projects", {"name": "p", "backoff_seconds": 10, "backoff_cap_seconds": 60})
    task = await api.create(project="p", max_attempts=8)
    for full in (10, 20, 40, 60, 60, 60):
        claim = await api.claim("w")
        failed = await api.post(f"/v1/tasks/{task['id']}/fail", {"fence": claim["fence"], "error": "e"})
        rest = (from_rfc3339(failed["not_before"]) - clock.now_ms()) / 1000
        assert failed["state"] == "scheduled"
        assert full / 2 <= rest <= full
        clock.advance(rest - 0.001)
        assert await api.claim("w") is None
        clock.advance(0.001)
    claim = await api.claim("w")
    given_up = await api.post(f"/v1/tasks/{task['id']}/fail", {"fence": claim["fence"], "error": "e", "retry": False})
    assert given_up["state"] == "failed"


async def test_a_real_lease_lapses_by_itself(tmp_path: Path) -> None:
    """On the machine's own clock, with nobody writing meanwhile."""
    async with server(tmp_path / "data") as deck, deck.api() as api:
        task = await api.create()
        await api.claim("one", lease_seconds=5)
        async with api.session.get(f"{api.url}/v1/events/stream", headers=api.headers()) as stream:
            async for line in stream.content:
                if line == b"event: task.lapsed\n":
                    break
        shown = await api.get(f"/v1/tasks/{task['id']}")
        late = from_rfc3339(shown["updated_at"]) - from_rfc3339(shown["claim"]["expires_at"])
        assert 0 <= late < 2000
