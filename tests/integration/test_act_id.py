"""Act-Id: the events of several requests told to be one act carry the same mark, and no other event has one."""

from __future__ import annotations

import json

import pytest
from support.api import Api

from taskdeck.client import Client, one_act


async def test_the_events_of_one_act_share_its_mark(api: Api) -> None:
    first, second, third = [await api.create(title=f"t{number}") for number in range(3)]
    for task in (first, second):
        body = json.dumps({"priority": 80}).encode()
        reply = await api.raw("POST", f"/v1/tasks/{task['id']}/reprioritize", body, {"Act-Id": "act-1"})
        assert reply.status == 200, reply
    await api.post(f"/v1/tasks/{third['id']}/reprioritize", {"priority": 80})
    events = (await api.get("/v1/events?type=task.reprioritized"))["events"]
    assert [event.get("act") for event in events] == ["act-1", "act-1", None]
    assert "act" not in events[2], "an event that stands for itself says nothing of acts"


async def test_all_that_follows_in_the_same_unit_is_a_part_of_the_act(api: Api) -> None:
    parent = await api.create()
    claim = await api.claim()
    await api.post(f"/v1/tasks/{parent['id']}/delegate", {"fence": claim["fence"], "title": "below"})
    body = json.dumps({"children": True}).encode()
    reply = await api.raw("POST", f"/v1/tasks/{parent['id']}/cancel", body, {"Act-Id": "9"})
    assert reply.status == 200, reply
    events = (await api.get("/v1/events?type=task.cancelled"))["events"]
    assert [event["act"] for event in events] == ["9", "9"]


@pytest.mark.parametrize("act", ["a b", "x" * 65, "ü", "a,b"])
async def test_a_mark_that_is_none_is_refused_and_nothing_is_done(api: Api, act: str) -> None:
    before = await api.last_seq()
    reply = await api.raw("POST", "/v1/tasks", b'{"title": "t"}', {"Act-Id": act})
    assert (reply.status, reply.code) == (422, "invalid_request") and "Act-Id" in reply.json()["detail"]
    assert await api.last_seq() == before


async def test_the_client_marks_what_it_writes_within_one_act(api: Api) -> None:
    async with Client(api.url, token=api.token) as client:
        with one_act() as act:
            await client.create(title="a")
            await client.create(title="b")
        with one_act() as other:
            await client.create(title="c")
        await client.create(title="d")
        events = (await client.events(limit=100))["events"]
    created = [event.get("act") for event in events if event["type"] == "task.created"]
    assert created == [act, act, other, None] and act != other
