"""Rules: what sets them off, what they do and leave behind, and all that bounds them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import RunningDeck
from taskdeck.domain import rule as bounds
from taskdeck.domain.replay import replay
from taskdeck.domain.rule import Condition, Op, Rule, holds
from taskdeck.service.automation import Automation
from taskdeck.service.create import create
from taskdeck.service.operate import delete, reprioritize
from taskdeck.service.requests import NewTask
from taskdeck.service.rules import create_rule, edit_rule
from taskdeck.store.runner import no_hook

URGENT = {"act": "reprioritize", "priority": 90}


async def _rule(api: Api, name: str, events: list[str] | str, *acts: Any, **more: Any) -> Any:
    names = [events] if isinstance(events, str) else events
    return await api.post("/v1/rules", {"name": name, "events": names, "acts": list(acts), **more})


def _if(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


async def test_a_rule_delegates_requires_and_spares_what_is_held(api: Api) -> None:
    gates = [{"before": "complete", "evidence": ["commit"], "least": 1}]
    acts = [
        {"act": "require", "gates": gates, "unless_held": True}, URGENT | {"unless_held": True},
        {"act": "label", "add": ["seen"], "remove": []},
    ]  # fmt: skip
    made = await _rule(api, "r", ["task.claimed", "task.released"], *acts)
    assert made["acts"] == acts
    await _rule(api, "d", "task.created", {"act": "delegate", "task": {"title": "Check {{key}}", "labels": ["c"]}})
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


async def test_a_rule_acts_in_the_same_commit_and_says_so(api: Api) -> None:
    label = {"act": "label", "add": ["hot"], "remove": ["cold"]}
    await _rule(api, "hurry", "task.created", URGENT, label, conditions=[_if("labels", "has", "bug")])
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
    await _rule(
        api, "all", "task.edited", {"act": "assign", "assignee": "ann"}, {"act": "create", "task": follow},
        {"act": "notify", "message": "{{key}} of {{project}}"}, {"act": "cancel", "reason": "no more"},
        {"act": "retry", "delay_seconds": 60},
    )  # fmt: skip
    await _rule(api, "says", "task.edited", {"act": "comment", "text": "{{key}}, see {{title}}"})
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


async def test_what_happens_beside_a_task_sets_rules_off(api: Api) -> None:
    said = {"act": "notify", "message": "{{event}} by {{actor}}: {{facts.comment.text}}{{facts.link.target}}"}
    await _rule(api, "beside", ["task.commented", "task.linked", "task.context_changed"], said, description="tells")
    answer = {"act": "comment", "text": "heard {{ facts.comment.text }}{{ facts.comment.gone }}"}
    await _rule(api, "answers", "task.commented", answer, conditions=[_if("facts.comment.text", "has", "?")])
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
    await _rule(api, "gone", "task.deleted", again, told, conditions=[_if("labels", "has", "bug")])
    task = await api.create("t", labels=["bug"], priority=70, due="2030-01-02T00:00:00Z", payload={"url": "u"})
    await api.delete(f"/v1/tasks/{task['id']}")
    await api.delete(f"/v1/tasks/{(await api.create('other'))['id']}")
    (made,) = (await api.get("/v1/tasks"))["tasks"]
    assert (made["title"], made["labels"]) == ("again t", ["again"])
    (event,) = await api.events(type="rule.notified")
    assert event["facts"]["message"] == f'{task["key"]}, 70, ["bug"], {task["due"]}, u'
    assert (await api.get("/v1/rules/gone"))["runs"] == 1


async def test_a_rule_delegates_into_another_project(api: Api) -> None:
    await api.post("/v1/projects", {"name": "web"})
    await _rule(api, "d", "task.created", {"act": "delegate", "task": {"title": "c"}, "project": "web"})
    task = await api.create()
    child = (await api.get("/v1/tasks?project=web"))["tasks"][0]
    assert (child["title"], child["parent"]) == ("c", task["key"])


async def test_what_time_does_sets_rules_off_too(api: Api, clock: FakeClock) -> None:
    await _rule(api, "lapse", "task.lapsed", URGENT)
    await _rule(api, "late", "task.overdue", {"act": "label", "add": ["late"]})
    await api.create("held")
    await api.claim(lease_seconds=5)
    clock.advance(6)
    await api.tick()
    assert (await api.get("/v1/tasks/T1"))["priority"] == 90
    await api.create(due="2020-01-01T00:00:00Z")
    await api.tick()
    assert (await api.get("/v1/tasks/T2"))["labels"] == ["late"]


async def test_a_failure_is_handled_as_it_says(api: Api) -> None:
    spent = [_if("state", "eq", "failed"), _if("facts.error", "has", "disk"), _if("attempt", "gte", 1)]
    await _rule(api, "again", "task.failed", {"act": "retry", "delay_seconds": 0}, conditions=spent)
    for error, state in (("disk is full", "ready"), ("typo", "failed")):
        task = await api.create(error, max_attempts=1)
        claim = await api.claim(task=task["id"])
        await api.post(f"/v1/tasks/{task['id']}/fail", {"fence": claim["fence"], "error": error})
        assert (await api.get(f"/v1/tasks/{task['id']}"))["state"] == state


@pytest.mark.parametrize(
    ("op", "value", "yes", "no"),
    [
        ("eq", 5, [5, 5.0], [6, "5", None, [5]]),
        ("neq", "a", ["b", None, 5], ["a"]),
        ("gte", 5, [5, 9], [4, "9", None]),
        ("lte", "b", ["a", "b"], ["c", 1, None]),
        ("within", [5, 7], [5, 6.5, 7], [4, 8, "6", None]),
        ("outside", [5, 7], [4, 8], [5, 6.5, 7, "8", None]),
        ("has", "a", [["a", "b"], "bad"], [["b"], "bed", None, 5]),
        ("has_not", "a", [["b"], "bed", None, 5], [["a"], "bad"]),
        ("is_null", None, [None], [0, "", []]),
        ("not_null", None, [0, "", []], [None]),
    ],
)
def test_a_condition_compares(op: str, value: Any, yes: list[Any], no: list[Any]) -> None:
    condition = Condition("priority", Op(op), value)
    assert [holds(condition, one) for one in yes] == [True] * len(yes)
    assert [holds(condition, one) for one in no] == [False] * len(no)


async def test_conditions_reach_into_documents(api: Api) -> None:
    deep = [_if("payload.size.mb", "gte", 10), _if("metadata.team", "eq", "a"), _if("payload.x", "is_null")]
    await _rule(api, "big", "task.created", URGENT, conditions=[*deep, _if("actor", "eq", "admin")])
    for payload, metadata, priority in (
        ({"size": {"mb": 12}}, {"team": "a"}, 90), ({"size": {"mb": 2}}, {"team": "a"}, 50),
        ("text", {"team": "a"}, 50), ({"size": {"mb": 12}}, [1], 50), ({"size": {"mb": 12}, "x": 0}, {"team": "a"}, 50),
    ):  # fmt: skip
        made = await api.create(payload=payload, metadata=metadata)
        assert (await api.get(f"/v1/tasks/{made['id']}"))["priority"] == priority, payload


async def test_a_condition_sees_what_its_event_left(api: Api, served: RunningDeck) -> None:
    await _rule(
        api, "low", "task.reprioritized", {"act": "label", "add": ["low"]}, conditions=[_if("priority", "lte", 10)]
    )

    def down_and_up(unit: Any) -> str:
        key = create(unit, ROOT, [NewTask("t", "default")])[0].key
        reprioritize(unit, ROOT, key, 5)
        reprioritize(unit, ROOT, key, 80)
        return key

    key = await served.deck.write(down_and_up)
    assert (await api.get(f"/v1/tasks/{key}"))["labels"] == ["low"]
    assert (await api.get("/v1/rules/low"))["runs"] == 1


async def test_a_rule_never_follows_its_own_doing(api: Api) -> None:
    again = {"act": "create", "task": {"title": "again"}}
    await _rule(api, "self", "task.created", again)
    await api.create("first")
    assert len((await api.get("/v1/tasks"))["tasks"]) == 2
    await _rule(api, "ping", "task.edited", {"act": "create", "task": {"title": "pong"}})
    await _rule(api, "pong", "task.created", {"act": "label", "add": ["pong"]}, conditions=[_if("title", "eq", "pong")])
    await api.patch("/v1/tasks/T1", {"description": "x"})
    tasks = (await api.get("/v1/tasks?limit=200"))["tasks"]
    assert sorted(task["title"] for task in tasks) == ["again", "again", "first", "pong"]
    depths = [(e["facts"]["rule"], e["facts"]["depth"]) for e in await api.events(type="rule.fired")]
    assert depths[1:] == [("ping", 1), ("pong", 2), ("self", 2)]


async def test_a_chain_is_cut_off_at_its_depth(api: Api) -> None:
    for n in range(bounds.MAX_DEPTH + 2):
        act = {"act": "reprioritize", "priority": n + 1}
        await _rule(api, f"r{n}", ["task.created", "task.reprioritized"], act, conditions=[_if("priority", "eq", n)])
    await api.create(priority=0)
    (task,) = (await api.get("/v1/tasks"))["tasks"]
    assert task["priority"] == bounds.MAX_DEPTH
    (cut,) = await api.events(type="rule.cut_off")
    assert (cut["facts"]["rule"], cut["facts"]["bound"]) == (f"r{bounds.MAX_DEPTH}", "depth")


async def test_what_one_event_sets_off_is_bounded_in_number(api: Api) -> None:
    many = [{"act": "create", "task": {"title": "x"}}] * 5
    for n in range(6):
        await _rule(api, f"r{n}", "task.created", *many)
    await api.create("first")
    assert len(await api.events(type="rule.fired")) == bounds.MAX_FIRINGS
    cut = await api.events(type="rule.cut_off")
    assert {event["facts"]["bound"] for event in cut} <= {"firings", "depth"}
    assert "firings" in {event["facts"]["bound"] for event in cut}
    assert len(cut) <= 6
    assert await api.claim() is not None


async def test_every_task_of_a_large_request_is_dealt_with(api: Api) -> None:
    await _rule(api, "label", "task.created", {"act": "label", "add": ["seen"]})
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 1_000})
    assert (await api.get("/v1/rules/label"))["runs"] == 1_000
    assert not await api.events(type="rule.cut_off")


async def test_a_rule_makes_work_for_who_waits(api: Api) -> None:
    made = {"act": "create", "task": {"title": "made", "labels": ["made"]}}
    await _rule(api, "make", "task.completed", made)
    await _rule(
        api, "seen", "task.claimed", {"act": "notify", "message": "{{title}}"}, conditions=[_if("worker", "eq", "w2")]
    )
    await api.create("first")
    first = await api.claim("w1")
    waiting = asyncio.create_task(api.claim("w2", wait_seconds=30))
    await api.until_waiting(1)
    await api.post(f"/v1/tasks/{first['task']['id']}/complete", {"fence": first["fence"]})
    assert (await waiting)["task"]["title"] == "made"
    (told,) = await api.events(type="rule.notified")
    assert told["facts"]["message"] == "made"


async def test_a_refused_act_undoes_its_rule_alone(api: Api) -> None:
    await _rule(api, "bad", "task.created", URGENT, {"act": "retry"})
    made = await api.create()
    assert (await api.get(f"/v1/tasks/{made['id']}"))["priority"] == 50
    (failed,) = await api.events(type="rule.failed")
    assert (failed["facts"]["code"], failed["facts"]["in_a_row"]) == ("wrong_state", 1)
    for _ in range(bounds.MAX_FAILURES + 2):
        await api.create()
    rule = await api.get("/v1/rules/bad")
    assert (rule["runs"], rule["failures"], rule["paused"]["by"]) == (0, bounds.MAX_FAILURES, "deck")
    assert "wrong_state" in rule["paused"]["reason"]
    assert len(await api.events(type="rule.failed")) == bounds.MAX_FAILURES
    assert (await api.post("/v1/rules/bad/resume"))["failures"] == 0


async def test_many_failures_in_one_commit_pause_at_once(api: Api) -> None:
    await _rule(api, "bad", "task.created", {"act": "retry"})
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 40})
    assert len(await api.events(type="rule.failed")) == bounds.MAX_FAILURES


async def test_a_task_that_is_gone_is_left_alone(api: Api, served: RunningDeck) -> None:
    await _rule(api, "late", "task.created", URGENT)

    def come_and_go(unit: Any) -> None:
        delete(unit, ROOT, create(unit, ROOT, [NewTask("t", "default")])[0].key)

    await served.deck.write(come_and_go)
    assert not await api.events(type="rule.failed")
    assert not await api.events(type="rule.fired")
    assert replay(await api.events()) == {}


async def test_a_dry_run_tells_and_changes_nothing(api: Api) -> None:
    conditions = [_if("labels", "has", "bug"), _if("priority", "lte", 60)]
    child = {"act": "create", "task": {"title": "for {{key}}"}}
    await _rule(api, "hurry", "task.created", URGENT, child, conditions=conditions, paused=True)
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
    made = await _rule(api, "r", "task.created", URGENT)
    assert (made["project"], made["paused"], made["version"]) == (None, None, 1)
    paused = await api.post("/v1/rules/r/pause", {"reason": "why"})
    assert (paused["paused"]["by"], paused["paused"]["reason"]) == ("admin", "why")
    await api.post("/v1/rules/r/pause")
    assert (await api.get(f"/v1/tasks/{(await api.create())['id']}"))["priority"] == 50
    await api.post("/v1/rules/r/resume")
    await api.post("/v1/rules/r/resume")
    act = {"act": "reprioritize", "priority": 7}
    changed = await api.patch("/v1/rules/r", {"acts": [act], "conditions": [_if("title", "eq", "x")], "version": 3})
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
    await _rule(api, "here", "task.created", URGENT)
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
    await _rule(api, "one", "task.created", URGENT)
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
    await _rule(api, "global", "task.created", {"act": "label", "add": ["g"]})
    inside, outside = await api.create(project="ours"), await api.create(project="theirs")
    assert (await api.get(f"/v1/tasks/{inside['id']}"))["priority"] == 90
    outside = await api.get(f"/v1/tasks/{outside['id']}")
    assert (outside["priority"], outside["labels"]) == (50, ["g"])
    assert [one["name"] for one in (await api.get("/v1/rules", token=secret))["rules"]] == ["mine"]
    for verb, path in (("GET", ""), ("DELETE", ""), ("POST", "/pause")):
        reply = await api.call(verb, f"/v1/rules/global{path}", {} if verb == "POST" else None, token=secret)
        assert reply.code == "unknown_rule"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    made.runner.after = Automation(no_hook)
    yield made
    made.close()


def _stored(name: str = "r") -> Rule:
    return Rule(name, None, ("task.created",), (), (URGENT,), None, None, None, 0, 0, None, "root", 0)


def _priorities(store: BareStore) -> list[int]:
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default")]))
    return [row[0] for row in store.rows("SELECT priority FROM tasks ORDER BY number")]


def test_what_is_in_force_follows_the_database_when_units_and_batches_fail(store: BareStore) -> None:
    def fails(unit: Any) -> None:
        create_rule(unit, ROOT, _stored())
        raise RuntimeError("no")

    store.batch(fails)
    assert _priorities(store) == [50]
    store(lambda unit: create_rule(unit, ROOT, _stored()))
    assert _priorities(store) == [50, 90]
    store.batch(lambda unit: edit_rule(unit, ROOT, "r", {"events": ("task.failed",)}, None), fails)
    assert _priorities(store) == [50, 90, 50]
    store.runner.mirror.load(store.runner.connection)
    store.batch(lambda unit: edit_rule(unit, ROOT, "r", {"events": ("task.created",)}, None))
    store.close()
    store.open()
    store.runner.after = Automation(no_hook)
    assert _priorities(store) == [50, 90, 50, 90]
    store.check()


def test_a_rule_that_cannot_be_understood_stops_nothing_but_itself(store: BareStore) -> None:
    store(lambda unit: create_rule(unit, ROOT, _stored()))
    odd = '[{"field": "gone", "op": "eq", "value": 1}]'
    store.rows("UPDATE rules SET conditions = ?", (odd,))
    store.runner.mirror.rules = None
    assert _priorities(store) == [50]
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default")] * 20))
    assert store.rows("SELECT paused_by, failures FROM rules") == [("deck", bounds.MAX_FAILURES)]
    assert len([event for event in store.events() if event["type"] == "rule.failed"]) == bounds.MAX_FAILURES


def test_without_rules_a_batch_costs_no_statement_more(store: BareStore) -> None:
    seen: list[str] = []
    store.batch(lambda unit: None)
    store.runner.connection.set_trace_callback(seen.append)
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default")]))
    store.runner.connection.set_trace_callback(None)
    assert seen
    assert not [sql for sql in seen if "rules" in sql]
    assert len([sql for sql in seen if sql.startswith("SAVEPOINT")]) == 1


def test_a_rule_and_what_set_it_off_come_true_together(store: BareStore) -> None:
    store(lambda unit: create_rule(unit, ROOT, _stored()))
    before = store.events()

    def broken(runner: Any) -> None:
        Automation(no_hook)(runner)
        assert [event.type for event, _ in runner.batch.events][-2:] == ["task.reprioritized", "rule.fired"]
        raise RuntimeError("power")

    store.runner.after = broken
    with pytest.raises(RuntimeError, match="power"):
        store.batch(lambda unit: create(unit, ROOT, [NewTask("t", "default")]))
    assert store.events() == before
    assert store.rows("SELECT count(*) FROM tasks") == [(0,)]
    store.check()
