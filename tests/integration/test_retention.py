"""Retention: what is past its keep goes, in small steps and with an event; what lives or is needed stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import RunningDeck
from taskdeck.domain.project import DAY_MS
from taskdeck.domain.replay import replay
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.operate import cancel
from taskdeck.service.requests import NewTask
from taskdeck.service.retention import TASKS_AT_ONCE
from taskdeck.store import retention

DAY_S = 86_400


async def _end(api: Api, title: str, how: str, **fields: Any) -> Any:
    task = await api.create(title, **fields)
    if how == "cancel":
        return await api.post(f"/v1/tasks/{task['id']}/cancel")
    claim = await api.claim(task=task["id"])
    body = {"fence": claim["fence"]} | ({"error": "e", "retry": False} if how == "fail" else {})
    return await api.post(f"/v1/tasks/{task['id']}/{how}", body)


async def _keys(api: Api) -> set[str]:
    return {task["key"] for task in (await api.get("/v1/tasks?limit=200"))["tasks"]}


async def test_what_ended_goes_after_its_projects_keep(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    keeps = {"keep_done_days": 2, "keep_failed_days": 5, "keep_cancelled_days": 0.5}
    project = await api.post("/v1/projects", {"name": "p", **keeps})
    assert {name: project[name] for name in keeps} == keeps
    done, failed, cancelled = [
        (await _end(api, how, how, project="p"))["key"] for how in ("complete", "fail", "cancel")
    ]
    other = (await _end(api, "default keeps longer", "complete"))["key"]
    alive = (await api.create("alive", project="p"))["key"]
    await served.deck.prune()
    assert await _keys(api) == {done, failed, cancelled, other, alive}
    for days, gone in ((0.5, {cancelled}), (1.5, {done}), (3, {failed})):
        clock.advance(days * DAY_S - 1)
        before = await _keys(api)
        await served.deck.prune()
        assert await _keys(api) == before
        clock.advance(1)
        await served.deck.prune()
        assert await _keys(api) == before - gone
    assert await _keys(api) == {other, alive}
    pruned = await api.events(type="tasks.pruned")
    assert [event["facts"]["counts"] for event in pruned] == [{"cancelled": 1}, {"done": 1}, {"failed": 1}]
    assert {(event["project"], event["actor"]) for event in pruned} == {("p", "deck")}
    counts = (await api.get("/v1/projects/p"))["counts"]
    assert sum(counts.values()) == counts["ready"] == 1
    assert (await api.call("GET", f"/v1/tasks/{done}")).code == "unknown_task"


async def test_the_defaults_prune_by_themselves_and_say_so(api: Api) -> None:
    project = await api.get("/v1/projects/default")
    assert [project[f"keep_{how}_days"] for how in ("done", "failed", "cancelled")] == [30, 90, 30]
    changed = await api.patch("/v1/projects/default", {"keep_done_days": 1.25})
    assert changed["keep_done_days"] == (await api.get("/v1/projects/default"))["keep_done_days"] == 1.25
    for days in (-1, 36_501):
        assert (await api.call("PATCH", "/v1/projects/default", {"keep_done_days": days})).code == "invalid_request"


async def test_what_others_depend_on_stays_until_they_are_gone(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    await api.patch("/v1/projects/default", {"keep_done_days": 1})
    parent = await _end(api, "parent", "complete")
    child = await api.create("child", depends_on=[parent["key"]])
    clock.advance(10 * DAY_S)
    await served.deck.prune()
    assert await _keys(api) == {parent["key"], child["key"]}
    claim = await api.claim(task=child["key"])
    await api.post(f"/v1/tasks/{child['id']}/complete", {"fence": claim["fence"]})
    clock.advance(2 * DAY_S)
    await served.deck.prune()
    assert await _keys(api) == {parent["key"]}
    await served.deck.prune()
    assert await _keys(api) == set()


async def test_many_go_in_small_steps(deck: Deck, clock: FakeClock) -> None:
    def fill(unit: Any) -> None:
        for task in create(unit, ROOT, [NewTask(str(n), "default") for n in range(150)]):
            cancel(unit, ROOT, task.key)

    await deck.write(fill)
    clock.advance(40 * DAY_S)
    await deck.prune()
    rows = await deck.reader.rows("SELECT body FROM events WHERE type = 'tasks.pruned'")
    assert len(rows) == -(-150 // TASKS_AT_ONCE)
    assert await deck.reader.rows("SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM bodies)") == [(0, 0)]


async def test_a_log_with_pruned_tasks_still_gives_the_state(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    await _end(api, "gone", "cancel")
    await api.create("stays")
    clock.advance(40 * DAY_S)
    await served.deck.prune()
    left = {task["id"]: task for task in (await api.get("/v1/tasks"))["tasks"]}
    assert replay(await api.events()) == left
    assert len(left) == 1


async def test_old_events_go_from_the_start_of_the_log(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    for n in range(5):
        await api.create(str(n))
    last_old = await api.last_seq()
    clock.advance(89 * DAY_S)
    await api.create("younger")
    clock.advance(2 * DAY_S)
    await served.deck.prune()
    assert (await api.get("/v1/stats"))["first_seq"] == last_old + 1
    kept = (await api.get("/v1/events"))["events"]
    assert [event["seq"] for event in kept] == [last_old + 1, last_old + 2]
    assert kept[1]["type"] == "events.pruned"
    assert kept[1]["facts"]["count"] == last_old
    assert kept[1]["facts"]["first_kept"] == last_old + 1
    assert len((await api.get("/v1/tasks"))["tasks"]) == 6
    await served.deck.prune()
    assert await api.last_seq() == last_old + 2


async def test_a_clock_that_jumped_ahead_removes_nothing(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    ended = await _end(api, "t", "complete")
    clock.jump(1_000 * DAY_S)
    await served.deck.prune()
    assert await _keys(api) == {ended["key"]}
    assert (await api.get("/v1/stats"))["first_seq"] == 1
    clock.jump(-1_000 * DAY_S)
    clock.advance(100 * DAY_S)
    await served.deck.prune()
    assert await _keys(api) == set()


async def test_who_asks_for_what_is_gone_is_told_so(api: Api, served: RunningDeck, clock: FakeClock) -> None:
    task = await api.create()
    first = await api.last_seq() + 1
    clock.advance(91 * DAY_S)
    await served.deck.prune()
    for after in (0, first - 2):
        for path in (f"/v1/events?after={after}", f"/v1/events/stream?after={after}"):
            reply = await api.call("GET", path)
            assert (reply.status, reply.code) == (410, "events_pruned"), path
            assert reply.json()["first_kept"] == first
            assert f"after={first - 1}" in reply.json()["hint"]
    resumed = await api.raw("GET", "/v1/events/stream", None, {"Last-Event-ID": "0"})
    assert (resumed.status, resumed.code) == (410, "events_pruned")
    assert [event["seq"] for event in (await api.get(f"/v1/events?after={first - 1}"))["events"]] == [first]
    assert (await api.get(f"/v1/events?before={first}"))["events"] == []
    assert (await api.get(f"/v1/tasks/{task['id']}/events?after=0"))["events"] == []


async def test_numbers_go_on_after_a_restart_on_a_pruned_log(folder: Path, clock: FakeClock, ids: CountingIds) -> None:
    deck = await Deck.open(folder, clock, ids, keep_events_ms=DAY_MS)
    await deck.write(lambda unit: create(unit, ROOT, [NewTask("t", "default")]))
    clock.advance(2 * DAY_S)
    await deck.prune()
    last = deck.bus.last_seq
    await deck.close()
    again = await Deck.open(folder, clock, ids, keep_events_ms=DAY_MS)
    try:
        assert again.bus.last_seq == last
        assert await retention.first_kept(again.reader) == last
        await again.write(lambda unit: create(unit, ROOT, [NewTask("u", "default")]))
        assert again.bus.last_seq == last + 1
    finally:
        await again.close()


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
async def test_what_is_past_its_keep_is_found_by_an_index(deck: Deck, state: str) -> None:
    seen: list[str] = []
    original = deck.reader.rows

    async def rows(sql: str, values: Any = ()) -> Any:
        seen.append(sql)
        return await original(sql, values)

    await deck.write(lambda unit: [cancel(unit, ROOT, t.key) for t in create(unit, ROOT, [NewTask("t", "default")])])
    await deck.write(lambda unit: unit.write(f"UPDATE tasks SET state = '{state}'"))  # noqa: S608
    deck.reader.rows = rows  # type: ignore[method-assign]
    async for _ in retention.past_keep(deck.reader, retention.State(state), 10**15, 64):
        pass
    sql = next(sql for sql in seen if "keep_" in sql)
    plan = [row[3] for row in await original(f"EXPLAIN QUERY PLAN {sql}", (0, 9, 0))]
    assert any("tasks_by_state (state=? AND number>? AND number<?)" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line or line.startswith("SCAN") for line in plan), plan
