"""The examples of Conductor's page on claiming, request by request, on tasks made by the deck's own API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from office import EXAMPLES, INPUT, JOHN, Office, opened_office

TIMES = {"stateStart", "lastUpdated", "createdOn", "updatedOn", "createTime", "updateTime"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
async def office(speaking: Any) -> AsyncIterator[Office]:
    async with opened_office(speaking) as opened:
        yield opened


def like_page(value: Any, page: Any, place: str = "") -> Any:
    """`value` with what differs from call to call (times, and ids of log entries) as on the page, once it is right."""
    if isinstance(value, dict) and isinstance(page, dict):
        return {name: like_page(part, page.get(name), name) for name, part in value.items()}
    if isinstance(value, list) and isinstance(page, list) and len(value) == len(page):
        return [like_page(*both, place) for both in zip(value, page, strict=True)]
    if place in TIMES and isinstance(page, int):
        assert type(value) is int
        assert 1_700_000_000_000 < value < 2_000_000_000_000
        return page
    if place == "id":
        assert UUID.fullmatch(value)
        return page
    return value


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_of_the_page(office: Office, number: int) -> None:
    example = EXAMPLES[number]
    page = example["response"]
    assignee = page["humanTaskDef"]["assignments"][0]["assignee"]["user"]
    task = await office.loan(assignee, payload=INPUT, run=page["workflowId"])
    office.clock.advance(9.5)
    path = re.sub(r"(?<=/tasks/)[^/]+", task, example["url"])
    reply = await office.call(
        example["method"], path, data=b"", headers={"Content-Type": "application/x-www-form-urlencoded"}, as_=JOHN
    )
    assert reply.status == example["status"]
    entry = reply.json()
    assert like_page(entry, page) == page | {"taskId": task}
    times = [log["stateStart"] for log in entry["input"]["__humanTaskProcessContext"]["humanTaskActionLogs"]]
    assert entry["createdOn"] <= entry["updatedOn"] == times[0] < times[1]
    assert times[1] == entry["input"]["__humanTaskProcessContext"]["lastUpdated"]
