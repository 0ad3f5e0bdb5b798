"""What keeps rules from running for ever, and what becomes of one that is refused."""

from __future__ import annotations

from typing import Any

from support.api import Api
from support.people import ROOT
from support.rules import URGENT, make_rule, when

from taskdeck.app import RunningDeck
from taskdeck.domain import rule as bounds
from taskdeck.domain.replay import replay
from taskdeck.service.create import create
from taskdeck.service.operate import delete
from taskdeck.service.requests import NewTask


async def test_a_rule_never_follows_its_own_doing(api: Api) -> None:
    again = {"act": "create", "task": {"title": "again"}}
    await make_rule(api, "self", "task.created", again)
    await api.create("first")
    assert len((await api.get("/v1/tasks"))["tasks"]) == 2
    await make_rule(api, "ping", "task.edited", {"act": "create", "task": {"title": "pong"}})
    await make_rule(
        api, "pong", "task.created", {"act": "label", "add": ["pong"]}, conditions=[when("title", "eq", "pong")]
    )
    await api.patch("/v1/tasks/T1", {"description": "x"})
    tasks = (await api.get("/v1/tasks?limit=200"))["tasks"]
    assert sorted(task["title"] for task in tasks) == ["again", "again", "first", "pong"]
    depths = [(e["facts"]["rule"], e["facts"]["depth"]) for e in await api.events(type="rule.fired")]
    assert depths[1:] == [("ping", 1), ("pong", 2), ("self", 2)]


async def test_a_chain_is_cut_off_at_its_depth(api: Api) -> None:
    for n in range(bounds.MAX_DEPTH + 2):
        act = {"act": "reprioritize", "priority": n + 1}
        await make_rule(
            api, f"r{n}", ["task.created", "task.reprioritized"], act, conditions=[when("priority", "eq", n)]
        )
    await api.create(priority=0)
    (task,) = (await api.get("/v1/tasks"))["tasks"]
    assert task["priority"] == bounds.MAX_DEPTH
    (cut,) = await api.events(type="rule.cut_off")
    assert (cut["facts"]["rule"], cut["facts"]["bound"]) == (f"r{bounds.MAX_DEPTH}", "depth")


async def test_what_one_event_sets_off_is_bounded_in_number(api: Api) -> None:
    many = [{"act": "create", "task": {"title": "x"}}] * 5
    for n in range(6):
        await make_rule(api, f"r{n}", "task.created", *many)
    await api.create("first")
    assert len(await api.events(type="rule.fired")) == bounds.MAX_FIRINGS
    cut = await api.events(type="rule.cut_off")
    assert {event["facts"]["bound"] for event in cut} <= {"firings", "depth"}
    assert "firings" in {event["facts"]["bound"] for event in cut}
    assert len(cut) <= 6
    assert await api.claim() is not None


async def test_every_task_of_a_large_request_is_dealt_with(api: Api) -> None:
    await make_rule(api, "label", "task.created", {"act": "label", "add": ["seen"]})
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 1_000})
    assert (await api.get("/v1/rules/label"))["runs"] == 1_000
    assert not await api.events(type="rule.cut_off")


async def test_a_refused_act_undoes_its_rule_alone(api: Api) -> None:
    await make_rule(api, "bad", "task.created", URGENT, {"act": "retry"})
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
    await make_rule(api, "bad", "task.created", {"act": "retry"})
    await api.post("/v1/tasks", {"tasks": [{"title": "t"}] * 40})
    assert len(await api.events(type="rule.failed")) == bounds.MAX_FAILURES


async def test_a_task_that_is_gone_is_left_alone(api: Api, served: RunningDeck) -> None:
    await make_rule(api, "late", "task.created", URGENT)

    def come_and_go(unit: Any) -> None:
        delete(unit, ROOT, create(unit, ROOT, [NewTask("t", "default")])[0].key)

    await served.deck.write(come_and_go)
    assert not await api.events(type="rule.failed")
    assert not await api.events(type="rule.fired")
    assert replay(await api.events()) == {}
