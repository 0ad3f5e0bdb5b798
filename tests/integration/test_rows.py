"""Tasks in memory and their rows: what is written late is written right, whoever fails in between."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.errors import Conflict
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.finish import complete
from taskdeck.service.forms import fill
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.operate import reprioritize, retry
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.store import rows, tasks
from taskdeck.store.unit import Unit

pytestmark = pytest.mark.integration


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    made(lambda unit: create(unit, ROOT, [NewTask(f"t{n}", "default") for n in range(4)]))
    yield made
    made.close()


def _claim(ref: str | None = None) -> Any:
    return lambda unit: claim(unit, ROOT, ClaimRequest("w", ref)).tasks[0].key


def _breaks_a_rule(unit: Unit) -> None:
    task = tasks.find(unit, "T3")
    assert task is not None
    tasks.update(unit, task, {"attempt": 99})  # more than it has


def _changes_and_raises(unit: Unit) -> None:
    reprioritize(unit, ROOT, "T1", 99)
    assert unit.read("SELECT priority FROM tasks WHERE key = 'T1'").fetchone() == (99,), "a query sees what came before"
    raise ValueError


def _takes_back_a_fence(unit: Unit) -> None:
    task = tasks.find(unit, "T1")
    assert task is not None
    tasks.update(unit, task, {"fence": task.fence - 1})


@pytest.mark.parametrize("neighbours", [0, 1, 3])
@pytest.mark.parametrize("arranged", [False, True])
def test_a_fence_never_shrinks(store: BareStore, neighbours: int, arranged: bool) -> None:
    """Not even by a fault of our own: a claim that is over would be good again."""
    store(_claim("T1"))
    beside = [_claim(f"T{n}") for n in range(2, 2 + neighbours)]

    def work(unit: Unit) -> None:
        if arranged:
            reprioritize(unit, ROOT, "T1", 99)
        _takes_back_a_fence(unit)

    outcomes = store.batch(*beside, work).outcomes
    assert [type(failure) for _, _, failure in outcomes] == [type(None)] * neighbours + [rows.Spoiled]
    assert store.rows("SELECT fence, priority FROM tasks ORDER BY number") == [(1, 50)] * (1 + neighbours) + [
        (0, 50)
    ] * (3 - neighbours)
    store.check()


def test_what_was_made_changed_and_given_up_is_not_written(store: BareStore, caplog: pytest.LogCaptureFixture) -> None:
    def work(unit: Unit) -> None:
        (task,) = create(unit, ROOT, [NewTask("new", "default")])
        reprioritize(unit, ROOT, task.key, 99)
        raise ValueError

    outcomes = store.batch(_claim("T1"), work, _claim("T2")).outcomes
    assert [type(failure) for _, _, failure in outcomes] == [type(None), ValueError, type(None)]
    assert "broke a rule" not in caplog.text
    assert store.rows("SELECT key, state FROM tasks ORDER BY number") == [
        ("T1", "claimed"), ("T2", "claimed"), ("T3", "ready"), ("T4", "ready"),
    ]  # fmt: skip
    store.check()


def test_new_tasks_are_written_with_those_of_others_and_a_number_given_up_is_given_again(store: BareStore) -> None:
    def fails(*, read: bool) -> Any:
        def work(unit: Unit) -> None:
            create(unit, ROOT, [NewTask("never", "default"), NewTask("nor this", "side")])
            if read:
                assert unit.read("SELECT count(*) FROM tasks").fetchone()[0] > 5, "a query sees what was made"
            raise ValueError

        return work

    def make(title: str, **fields: Any) -> Any:
        return lambda unit: create(unit, ROOT, [NewTask(title, "default", **fields)])[0].number

    outcomes = store.batch(
        make("a"), fails(read=True), make("b", depends_on=("T5",)), fails(read=False), make("c", key="C"), _claim("C"),
    ).outcomes  # fmt: skip
    assert [result for _, result, _ in outcomes] == [5, None, 6, None, 7, "C"]
    assert store.rows("SELECT number, key, state, title FROM tasks JOIN bodies ON task = number WHERE number > 4") == [
        (5, "T5", "ready", "a"), (6, "T6", "blocked", "b"), (7, "C", "claimed", "c"),
    ]  # fmt: skip
    store.check()


def test_a_key_is_taken_by_a_task_that_is_not_written_yet(store: BareStore) -> None:
    twice = [NewTask("a", "default", key="K"), NewTask("b", "default", key="K")]
    outcomes = store.batch(lambda unit: create(unit, ROOT, twice), lambda unit: create(unit, ROOT, twice[:1])).outcomes
    assert isinstance(outcomes[0][2], Conflict)
    assert "the key K is in use" in str(outcomes[0][2])
    assert store.rows("SELECT title FROM bodies WHERE task > 4") == [("a",)]
    store.check()


def test_a_late_row_that_breaks_a_rule_fails_its_own_unit_alone(store: BareStore) -> None:
    outcomes = store.batch(_claim("T1"), _breaks_a_rule, _claim("T2")).outcomes
    assert [result for _, result, _ in outcomes] == ["T1", None, "T2"]
    assert [type(failure) for _, _, failure in outcomes] == [type(None), sqlite3.IntegrityError, type(None)]
    assert store.rows("SELECT key, state, attempt FROM tasks ORDER BY number") == [
        ("T1", "claimed", 1), ("T2", "claimed", 1), ("T3", "ready", 0), ("T4", "ready", 0),
    ]  # fmt: skip
    assert [event["seq"] for event in store.events()] == list(range(1, len(store.events()) + 1))
    store.check()


@pytest.mark.parametrize("together", [4, 5, 11, 13, 33, 65, 130, 193, 260])
def test_a_batch_of_any_size_is_written_whole_and_nothing_beside_it(store: BareStore, together: int) -> None:
    """Statements are prepared for few sizes: what fills them up leaves no row behind, and changes none."""
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default") for _ in range(together)]))
    keys = [f"T{n}" for n in range(5, 5 + together)]
    store.batch(*[_claim(key) for key in keys])
    assert store.rows("SELECT count(*) FROM tasks WHERE state = 'claimed' AND number > 4") == [(together,)]
    store.batch(*[lambda unit, key=key: complete(unit, ROOT, key, 1, result=f'"{key}"') for key in keys])
    done = store.rows("SELECT result FROM tasks JOIN bodies ON task = number WHERE state = 'done' ORDER BY number")
    assert done == [(f'"{key}"',) for key in keys]
    assert store.rows("SELECT count(*) FROM tasks WHERE state = 'ready'") == [(4,)]
    store.check()


def test_of_a_row_only_what_differs_is_written(store: BareStore) -> None:
    """A beat touches no index but that of leases; of two changes in one batch both are written."""
    store(_claim("T1"))
    store.clock.advance(1)
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    store(lambda unit: heartbeat(unit, ROOT, "T1", 1))
    store.batch(
        lambda unit: heartbeat(unit, ROOT, "T1", 1, progress=40), lambda unit: reprioritize(unit, ROOT, "T1", 99)
    )
    store.runner.connection.set_trace_callback(None)
    written = [set(re.findall(r"(\w+) = ", sql.partition(" WHERE ")[0])) for sql in seen if "UPDATE tasks" in sql]
    assert written == [
        {"heartbeat_at", "expires_at", "updated_at", "version"},
        {"progress", "priority", "version"},
    ]
    assert store.rows("SELECT progress, priority FROM tasks WHERE key = 'T1'") == [(40, 99)]
    store.check()


def test_a_unit_that_raises_takes_back_its_own_change_and_no_other(store: BareStore) -> None:
    outcomes = store.batch(_claim("T1"), _changes_and_raises, _claim("T2")).outcomes
    assert [result for _, result, _ in outcomes] == ["T1", None, "T2"]
    assert store.rows("SELECT state, priority, fence FROM tasks WHERE key = 'T1'") == [("claimed", 50, 1)]
    store.check()
    store(lambda unit: complete(unit, ROOT, "T1", 1))
    assert store.rows("SELECT state FROM tasks WHERE key = 'T1'") == [("done",)]
    store.check()


def test_more_tasks_than_are_kept_are_read_again(store: BareStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KEPT", 8)
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default") for _ in range(60)]))
    held = [store(_claim()) for _ in range(40)]
    assert held == [f"T{n}" for n in range(1, 41)]
    assert len(list(store.runner.rows)) <= 8
    store.check()
    for key in held:
        store(lambda unit, key=key: complete(unit, ROOT, key, 1))
    assert store.rows("SELECT count(*) FROM tasks WHERE state = 'done'") == [(40,)]
    store.check()


def test_what_has_ended_is_not_kept(store: BareStore) -> None:
    store.batch(_claim("T1"), _claim("T2"))
    store(lambda unit: complete(unit, ROOT, "T1", 1, result='"' + "x" * 200_000 + '"'))
    assert store.runner.rows.named("T1") is None
    assert store.runner.rows.named("T2") is not None
    store(lambda unit: retry(unit, ROOT, "T1"))
    assert store(_claim("T1")) == "T1"
    store.check()


def test_a_task_with_a_long_text_is_claimed_and_finished_like_any_other(store: BareStore) -> None:
    long = NewTask("t", "default", priority=90, payload='"' + "x" * (rows.LONG + 1) + '"')
    store(lambda unit: create(unit, ROOT, [long, long]))
    store.close()
    store.open()  # with nothing in memory
    held = [store(_claim()) for _ in range(3)]
    assert held == ["T5", "T6", "T1"]
    assert store.runner.rows.named("T5") is None
    store(lambda unit: complete(unit, ROOT, "T5", 1))
    store.check()


def test_a_task_with_a_long_draft_or_long_gates_is_not_kept(store: BareStore) -> None:
    gates = orjson.dumps([{"before": "approve", "hook": f"{n}{'h' * 200}"} for n in range(90)]).decode()
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", gates=gates, priority=90)]))
    assert store.runner.rows.named("T5") is None
    assert store.batch(_claim("T1"), _claim()).outcomes[1][1] == "T5"
    store(lambda unit: fill(unit, ROOT, "T1", 1, {"a": "x" * rows.LONG}))
    assert store.runner.rows.named("T1") is None
    store.close()
    store.open()
    store.clock.advance(3_600)
    assert {store(_claim()) for _ in range(5)} == {"T1", "T2", "T3", "T4", "T5"}
    assert store.runner.rows.named("T1") is store.runner.rows.named("T5") is None
    store.check()


def test_a_task_is_read_without_writing_others_unless_it_is_to_be_written_itself(store: BareStore) -> None:
    def work(unit: Unit) -> tuple[str, bool, int | None, bool]:
        for number in (2, 3):
            unit.rows.forget(number)
        edit(unit, ROOT, "T1", Edit({"due": 99}))
        other = tasks.find(unit, "T2")
        assert other is not None
        left_alone = unit.rows.waiting
        edit(unit, ROOT, "T3", Edit({"due": 98}))
        unit.rows.forget(3)
        changed = tasks.find(unit, "T3")
        assert changed is not None
        return other.key, left_alone, changed.due, unit.rows.waiting

    assert store(work) == ("T2", True, 98, False)
