"""The command line for work that passes through people: the backlog, reviews, delegation, gates, forms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from processes import Served, serving

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("people") / "data") as served:
        yield served


def test_a_task_goes_from_the_backlog_through_its_review(deck: Served) -> None:
    key = deck.json("add", "look at it", "--backlog", "--review", "required")["key"]
    assert deck.json("promote", key, "--reason", "agreed")["state"] == "ready"
    assert deck.json("shelve", key)["state"] == "backlog"
    deck.json("promote", key)
    for verdict in (("reject", "--note", "no tests"), ("approve", "--note", "fine")):
        fence = str(deck.json("claim", key, "--worker", "a")["claims"][0]["fence"])
        assert deck.json("complete", key, "--fence", fence)["state"] == "review"
        judged = deck.json(verdict[0], key, *verdict[1:])
    assert (judged["state"], judged["verdict"]["note"]) == ("done", "fine")
    assert "approved by" in deck("show", key).stdout


def test_a_holder_delegates_and_the_chain_shows_it(deck: Served) -> None:
    key = deck.json("add", "whole")["key"]
    fence = str(deck.json("claim", key, "--worker", "a")["claims"][0]["fence"])
    made = deck.json("delegate", key, "part", "--fence", fence, "--assignee", "ann", "--wait")
    assert (made["task"]["state"], made["child"]["assignee"]) == ("blocked", "ann")
    assert deck.json("chain", key)["total"] == 2
    assert f"{key}: 0 of 2 done" in deck("chain", made["child"]["key"]).stdout
    assert deck.json("cancel", key, "--children")["state"] == "cancelled"
    assert deck.json("show", made["child"]["key"])["state"] == "cancelled"


def test_gates_turns_and_forms_are_seen_and_filled_in(deck: Served) -> None:
    deck.ask("save_form", "f", {"required": ["ok"]})
    turns = [{"assignee": "a"}, {"assignee": "b"}]
    gates = [{"before": "approve", "hook": "merge"}]
    key = deck.ask("create", title="t", form={"name": "f"}, assignees=turns, gates=gates)["key"]
    assert "merge" in deck("gates", key).stdout
    assert deck.json("skip", key, "--reason", "away")["assignee"] == "b"
    fence = str(deck.json("claim", key, "--worker", "b")["claims"][0]["fence"])
    assert deck.json("fill", key, '{"ok": true}', "--fence", fence)["draft"] == {"ok": True}
    assert deck.json("complete", key, "--fence", fence)["result"] == {"ok": True}
    told = deck.json("assignments", key)["assignments"]
    assert [entry["act"] for entry in told] == ["offered", "skipped", "claimed", "completed"]
    assert "away" in deck("assignments", key).stdout


def test_an_admin_changes_what_somebody_may_do(deck: Served) -> None:
    assert deck("token", "create", "ann", "--role", "agent", "--cap", "gpu").returncode == 0
    again = deck("token", "create", "ann", "--role", "operator")
    assert (again.returncode, "taskdeck principal edit" in again.stderr) == (4, True)
    deck.ask("create_project", "lab")
    changed = deck.json(
        "principal", "edit", "ann", "--role", "operator", "-p", "lab", "--cap", "none", "--title", "Ann"
    )
    assert (changed["role"], changed["projects"], changed["capabilities"], changed["title"]) == (
        "operator", ["lab"], [], "Ann",
    )  # fmt: skip
    assert "ann is operator, for all projects" in deck("principal", "edit", "ann", "-p", "all").stdout
    listed = deck("principal", "list").stdout
    assert [line.split()[:3] for line in listed.splitlines() if line.startswith("ann ")] == [["ann", "operator", "1"]]
    assert deck("principal", "delete", "ann").returncode == 0
    assert {one["name"] for one in deck.json("principal", "list")["principals"]} == {"admin"}
    assert deck("principal", "edit", "nobody", "--role", "agent").returncode == 5


def test_a_form_is_saved_and_filled_in(deck: Served) -> None:
    schema = '{"properties": {"amount": {"type": "number"}}, "required": ["amount"]}'
    assert "version 1" in deck("form", "save", "order", schema).stdout
    assert deck.json("form", "save", "order", schema, "--layout", '{"type": "Group"}')["version"] == 2
    assert deck("form", "save", "order", "[]").returncode == 2
    listed = [line.split()[:2] for line in deck("form", "list").stdout.splitlines()[1:]]
    assert [form for form in listed if form[0] == "order"] == [["order", "2"], ["order", "1"]]
    assert deck.json("form", "show", "order", "1")["schema"]["required"] == ["amount"]
    key = deck.json("add", "an order", "--form", "order@1")["key"]
    assert deck.ask("task", key)["form"] == {"name": "order", "version": 1}
    assert deck("add", "an order", "--form", "order@x").returncode == 2
    fence = str(deck.json("claim", key, "--worker", "a")["claims"][0]["fence"])
    assert deck("fill", key, '{"amount": "many"}', "--fence", fence).returncode == 2
    assert deck("fill", key, '{"amount": 3}', "--fence", fence).returncode == 0
    assert deck.json("complete", key, "--fence", fence)["result"] == {"amount": 3}
    assert deck("form", "delete", "order", "2").returncode == 0
    assert deck.json("form", "show", "order")["version"] == 1


def test_a_list_that_stands_elsewhere_is_named(deck: Served) -> None:
    for group in ("project", "worker"):
        assert f"hint: taskdeck {group}s lists them" in deck(group, "list").stderr
    assert "hint: taskdeck token --help lists the commands" in deck("token", "nope").stderr
    assert "hint: taskdeck --help lists the commands" in deck("nope").stderr
