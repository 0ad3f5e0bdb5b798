"""The filter of the queue."""

from __future__ import annotations

from typing import Any

import pytest
from scene import claim, task

from taskdeck.tui.model.filter import OPEN, FilterError, parse
from taskdeck.tui.model.rows import TaskRow

pytestmark = pytest.mark.unit


def row(**fields: Any) -> TaskRow:
    state = fields.pop("state", "ready")
    return TaskRow.of(task(7, state, **fields))


@pytest.mark.parametrize(
    ("text", "fields", "admitted"),
    [
        ("", {}, True),
        ("", {"state": "done"}, False),
        ("state:done", {"state": "done"}, True),
        ("state:re", {"state": "review"}, True),
        ("state:ready,failed", {"state": "failed"}, True),
        ("state:ready,failed", {"state": "claimed"}, False),
        ("-state:ready", {"state": "ready"}, False),
        ("state:open", {"state": "blocked"}, True),
        ("project:web", {"project": "Web"}, True),
        ("project:web", {"project": "webshop"}, False),
        ("label:eu", {"labels": ["EU", "x"]}, True),
        ("-label:eu", {"labels": ["eu"]}, False),
        ("holder:render-02", {"state": "claimed", "claim": claim("render-02", left=9)}, True),
        ("holder:render-02", {}, False),
        ("assignee:maria", {"assignee": "Maria"}, True),
        ("key:w7", {}, True),
        ("key:w8", {}, False),
        ("invoice", {"title": "Send INVOICES"}, True),
        ("send -invoice", {"title": "Send invoices"}, False),
        ('"send in"', {"title": "Send invoices"}, True),
        ("12:30", {"title": "at 12:30 sharp"}, True),
    ],
)
def test_terms_are_anded(text: str, fields: dict[str, Any], admitted: bool) -> None:
    assert parse(text).admits(row(**fields)) is admitted


@pytest.mark.parametrize(
    ("text", "column", "names"),
    [
        ("stat:x", 1, "no field “stat”"),
        ("a state:nowhere", 3, "no state “nowhere”"),
        ("ok project:", 4, "needs a value"),
        ('title "open', 7, "quote is not closed"),
    ],
)
def test_a_fault_is_named_with_its_column(text: str, column: int, names: str) -> None:
    with pytest.raises(FilterError, match=names) as caught:
        parse(text)
    assert caught.value.column == column


def test_what_the_server_can_ask_is_sent_to_it() -> None:
    assert parse("project:web label:eu holder:a fix it key:W1").params() == {
        "project": "web", "label": "eu", "worker": "a", "q": "fix it W1",
    }  # fmt: skip
    assert parse("project:a,b -label:x").params() == {}


def test_the_states_are_in_the_order_of_the_queue() -> None:
    assert parse("").states == OPEN
    assert parse("state:blocked,claimed").states == ("claimed", "blocked")
    assert "done" not in parse("-state:ready").states


def test_words_the_server_searched_are_not_asked_again() -> None:
    chosen = parse("wherefore label:eu")
    assert chosen.admits(row(labels=["eu"]), searched=True)
    assert not chosen.admits(row(), searched=True)
