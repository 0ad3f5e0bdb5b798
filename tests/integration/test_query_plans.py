"""The plans of what runs on every claim: each finds its rows by an index, none walks or sorts the queue."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.order import USUAL, Order
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.finish import complete
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.operate import cancel
from taskdeck.service.projects import edit_project
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store import attention

TASKS = 3_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deck with a queue of many kinds."""
    folder = tmp_path_factory.mktemp("plans")
    made = Template(folder).copy(folder / "deck.db", FakeClock(), CountingIds())
    now = made.clock.now_ms()
    wishes = [
        NewTask(
            "t", "default", priority=n % 101, labels=frozenset({f"l{n % 100}"}), not_before=now + n if n % 3 else None
        )
        for n in range(TASKS)
    ]
    made(lambda unit: create(unit, ROOT, wishes))
    made(lambda unit: create(unit, ROOT, [NewTask("c", "default", depends_on=(f"T{n + 1}",)) for n in range(300)]))
    made.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    made.close()
    return made.path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[BareStore]:
    """A copy of it, with nothing of the queue in memory."""
    shutil.copyfile(filled, tmp_path / "deck.db")
    made = BareStore(tmp_path / "deck.db", FakeClock(), CountingIds(10_000))
    yield made
    made.close()


def _plans(store: BareStore, act: Callable[[], object]) -> dict[str, list[str]]:
    """statement → its plan, of every statement on the tables of tasks that `act` runs."""
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    act()
    store.runner.connection.set_trace_callback(None)
    plans = {}
    for sql in seen:
        shape = re.sub(r"'[^']*'|\d+", "?", sql)
        if re.search(r"\b(tasks|dependencies|buckets|bodies)\b", sql) and not sql.startswith("INSERT"):
            plans[shape] = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
    return plans


def _check(plans: dict[str, list[str]]) -> None:
    assert plans
    for sql, plan in plans.items():
        for line in plan:
            assert "TEMP B-TREE" not in line, (sql, plan)
            assert not re.match(r"SCAN (tasks|t|d|b|dependencies|bodies|buckets)\b(?! USING)", line), (sql, plan)


def _uses(plans: dict[str, list[str]], text: str, index: str) -> bool:
    found = [plan for sql, plan in plans.items() if text in sql]
    assert found, f"no statement with {text}"
    return all(any(index in line for line in plan) for plan in found)


def test_a_narrow_claim_looks_into_its_bucket(store: BareStore) -> None:
    wish = ClaimRequest("w", labels=frozenset({"l3"}))
    plans = _plans(store, lambda: [store(lambda unit: claim(unit, ROOT, wish)) for _ in range(3)])
    _check(plans)
    assert _uses(plans, "ORDER BY queued_at - priority", "tasks_claimable_by_bucket (bucket=?)")


def test_a_wide_claim_looks_into_each_bucket_it_may_have(store: BareStore) -> None:
    plans = _plans(store, lambda: [store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))) for _ in range(3)])
    _check(plans)
    assert _uses(plans, "ORDER BY queued_at - priority", "tasks_claimable_by_bucket (bucket=?)")


def test_a_claim_under_every_rule_looks_where_it_finds_something(store: BareStore) -> None:
    """Projects in turn, gates, assignees, labels and capabilities ahead of the one task that may be had."""
    gates = '[{"before": "claim", "hook": "h"}]'
    ahead = [
        NewTask("gated", "default", priority=100, labels=frozenset({"rare"}), gates=gates),
        NewTask("able", "default", priority=100, labels=frozenset({"rare"}), capabilities=frozenset({"forge"})),
        NewTask("mine", "side", priority=100, labels=frozenset({"rare"}), assignee="somebody"),
    ]
    store(lambda unit: create(unit, ROOT, ahead * 300))
    store(lambda unit: create(unit, ROOT, [NewTask("it", "side", key="IT", priority=0, labels=frozenset({"rare"}))]))
    store.close()
    store.order = Order(USUAL.step_ms, in_turn=True)
    store.open()
    store.batch()
    wish = ClaimRequest("w", labels=frozenset({"rare"}))
    given = []
    plans = _plans(store, lambda: given.extend(store(lambda unit: claim(unit, ROOT, wish)).tasks))
    assert [task.key for task in given] == ["IT"]
    _check(plans)
    looked = [sql for sql in plans if "SELECT" in sql]
    assert len(looked) == 1, looked
    assert _uses(plans, "ORDER BY queued_at - priority", "tasks_claimable_by_bucket (bucket=?)")


def test_a_holders_verbs_touch_single_rows(store: BareStore) -> None:
    def act() -> None:
        given = store(lambda unit: claim(unit, ROOT, ClaimRequest("w", max_tasks=3))).tasks
        store(lambda unit: heartbeat(unit, ROOT, given[0].key, 1))
        store(lambda unit: release(unit, ROOT, given[1].id, 1))
        for task in (given[0], given[2]):
            store(lambda unit, task=task: complete(unit, ROOT, str(task.number), 1))

    _check(_plans(store, act))


def test_what_is_due_is_found_by_its_time(store: BareStore) -> None:
    for _ in range(5):
        store(lambda unit: claim(unit, ROOT, ClaimRequest("w", lease_ms=5_000)))
    store.clock.advance(10)
    plans = _plans(store, store.batch)
    _check(plans)
    assert _uses(plans, "not_before <= ?", "tasks_scheduled (not_before<?)")
    assert _uses(plans, "expires_at <= ?", "tasks_leases (lapsed=? AND expires_at<?)")
    assert _uses(plans, "coalesce", "tasks_scheduled")


def test_turns_that_are_over_are_found_by_their_time(store: BareStore) -> None:
    turns = '[{"assignee":"a","seconds":60},{"assignee":"b"}]'
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", assignees=turns) for _ in range(200)]))
    store.clock.advance(61)
    plans = _plans(store, store.batch)
    _check(plans)
    assert _uses(plans, "turn_ends_at <= ?", "tasks_turns (turn_ends_at<?)")
    assert _uses(plans, "coalesce", "tasks_turns")


def test_children_are_found_by_their_parent(store: BareStore) -> None:
    made = store(lambda unit: create(unit, ROOT, [NewTask("g", "default", kind="goal", key="G")]))
    wishes = [NewTask("c", "default", parent="G") for _ in range(300)]
    children = store(lambda unit: create(unit, ROOT, wishes))

    def act() -> None:
        fence = store(lambda unit: claim(unit, ROOT, ClaimRequest("w", children[0].key))).tasks[0].fence
        store(lambda unit: complete(unit, ROOT, children[0].key, fence))
        store(lambda unit: cancel(unit, ROOT, made[0].key, with_children=True))
        store.batch()

    plans = _plans(store, act)
    _check(plans)
    assert _uses(plans, "WHERE parent = ? AND state", "tasks_children (parent=? AND state=?")


def test_a_task_without_children_or_parent_costs_no_look_for_them(store: BareStore) -> None:
    def act() -> None:
        fence = store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))).tasks[0]
        store(lambda unit: complete(unit, ROOT, fence.key, fence.fence))

    store.batch()  # the look ahead of a start
    assert not [sql for sql in _plans(store, act) if re.search(r"WHERE parent = \?.*state|cancelling", sql)]


@pytest.mark.parametrize(
    ("place", "index"),
    [
        (attention.WAITING, "tasks_calling (work_state=?)"), (attention.ERRORED, "tasks_calling (work_state=?)"),
        (attention.LAPSED, "tasks_leases (lapsed=?)"), (attention.HELD, "tasks_held (worker=?)"),
        (attention.LOOPING, "tasks_looping (fence>?)"), (attention.OVERDUE, "tasks_by_due (due>? AND due<?)"),
        (attention.REVIEW, "tasks_by_state (state=?)"), (attention.FAILED, "tasks_failed (finished_at>?)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("projects", [None, frozenset({"default"})])
def test_what_needs_a_human_is_found_by_an_index(
    store: BareStore, place: attention.Place, index: str, projects: frozenset[str] | None
) -> None:
    values = ('["w"]',) if place is attention.HELD else (5,) * place.clause.count("?")
    for sql, given in (attention.looking(place, values, projects, 9), attention.counting(place, values, projects)):
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}", tuple(given))]
        _check({sql: plan})
        assert any(index in line for line in plan), plan


def test_a_jump_of_the_clock_touches_what_runs_alone(store: BareStore) -> None:
    store(lambda unit: claim(unit, ROOT, ClaimRequest("w")))
    store.clock.jump(100)
    plans = _plans(store, store.batch)
    _check(plans)
    assert _uses(plans, "SET expires_at = expires_at", "tasks_leases")
    assert _uses(plans, "SET turn_ends_at = turn_ends_at", "tasks_turns")
    assert _uses(plans, "SET review_ends_at = review_ends_at", "tasks_reviews")


def test_the_claims_of_a_worker_that_is_gone_are_found_by_its_name(store: BareStore) -> None:
    store.rows("UPDATE projects SET offline_claims = 'lapse'")
    store.runner.mirror.load(store.runner.connection)
    store(lambda unit: claim(unit, ROOT, ClaimRequest("w", max_tasks=3, lease_ms=3_600_000)))
    store.clock.advance(122)
    plans = _plans(store, store.batch)
    _check(plans)
    assert _uses(plans, "AND worker = ?", "tasks_held (worker=?)")


def test_what_goes_side_by_side_is_found_in_the_order_of_claims(store: BareStore) -> None:
    limits = {"max_claims": 2_000, "exclusive_files": True}

    def act() -> None:
        store(lambda unit: edit_project(unit, ROOT, "default", limits, None))
        for _ in range(3):
            store(lambda unit: claim(unit, ROOT, ClaimRequest("w")))

    plans = _plans(store, act)
    _check(plans)
    assert _uses(plans, "t.bucket = ?", "tasks_claimable_by_bucket (bucket=?)")
    assert _uses(plans, "WHERE t.state IN", "tasks_by_state (state=?)")
