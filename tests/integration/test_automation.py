"""Rules: what sets them off, what they do and leave behind."""

from __future__ import annotations

import asyncio

from support.api import Api
from support.clock import FakeClock
from support.rules import URGENT, make_rule, when

from taskdeck.domain.replay import replay


async def test_a_rule_acts_in_the_same_commit_and_says_so(api: Api) -> None:
    label = {"act": "label", "add": ["hot"], "remove": ["cold"]}
    await make_rule(api, "hurry", "task.created", URGENT, label, conditions=[when("labels", "has", "bug")])
    plain = await api.create("plain", labels=["cold"])
    made = await api.create("broken", labels=["bug", "cold"])
    seq = next(e["seq"] for e in await api.events(type="task.created") if e["task"]["key"] == made["key"])
    assert made["priority"] == 50  # the reply is what the request made
    task = await api.get(f"/v1/tasks/{made['id']}")
    assert (task["priority"], task["labels"]) == (90, ["bug", "hot"])
    assert (await api.get(f"/v1/tasks/{plain['id']}"))["version"] == 1
    events = await api.events(seq)
    assert [event["type"] for event in events] == ["task.reprioritized", "task.edited", "rule.fired"]
    assert {event["actor"] for event in events} == {"rule:hurry"}
    assert {(event["facts"]["rule"], event["facts"]["depth"]) for event in events} == {("hurry", 1)}
    fired = events[-1]["facts"]
    assert (fired["event"], fired["on"], fired["key"], fired["acts"]) == (
        seq, "task.created", made["key"], ["reprioritize", "label"],
    )  # fmt: skip
    assert (await api.get("/v1/rules/hurry"))["runs"] == 1
    assert replay(await api.events())[made["id"]] == task


async def test_every_act(api: Api) -> None:
    follow = {"title": "look into {{ key }}: {{title}}", "labels": ["auto"], "priority": 80, "due_in_seconds": 60}
    await make_rule(
        api, "all", "task.edited", {"act": "assign", "assignee": "ann"}, {"act": "create", "task": follow},
        {"act": "notify", "message": "{{key}} of {{project}}"}, {"act": "cancel", "reason": "no more"},
        {"act": "retry", "delay_seconds": 60},
    )  # fmt: skip
    await make_rule(api, "says", "task.edited", {"act": "comment", "text": "{{key}}, see {{title}}"})
    task = await api.create("odd {{key}} \u202e")
    await api.patch(f"/v1/tasks/{task['id']}", {"description": "x"})
    shown = await api.get(f"/v1/tasks/{task['id']}")
    assert (shown["assignee"], shown["state"]) == ("ann", "scheduled")
    child = next(t for t in (await api.get("/v1/tasks"))["tasks"] if t["id"] != task["id"])
    assert child["title"] == f"look into {task['key']}: odd {{{{key}}}} \u202e"
    assert (child["priority"], child["labels"], child["created_by"]) == (80, ["auto"], "rule:all")
    edited = next(e for e in await api.events(type="task.edited"))
    assert child["metadata"] == {"rule": {"name": "all", "event": edited["seq"]}}
    (told,) = await api.events(type="rule.notified")
    assert told["facts"]["message"] == f"{task['key']} of default"
    (said,) = (await api.get(f"/v1/tasks/{task['id']}/comments"))["comments"]
    assert (said["author"], said["text"]) == ("rule:says", f"{task['key']}, see odd {{{{key}}}} \u202e")
    (cancelled,) = await api.events(type="task.cancelled")
    assert cancelled["facts"]["reason"] == "no more"


async def test_a_rule_delegates_requires_and_spares_what_is_held(api: Api) -> None:
    gates = [{"before": "complete", "evidence": ["commit"], "least": 1}]
    acts = [
        {"act": "require", "gates": gates, "unless_held": True}, URGENT | {"unless_held": True},
        {"act": "label", "add": ["seen"], "remove": []},
    ]  # fmt: skip
    made = await make_rule(api, "r", ["task.claimed", "task.released"], *acts)
    assert made["acts"] == acts
    await make_rule(api, "d", "task.created", {"act": "delegate", "task": {"title": "Check {{key}}", "labels": ["c"]}})
    task = await api.create("t")
    shown = await api.get(f"/v1/tasks/{task['key']}")
    assert (shown["state"], len(shown["depends_on"])) == ("blocked", 1)
    claim = await api.claim("w")
    child = claim["task"]
    assert (child["title"], child["parent"]) == (f"Check {task['key']}", task["key"])
    held = await api.get(f"/v1/tasks/{child['key']}")
    assert (held["gates"], held["priority"], held["labels"]) == (None, 50, ["c", "seen"])
    await api.post(f"/v1/tasks/{child['key']}/release", {"fence": claim["fence"]})
    freed = await api.get(f"/v1/tasks/{child['key']}")
    assert (freed["priority"], [gate["evidence"] for gate in freed["gates"]]) == (90, [["commit"]])


async def test_a_rule_delegates_into_another_project(api: Api) -> None:
    await api.post("/v1/projects", {"name": "web"})
    await make_rule(api, "d", "task.created", {"act": "delegate", "task": {"title": "c"}, "project": "web"})
    task = await api.create()
    child = (await api.get("/v1/tasks?project=web"))["tasks"][0]
    assert (child["title"], child["parent"]) == ("c", task["key"])


async def test_what_happens_beside_a_task_sets_rules_off(api: Api) -> None:
    said = {"act": "notify", "message": "{{event}} by {{actor}}: {{facts.comment.text}}{{facts.link.target}}"}
    await make_rule(api, "beside", ["task.commented", "task.linked", "task.context_changed"], said, description="tells")
    answer = {"act": "comment", "text": "heard {{ facts.comment.text }}{{ facts.comment.gone }}"}
    await make_rule(api, "answers", "task.commented", answer, conditions=[when("facts.comment.text", "has", "?")])
    task = await api.create()
    path = f"/v1/tasks/{task['id']}"
    await api.post(f"{path}/comments", {"text": "why?"})
    await api.post(f"{path}/links", {"kind": "pr", "target": "5"})
    await api.patch(f"{path}/context", {"patch": {"a": 1}})
    told = [event["facts"]["message"] for event in await api.events(type="rule.notified")]
    assert sorted(told) == [
        "task.commented by admin: why?", "task.commented by rule:answers: heard why?",
        "task.context_changed by admin: ", "task.linked by admin: 5",
    ]  # fmt: skip
    assert [one["text"] for one in (await api.get(f"{path}/comments"))["comments"]] == ["why?", "heard why?"]
    assert (await api.get("/v1/rules/beside"))["description"] == "tells"
    assert (await api.patch("/v1/rules/beside", {"description": "d"}))["description"] == "d"


async def test_of_a_removed_task_another_is_made(api: Api) -> None:
    again = {"act": "create", "task": {"title": "again {{ title }}", "labels": ["again"]}}
    told = {"act": "notify", "message": "{{key}}, {{priority}}, {{labels}}, {{due}}, {{payload.url}}"}
    await make_rule(api, "gone", "task.deleted", again, told, conditions=[when("labels", "has", "bug")])
    task = await api.create("t", labels=["bug"], priority=70, due="2030-01-02T00:00:00Z", payload={"url": "u"})
    await api.delete(f"/v1/tasks/{task['id']}")
    await api.delete(f"/v1/tasks/{(await api.create('other'))['id']}")
    (made,) = (await api.get("/v1/tasks"))["tasks"]
    assert (made["title"], made["labels"]) == ("again t", ["again"])
    (event,) = await api.events(type="rule.notified")
    assert event["facts"]["message"] == f'{task["key"]}, 70, ["bug"], {task["due"]}, u'
    assert (await api.get("/v1/rules/gone"))["runs"] == 1


async def test_what_time_does_sets_rules_off_too(api: Api, clock: FakeClock) -> None:
    await make_rule(api, "lapse", "task.lapsed", URGENT)
    await make_rule(api, "late", "task.overdue", {"act": "label", "add": ["late"]})
    await api.create("held")
    await api.claim(lease_seconds=5)
    clock.advance(6)
    await api.tick()
    assert (await api.get("/v1/tasks/T1"))["priority"] == 90
    await api.create(due="2020-01-01T00:00:00Z")
    await api.tick()
    assert (await api.get("/v1/tasks/T2"))["labels"] == ["late"]


async def test_a_rule_makes_work_for_who_waits(api: Api) -> None:
    made = {"act": "create", "task": {"title": "made", "labels": ["made"]}}
    await make_rule(api, "make", "task.completed", made)
    await make_rule(
        api, "seen", "task.claimed", {"act": "notify", "message": "{{title}}"}, conditions=[when("worker", "eq", "w2")]
    )
    await api.create("first")
    first = await api.claim("w1")
    waiting = asyncio.create_task(api.claim("w2", wait_seconds=30))
    await api.until_waiting(1)
    await api.post(f"/v1/tasks/{first['task']['id']}/complete", {"fence": first["fence"]})
    assert (await waiting)["task"]["title"] == "made"
    (told,) = await api.events(type="rule.notified")
    assert told["facts"]["message"] == "made"
