"""Unique keys over open tasks, and likely duplicates."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.service.create import create
from taskdeck.service.operate import cancel
from taskdeck.service.requests import NewTask

KEY = {"title": "import", "unique_key": "import/2026 11"}


async def test_a_second_task_under_a_live_key_is_the_first(api: Api) -> None:
    first = await api.call("POST", "/v1/tasks", KEY)
    assert (first.status, first.json()["unique_key"]) == (201, KEY["unique_key"])
    before = await api.last_seq()
    second = await api.call("POST", "/v1/tasks", KEY | {"title": "again"})
    assert (second.status, second.json()) == (200, first.json() | {"existed": True})
    refused = await api.call("POST", "/v1/tasks", KEY | {"if_exists": "refuse"})
    assert (refused.status, refused.code) == (409, "unique_key_taken")
    assert refused.json()["task"]["key"] == first.json()["key"]
    assert await api.last_seq() == before
    assert "existed" not in await api.get(f"/v1/tasks/{first.json()['id']}")


async def test_a_key_is_its_projects_own_and_free_when_its_task_has_ended(api: Api) -> None:
    await api.post("/v1/projects", {"name": "other"})
    first = await api.create(**KEY)
    assert (await api.create(**KEY, project="other"))["id"] != first["id"]
    for how in ("complete", "fail", "cancel"):
        task = await api.create(**KEY)
        if how == "cancel":
            await api.post(f"/v1/tasks/{task['id']}/cancel")
            continue
        claim = await api.claim(task=task["id"])
        held = await api.create(**KEY)
        assert (held["id"], held["state"], held["existed"]) == (task["id"], "claimed", True)
        body = {"fence": claim["fence"]} | ({"error": "e", "retry": False} if how == "fail" else {})
        await api.post(f"/v1/tasks/{task['id']}/{how}", body)
    assert len((await api.get("/v1/tasks?project=default"))["tasks"]) == 3


async def test_a_task_whose_place_was_taken_is_not_retried(api: Api) -> None:
    first = await api.create(**KEY)
    await api.post(f"/v1/tasks/{first['id']}/cancel")
    await api.post(f"/v1/tasks/{first['id']}/retry")
    await api.post(f"/v1/tasks/{first['id']}/cancel")
    second = await api.create(**KEY)
    reply = await api.call("POST", f"/v1/tasks/{first['id']}/retry", {})
    assert (reply.status, reply.code) == (409, "unique_key_taken")
    assert reply.json()["task"]["key"] == second["key"]
    await api.post(f"/v1/tasks/{second['id']}/cancel")
    assert (await api.post(f"/v1/tasks/{first['id']}/retry"))["state"] == "ready"


async def test_many_at_once_make_one(api: Api) -> None:
    replies = await asyncio.gather(*(api.call("POST", "/v1/tasks", KEY) for _ in range(30)))
    assert sorted(reply.status for reply in replies) == [200] * 29 + [201]
    assert len({reply.json()["id"] for reply in replies}) == 1
    made = (await api.post("/v1/tasks", {"tasks": [KEY, {"title": "new"}, {"title": "x", "unique_key": "y"}] * 2}))[
        "tasks"
    ]
    assert [task.get("existed", False) for task in made] == [True, False, False, True, False, True]
    assert made[2]["id"] == made[5]["id"]


async def test_an_idempotent_repetition_says_what_it_said(api: Api) -> None:
    first = await api.call("POST", "/v1/tasks", KEY, key="k")
    again = await api.call("POST", "/v1/tasks", KEY, key="k")
    assert (first.status, first.body) == (again.status, again.body)
    assert first.status == 201


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


def test_the_schema_refuses_two_live_tasks_under_one_key(store: BareStore) -> None:
    store(lambda unit: create(unit, ROOT, [NewTask("a", "default", unique_key="k"), NewTask("b", "default")]))
    with pytest.raises(sqlite3.IntegrityError):
        store.rows("UPDATE tasks SET unique_key = 'default/k' WHERE number = 2")


def test_one_batch_may_end_a_task_and_make_its_successor(store: BareStore) -> None:
    wish = NewTask("a", "default", unique_key="k")
    (first,) = store(lambda unit: create(unit, ROOT, [wish]))
    batch = store.batch(lambda unit: cancel(unit, ROOT, first.key), lambda unit: create(unit, ROOT, [wish]))
    assert [error for _, _, error in batch.outcomes] == [None, None]
    assert store.rows("SELECT count(*) FROM tasks WHERE unique_key = 'default/k'") == [(2,)]


def test_a_key_is_looked_up_by_its_index(store: BareStore) -> None:
    plan = store.rows("EXPLAIN QUERY PLAN SELECT number FROM tasks WHERE unique_key = 'a/b' AND finished_at IS NULL")
    assert "tasks_unique (unique_key=?)" in plan[0][3]


async def test_likely_duplicates_are_suggested(api: Api) -> None:
    await api.post("/v1/projects", {"name": "other"})
    login = await api.create("Fix the login page")
    await api.create("Write the release notes")
    ended = await api.create("Fix login page")
    await api.post(f"/v1/tasks/{ended['id']}/cancel")
    held = await api.create("fix: the LOGIN page!", project="other")
    await api.claim(task=held["id"])

    async def found(query: str, **more: str) -> list[tuple[str, float]]:
        reply = await api.get(f"/v1/tasks/duplicates?{query}", **more)
        return [(one["key"], one["score"]) for one in reply["duplicates"]]

    assert sorted(await found("title=the%20login%20page%20fix")) == sorted([(login["key"], 1.0), (held["key"], 1.0)])
    assert await found("title=Fix%20the%20login%20page&project=default") == [(login["key"], 1.0)]
    assert await found("title=Fix%20the%20logins&threshold=0.95") == []
    ((key, score),) = await found("title=Fix%20the%20logins&project=default")
    assert key == login["key"]
    assert 0.6 <= score < 1
    assert await found("title=%21%21%21") == []
    assert len(await found("title=Fix%20the%20login%20page&threshold=0&limit=2")) == 2
    secret = await api.token_for("reader", "inside", projects=["other"])
    assert await found("title=Fix%20the%20login%20page", token=secret) == [(held["key"], 1.0)]
    assert await found("title=Fix%20the%20login%20page&project=default", token=secret) == []
    for odd in ("", "title=", "title=t&threshold=2", "title=t&limit=21", "title=t&x=1"):
        assert (await api.call("GET", f"/v1/tasks/duplicates?{odd}")).status == 422
