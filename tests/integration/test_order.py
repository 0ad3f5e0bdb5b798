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
from taskdeck.domain.order import USUAL, Order
from taskdeck.domain.project import DAY_MS
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.explain import explain
from taskdeck.service.finish import fail
from taskdeck.service.operate import cancel, retry
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
