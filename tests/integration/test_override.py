"""Giving a claim to another: to whom it can go, and that being named is neither a registration nor a sign of life."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock


async def _held(api: Api) -> str:
    task = await api.create()
    await api.claim("one", task=task["id"])
    return f"/v1/tasks/{task['id']}"


async def _workers(api: Api) -> dict[str, Any]:
    return {worker["id"]: worker for worker in (await api.get("/v1/workers"))["workers"]}


async def test_a_name_that_nobody_registered_is_refused_and_those_like_it_are_told(api: Api) -> None:
    await api.register("agent-atlas", "agent-birch", "render-01")
    path = await _held(api)
    reply = await api.call("POST", f"{path}/override", {"reason": "r", "worker": "agent-atls"})
    assert (reply.status, reply.code) == (404, "unknown_worker")
    assert "no worker 'agent-atls' has registered; there is agent-atlas" in reply.json()["detail"]
    assert "POST /v1/workers" in reply.json()["hint"]
    far = await api.call("POST", f"{path}/override", {"reason": "r", "worker": "zzzzzz"})
    assert far.json()["detail"].endswith("there is agent-atlas, agent-birch, one, render-01"), "they are few"
    await api.register("w5", "w6", "w7")
    far = await api.call("POST", f"{path}/override", {"reason": "r", "worker": "zzzzzz"})
    assert far.json()["detail"] == "no worker 'zzzzzz' has registered"
    before = await api.last_seq()
    assert (await api.call("POST", f"{path}/override", {"reason": "r", "worker": "zzzzzz"})).status == 404
    assert await api.last_seq() == before and (await api.get(path))["claim"]["worker"] == "one"
    assert "agent-atls" not in await _workers(api)
    assert (await api.post(f"{path}/override", {"reason": "r", "worker": "agent-atlas"}))["fence"] == 2


async def test_who_overrides_may_take_it_unregistered(api: Api) -> None:
    path = await _held(api)
    taken = await api.post(f"{path}/override", {"reason": "r", "worker": "admin"})
    assert taken["claim"]["worker"] == "admin" and "admin" in await _workers(api)


async def test_who_is_given_a_claim_stays_its_owners_and_as_silent_as_before(api: Api, clock: FakeClock) -> None:
    agent = await api.token_for("agent", "robin")
    await api.post("/v1/workers", {"id": "robin-1", "heartbeat_seconds": 5}, token=agent)
    path = await _held(api)
    clock.advance(30)
    await api.tick()
    before = (await _workers(api))["robin-1"]
    assert before["liveness"] == "offline"
    given = await api.post(f"{path}/override", {"reason": "r", "worker": "robin-1"})
    after = (await _workers(api))["robin-1"]
    same = ("principal", "last_seen_at", "liveness", "via")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert given["claim"]["principal"] == "robin"
    await api.post(f"{path}/complete", {"fence": given["fence"]}, token=agent)
    assert (await _workers(api))["robin-1"]["liveness"] == "idle", "that was a sign of life"


async def test_a_worker_called_as_who_overrides_but_of_another_is_not_heard_of(api: Api, clock: FakeClock) -> None:
    agent = await api.token_for("agent", "robin")
    await api.post("/v1/workers", {"id": "admin"}, token=agent)
    path = await _held(api)
    before = (await _workers(api))["admin"]["last_seen_at"]
    clock.advance(30)
    assert (await api.post(f"{path}/override", {"reason": "r", "worker": "admin"}))["claim"]["principal"] == "robin"
    assert (await _workers(api))["admin"]["last_seen_at"] == before


@pytest.mark.parametrize("verb", ["create", "assign", "turns", "override"])
async def test_an_assignee_may_come_later_and_is_then_its_own(api: Api, verb: str) -> None:
    task = await api.create(**({"assignee": "robin-1"} if verb == "create" else {}))
    path = f"/v1/tasks/{task['id']}"
    match verb:
        case "assign":
            await api.post(f"{path}/assign", {"assignee": "robin-1"})
        case "turns":
            await api.post(f"{path}/assign", {"assignees": [{"assignee": "robin-1", "seconds": 60}]})
        case "override":
            await api.post(f"{path}/override", {"reason": "r", "assignee": "robin-1"})
    assert await _workers(api) == {}
    agent = await api.token_for("agent", "robin")
    (claim,) = (await api.post("/v1/claims", {"worker": "robin-1"}, token=agent))["claims"]
    assert claim["task"]["id"] == task["id"] and (await _workers(api))["robin-1"]["principal"] == "robin"
