"""Lists: filters, orders, and pages that stay true while tasks come and go."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock


async def _pages(api: Api, path: str, what: str, *, meddle: Any = None) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = await api.get(f"{path}{cursor}")
        found += page[what]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
        if meddle is not None:
            await meddle()


@pytest.mark.parametrize("sort", ["number", "-number", "priority"])
async def test_pages_are_stable_while_tasks_come(api: Api, sort: str) -> None:
    wishes = [{"title": str(n), "priority": n * 37 % 5 * 25} for n in range(53)]
    made = (await api.post("/v1/tasks", {"tasks": wishes}))["tasks"]

    async def meddle() -> None:
        await api.post("/v1/tasks", {"tasks": [{"title": "new", "priority": p} for p in (0, 50, 100)]})

    found = await _pages(api, f"/v1/tasks?limit=7&sort={sort}&view=summary", "tasks", meddle=meddle)
    numbers = [task["number"] for task in found]
    assert len(set(numbers)) == len(numbers)
    key = {
        "number": lambda task: task["number"],
        "-number": lambda task: -task["number"],
        "priority": lambda task: (-task["priority"], task["number"]),
    }[sort]
    assert found == sorted(found, key=key)
    assert {task["number"] for task in made} <= set(numbers)


async def test_each_filter_narrows(api: Api) -> None:
    await api.post("/v1/projects", {"name": "p"})
    one = await api.create("Fix the login", labels=["bug"], description="It FAILS")
    two = await api.create("write docs", project="p", assignee="ann")
    three = await api.create("100% [done]_", labels=["bug", "ui"])
    await api.claim("w", task=three["key"])

    async def keys(query: str) -> list[str]:
        return sorted(task["key"] for task in (await api.get(f"/v1/tasks?{query}"))["tasks"])

    assert await keys("state=ready") == sorted([one["key"], two["key"]])
    assert await keys("state=ready,claimed&label=bug") == sorted([one["key"], three["key"]])
    assert await keys("project=p") == await keys("assignee=ann") == [two["key"]]
    assert await keys("worker=w") == [three["key"]]
    assert await keys("q=LOGIN%20fails") == [one["key"]]
    assert await keys("q=100%25") == await keys("q=%5Bdone%5D_") == [three["key"]]
    assert await keys("q=ui") == [three["key"]]
    assert await keys(f"q={two['key']}") == [two["key"]]
    assert await keys("q=%25") == [three["key"]]
    assert await keys("label=no") == await keys("project=no") == await keys("state=done") == []


async def test_a_cursor_is_for_one_list(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 3})
    cursor = (await api.get("/v1/tasks?limit=1&sort=number"))["next_cursor"]
    assert (await api.call("GET", f"/v1/tasks?sort=priority&cursor={cursor}")).code == "invalid_request"
    assert (await api.call("GET", f"/v1/leases?cursor={cursor}")).code == "invalid_request"


async def test_leases_are_listed_by_their_end_lapsed_first(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(12)]})
    for seconds in (500, 10, 300, 20, 400, 300, 700, 15, 300):
        await api.claim(lease_seconds=seconds)
    clock.advance(30)
    await api.tick()
    leases = await _pages(api, "/v1/leases?limit=2", "leases")
    assert [lease["lapsed"] for lease in leases] == [True] * 3 + [False] * 6
    ends = [(not lease["lapsed"], lease["expires_at"], lease["task"]["number"]) for lease in leases]
    assert ends == sorted(ends)
    assert len({lease["task"]["id"] for lease in leases}) == 9


async def test_events_page_both_ways(api: Api) -> None:
    await api.post("/v1/tasks", {"tasks": [{"title": str(n)} for n in range(25)]})
    log = await api.events()
    forward, after = [], 0
    while after is not None:
        page = await api.get(f"/v1/events?after={after}&limit=7")
        forward += page["events"]
        after = page["next_after"]
    backward: list[Any] = []
    before = log[-1]["seq"] + 1
    while before > 1:
        events = (await api.get(f"/v1/events?before={before}&limit=7"))["events"]
        backward = events + backward
        before = events[0]["seq"]
    assert forward == backward == log
    only = await api.events(type="project.created")
    assert [event["type"] for event in only] == ["project.created"]


async def test_a_page_of_heavy_tasks_is_cut(api: Api) -> None:
    for _ in range(24):
        await api.create("heavy", payload="x" * 250_000)
    page = await api.get("/v1/tasks?limit=200&sort=number")
    assert 1 < len(page["tasks"]) < 24
    found = await _pages(api, "/v1/tasks?limit=200&sort=number", "tasks")
    assert [task["number"] for task in found] == list(range(1, 25))
