"""What plans are made of: keys in series, tasks waited for before they are there, a look ahead, what work changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.service.awaiting import MOST_WAITING
from taskdeck.service.create import create
from taskdeck.service.operate import delete
from taskdeck.service.requests import NewTask


async def test_each_series_of_a_project_counts_for_itself(api: Api) -> None:
    await api.post("/v1/projects", {"name": "side", "prefix": "SIDE"})
    wishes = [("W", "default"), ("W", "default"), ("D", "default"), ("W", "side"), (None, "default")]
    keys = [(await api.create(project=project, series=series))["key"] for series, project in wishes]
    assert keys == ["T-W1", "T-W2", "T-D1", "SIDE-W1", "T1"]
    assert (await api.call("POST", "/v1/tasks", {"title": "t", "series": "w"})).status == 422
    assert (await api.call("POST", "/v1/tasks", {"title": "t", "series": "W", "key": "K"})).status == 422


async def test_a_series_passes_over_a_key_that_was_chosen(api: Api) -> None:
    await api.create(key="T-W1")
    assert (await api.create(series="W"))["key"] == "T-W2"


async def test_projects_are_numbered_in_the_order_in_which_they_were_made(api: Api) -> None:
    await api.post("/v1/projects", {"name": "b"})
    await api.post("/v1/projects", {"name": "a"})
    numbers = {p["name"]: p["number"] for p in (await api.get("/v1/projects"))["projects"]}
    assert numbers == {"default": 1, "b": 2, "a": 3}


async def test_what_is_not_there_yet_is_waited_for(api: Api) -> None:
    there = await api.create("there")
    task = await api.create(awaits=[there["key"], "LATER", "NEVER"])
    assert (task["state"], task["depends_on"], task["awaits"]) == ("blocked", [there["key"]], ["LATER", "NEVER"])
    refused = await api.call("POST", "/v1/claims", {"worker": "w", "task": task["key"]})
    assert "LATER" in refused.json()["detail"]
    later = await api.create("later", key="LATER")
    known = await api.get(f"/v1/tasks/{task['id']}")
    assert (known["depends_on"], known["awaits"]) == ([there["key"], "LATER"], ["NEVER"])
    for one in (there, later):
        claim = await api.claim(task=one["key"])
        await api.post(f"/v1/tasks/{one['id']}/complete", {"fence": claim["fence"]})
    assert (await api.get(f"/v1/tasks/{task['id']}"))["state"] == "blocked"
    edited = await api.patch(f"/v1/tasks/{task['id']}", {"awaits": []})
    assert (edited["state"], edited["awaits"], edited["depends_on"]) == ("ready", [], [there["key"], "LATER"])
    back = await api.patch(f"/v1/tasks/{task['id']}", {"awaits": ["NEVER"]})
    assert back["state"] == "blocked"
    shelved = await api.post(f"/v1/tasks/{task['id']}/shelve")
    assert (await api.post(f"/v1/tasks/{shelved['id']}/promote"))["state"] == "blocked"


async def test_who_would_wait_for_itself_is_refused(api: Api) -> None:
    first = await api.create(awaits=["B"])
    before = await api.last_seq()
    refused = await api.call("POST", "/v1/tasks", {"title": "t", "key": "B", "depends_on": [first["key"]]})
    assert (refused.status, refused.code) == (422, "dependency_cycle")
    assert await api.last_seq() == before
    assert (await api.get(f"/v1/tasks/{first['id']}"))["awaits"] == ["B"]


async def test_another_project_s_task_is_not_there_for_whom_it_is_hidden(api: Api) -> None:
    await api.post("/v1/projects", {"name": "theirs"})
    await api.post("/v1/projects", {"name": "ours"})
    other = await api.create(project="theirs", key="X")
    secret = await api.token_for("agent", "in", projects=["ours"])
    wish = {"title": "t", "project": "ours", "awaits": [other["key"]]}
    made = await api.post("/v1/tasks", wish, token=secret)
    assert (made["state"], made["awaits"], made["depends_on"]) == ("blocked", ["X"], [])


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock, ids: CountingIds) -> Iterator[BareStore]:
    opened = Template(tmp_path).copy(tmp_path / "deck.db", clock, ids)
    yield opened
    opened.close()


def test_memory_follows_who_waits_for_what(store: BareStore) -> None:
    (first, second) = store(
        lambda unit: [t.id for t in create(unit, ROOT, [NewTask("a", "default", awaits=("X", "Y")), _wish("Y")])]
    )
    store.check()
    with pytest.raises(ZeroDivisionError):
        store(lambda unit: (create(unit, ROOT, [_wish("Z"), NewTask("x", "default", key="X")]), 1 / 0))
    store.check()
    store(lambda unit: delete(unit, ROOT, second))
    store.check()
    store(lambda unit: create(unit, ROOT, [NewTask("x", "default", key="X")]))
    store.check()
    assert store.runner.mirror.missing == {"Y": {1}}
    store(lambda unit: delete(unit, ROOT, first))
    store.check()
    assert store.runner.mirror.missing == {}


def _wish(key: str) -> NewTask:
    return NewTask("w", "default", awaits=(key,))


def test_only_so_many_wait_for_one_key(store: BareStore) -> None:
    store(lambda unit: create(unit, ROOT, [_wish("X")] * MOST_WAITING))
    with pytest.raises(Exception, match="wait for X already"):
        store(lambda unit: create(unit, ROOT, [_wish("X")]))


async def test_the_next_task_is_shown_and_left_as_it_is(api: Api) -> None:
    assert await api.get("/v1/claims/next") == {"task": None}
    low = await api.create("low", priority=10)
    high = await api.create("high", priority=90, capabilities=["gpu"])
    before = await api.last_seq()
    assert (await api.get("/v1/claims/next?worker=w"))["task"] == low
    able = await api.token_for("agent", "able", capabilities=["gpu"])
    assert (await api.get("/v1/claims/next?project=default", token=able))["task"]["key"] == high["key"]
    assert [event["type"] for event in await api.events(before)] == ["token.created"]


async def test_a_goal_is_promoted_with_its_children(api: Api) -> None:
    goal = await api.create("goal", kind="goal")
    first = await api.create("a", parent=goal["key"], backlog=True)
    second = await api.create("b", parent=goal["key"], backlog=True, depends_on=[first["key"]])
    assert (await api.call("POST", f"/v1/tasks/{goal['id']}/promote", {})).code == "wrong_state"
    promoted = await api.post(f"/v1/tasks/{goal['id']}/promote", {"children": True, "reason": "agreed"})
    assert promoted["state"] == "blocked"
    states = [(await api.get(f"/v1/tasks/{task['id']}"))["state"] for task in (first, second)]
    assert states == ["ready", "blocked"]
    refused = await api.call("POST", f"/v1/tasks/{goal['id']}/promote", {"children": True})
    assert (refused.status, refused.code) == (409, "wrong_state")
    whole = await api.create("goal", kind="goal", backlog=True)
    await api.create("c", parent=whole["key"], backlog=True)
    before = await api.last_seq()
    assert (await api.post(f"/v1/tasks/{whole['id']}/promote", {"children": True}))["state"] == "blocked"
    assert [event["type"] for event in await api.events(before)] == ["task.promoted"] * 2


async def test_what_work_changed_is_told_and_replaced(api: Api) -> None:
    task = await api.create()
    path = f"/v1/tasks/{task['id']}/changes"
    assert (await api.get(path))["files"] == []
    files = [{"path": "lib/b.py", "diff": "@@ -1 +1 @@\n-a\n+b"}, {"path": "a.py", "diff": None}]
    told = await api.call("PUT", path, {"files": files})
    assert (told.status, told.json()["changes"]) == (200, 2)
    assert (await api.get(path)) == {"task": task["key"], "files": files}
    event = (await api.events())[-1]
    assert (event["type"], event["changes"]["changes"]) == ("task.edited", 2)
    assert event["facts"] == {"changed_files": ["lib/b.py", "a.py"]}
    await api.call("PUT", path, {"files": []})
    assert (await api.get(path))["files"] == []


@pytest.mark.parametrize(
    "file",
    [
        {"path": ""},
        {"path": "/etc/passwd"},
        {"path": "a/../../b"},
        {"path": "\\\\host\\x"},
        {"path": "x" * 1025},
        {"path": "a.py", "diff": "\n" * 500},
    ],
    ids=["none", "absolute", "upwards", "elsewhere", "long", "many lines"],
)
async def test_odd_changes_change_nothing(api: Api, file: Any) -> None:
    task = await api.create()
    before = await api.last_seq()
    refused = await api.call("PUT", f"/v1/tasks/{task['id']}/changes", {"files": [{"path": "a.py"}, file]})
    assert (refused.status, refused.code) == (422, "invalid_request")
    assert refused.json()["errors"][0]["field"].startswith("files.1.")
    assert await api.last_seq() == before
