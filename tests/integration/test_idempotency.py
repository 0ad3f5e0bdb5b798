"""Idempotency-Key: a write that is sent again gets the first answer and changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock


async def test_a_replay_gets_the_same_bytes(api: Api, clock: FakeClock) -> None:
    wish = {"title": "t", "payload": {"b": 1, "a": 2}}
    first = await api.call("POST", "/v1/tasks", wish, key="k")
    clock.advance(5)
    before = await api.last_seq()
    again = await api.call("POST", "/v1/tasks", wish, key="k")
    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert await api.last_seq() == before
    assert len((await api.get("/v1/tasks"))["tasks"]) == 1


@pytest.mark.parametrize("verb", ["heartbeat", "release", "complete", "fail"])
async def test_every_holders_write_may_be_repeated(api: Api, verb: str) -> None:
    task = await api.create()
    claim = await api.claim()
    body = {"fence": claim["fence"]} | ({"error": "e"} if verb == "fail" else {})
    path = f"/v1/tasks/{task['id']}/{verb}"
    first = await api.call("POST", path, body, key="k")
    before = await api.last_seq()
    again = await api.call("POST", path, body, key="k")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert await api.last_seq() == before
    if verb != "heartbeat":
        assert (await api.call("POST", path, body, key="fresh")).code == "stale_fence"


async def test_a_claim_is_replayed_and_not_made_twice(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "a"}, {"title": "b"}]})
    first = await api.call("POST", "/v1/claims", {"worker": "w"}, key="k")
    again = await api.call("POST", "/v1/claims", {"worker": "w"}, key="k")
    assert first.body == again.body
    assert (await api.get("/v1/stats"))["counts"]["claimed"] == 1


async def test_an_empty_claim_is_no_answer_for_later(api: Api) -> None:
    wish = {"worker": "w"}
    assert (await api.post("/v1/claims", wish, key="k"))["claims"] == []
    task = await api.create()
    assert (await api.post("/v1/claims", wish, key="k"))["claims"][0]["task"]["id"] == task["id"]


async def test_a_key_is_for_one_request(api: Api) -> None:
    task = await api.create(key="k1")
    for method, path, body in (
        ("POST", "/v1/tasks", {"title": "u"}),
        ("POST", "/v1/claims", {"worker": "w"}),
        ("PATCH", f"/v1/tasks/{task['id']}", {"title": "u"}),
        ("DELETE", f"/v1/tasks/{task['id']}", None),
        ("POST", "/v1/projects", {"name": "p"}),
    ):
        before = await api.last_seq()
        reply = await api.call(method, path, body, key="used")
        if path == "/v1/tasks":
            assert reply.status == 201
            continue
        assert (reply.status, reply.code) == (409, "idempotency_mismatch"), path
        assert await api.last_seq() == before


async def test_a_refusal_is_not_remembered(api: Api) -> None:
    wish = {"title": "t", "depends_on": ["LATER"]}
    assert (await api.call("POST", "/v1/tasks", wish, key="k")).code == "unknown_task"
    await api.post("/v1/tasks", {"title": "later", "key": "LATER"})
    assert (await api.call("POST", "/v1/tasks", wish, key="k")).status == 201


async def test_keys_of_two_principals_are_apart(api: Api) -> None:
    ann, bob = await api.token_for("agent", "ann"), await api.token_for("agent", "bob")
    one = await api.post("/v1/tasks", {"title": "t"}, key="k", token=ann)
    two = await api.post("/v1/tasks", {"title": "t"}, key="k", token=bob)
    assert one["id"] != two["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\udcff"])
async def test_an_odd_key_is_refused(api: Api, key: str) -> None:
    before = await api.last_seq()
    reply = await api.call("POST", "/v1/tasks", {"title": "t"}, key=key)
    assert (reply.status, reply.code) == (422, "invalid_request")
    assert await api.last_seq() == before


async def test_concurrent_doubles_are_one(api: Api) -> None:
    replies = await asyncio.gather(*(api.call("POST", "/v1/tasks", {"title": "t"}, key="k") for _ in range(32)))
    assert len({reply.body for reply in replies}) == 1
    assert len((await api.get("/v1/tasks"))["tasks"]) == 1
    claims = await asyncio.gather(*(api.call("POST", "/v1/claims", {"worker": "w"}, key="c") for _ in range(32)))
    assert len({reply.body for reply in claims}) == 1


async def test_waiting_doubles_get_one_task_and_one_answer(api: Api) -> None:
    async def wait() -> Any:
        return await api.post("/v1/claims", {"worker": "w", "wait_seconds": 2}, key="k")

    waiting = [asyncio.create_task(wait()) for _ in range(3)]
    await api.until_waiting(3)
    await api.post("/v1/tasks", {"tasks": [{"title": "one"}, {"title": "two"}]})
    answers = await asyncio.gather(*waiting)
    assert answers[0] == answers[1] == answers[2]
    assert (await api.get("/v1/stats"))["counts"]["claimed"] == 1


async def test_a_waiting_double_of_what_was_served_gets_its_answer(api: Api) -> None:
    """Only one task comes: the double must not go away empty while the first has it."""

    async def wait() -> Any:
        return await api.post("/v1/claims", {"worker": "w", "wait_seconds": 1}, key="k")

    waiting = [asyncio.create_task(wait()) for _ in range(2)]
    await api.until_waiting(2)
    await api.create()
    answers = await asyncio.gather(*waiting)
    assert answers[0]["claims"]
    assert answers[0] == answers[1]


async def test_answers_are_kept_a_day(api: Api, clock: FakeClock) -> None:
    first = await api.call("POST", "/v1/tasks", {"title": "t"}, key="k")
    clock.advance(24 * 3600 - 60)
    assert (await api.call("POST", "/v1/tasks", {"title": "t"}, key="k")).body == first.body
