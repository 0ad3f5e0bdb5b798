"""Who has a part in a task: stewards direct what is theirs, lists show what concerns somebody, principals change."""

from __future__ import annotations

import pytest
from support.api import Api

from taskdeck.app import RunningDeck
from taskdeck.store.filters import TaskFilter, conditions
from taskdeck.store.tasks import SELECT


@pytest.fixture
async def ann(api: Api) -> str:
    return await api.token_for("agent", "ann", groups=["stewards"])


async def test_a_steward_directs_what_it_made_while_nobody_else_holds_it(api: Api, ann: str) -> None:
    bob = await api.token_for("agent", "bob")
    made = await api.post("/v1/tasks", {"title": "hers"}, token=ann)
    other = await api.create()
    path = f"/v1/tasks/{made['key']}"
    assert (await api.patch(path, {"title": "better"}, token=ann))["title"] == "better"
    assert (await api.call("PATCH", f"/v1/tasks/{other['key']}", {"title": "x"}, token=ann)).code == "forbidden"
    held = await api.post("/v1/claims", {"worker": "bob", "task": made["key"]}, token=bob)
    assert (await api.call("PATCH", path, {"title": "x"}, token=ann)).code == "forbidden"
    assert (await api.call("POST", f"{path}/complete", {"fence": 1}, token=ann)).code == "forbidden"
    await api.post(f"{path}/release", {"fence": held["claims"][0]["fence"]}, token=bob)
    assert (await api.post(f"{path}/complete", {"fence": None}, token=ann))["state"] == "done"
    assert (await api.post(f"{path}/retry", token=ann))["state"] == "ready"
    assert (await api.call("DELETE", path, token=bob)).code == "forbidden"
    await api.delete(path, token=ann)


async def test_a_steward_adds_gates_and_takes_none_away(api: Api, ann: str) -> None:
    gate = {"before": "complete", "evidence": ["commit"]}
    made = await api.post("/v1/tasks", {"title": "t", "gates": [gate]}, token=ann)
    path = f"/v1/tasks/{made['key']}"
    assert (await api.call("PATCH", path, {"gates": None}, token=ann)).code == "forbidden"
    both = [gate, gate | {"evidence": ["pr"]}]
    assert len((await api.patch(path, {"gates": both}, token=ann))["gates"]) == 2
    assert (await api.patch(path, {"gates": None}))["gates"] is None


async def test_a_list_shows_what_concerns_somebody(api: Api, ann: str) -> None:
    made = await api.post("/v1/tasks", {"title": "made"}, token=ann)
    given = await api.create(assignee="ann")
    done = await api.create()
    held = await api.create()
    await api.create("nobody's")
    for task, end in ((done, True), (held, False)):
        claim = (await api.post("/v1/claims", {"worker": "w", "task": task["key"]}, token=ann))["claims"][0]
        if end:
            await api.post(f"/v1/tasks/{task['key']}/complete", {"fence": claim["fence"]}, token=ann)
    found = (await api.get("/v1/tasks?concerning=ann&sort=number"))["tasks"]
    assert [task["key"] for task in found] == [task["key"] for task in (made, given, done, held)]


async def test_a_task_moves_to_another_project_unless_it_has_a_unique_key(api: Api) -> None:
    for name in ("one", "two"):
        await api.post("/v1/projects", {"name": name})
    task = await api.create(project="one")
    path = f"/v1/tasks/{task['key']}"
    assert (await api.patch(path, {"project": "two"}))["project"] == "two"
    assert (await api.claim("w", project="two"))["task"]["key"] == task["key"]
    other = await api.create(project="one", unique_key="k")
    assert (await api.call("PATCH", f"/v1/tasks/{other['key']}", {"project": "two"})).code == "unique_key_taken"
    assert (await api.call("PATCH", path, {"project": "none"})).code == "unknown_project"
    event = (await api.events(type="task.edited"))[0]
    assert event["changes"]["project"] == "two"


async def test_a_report_without_renewal_leaves_the_lease(api: Api) -> None:
    await api.create()
    held = await api.claim("w", lease_seconds=60)
    path = f"/v1/tasks/{held['task']['key']}/heartbeat"
    told = await api.post(path, {"fence": held["fence"], "state": "errored", "lease_seconds": 600, "renew": False})
    assert told["expires_at"] == held["expires_at"]
    assert told["task"]["claim"]["state"] == "errored"


async def test_rights_of_a_principal_change_at_once_and_for_all_its_tokens(api: Api) -> None:
    first = await api.token_for("agent", "cy")
    second = await api.token_for("agent", "cy")
    changed = await api.patch("/v1/principals/cy", {"role": "operator", "groups": ["g"], "title": "Cy"})
    assert (changed["role"], changed["groups"], changed["title"], changed["active"]) == ("operator", ["g"], "Cy", True)
    for token in (first, second):
        assert (await api.get("/v1/me", token=token))["role"] == "operator"
    assert (await api.patch("/v1/principals/cy", {"title": None}, token=first))["title"] is None
    assert (await api.call("PATCH", "/v1/principals/cy", {"role": "admin"}, token=first)).code == "forbidden"
    assert (await api.call("PATCH", "/v1/principals/admin", {"role": "agent"})).code == "last_admin"
    assert (await api.call("PATCH", "/v1/principals/none", {"title": "x"})).code == "unknown_principal"


async def test_a_principal_with_work_is_not_removed(api: Api) -> None:
    token = await api.token_for("agent", "dee")
    task = await api.create(assignee="dee")
    assert (await api.call("DELETE", "/v1/principals/dee")).code == "holds_claims"
    await api.post(f"/v1/tasks/{task['key']}/assign", {"assignee": None})
    await api.delete("/v1/principals/dee")
    assert (await api.call("GET", "/v1/me", token=token)).status == 401
    assert "dee" not in [each["name"] for each in (await api.get("/v1/principals"))["principals"]]
    assert (await api.call("DELETE", "/v1/principals/admin")).code == "last_admin"


async def test_what_concerns_somebody_is_found_by_indexes(served: RunningDeck) -> None:
    clauses, values = conditions(TaskFilter(concerning=("ann", frozenset({"stewards"}))))
    sql = f"EXPLAIN QUERY PLAN {SELECT} WHERE {' AND '.join(clauses)} ORDER BY t.number DESC LIMIT 50"
    plan = "\n".join(row[3] for row in await served.deck.reader.rows(sql, values))
    for index in ("bodies_by_maker", "bodies_by_finisher", "tasks_by_bucket"):
        assert index in plan, plan
    assert "SCAN bodies" not in plan
