"""The filter of the queue."""

from __future__ import annotations

from typing import Any

import pytest
from scene import NOW, at, claim, task

from taskdeck.tui.model.filter import OPEN, QueryError, parse
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
        ("key:W*", {}, True),
        ("prio>=50", {}, True),
        ("prio<50", {}, False),
        ("state:review | label:eu", {"labels": ["eu"]}, True),
        ("age>10m", {}, True),
        ("age>1h", {}, False),
        ("wait>5m", {}, True),
        ("lease<1m", {"state": "claimed", "claim": claim("a", left=9)}, True),
        ("lease<1m", {"state": "claimed", "claim": claim("a", left=900)}, False),
        ("is:stuck", {"state": "claimed", "claim": claim("a", left=-9)}, True),
        ("is:mine", {"state": "claimed", "claim": claim("ops-maria", left=9)}, True),
        ("is:mine", {"state": "claimed", "claim": claim("a", left=9)}, False),
        ("has:due", {}, False),
        ("due<1h", {"due": at(1800)}, True),
        ("error:farm", {"state": "failed", "error": {"message": "the Farm is down"}}, True),
        ("invoice", {"title": "Send INVOICES"}, True),
        ("send -invoice", {"title": "Send invoices"}, False),
        ('"send in"', {"title": "Send invoices"}, True),
        ("12:30", {"title": "at 12:30 sharp"}, True),
    ],
)
def test_terms_are_anded(text: str, fields: dict[str, Any], admitted: bool) -> None:
    assert parse(text).admits(row(**fields), NOW, "ops-maria") is admitted


@pytest.mark.parametrize(
    ("text", "column", "names"),
    [
        ("stat:x", 1, "no field “stat”"),
        ("a state:nowhere", 9, "no state “nowhere”"),
        ("ok project:", 4, "needs a value"),
        ('title "open', 7, "quote is not closed"),
    ],
)
def test_a_fault_is_named_with_its_column(text: str, column: int, names: str) -> None:
    with pytest.raises(QueryError, match=names) as caught:
        parse(text)
    assert caught.value.column == column


def test_the_server_is_asked_the_same_words() -> None:
    text = "project:web -label:eu (holder:a | payload.tenant:x)"
    assert parse(f" {text} ").params() == {"q": text}
    assert parse("").params() == {}


def test_counts_tell_how_many_match_where_only_states_are_asked() -> None:
    assert parse("state:ready -state:done").by_state and parse("").by_state
    assert not parse("state:ready label:x").by_state and not parse("(state:ready | state:done)").by_state


def test_what_a_row_does_not_know_is_the_servers_word() -> None:
    for text in ("payload.tenant:acme", "-payload.tenant:acme", "by:pipeline", "has:result"):
        assert parse(text).admits(row(), NOW, searched=True)
        assert not parse(text).admits(row(), NOW)
    assert not parse("payload.tenant:acme prio>90").admits(row(), NOW, searched=True)


def test_the_states_are_in_the_order_of_the_queue() -> None:
    assert parse("").states == OPEN
    assert parse("state:blocked,claimed").states == ("claimed", "blocked")
    assert "done" not in parse("-state:ready").states


def test_words_the_server_searched_are_not_asked_again() -> None:
    chosen = parse("wherefore label:eu")
    assert chosen.admits(row(labels=["eu"]), searched=True)
    assert not chosen.admits(row(), searched=True)
