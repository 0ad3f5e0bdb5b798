"""The order of claims: priorities first, but no task waits beyond the bound, however many newer ones come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import running_deck
from taskdeck.config import Settings
from taskdeck.domain.errors import Invalid
from taskdeck.domain.order import USUAL, Order
from taskdeck.domain.project import DAY_MS
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.explain import explain
from taskdeck.service.finish import fail
from taskdeck.service.operate import cancel, retry
from taskdeck.service.projects import create_project
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store.folder import ADMIN_TOKEN

BOUND_S = 100
SHORT = Order.of_days(BOUND_S * 1000 / DAY_MS)
"""A second for each point of priority."""

Opened = Callable[[Order], BareStore]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("order"))


@pytest.fixture
def opened(template: Template, tmp_path: Path) -> Iterator[Opened]:
    """Opens the same deck under some order, closing it if it was open."""
    stores: list[BareStore] = []

    def open_(order: Order) -> BareStore:
        if not stores:
            stores.append(template.copy(tmp_path / "deck.db", FakeClock(), CountingIds(), order))
        else:
            stores[0].close()
            stores[0].order = order
            stores[0].open()
        return stores[0]

    yield open_
    stores[0].close()


def _made(store: BareStore, *priorities: int) -> None:
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", priority=p) for p in priorities]))


def _claimed(store: BareStore, count: int = 1) -> list[str]:
    return [task.key for task in store(lambda unit: claim(unit, ROOT, ClaimRequest("w", max_tasks=count))).tasks]


@given(st.integers(0, 99), st.integers(3, 9), st.data())
@settings(max_examples=12)
def test_no_task_waits_beyond_the_bound(
    template: Template, tmp_path_factory: pytest.TempPathFactory, low: int, each_s: int, data: st.DataObject
) -> None:
    """More and higher tasks come than are claimed, all the time; nothing that comes after the bound goes first."""
    store = template.copy(tmp_path_factory.mktemp("deck") / "deck.db", FakeClock(), CountingIds(), SHORT)
    begun = store.clock.now_ms()
    _made(store, low)
    for _ in range(3 * BOUND_S):
        _made(store, *data.draw(st.lists(st.integers(low + 1, 100), min_size=2, max_size=3)))
        if _claimed(store) == ["T1"]:
            break
        store.clock.advance(each_s)
    bound = begun + (100 - low) * 1000
    claimed = store.rows("SELECT key, created_at >= ? FROM tasks WHERE state = 'claimed'", (bound,))
    assert ("T1", 0) in claimed
    assert not [key for key, late in claimed if late]
    store.check()
    store.close()


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 300)), min_size=1, max_size=30), st.integers(0, 3))
@settings(max_examples=25)
def test_which_goes_first_never_changes_while_they_wait(tasks: list[tuple[int, int]], step: int) -> None:
    order = Order(step)
    ranked = sorted(tasks, key=lambda task: order.rank(*task))
    for now in (300, 301, 10_000):
        raised = [priority + (now - since) / step if step else priority for priority, since in ranked]
        assert raised == pytest.approx(sorted(raised, reverse=True))


def test_priority_comes_first_among_tasks_of_about_the_same_time(opened: Opened) -> None:
    store = opened(USUAL)
    for priority in (50, 10, 51, 100, 50):
        _made(store, priority)
        store.clock.advance(600)
    assert _claimed(store, 5) == ["T4", "T3", "T1", "T5", "T2"]


def test_one_that_waited_long_goes_before_a_newer_higher_one(opened: Opened) -> None:
    store = opened(SHORT)
    _made(store, 50)
    store.clock.advance(9)
    _made(store, 60)
    store.clock.advance(2)
    _made(store, 60)
    assert _claimed(store, 3) == ["T2", "T1", "T3"]


def test_without_ageing_nothing_but_priority_and_number_counts(opened: Opened) -> None:
    store = opened(Order(0))
    _made(store, 50)
    store.clock.advance(10 * 365 * 86_400)
    _made(store, 51, 50)
    assert _claimed(store, 3) == ["T2", "T1", "T3"]
    store.check()


def test_coming_back_from_a_claim_keeps_the_place_and_a_new_life_begins_anew(opened: Opened) -> None:
    store = opened(SHORT)
    _made(store, 50, 50, 50)
    assert _claimed(store, 3) == ["T1", "T2", "T3"]
    store.clock.advance(5)
    _made(store, 50)
    store(lambda unit: release(unit, ROOT, "T2", 1))
    store(lambda unit: fail(unit, ROOT, "T3", 1, message="later", delay_ms=5_000))
    store(lambda unit: cancel(unit, ROOT, "T1"))
    store.clock.advance(1)
    store(lambda unit: retry(unit, ROOT, "T1"))
    store.clock.advance(5)
    assert _claimed(store, 4) == ["T2", "T4", "T1", "T3"]
    store.check()


def test_another_bound_puts_the_queue_in_another_order(opened: Opened) -> None:
    store = opened(Order(0))
    _made(store, 50)
    store.clock.advance(50)
    _made(store, 60)
    assert _claimed(opened(USUAL)) == ["T2"]
    store(lambda unit: release(unit, ROOT, "T2", 1))
    assert _claimed(opened(SHORT)) == ["T1"]
    store.check()


def test_a_start_with_the_same_bound_makes_no_index_anew(opened: Opened) -> None:
    store = opened(SHORT)
    before = store.rows("PRAGMA schema_version")
    assert opened(SHORT).rows("PRAGMA schema_version") == before
    assert opened(USUAL).rows("PRAGMA schema_version") != before


def test_explain_says_by_how_much_waiting_has_raised_it(opened: Opened) -> None:
    store = opened(SHORT)
    _made(store, 50)
    store.clock.advance(7.9)
    _, (state, *_) = store(lambda unit: explain(unit, ROOT, "T1", "w"))
    assert state.detail == "is ready; waiting has raised its priority from 50 to 57"


def _of_projects(store: BareStore, **priorities: list[int]) -> None:
    for project, many in priorities.items():
        wishes = [NewTask("t", project, priority=priority) for priority in many]
        store(lambda unit, wishes=wishes: create(unit, ROOT, wishes))


def test_projects_are_served_in_turn_among_equal_priorities(opened: Opened) -> None:
    store = opened(Order(0, in_turn=True))
    store(lambda unit: create_project(unit, ROOT, "third", "X", {}))
    _of_projects(store, default=[50] * 6, side=[50, 50, 80], third=[50, 20])
    assert _claimed(store, 4) == ["S3", "T1", "X1", "S1"]
    assert _claimed(store, 6) == ["T2", "S2", "T3", "T4", "T5", "T6"]
    assert _claimed(store) == ["X2"]
    store.check()


def test_what_waited_longest_gets_its_turn_whatever_the_others_have(opened: Opened) -> None:
    store = opened(Order(SHORT.step_ms, in_turn=True))
    _of_projects(store, side=[0])
    store.clock.advance(BOUND_S + 1)
    _of_projects(store, default=[100] * 5)
    assert _claimed(store, 2) == ["S1", "T1"]


def test_a_claim_that_fails_uses_up_no_turn_and_a_named_project_has_none(opened: Opened) -> None:
    store = opened(Order(0, in_turn=True))
    _of_projects(store, default=[50] * 3, side=[50] * 3)
    with pytest.raises(Invalid):
        store(lambda unit: claim(unit, ROOT, ClaimRequest("w", lease_ms=0)))
    assert _claimed(store) == ["T1"]
    named = store(lambda unit: claim(unit, ROOT, ClaimRequest("w", project="default", max_tasks=2))).tasks
    assert [task.key for task in named] == ["T2", "T3"]
    assert _claimed(store) == ["S1"]
    store.check()


@given(st.lists(st.tuples(st.sampled_from(["default", "side", "third"]), st.sampled_from([20, 50, 80]))))
@settings(max_examples=20)
def test_turns_hand_out_all_there_is_and_a_higher_priority_first(
    template: Template, tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, int]]
) -> None:
    order = Order(0, in_turn=True)
    store = template.copy(tmp_path_factory.mktemp("deck") / "deck.db", FakeClock(), CountingIds(), order)
    store(lambda unit: create_project(unit, ROOT, "third", "X", {}))
    left = [(project, priority, number) for number, (project, priority) in enumerate(made, 1)]
    for project, priority, _ in left:
        _of_projects(store, **{project: [priority]})
    last: dict[str, int] = {}
    for turn in range(1, len(made) + 1):
        (task,) = store(lambda unit: claim(unit, ROOT, ClaimRequest("w"))).tasks
        highest = max(priority for _, priority, _ in left)
        able = [one for one in left if one[1] == highest]
        first_of = {name: min(number for name_, _, number in able if name_ == name) for name, _, _ in able}
        expected = min(first_of, key=lambda name: (last.get(name, 0), first_of[name]))
        assert (task.bucket.project, task.number) == (expected, first_of[expected])
        left.remove((expected, highest, first_of[expected]))
        last[expected] = turn
        store.check()
    store.close()


async def test_pages_of_the_queue_come_in_the_order_of_claims(tmp_path: Path, clock: FakeClock) -> None:
    settings_ = Settings(data=tmp_path / "data", port=0, ageing_days=SHORT.days)
    async with running_deck(settings_, clock=clock, ids=CountingIds()) as running:
        secret = (running.data / ADMIN_TOKEN).read_text().strip()
        async with Api(running.url, secret) as api:
            assert (await api.get("/v1/stats"))["ageing_days"] == pytest.approx(SHORT.days)
            for priority in (50, 53, 50, 90, 53, 52):
                await api.post("/v1/tasks", {"title": "t", "priority": priority})
                clock.advance(2)
            path, listed, cursor = "/v1/tasks?state=ready&sort=priority&view=summary&limit=2", [], ""
            for _ in range(3):
                page = await api.get(path + cursor)
                listed += [task["key"] for task in page["tasks"]]
                cursor = f"&cursor={page['next_cursor']}"
            given = await api.post("/v1/claims", {"worker": "w", "max_tasks": 6})
    assert listed == [one["task"]["key"] for one in given["claims"]] == ["T4", "T2", "T1", "T3", "T5", "T6"]
