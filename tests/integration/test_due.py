"""Due dates: told once when they pass, listed soonest first, found by indexes however many tasks there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.order import USUAL
from taskdeck.domain.replay import replay
from taskdeck.domain.states import State
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.requests import NewTask
from taskdeck.store.filters import TaskFilter
from taskdeck.store.listing import list_tasks
from taskdeck.store.timers import CHUNK


def _in(clock: FakeClock, seconds: float) -> str:
    return rfc3339(clock.now_ms() + round(seconds * 1000))


async def _told(api: Api) -> list[str]:
    await api.tick()
    return [event["task"]["key"] for event in await api.events(type="task.overdue")]


async def test_a_due_date_that_passes_is_told_once(api: Api, clock: FakeClock) -> None:
    task = await api.create(due=_in(clock, 60))
    assert task["overdue_at"] is None
    clock.advance(59.999)
    assert await _told(api) == []
    clock.advance(0.001)
    for _ in range(3):
        assert await _told(api) == [task["key"]]
    shown = await api.get(f"/v1/tasks/{task['id']}")
    assert (shown["overdue_at"], shown["state"], shown["version"]) == (_in(clock, 0), "ready", 2)
    (event,) = await api.events(type="task.overdue")
    assert (event["actor"], event["facts"], event["changes"]["overdue_at"]) == (
        "deck", {"late_seconds": 0.0}, shown["overdue_at"],
    )  # fmt: skip
    assert replay(await api.events())[task["id"]] == shown


async def test_every_open_state_can_be_overdue_and_no_ended_one(api: Api, clock: FakeClock) -> None:
    due = _in(clock, 60)
    ready = await api.create("ready", due=due)
    blocked = await api.create("blocked", due=due, depends_on=[ready["key"]])
    later = await api.create("scheduled", due=due, not_before=_in(clock, 600))
    held = await api.create("held", due=due)
    await api.claim(task=held["key"])
    ended = await api.create("ended", due=due)
    await api.post(f"/v1/tasks/{ended['key']}/cancel")
    await api.create("none")
    clock.advance(61)
    assert await _told(api) == [task["key"] for task in (ready, blocked, later, held)]
    listed = (await api.get("/v1/tasks?overdue=true&sort=number"))["tasks"]
    assert [task["key"] for task in listed] == [task["key"] for task in (ready, blocked, later, held)]
    others = (await api.get("/v1/tasks?overdue=false"))["tasks"]
    assert {task["title"] for task in others} == {"ended", "none"}
    await api.post(f"/v1/tasks/{held['key']}/complete", {"fence": 1})
    assert held["key"] not in {task["key"] for task in (await api.get("/v1/tasks?overdue=true"))["tasks"]}
    await api.post(f"/v1/tasks/{ended['key']}/retry")
    assert (await _told(api))[-1] == ended["key"]


async def test_a_new_date_is_a_new_chance(api: Api, clock: FakeClock) -> None:
    task = await api.create(due=_in(clock, -5))
    assert await _told(api) == [task["key"]]
    edited = await api.patch(f"/v1/tasks/{task['id']}", {"due": _in(clock, 60)})
    assert edited["overdue_at"] is None
    assert await _told(api) == [task["key"]]
    clock.advance(60)
    assert await _told(api) == [task["key"]] * 2
    cleared = await api.patch(f"/v1/tasks/{task['id']}", {"due": None})
    assert (cleared["due"], cleared["overdue_at"]) == (None, None)
    clock.advance(60)
    assert await _told(api) == [task["key"]] * 2


async def test_the_soonest_due_come_first_page_by_page(api: Api, clock: FakeClock) -> None:
    wishes = [{"title": str(n), "due": _in(clock, 1000 + n * 37 % 10 * 10)} for n in range(23)]
    await api.post("/v1/tasks", {"tasks": [*wishes, {"title": "no date"}]})
    await api.post("/v1/tasks/T5/cancel")
    found: list[Any] = []
    cursor = ""
    while True:
        page = await api.get(f"/v1/tasks?sort=due&limit=4{cursor}")
        found += page["tasks"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    order = [(task["due"], task["number"]) for task in found]
    assert order == sorted(order)
    assert len({number for _, number in order}) == 22
    window = f"due_after={_in(clock, 1020)}&due_before={_in(clock, 1040)}"
    inside = (await api.get(f"/v1/tasks?{window}&limit=200"))["tasks"]
    assert {task["due"] for task in inside} == {_in(clock, 1020), _in(clock, 1030)}
    assert (await api.call("GET", "/v1/tasks?due_before=tomorrow")).code == "invalid_request"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


def test_many_dates_that_pass_at_once_are_told_in_chunks(store: BareStore) -> None:
    due = store.clock.now_ms() + 1000
    wishes = [NewTask(str(n), "default", due=due) for n in range(CHUNK * 2 + 5)]
    store(lambda unit: create(unit, ROOT, wishes))
    store.clock.advance(2)
    told = []
    while store.runner.mirror.next_due <= store.clock.now_ms():
        store.batch()
        told.append(store.rows("SELECT count(*) FROM tasks WHERE overdue_at IS NOT NULL")[0][0])
    assert told == [CHUNK, CHUNK * 2, CHUNK * 2 + 5]
    store.check()


def test_what_has_come_due_is_found_by_an_index(store: BareStore) -> None:
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", due=store.clock.now_ms() + 1000)]))
    store.clock.advance(2)
    seen: list[str] = []
    store.runner.connection.set_trace_callback(seen.append)
    store.batch()
    store.runner.connection.set_trace_callback(None)
    found = [sql for sql in seen if "tasks_due_next" in sql]
    assert len(found) == 2
    for sql in found:
        plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
        assert any("tasks_due_next" in line for line in plan), plan
        assert not any("TEMP B-TREE" in line for line in plan), plan


@pytest.mark.parametrize(
    ("wanted", "sort", "after", "index"),
    [
        (TaskFilter(), "due", None, "tasks_by_due"),
        (TaskFilter(), "due", (5, 5), "tasks_by_due (due>?"),
        (TaskFilter(overdue=True), "-number", None, "tasks_overdue"),
        (TaskFilter(overdue=True), "number", (5,), "tasks_overdue (number>?)"),
        (TaskFilter(states=(State.READY,)), "priority", None, "tasks_claimable"),
        (TaskFilter(states=(State.READY,)), "priority", (0, 5, 5), "tasks_claimable (<expr>>?"),
    ],
)
async def test_lists_in_their_order_use_an_index(
    deck: Deck, wanted: TaskFilter, sort: Any, after: tuple[int, ...] | None, index: str
) -> None:
    seen: list[tuple[str, Any]] = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        seen.append((sql, values))
        return await original(sql, values)

    deck.reader.rows = rows  # type: ignore[method-assign]
    await list_tasks(deck.reader, wanted, sort, USUAL, after, 9)
    sql, values = seen[0]
    plan = [row[3] for row in await original(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert any(index in line for line in plan), plan
    assert not any("TEMP B-TREE" in line for line in plan), plan
