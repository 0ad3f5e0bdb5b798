"""Rules, unique keys and duplicates on the command line against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Served, serving

pytestmark = pytest.mark.acceptance

RULE = {
    "events": ["task.created"],
    "conditions": [{"field": "labels", "op": "has", "value": "bug"}],
    "acts": [{"act": "reprioritize", "priority": 90}],
}


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("rules") / "data") as served:
        yield served


def test_a_rule_lives_from_create_to_delete(deck: Served, tmp_path: Path) -> None:
    (tmp_path / "rule.json").write_text(json.dumps(RULE))
    made = deck.json("rule", "create", "hurry", f"@{tmp_path / 'rule.json'}", "-p", "default", "--paused")
    assert (made["project"], made["paused"] is not None, made["acts"]) == ("default", True, RULE["acts"])
    bug = deck.json("add", "broken", "-l", "bug")["key"]
    plain = deck.json("add", "plain")["key"]
    tried = deck("rule", "try", "hurry", bug).stdout
    assert "would leave task.reprioritized" in tried
    assert "it would do nothing" in deck("rule", "try", "hurry", plain).stdout
    deck.json("rule", "resume", "hurry")
    assert deck.json("show", deck.json("add", "again", "-l", "bug")["key"])["priority"] == 90
    assert "hurry" in deck("rule", "list").stdout
    assert json.loads(deck("rule", "show", "hurry").stdout)["runs"] == 1
    assert deck.json("rule", "pause", "hurry", "-r", "enough")["paused"]["reason"] == "enough"
    assert deck.json("rule", "delete", "hurry") == {"deleted": "hurry"}
    assert deck("rule", "show", "hurry").returncode == 5
    assert deck("rule", "create", "odd", "[]").returncode == 2


def test_a_unique_key_finds_what_is_open_and_duplicates_are_suggested(deck: Served) -> None:
    first = deck.json("add", "Fix the login page", "--unique", "login")
    assert f"found {first['key']}" in deck("add", "Fix the login page", "--unique", "login").stdout
    (found,) = deck.json("duplicates", "login page: fix the", "-p", "default")["duplicates"]
    assert (found["key"], found["score"]) == (first["key"], 1.0)
    assert first["key"] in deck("duplicates", "fix the login page").stdout
    assert deck("duplicates", "nothing like that at all").stdout == ""


def test_what_is_overdue_is_listed(deck: Served) -> None:
    late = deck.json("add", "late", "--due", "2020-01-01T00:00:00Z")
    deck.json("add", "later", "--due", "+2d")
    assert [task["key"] for task in deck.json("list", "--overdue")["tasks"]] == [late["key"]]
    assert [task["title"] for task in deck.json("list", "--sort", "due")["tasks"]] == ["late", "later"]
