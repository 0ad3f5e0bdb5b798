"""Claims that wait: what wakes them, in which order, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock

from taskdeck.app import RunningDeck

Answer = dict[str, Any]


@asynccontextmanager
async def waiter(api: Api, already: int = 0, **wish: Any) -> AsyncIterator[asyncio.Task[Answer]]:
    """A claim that waits; the block must see to its end."""
    body = {"worker": "w", "wait_seconds": 30, **wish}
    task = asyncio.create_task(api.post("/v1/claims", body))
    await api.until_waiting(already + 1)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def given(task: asyncio.Task[Answer]) -> Any:
    """The id of the task that the waiter got, soon."""
    async with asyncio.timeout(5):
        claims = (await task)["claims"]
    return claims[0]["task"]["id"]


async def test_a_new_task_wakes(api: Api) -> None:
    async with waiter(api) as claim:
        task = await api.create()
        assert await given(claim) == task["id"]


async def test_a_release_wakes(api: Api) -> None:
    task = await api.create()
    held = await api.claim("other")
    async with waiter(api) as claim:
        await api.post(f"/v1/tasks/{task['id']}/release", {"fence": held["fence"]})
        assert await given(claim) == task["id"]


async def test_a_failure_without_rest_wakes(api: Api) -> None:
    task = await api.create()
    held = await api.claim("other")
    async with waiter(api) as claim:
        body = {"fence": held["fence"], "error": "e", "delay_seconds": 0}
        await api.post(f"/v1/tasks/{task['id']}/fail", body)
        assert await given(claim) == task["id"]


async def test_a_retry_wakes(api: Api) -> None:
    task = await api.create()
    await api.post(f"/v1/tasks/{task['id']}/cancel")
    async with waiter(api) as claim:
        await api.post(f"/v1/tasks/{task['id']}/retry")
        assert await given(claim) == task["id"]


async def test_a_resume_wakes(api: Api) -> None:
    task = await api.create()
    await api.post("/v1/projects/default/pause", {"reason": "r"})
    async with waiter(api) as claim:
        await api.post("/v1/projects/default/resume")
        assert await given(claim) == task["id"]


async def test_an_unblocking_wakes(api: Api) -> None:
    parent = await api.create("parent")
    held = await api.claim("other")
    child = await api.create("child", depends_on=[parent["key"]])
    async with waiter(api) as claim:
        await api.post(f"/v1/tasks/{parent['id']}/complete", {"fence": held["fence"]})
        assert await given(claim) == child["id"]


async def test_a_lapse_wakes(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    await api.claim("other", lease_seconds=60)
    async with waiter(api) as claim:
        clock.advance(61)
        await api.tick()
        assert await given(claim) == task["id"]


async def test_a_due_time_wakes(api: Api, clock: FakeClock) -> None:
    task = await api.create()
    held = await api.claim("other")
    await api.post(f"/v1/tasks/{task['id']}/release", {"fence": held["fence"], "delay_seconds": 60})
    async with waiter(api) as claim:
        clock.advance(61)
        await api.tick()
        assert await given(claim) == task["id"]


async def test_an_assignment_wakes_whom_it_names(api: Api) -> None:
    task = await api.create(assignee="nobody")
    async with waiter(api) as claim:
        await api.post(f"/v1/tasks/{task['id']}/assign", {"assignee": "w"})
        assert await given(claim) == task["id"]


async def test_an_edit_that_makes_it_fit_wakes(api: Api) -> None:
    task = await api.create(capabilities=["gpu"])
    async with waiter(api) as claim:
        await api.patch(f"/v1/tasks/{task['id']}", {"capabilities": []})
        assert await given(claim) == task["id"]


async def test_an_override_to_the_queue_wakes(api: Api) -> None:
    task = await api.create()
    await api.claim("other")
    async with waiter(api) as claim:
        await api.post(f"/v1/tasks/{task['id']}/override", {"reason": "r", "release": True})
        assert await given(claim) == task["id"]


async def test_one_waiter_for_each_task_first_come_first_served(api: Api) -> None:
    claims = []
    for number in range(5):
        body = {"worker": f"w{number}", "wait_seconds": 30}
        claims.append(asyncio.create_task(api.post("/v1/claims", body)))
        await api.until_waiting(number + 1)
    for number in range(5):
        task = await api.create()
        assert await given(claims[number]) == task["id"]
        await api.until_waiting(4 - number)


async def test_a_batch_goes_to_as_many_waiters(api: Api) -> None:
    claims = []
    for number in range(4):
        claims.append(asyncio.create_task(api.post("/v1/claims", {"worker": f"w{number}", "wait_seconds": 30})))
        await api.until_waiting(number + 1)
    wishes = [{"title": "low", "priority": 1}, {"title": "high", "priority": 9}, {"title": "mid", "priority": 5}]
    made = (await api.post("/v1/tasks", {"tasks": wishes}))["tasks"]
    order = [await given(claim) for claim in claims[:3]]
    assert order == [made[1]["id"], made[2]["id"], made[0]["id"]]
    await api.until_waiting(1)
    claims[3].cancel()
    await asyncio.gather(claims[3], return_exceptions=True)
    await api.until_waiting(0)


async def test_a_waiter_is_passed_over_for_what_it_may_not_have(api: Api) -> None:
    async with waiter(api, worker="plain") as plain, waiter(api, 1, worker="able", capabilities=["gpu"]) as able:
        special = await api.create(capabilities=["gpu"])
        assert await given(able) == special["id"]
        usual = await api.create()
        assert await given(plain) == usual["id"]


async def test_a_wait_ends_with_reasons(api: Api) -> None:
    await api.create(capabilities=["gpu"])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answer = await api.post("/v1/claims", {"worker": "w", "wait_seconds": 0.3})
    assert answer["claims"] == []
    assert [reason["code"] for reason in answer["reasons"]] == ["capabilities_missing"]
    assert 0.25 <= loop.time() - begun < 5
    await api.until_waiting(0)


async def test_each_reason_is_told(api: Api) -> None:
    async def codes(**wish: Any) -> list[str]:
        return [reason["code"] for reason in (await api.post("/v1/claims", {"worker": "w", **wish}))["reasons"]]

    assert await codes() == ["nothing_ready"]
    parent = await api.create("parent", not_before="2999-01-01T00:00:00Z")
    await api.create("child", depends_on=[parent["id"]])
    assert await codes() == ["nothing_ready", "scheduled", "blocked"]
    await api.create(assignee="someone")
    assert "assigned_to_others" in await codes()
    await api.create()
    assert "labels_not_matched" in await codes(labels=["x"])
    await api.post("/v1/projects/default/pause", {})
    assert "project_paused" in await codes()
    await api.post("/v1/workers/w/drain", {})
    assert await codes() == ["worker_draining"]


async def test_a_client_that_goes_swallows_no_task(api: Api) -> None:
    for _ in range(20):
        async with Api(api.url, api.token) as leaver:
            claim = asyncio.create_task(leaver.post("/v1/claims", {"worker": "gone", "wait_seconds": 30}))
            await api.until_waiting(1)
            claim.cancel()
            await asyncio.gather(claim, return_exceptions=True)
        await api.until_waiting(0)
        task = await api.create()
        held = await api.claim("there")
        assert held["task"]["id"] == task["id"]
        await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": held["fence"]})


async def test_draining_answers_who_waits_and_refuses_who_comes(api: Api, served: RunningDeck) -> None:
    task = await api.create()
    held = await api.claim("busy")
    async with waiter(api) as claim:
        await served.deck.drain()
        async with asyncio.timeout(5):
            answer = await claim
    assert [reason["code"] for reason in answer["reasons"]] == ["draining"]
    reply = await api.call("POST", "/v1/claims", {"worker": "w"})
    assert (reply.status, reply.code, reply.json()["retryable"]) == (503, "draining", True)
    assert (await api.call("GET", "/readyz")).status == 503
    assert (await api.call("GET", "/healthz")).status == 200
    done = await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": held["fence"]})
    assert done["state"] == "done"


@pytest.mark.parametrize("count", [100])
async def test_a_hundred_wait_and_a_hundred_are_served(api: Api, count: int) -> None:
    claims = [
        asyncio.create_task(api.post("/v1/claims", {"worker": f"w{n}", "wait_seconds": 30})) for n in range(count)
    ]
    await api.until_waiting(count)
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * count})
    assert len({await given(claim) for claim in claims}) == count


async def test_a_worker_that_learns_something_while_it_waits_is_served(api: Api) -> None:
    task = await api.create(capabilities=["gpu"])
    async with waiter(api) as claim:
        await api.post("/v1/workers", {"id": "w", "capabilities": ["gpu"]})
        assert await given(claim) == task["id"]
