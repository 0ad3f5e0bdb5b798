"""The Delega dialect: automations, which are rules of the deck said in Delega's words."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson
from delega_fleet import Fleet, error

LABELLED = {"field": "label", "op": "has", "value": "big"}


async def automate(fleet: Fleet, name: str, event: str, *actions: Any, conditions: Any = ()) -> Any:
    document = {"name": name, "event": event, "conditions": list(conditions), "actions": list(actions)}
    made = await fleet.ok("R", "POST", "/automations", document)
    assert made["conditions"] == document["conditions"]
    assert all(shown.items() >= action.items() for shown, action in zip(made["actions"], actions, strict=True))
    return made


def saying(text: str) -> dict[str, str]:
    return {"type": "add_comment", "content": text}


async def said(fleet: Fleet, task: Any) -> list[str]:
    return [one["content"] for one in await fleet.ok("R", "GET", f"/tasks/{task['id']}/comments")]


async def test_an_automation_does_what_it_says(fleet: Fleet) -> None:
    document = {
        "name": "bugs", "event": "task.created",
        "conditions": [
            {"field": "label", "op": "has", "value": "bug"}, {"field": "priority", "op": "eq", "value": 2},
            {"field": "project_id", "op": "is_null"},
        ],
        "actions": [
            {"type": "assign", "agent_id": "B"}, {"type": "set_priority", "priority": 4},
            {"type": "add_label", "label": "hot"}, {"type": "add_comment", "content": "Look at {{task.content}}"},
        ],
    }  # fmt: skip
    made = await fleet.ok("R", "POST", "/automations", document)
    assert made["conditions"] == [{"value": None} | condition for condition in document["conditions"]]
    assert (made["actions"], made["active"], made["run_count"]) == (document["actions"], True, 0)
    await fleet.make(content="other", labels=["bug"], priority=3)
    task = await fleet.make("A", "crash", labels=["bug"], priority=2)
    shown = await fleet.show(task)
    assert (shown["assigned_to_agent_id"], shown["priority"], shown["labels"]) == ("B", 4, ["bug", "hot"])
    (said,) = await fleet.ok("R", "GET", f"/tasks/{task['id']}/comments")
    assert said["content"] == "Look at crash"
    (listed,) = await fleet.ok("R", "GET", "/automations")
    assert (listed["run_count"], listed["failure_count"]) == (1, 0)
    create = {"type": "create_task", "content": "After {{task.content}}", "labels": ["next"], "priority": 2}
    changed = await fleet.ok(
        "R", "PUT", "/automations/bugs", {"event": "task.completed", "conditions": [], "actions": [create]}
    )
    assert changed["event"] == "task.completed" and changed["actions"][0].items() >= create.items()
    await fleet.on("R", task, "complete")
    assert (await fleet.claim("A", labels=["next"]))["content"] == "After crash"
    assert (await fleet.ok("R", "PUT", "/automations/bugs", {"active": False}))["active"] is False
    assert (await fleet.ok("R", "DELETE", "/automations/bugs"))["ok"]
    assert await fleet.ok("R", "GET", "/automations") == []


async def test_an_automation_delegates_and_asks_for_evidence(fleet: Fleet) -> None:
    actions = [
        {"type": "set_evidence_policy", "evidence_policy": "required"},
        {"type": "delegate", "content": "Test {{task.content}}", "assigned_to_agent_id": "B", "priority": 2},
    ]  # fmt: skip
    whole = {"name": "d", "event": "task.created", "actions": actions, "conditions": [LABELLED]}
    made = await fleet.ok("R", "POST", "/automations", whole)
    assert made["actions"][0] == actions[0] and made["actions"][1].items() >= actions[1].items()
    task = await fleet.show(await fleet.make("A", "crash", labels=["big"]))
    assert (task["status"], task["evidence_policy"]) == ("delegated", "required")
    child = await fleet.claim("B")
    assert (child["content"], child["priority"], child["parent_task_id"]) == ("Test crash", 2, task["id"])
    await fleet.on("B", child, "complete")
    error(await fleet.on("A", task, "complete"), 422)
    again = await fleet.ok("R", "PUT", "/automations/d", {"event": "task.updated", "actions": actions[:1]})
    assert again["actions"] == actions[:1]
    await fleet.ok("R", "PUT", f"/tasks/{task['id']}", {"priority": 3})
    (gate,) = (await fleet.native.get("/v1/tasks/1"))["gates"]  # the gate was there: there is no second
    assert gate["before"] == "complete"


async def test_an_automation_spares_a_task_that_is_held(fleet: Fleet) -> None:
    actions = [
        {"type": "set_priority", "priority": 4}, {"type": "add_label", "label": "hot"},
        {"type": "assign", "agent_id": "B"}, {"type": "add_comment", "content": "seen"},
    ]  # fmt: skip
    for event in ("task.claimed", "task.released"):
        made = await fleet.ok("R", "POST", "/automations", {"name": event, "event": event, "actions": actions})
        assert made["actions"] == actions
    task = await fleet.take(await fleet.make())
    assert (task["priority"], task["labels"], task["assigned_to_agent_id"]) == (1, [], None)
    assert (await fleet.show(task))["priority"] == 1
    assert len(await fleet.ok("R", "GET", f"/tasks/{task['id']}/comments")) == 1
    await fleet.on("A", task, "release")
    shown = await fleet.show(task)
    assert (shown["priority"], shown["labels"], shown["assigned_to_agent_id"]) == (4, ["hot"], "B")
    assert len(await fleet.ok("R", "GET", f"/tasks/{task['id']}/comments")) == 2


async def test_automations_wait_for_each_of_delegas_events(fleet: Fleet) -> None:
    kinds = [
        "created", "updated", "completed", "assigned", "delegated", "commented", "claimed", "released",
        "state_changed", "linked", "deleted",
    ]  # fmt: skip
    for kind in kinds:
        made = {"type": "create_task", "content": "{{event}} {{task.content}}", "labels": ["told"]}
        await automate(fleet, kind, f"task.{kind}", made, conditions=[LABELLED])
    task = await fleet.make(labels=["big"])
    await fleet.on("R", task, "", {"assigned_to_agent_id": "A"}, "PUT")
    await fleet.take(task)
    await fleet.on("A", task, "state", {"state": "working", "detail": "d"})
    await fleet.on("A", task, "comments", {"content": "c"})
    await fleet.on("A", task, "links", {"kind": "pr", "ref": "1"})
    await fleet.on("A", task, "release")
    child = (await fleet.on("A", task, "delegate", {"content": "child"})).json()
    await fleet.on("A", child, "complete")
    await fleet.on("A", task, "complete")
    assert (await fleet.on("R", task, "", None, "DELETE")).status == 200
    assert (await fleet.show(child))["parent_task_id"] is None
    made = await fleet.ok("R", "GET", "/tasks?label=told")
    # an assignment is both, as Delega tells it
    assert sorted(one["content"] for one in made) == sorted(f"task.{kind} t" for kind in kinds)
    runs = {one["name"]: one["run_count"] for one in await fleet.ok("R", "GET", "/automations")}
    assert runs == dict.fromkeys(kinds, 1)


async def test_placeholders_say_what_delega_calls_things(fleet: Fleet) -> None:
    await fleet.native.post("/v1/projects", {"name": "web"})
    text = (
        "{{event}} {{task.id}} {{task.content}} {{task.priority}} {{task.project_id}} {{ task.labels }} "
        "{{task.due_date}}."
    )
    await automate(fleet, "say", "task.created", saying(text))
    full = await fleet.make(
        content="a {{event}}", priority=3, project_id="web", labels=["b", "a"], due_date="2026-12-01"
    )
    assert await said(fleet, full) == [f"task.created {full['id']} a {{{{event}}}} 3 web a, b 2026-12-01."]
    bare = await fleet.make()
    assert await said(fleet, bare) == [f"task.created {bare['id']} t 1   ."]
    changed = await fleet.ok("R", "PUT", "/automations/say", {"event": "task.claimed"})
    assert changed["actions"] == [saying(text)]
    assert (await said(fleet, await fleet.take(full)))[1].startswith("task.claimed ")


async def test_a_priority_is_compared_by_delegas_steps(fleet: Fleet) -> None:
    asked = {"eq": [2], "neq": [1, 3, 4], "gte": [2, 3, 4], "lte": [1, 2]}
    for op in asked:
        when = [{"field": "priority", "op": op, "value": 2}]
        await automate(fleet, op, "task.created", {"type": "add_label", "label": op}, conditions=when)
    text = [{"field": "priority", "op": "lte", "value": "2"}]
    changed = await fleet.ok("R", "PUT", "/automations/lte", {"conditions": text})
    assert changed["conditions"] == [{"field": "priority", "op": "lte", "value": 2}]
    made = {step: await fleet.make(priority=step) for step in (1, 2, 3, 4)}
    for step, task in made.items():
        labels = (await fleet.show(task))["labels"]
        assert labels == sorted(op for op, steps in asked.items() if step in steps)


async def test_what_came_from_outside_is_heeded_by_those_who_ask_for_it(fleet: Fleet) -> None:
    def when(op: str) -> dict[str, str]:
        return {"field": "source", "op": op, "value": "ingress"}

    follow = {"type": "create_task", "content": "{{task.content}}", "labels": ["made"]}
    await automate(fleet, "all", "task.created", saying("all"))
    await automate(fleet, "inside", "task.created", saying("inside"), conditions=[when("neq")])
    await automate(fleet, "outside", "task.created", saying("outside"), follow, conditions=[when("eq")])
    source = await fleet.ok("R", "POST", "/ingress-sources", {"name": "s", "template": {"content": "{{what}}"}})
    raw, at = orjson.dumps({"what": "alarm {{task.id}}"}), str(fleet.clock.now_ms() // 1000)
    signature = hmac.new(source["secret"].encode(), f"{at}.".encode() + raw, hashlib.sha256).hexdigest()
    path, header = f"/ingress/{source['id']}", {"X-Delega-Ingress-Signature": f"t={at},v1={signature}"}
    came = await fleet.show({"id": (await fleet.call(None, "POST", path, raw, header)).json()["task_id"]})
    assert await said(fleet, came) == ["outside"]
    assert sorted(await said(fleet, await fleet.make())) == ["all", "inside"]
    (made,) = await fleet.ok("R", "GET", "/tasks?label=made")
    assert (made["content"], made["source_ingress_id"]) == ("alarm {{task.id}}", source["id"])
    assert made["labels"] == ["ingress", "made", "untrusted"]
    assert await said(fleet, made) == []  # it came of an event too, and an automation heeds nothing it made
    await fleet.ok("R", "PUT", "/automations/outside", {"conditions": []})
    shown = (await fleet.ok("R", "GET", "/automations"))[-1]
    assert (shown["conditions"], shown["actions"][1]["labels"]) == ([], ["made"])


async def test_an_automation_heeds_nothing_it_made(fleet: Fleet) -> None:
    made = {"type": "create_task", "content": "again", "labels": ["again"]}
    own = {"field": "created_by_agent_id", "op": "neq", "value": "rule:again"}  # which goes without saying
    await automate(fleet, "again", "task.completed", made, conditions=[own])
    await fleet.on("A", await fleet.make(), "complete")
    await fleet.on("R", await fleet.claim("B", labels=["again"]), "complete")
    assert await fleet.claim("B") is None


async def test_an_automation_delegates_to_an_agent_and_a_project(fleet: Fleet) -> None:
    await fleet.native.post("/v1/projects", {"name": "web"})
    action = {"type": "delegate", "content": "c", "agent_id": "B", "project_id": "web"}
    await automate(fleet, "d", "task.created", action)
    parent = await fleet.make()
    child = await fleet.claim("B", project_id="web")
    assert (child["content"], child["parent_task_id"], child["assigned_to_agent_id"]) == ("c", parent["id"], "B")


async def test_an_automation_has_a_name_that_others_may_have_too(fleet: Fleet) -> None:
    mark = {"type": "add_label", "label": "x"}
    first, second = [await automate(fleet, "CI / bugs", "task.created", mark) for _ in range(2)]
    assert (first["name"], second["name"]) == ("CI / bugs", "CI / bugs")
    assert first["id"] != second["id"]
    dots = await automate(fleet, "..", "task.linked", mark)
    assert (dots["id"], dots["name"]) == ("automation ..", "..")
    renamed = await fleet.ok("R", "PUT", f"/automations/{second['id']}", {"name": "New", "active": False})
    assert (renamed["id"], renamed["name"], renamed["active"]) == (second["id"], "New", False)
    await fleet.make()
    counts = {one["name"]: one["run_count"] for one in await fleet.ok("R", "GET", "/automations")}
    assert counts == {"CI / bugs": 1, "New": 0, "..": 0}


WRONG: list[dict[str, Any]] = [
    {"event": "task.sung"}, {"actions": []}, {"name": "x" * 81}, {"name": " "},
    {"event": "task.deleted"},  # whose task cannot be labelled any more
    {"actions": [{"type": "delegate", "content": "x", "project_id": "none"}]},
    {"actions": [{"type": "delegate"}]}, {"actions": [{"type": "sing"}]},
    {"actions": [{"type": "set_evidence_policy"}]}, {"actions": [{"type": "assign"}]},
    {"actions": [saying("{{task.owner}}")]}, {"actions": [saying("{{title}}")]}, {"actions": [saying("{{task.id")]},
    {"conditions": [{"field": "source", "op": "eq", "value": "x"}]},
    {"conditions": [{"field": "source", "op": "is_null"}]},
    {"conditions": [{"field": "label", "op": "has"}]}, {"conditions": [{"field": "label", "op": "eq", "value": "x"}]},
    {"conditions": [{"field": "priority", "op": "eq", "value": 9}]},
    {"conditions": [{"field": "priority", "op": "has", "value": 1}]},
    {"conditions": [{"field": "project_id", "op": "is_null", "value": "x"}]}, {"conditions": [LABELLED] * 11},
]  # fmt: skip


async def test_an_automation_that_cannot_be_is_refused(fleet: Fleet) -> None:
    good = {"name": "a", "event": "task.created", "actions": [{"type": "add_label", "label": "x"}]}
    for wrong in WRONG:
        reply = await fleet.call("R", "POST", "/automations", good | wrong)
        error(reply, 404 if "none" in str(wrong) else 400)
    assert await fleet.ok("R", "GET", "/automations") == []
    error(await fleet.call("A", "GET", "/automations"), 403)


async def test_rules_said_in_other_words_are_not_shown(fleet: Fleet) -> None:
    act = {"act": "comment", "text": "{{ title }}"}
    await fleet.native.post("/v1/rules", {"name": "n", "events": ["task.created"], "acts": [act]})
    assert await fleet.ok("R", "GET", "/automations") == []
    for method, document in (("DELETE", None), ("PUT", {"active": False})):
        error(await fleet.call("R", method, "/automations/n", document), 404)
    await automate(fleet, "d", "task.created", saying("{{task.content}}"))
    (own, _) = (await fleet.native.get("/v1/rules"))["rules"]
    assert (own["name"], own["via"], own["acts"]) == ("d", "delega", [{"act": "comment", "text": "{{task.content}}"}])
    await fleet.native.patch("/v1/rules/d", {"description": "still there"})
    assert [one["name"] for one in await fleet.ok("R", "GET", "/automations")] == ["still there"]
    assert (await fleet.native.patch("/v1/rules/d", {"acts": [act]}))["via"] == "native"
    assert await fleet.ok("R", "GET", "/automations") == []
    assert await said(fleet, await fleet.make()) == ["t", "t"]
