"""Rules as they are kept: tried without effect, changed, paused, removed, refused; within whose reach."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.rules import URGENT, make_rule, when


async def test_a_dry_run_tells_and_changes_nothing(api: Api) -> None:
    conditions = [when("labels", "has", "bug"), when("priority", "lte", 60)]
    child = {"act": "create", "task": {"title": "for {{key}}"}}
    await make_rule(api, "hurry", "task.created", URGENT, child, conditions=conditions, paused=True)
    task, other = await api.create(labels=["bug"]), await api.create()
    before = await api.last_seq()
    told = await api.post("/v1/rules/hurry/dry-run", {"task": task["key"]})
    assert told["applies"] is True
    assert [event["type"] for event in told["events"]] == ["task.reprioritized", "task.created", "rule.fired"]
    assert told["events"][0]["changes"]["priority"] == 90
    assert told["refused"] is None
    told = await api.post("/v1/rules/hurry/dry-run", {"task": other["key"]})
    assert (told["applies"], told["events"]) == (False, [])
    assert [(c["found"], c["passed"]) for c in told["conditions"]] == [([], False), (50, True)]
    await api.patch("/v1/rules/hurry", {"acts": [{"act": "retry"}]})
    told = await api.post("/v1/rules/hurry/dry-run", {"task": task["key"]})
    assert told["refused"]["code"] == "wrong_state"
    assert await api.last_seq() == before + 1
    assert await api.get(f"/v1/tasks/{task['id']}") == task
    assert (await api.create())["key"] == "T3"
    assert (await api.call("POST", "/v1/rules/hurry/dry-run", {"task": "NO"})).code == "unknown_task"


async def test_a_rule_is_changed_paused_and_removed(api: Api) -> None:
    made = await make_rule(api, "r", "task.created", URGENT)
    assert (made["project"], made["paused"], made["version"]) == (None, None, 1)
    paused = await api.post("/v1/rules/r/pause", {"reason": "why"})
    assert (paused["paused"]["by"], paused["paused"]["reason"]) == ("admin", "why")
    await api.post("/v1/rules/r/pause")
    assert (await api.get(f"/v1/tasks/{(await api.create())['id']}"))["priority"] == 50
    await api.post("/v1/rules/r/resume")
    await api.post("/v1/rules/r/resume")
    act = {"act": "reprioritize", "priority": 7}
    changed = await api.patch("/v1/rules/r", {"acts": [act], "conditions": [when("title", "eq", "x")], "version": 3})
    assert (changed["acts"], changed["version"]) == ([act], 4)
    assert (await api.call("PATCH", "/v1/rules/r", {"acts": [act], "version": 3})).code == "version_conflict"
    assert (await api.get(f"/v1/tasks/{(await api.create('x'))['id']}"))["priority"] == 7
    assert (await api.get(f"/v1/tasks/{(await api.create('y'))['id']}"))["priority"] == 50
    assert await api.delete("/v1/rules/r") == {"deleted": "r"}
    assert (await api.get(f"/v1/tasks/{(await api.create('x'))['id']}"))["priority"] == 50
    kinds = [e["type"] for e in await api.events() if e["type"].startswith("rule.") and e["type"] != "rule.fired"]
    assert kinds == ["rule.created", "rule.paused", "rule.resumed", "rule.edited", "rule.deleted"]


ODD: list[tuple[dict[str, Any], int, str]] = [
    ({"events": ["task.created", "task.deleted"]}, 422, "invalid_request"),
    ({"events": ["rule.fired"]}, 422, "invalid_request"),
    ({"events": []}, 422, "invalid_request"),
    ({"acts": []}, 422, "invalid_request"),
    ({"acts": [URGENT] * 6}, 422, "invalid_request"),
    ({"acts": [{"act": "explode"}]}, 422, "invalid_request"),
    ({"acts": [{"act": "reprioritize", "priority": 101}]}, 422, "invalid_request"),
    ({"acts": [{"act": "create", "task": {"title": "t", "state": "done"}}]}, 422, "unknown_field"),
    ({"acts": [{"act": "create", "task": {"title": "t"}, "project": "none"}]}, 404, "unknown_project"),
    ({"conditions": [{"field": "secret", "op": "eq", "value": 1}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "payload.", "op": "eq", "value": 1}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "title", "op": "like", "value": "x"}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "title", "op": "eq"}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "title", "op": "is_null", "value": 1}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "title", "op": "eq", "value": [1]}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "title", "op": "not_null"}] * 11}, 422, "invalid_request"),
    ({"project": "none"}, 404, "unknown_project"),
    ({"name": "here"}, 409, "rule_exists"),
    ({"conditions": [{"field": "priority", "op": "within", "value": 5}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "priority", "op": "outside", "value": [1, 2, 3]}]}, 422, "invalid_request"),
    ({"conditions": [{"field": "priority", "op": "gte", "value": [1, 2]}]}, 422, "invalid_request"),
    ({"acts": [{"act": "comment", "text": "{{ titel }}"}]}, 422, "invalid_request"),
    ({"acts": [{"act": "notify", "message": "{{ title"}]}, 422, "invalid_request"),
    ({"acts": [{"act": "delegate", "task": {"title": "{{task.title}}"}}]}, 422, "invalid_request"),
    ({"acts": [{"act": "delegate", "task": {"title": "t"}, "project": "none"}]}, 404, "unknown_project"),
    ({"description": "x" * 501}, 422, "invalid_request"),
]


async def test_an_odd_rule_is_refused(api: Api) -> None:
    await make_rule(api, "here", "task.created", URGENT)
    before = await api.last_seq()
    for change, status, code in ODD:
        reply = await api.call(
            "POST", "/v1/rules", {"name": "r", "events": ["task.created"], "acts": [URGENT]} | change
        )
        assert (reply.status, reply.code) == (status, code), (change, reply.json())
    for verb, path, body in (
        ("GET", "", None), ("DELETE", "", None), ("PATCH", "", {"acts": [URGENT]}), ("POST", "/pause", {}),
        ("POST", "/resume", {}), ("POST", "/dry-run", {"task": "T1"}),
    ):  # fmt: skip
        assert (await api.call(verb, f"/v1/rules/none{path}", body)).code == "unknown_rule"
    assert (await api.call("PATCH", "/v1/rules/here", {})).code == "invalid_request"
    assert (await api.call("PATCH", "/v1/rules/here", {"events": ["task.deleted"]})).code == "invalid_request"
    assert await api.last_seq() == before


async def test_there_are_only_so_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskdeck.service.rules.MAX_RULES", 1)
    await make_rule(api, "one", "task.created", URGENT)
    reply = await api.call("POST", "/v1/rules", {"name": "two", "events": ["task.created"], "acts": [URGENT]})
    assert reply.code == "too_many_rules"


async def test_a_rule_reaches_no_further_than_who_made_it(api: Api) -> None:
    for name in ("ours", "theirs"):
        await api.post("/v1/projects", {"name": name})
    secret = await api.token_for("operator", "inside", projects=["ours"])
    rule = {"name": "mine", "events": ["task.created"], "acts": [URGENT]}
    assert (await api.call("POST", "/v1/rules", rule, token=secret)).code == "forbidden"
    assert (await api.call("POST", "/v1/rules", rule | {"project": "theirs"}, token=secret)).code == "unknown_project"
    across = {"act": "create", "task": {"title": "t"}, "project": "default"}
    reply = await api.call("POST", "/v1/rules", rule | {"project": "ours", "acts": [across]}, token=secret)
    assert reply.code == "unknown_project"
    assert (await api.call("POST", "/v1/rules", rule | {"project": "ours", "acts": [across]})).code == "forbidden"
    await api.post("/v1/rules", rule | {"project": "ours"}, token=secret)
    await make_rule(api, "global", "task.created", {"act": "label", "add": ["g"]})
    inside, outside = await api.create(project="ours"), await api.create(project="theirs")
    assert (await api.get(f"/v1/tasks/{inside['id']}"))["priority"] == 90
    outside = await api.get(f"/v1/tasks/{outside['id']}")
    assert (outside["priority"], outside["labels"]) == (50, ["g"])
    assert [one["name"] for one in (await api.get("/v1/rules", token=secret))["rules"]] == ["mine"]
    for verb, path in (("GET", ""), ("DELETE", ""), ("POST", "/pause")):
        reply = await api.call(verb, f"/v1/rules/global{path}", {} if verb == "POST" else None, token=secret)
        assert reply.code == "unknown_rule"
