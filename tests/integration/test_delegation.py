"""Tasks made from tasks: delegation, chains, goals, and what becomes of a parent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.replay import replay
from taskdeck.service.create import create
from taskdeck.service.requests import NewTask


async def _state(api: Api, task: Any) -> str:
    return str((await api.get(f"/v1/tasks/{task['id']}"))["state"])


async def _finish(api: Api, task: Any, **more: Any) -> Any:
    fence = (await api.claim(task=task["id"]))["fence"]
    return await api.post(f"/v1/tasks/{task['id']}/complete", {"fence": fence, **more})


async def test_a_holder_delegates_and_goes_on(api: Api) -> None:
    ann = await api.token_for("agent", "ann")
    parent = await api.create("parent")
    fence = (await api.post("/v1/claims", {"worker": "w"}, token=ann))["claims"][0]["fence"]
    wish = {"fence": fence, "title": "child", "assignee": "bob"}
    reply = await api.post(f"/v1/tasks/{parent['id']}/delegate", wish, token=ann)
    held, child = reply["task"], reply["child"]
    assert (held["state"], held["children"], held["depends_on"], held["fence"]) == ("claimed", 1, [child["key"]], fence)
    assert {name: child[name] for name in ("state", "parent", "root", "depth", "accountable", "created_by")} == {
        "state": "ready", "parent": parent["key"], "root": parent["key"], "depth": 1, "accountable": "admin",
        "created_by": "ann",
    }  # fmt: skip
    event = (await api.events(type="task.delegated"))[-1]
    assert event["facts"] == {"children": [child["key"]], "to": "bob", "wait": False}
    refused = await api.call("POST", f"/v1/tasks/{parent['id']}/complete", {"fence": fence}, token=ann)
    assert (refused.status, refused.code) == (409, "open_children")
    assert child["key"] in refused.json()["detail"]
    back = await api.post(f"/v1/tasks/{parent['id']}/release", {"fence": fence}, token=ann)
    assert back["state"] == "blocked"
    await api.post(f"/v1/tasks/{child['id']}/assign", {"assignee": None})
    await _finish(api, child)
    assert await _state(api, parent) == "ready"
    assert (await _finish(api, parent))["state"] == "done"


async def test_a_holder_may_wait_at_once_and_let_children_go_on_without_it(api: Api) -> None:
    parent = await api.create("parent")
    fence = (await api.claim())["fence"]
    reply = await api.post(f"/v1/tasks/{parent['id']}/delegate", {"fence": fence, "title": "child", "wait": True})
    assert (reply["task"]["state"], reply["task"]["claim"], reply["task"]["attempt"]) == ("blocked", None, 0)
    await _finish(api, reply["child"])
    claim = await api.claim(task=parent["id"])
    more = {"fence": claim["fence"], "title": "more"}
    child = (await api.post(f"/v1/tasks/{parent['id']}/delegate", more))["child"]
    await api.post(f"/v1/tasks/{parent['id']}/complete", {"fence": claim["fence"], "leave_children": True})
    assert (await _state(api, parent), await _state(api, child)) == ("done", "ready")


async def test_a_chain_shows_how_far_it_has_come(api: Api) -> None:
    root = await api.create("root")
    child = (await api.post(f"/v1/tasks/{root['id']}/delegate", {"title": "child"}))["child"]
    below = (await api.post(f"/v1/tasks/{child['id']}/delegate", {"title": "below"}))["child"]
    await _finish(api, below)
    for member in (root, child, below):
        chain = await api.get(f"/v1/tasks/{member['id']}/chain")
        assert (chain["root"], chain["done"], chain["total"], chain["counts"]["blocked"]) == (root["key"], 1, 3, 1)
        assert [(task["key"], task["depth"]) for task in chain["tasks"]] == [
            (root["key"], 0), (child["key"], 1), (below["key"], 2),
        ]  # fmt: skip
    first = await api.get(f"/v1/tasks/{root['id']}/chain?limit=2")
    assert (len(first["tasks"]), first["next_after"]) == (2, 2)
    rest = await api.get(f"/v1/tasks/{root['id']}/chain?limit=2&after=2")
    assert ([task["key"] for task in rest["tasks"]], rest["next_after"]) == ([below["key"]], None)
    listed = (await api.get(f"/v1/tasks?parent={child['key']}"))["tasks"]
    assert [task["key"] for task in listed] == [below["key"]]


async def test_who_may_delegate(api: Api) -> None:
    ann = await api.token_for("agent", "ann")
    task = await api.create()
    reply = await api.call("POST", f"/v1/tasks/{task['id']}/delegate", {"title": "c"}, token=ann)
    assert (reply.status, reply.code) == (403, "forbidden")
    assert (await api.call("POST", "/v1/tasks", {"title": "c", "parent": task["key"]}, token=ann)).code == "forbidden"
    stale = await api.call("POST", f"/v1/tasks/{task['id']}/delegate", {"title": "c", "fence": 3}, token=ann)
    assert stale.code == "stale_fence"
    mine = await api.post("/v1/tasks", {"title": "mine"}, token=ann)
    child = await api.post("/v1/tasks", {"title": "c", "parent": mine["key"]}, token=ann)
    assert (child["parent"], child["accountable"]) == (mine["key"], "ann")
    assert (await api.call("POST", "/v1/tasks", {"title": "c", "parent": "NO"})).code == "unknown_task"
    await api.post(f"/v1/tasks/{task['id']}/cancel")
    assert (await api.call("POST", "/v1/tasks", {"title": "c", "parent": task["key"]})).code == "wrong_state"
    held = await api.create()
    await api.claim(task=held["key"])
    reply = await api.call("POST", f"/v1/tasks/{held['id']}/delegate", {"title": "c", "wait": True})
    assert (reply.status, reply.code) == (409, "wrong_state")


async def test_a_chain_has_a_bottom_and_a_parent_so_many_children(api: Api) -> None:
    task = await api.create()
    for _ in range(10):
        task = await api.create(parent=task["key"])
    assert task["depth"] == 10
    before = await api.last_seq()
    reply = await api.call("POST", "/v1/tasks", {"title": "c", "parent": task["key"]})
    assert (reply.status, reply.code) == (422, "too_deep")
    assert await api.last_seq() == before
    broad = await api.create()
    await api.post("/v1/tasks", {"tasks": [{"title": "c", "parent": broad["key"]}] * 1000})
    assert len(await api.events(type="task.delegated")) == 11
    reply = await api.call("POST", "/v1/tasks", {"title": "c", "parent": broad["key"]})
    assert (reply.status, reply.code) == (409, "too_many_children")


async def test_no_child_waits_for_what_waits_for_it(api: Api) -> None:
    goal = await api.create(kind="goal")
    after = await api.create(depends_on=[goal["key"]])
    for above in (goal, after):
        wish = {"title": "c", "parent": goal["key"], "depends_on": [above["key"]]}
        reply = await api.call("POST", "/v1/tasks", wish)
        assert (reply.status, reply.code) == (422, "dependency_cycle")
    child = await api.create(parent=goal["key"])
    for above in (goal, after):
        reply = await api.call("PATCH", f"/v1/tasks/{child['id']}", {"depends_on": [above["key"]]})
        assert (reply.status, reply.code) == (422, "dependency_cycle")


async def test_a_goal_is_finished_with_the_last_of_its_children(api: Api) -> None:
    wishes = [
        {"title": "goal", "key": "G", "kind": "goal"},
        {"title": "one", "key": "A", "parent": "G"},
        {"title": "two", "key": "B", "parent": "G", "depends_on": ["A"]},
        {"title": "after", "key": "C", "depends_on": ["G"]},
    ]
    goal, one, two, after = (await api.post("/v1/tasks", {"tasks": wishes}))["tasks"]
    assert (goal["state"], goal["children"]) == ("blocked", 2)
    refused = await api.call("POST", "/v1/claims", {"worker": "w", "task": "G"})
    assert refused.code == "wrong_state"
    assert "goal" in refused.json()["detail"]
    await _finish(api, one)
    assert await _state(api, goal) == "blocked"
    await _finish(api, two)
    assert (await _state(api, goal), await _state(api, after)) == ("done", "ready")
    event = (await api.events(type="task.finished"))[-1]
    assert (event["actor"], event["facts"], event["changes"]["state"]) == ("deck", {"by": "B"}, "done")


async def test_a_goal_that_is_handed_in_again_is_judged_again(api: Api) -> None:
    goal = await api.create(kind="goal", review="required")
    for nth in range(2):
        child = await api.create(parent=goal["key"])
        await api.post(f"/v1/tasks/{child['key']}/complete", {"fence": None})
        found = await api.get(f"/v1/tasks/{goal['key']}")
        assert (found["state"], found["verdict"]) == ("review", None), nth
        assert (await api.call("POST", f"/v1/tasks/{goal['key']}/heed", {})).code == "not_judged"
        rejected = await api.post(f"/v1/tasks/{goal['key']}/reject", {"note": "more"})
        assert (rejected["state"], rejected["verdict"]["verdict"]) == ("blocked", "rejected")


async def test_a_goal_takes_what_is_cancelled_or_removed_for_settled_but_not_what_failed(api: Api) -> None:
    goal = await api.create(kind="goal")
    one, two, three, four = [await api.create(parent=goal["key"]) for _ in range(4)]
    await _finish(api, one)
    await api.post(f"/v1/tasks/{two['id']}/cancel")
    fence = (await api.claim(task=three["id"]))["fence"]
    await api.post(f"/v1/tasks/{three['id']}/fail", {"fence": fence, "error": "e", "retry": False})
    await api.delete(f"/v1/tasks/{four['id']}")
    assert await _state(api, goal) == "blocked"
    await api.delete(f"/v1/tasks/{three['id']}")
    assert await _state(api, goal) == "done"
    empty = await api.create(kind="goal")
    only = await api.create(parent=empty["key"])
    await api.post(f"/v1/tasks/{only['id']}/cancel")
    assert await _state(api, empty) == "blocked"


async def test_goals_finish_goals_above_them_and_may_be_reviewed(api: Api) -> None:
    top = await api.create(kind="goal", review="required")
    goals = [top]
    for _ in range(8):
        goals.append(await api.create(kind="goal", parent=goals[-1]["key"]))
    work = await api.create(parent=goals[-1]["key"])
    await _finish(api, work)
    assert [await _state(api, goal) for goal in goals] == ["review"] + ["done"] * 8
    back = await api.post(f"/v1/tasks/{top['id']}/reject", {"note": "one thing more"})
    assert back["state"] == "blocked"
    await _finish(api, await api.create(parent=top["key"]))
    assert await _state(api, top) == "review"
    assert (await api.post(f"/v1/tasks/{top['id']}/approve"))["state"] == "done"


async def test_many_goals_that_wait_for_each_other_all_finish_in_time(api: Api) -> None:
    wishes: list[dict[str, Any]] = []
    for n in range(60):
        waits = {"depends_on": [f"G{n - 1}"]} if n else {}
        wishes += [
            {"title": "g", "key": f"G{n}", "kind": "goal", **waits},
            {"title": "c", "key": f"C{n}", "parent": f"G{n}"},
        ]
    await api.post("/v1/tasks", {"tasks": wishes})
    for n in range(59, -1, -1):
        await _finish(api, {"id": f"C{n}"})
    for _ in range(60):
        await api.tick()
    counts = (await api.get("/v1/stats"))["counts"]
    assert (counts["done"], counts["blocked"]) == (120, 0)


async def test_a_parent_takes_its_children_with_it_if_asked(api: Api) -> None:
    top = await api.create("top")
    middle = await api.create("middle", parent=top["key"])
    await api.post("/v1/tasks", {"tasks": [{"title": "c", "parent": middle["key"]}] * 150})
    done = await api.create("done", parent=top["key"])
    await _finish(api, done)
    held = await api.create("held", parent=top["key"])
    fence = (await api.claim(task=held["id"]))["fence"]
    await api.post(f"/v1/tasks/{top['id']}/cancel", {"reason": "no money", "children": True})
    for _ in range(6):
        await api.tick()
    counts = (await api.get("/v1/stats"))["counts"]
    assert (counts["cancelled"], counts["done"], counts["ready"]) == (153, 1, 0)
    reply = await api.call("POST", f"/v1/tasks/{held['id']}/heartbeat", {"fence": fence})
    assert (reply.code, "no money" in reply.json()["detail"]) == ("task_cancelled", True)
    kept = await api.create("kept")
    child = await api.create("child", parent=kept["key"])
    await api.post(f"/v1/tasks/{kept['id']}/cancel")
    assert await _state(api, child) == "ready"


async def test_a_parent_with_children_is_not_removed(api: Api) -> None:
    parent = await api.create()
    child = await api.create(parent=parent["key"])
    reply = await api.call("DELETE", f"/v1/tasks/{parent['id']}")
    assert (reply.status, reply.code) == (409, "has_children")
    await api.delete(f"/v1/tasks/{child['id']}")
    assert (await api.delete(f"/v1/tasks/{parent['id']}")) == {"deleted": parent["key"]}


def test_a_long_chain_below_a_goal_costs_as_much_for_each_of_its_tasks(tmp_path: Path) -> None:
    template = Template(tmp_path)

    def cost(count: int) -> int:
        """Hundreds of SQLite's instructions for a goal with so many children, each waiting for the one before."""
        store = template.copy(tmp_path / f"{count}.db", FakeClock(), CountingIds())
        steps: list[int] = []
        store.runner.connection.set_progress_handler(lambda: steps.append(1), 100)
        goal = NewTask("g", "default", key="G", kind="goal")
        below = [
            NewTask("t", "default", key=f"K{n}", parent="G", depends_on=(f"K{n - 1}",) if n else ())
            for n in range(count)
        ]
        store(lambda unit: create(unit, ROOT, [goal, *below]))
        store.close()
        return len(steps)

    assert cost(400) < 4.4 * cost(100)


async def test_a_removed_task_lets_go_of_its_children_and_of_what_depends_on_it(api: Api) -> None:
    parent = await api.create("p")
    await api.post(f"/v1/tasks/{parent['id']}/delegate", {"title": "c"})
    child = (await api.get("/v1/tasks?q=c"))["tasks"][0]
    waiting = await api.create("w", depends_on=[child["key"], (await api.create("o"))["key"]])
    refused = await api.call("DELETE", f"/v1/tasks/{child['id']}")
    assert (refused.code, waiting["key"] in refused.json()["detail"]) == ("has_dependents", True)
    await api.delete(f"/v1/tasks/{child['id']}?detach=true")
    shown = [await api.get(f"/v1/tasks/{one['id']}") for one in (parent, waiting)]
    assert [(one["state"], len(one["depends_on"])) for one in shown] == [("ready", 0), ("blocked", 1)]
    edited = [event["facts"] for event in await api.events(type="task.edited")]
    assert edited == [{"detached": child["key"]}] * 2
    await api.post(f"/v1/tasks/{parent['id']}/delegate", {"title": "second"})
    await api.delete(f"/v1/tasks/{parent['id']}?detach=true")
    left = (await api.get("/v1/tasks?q=second"))["tasks"][0]
    assert (left["parent"], left["state"]) == (parent["key"], "ready")
    assert (await api.call("GET", f"/v1/tasks/{parent['id']}")).code == "unknown_task"
    assert replay(await api.events()).keys() == {one["id"] for one in (await api.get("/v1/tasks"))["tasks"]}


async def test_a_goal_whose_last_open_child_is_removed_is_finished(api: Api) -> None:
    goal = await api.create("g", kind="goal")
    done, odd = [await api.create(title, parent=goal["key"]) for title in ("done", "odd")]
    claim = await api.claim(task=done["id"])
    await api.post(f"/v1/tasks/{done['id']}/complete", {"fence": claim["fence"]})
    await api.delete(f"/v1/tasks/{odd['id']}?detach=true")
    assert (await api.get(f"/v1/tasks/{goal['id']}"))["state"] == "done"


async def test_no_more_are_let_go_of_than_fit_into_one_transaction(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskdeck.service.detach.MOST", 1)
    task = await api.create()
    for _ in range(2):
        await api.create(depends_on=[task["key"]])
    assert (await api.call("DELETE", f"/v1/tasks/{task['id']}?detach=true")).code == "has_dependents"
