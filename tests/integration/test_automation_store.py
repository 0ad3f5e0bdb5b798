"""Rules and the store: in force as the database says, in the commit that set them off, at no cost without them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT
from support.rules import URGENT

from taskdeck.domain import rule as bounds
from taskdeck.domain.rule import Rule
from taskdeck.service.automation import Automation
from taskdeck.service.create import create
from taskdeck.service.requests import NewTask
from taskdeck.service.rules import create_rule, edit_rule
from taskdeck.store.runner import no_hook


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
