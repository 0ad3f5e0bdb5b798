"""Lists by page number: few are sorted, many are walked along an index, and both show the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.people import ROOT

from taskdeck.domain.errors import Invalid
from taskdeck.domain.states import State
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store import ordered
from taskdeck.store.filters import TaskFilter
from taskdeck.store.ordered import Order, Wanted, count, list_page
from taskdeck.store.reader import Reader

GROUPS = ((State.BACKLOG, State.SCHEDULED, State.READY), (State.CLAIMED,), (State.DONE,))
FEW = 5


class Told(Reader):
    """The reader of a deck, that tells what it is asked."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader._all)
        self.asked: list[tuple[str, Sequence[Any]]] = []

    async def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        self.asked.append((sql, values))
        return await super().rows(sql, values)


@pytest.fixture
async def reader(deck: Deck) -> Told:
    wishes = [
        NewTask(
            "t", "default", priority=(7, 50, 93)[n % 3], backlog=n % 5 == 0, not_before=2**42 if n % 7 == 0 else None
        )
        for n in range(40)
    ]
    await deck.write(lambda unit: create(unit, ROOT, wishes) and None)
    await deck.write(lambda unit: claim(unit, ROOT, ClaimRequest("w", max_tasks=8)) and None)
    return Told(deck.reader)


def _wanted(order: Order, **more: Any) -> Wanted:
    given = {"filter": TaskFilter(), "descending": False, "offset": 0, "limit": 9, "groups": GROUPS}
    return Wanted(order=order, **(given | more))


@pytest.mark.parametrize("order", ["number", "state", "priority"])
@pytest.mark.parametrize(
    "more",
    [
        {}, {"filter": TaskFilter(states=(State.READY, State.CLAIMED))},
        {"filter": TaskFilter(projects=frozenset({"no"}))},
        {"priority": 50}, {"whose": "w"},
    ],
    ids=["all", "states", "projects", "priority", "whose"],
)  # fmt: skip
@pytest.mark.parametrize("descending", [False, True])
async def test_many_are_walked_to_what_few_are_sorted_to(
    reader: Told, monkeypatch: pytest.MonkeyPatch, order: Order, more: dict[str, Any], descending: bool
) -> None:
    async def pages() -> list[tuple[list[int], int]]:
        asked = [_wanted(order, descending=descending, offset=offset, **more) for offset in range(0, 50, 4)]
        found = [await list_page(reader, wanted) for wanted in asked]
        return [([task.number for task in tasks], total) for tasks, total in found]

    few = await pages()
    monkeypatch.setattr(ordered, "SORTED_MOST", FEW)
    reader.asked.clear()
    assert await pages() == few
    walked = [(sql, values) for sql, values in reader.asked if "ORDER BY 1" in sql]
    assert walked or more.get("filter", TaskFilter()).projects is not None
    for sql, values in walked:
        plan = [row[3] for row in await reader.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert not any("TEMP B-TREE" in line or line == "SCAN t" for line in plan), plan


async def test_what_is_offered_to_somebody_is_found_by_its_name(reader: Told) -> None:
    unfinished = TaskFilter(states=(State.READY, State.CLAIMED))
    found, total = await list_page(reader, _wanted("number", filter=unfinished, whose="w"))
    assert (len(found), total) == (8, 8)
    sql, values = reader.asked[0]
    plan = [row[3] for row in await reader.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
    for index in ("tasks_held (worker=?)", "tasks_by_bucket (bucket=?)", "tasks_by_state (state=? AND number=?)"):
        assert any(index in line for line in plan), plan


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (TaskFilter(states=(State.READY, State.BLOCKED), due_before=5), "tasks_by_due (due<?)"),
        (TaskFilter(states=(State.DONE,), finished_after=5), "tasks_done_at (finished_at>?)"),
        (TaskFilter(overdue=True), "tasks_overdue"),
    ],
)
async def test_what_is_of_some_time_is_found_and_counted_by_it(reader: Told, wanted: TaskFilter, index: str) -> None:
    assert await list_page(reader, _wanted("first", filter=wanted)) == ([], await count(reader, wanted))
    for sql, values in reader.asked[:2]:
        plan = [row[3] for row in await reader.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        assert any(index in line for line in plan), plan


async def test_what_no_index_sorts_is_refused_where_it_is_much(reader: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "SORTED_MOST", FEW)
    orders: tuple[Order, ...] = ("updated", "whose")
    for order in orders:
        with pytest.raises(Invalid) as refused:
            await list_page(reader, _wanted(order))
        assert refused.value.stable_code == "too_many_to_sort"
        few = TaskFilter(states=(State.DONE,))
        assert await list_page(reader, _wanted(order, filter=few)) == ([], 0)
