"""What a rule's conditions compare, and what of a task and its event they see."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import Api
from support.people import ROOT
from support.rules import URGENT, make_rule, when

from taskdeck.app import RunningDeck
from taskdeck.domain.rule import Condition, Op, holds
from taskdeck.service.create import create
from taskdeck.service.operate import reprioritize
from taskdeck.service.requests import NewTask


async def test_a_failure_is_handled_as_it_says(api: Api) -> None:
    spent = [when("state", "eq", "failed"), when("facts.error", "has", "disk"), when("attempt", "gte", 1)]
    await make_rule(api, "again", "task.failed", {"act": "retry", "delay_seconds": 0}, conditions=spent)
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
    deep = [when("payload.size.mb", "gte", 10), when("metadata.team", "eq", "a"), when("payload.x", "is_null")]
    await make_rule(api, "big", "task.created", URGENT, conditions=[*deep, when("actor", "eq", "admin")])
    for payload, metadata, priority in (
        ({"size": {"mb": 12}}, {"team": "a"}, 90), ({"size": {"mb": 2}}, {"team": "a"}, 50),
        ("text", {"team": "a"}, 50), ({"size": {"mb": 12}}, [1], 50), ({"size": {"mb": 12}, "x": 0}, {"team": "a"}, 50),
    ):  # fmt: skip
        made = await api.create(payload=payload, metadata=metadata)
        assert (await api.get(f"/v1/tasks/{made['id']}"))["priority"] == priority, payload


async def test_a_condition_sees_what_its_event_left(api: Api, served: RunningDeck) -> None:
    await make_rule(
        api, "low", "task.reprioritized", {"act": "label", "add": ["low"]}, conditions=[when("priority", "lte", 10)]
    )

    def down_and_up(unit: Any) -> str:
        key = create(unit, ROOT, [NewTask("t", "default")])[0].key
        reprioritize(unit, ROOT, key, 5)
        reprioritize(unit, ROOT, key, 80)
        return key

    key = await served.deck.write(down_and_up)
    assert (await api.get(f"/v1/tasks/{key}"))["labels"] == ["low"]
    assert (await api.get("/v1/rules/low"))["runs"] == 1
