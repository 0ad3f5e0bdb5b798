"""Schedules: one task for each tick, after a downtime too; pauses, overlaps, and what a tick cannot make."""

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

from taskdeck.domain.clock import from_rfc3339, rfc3339
from taskdeck.domain.schedule import MAX_CATCH_UP, CatchUp, Overlap, Schedule
from taskdeck.service.create import create
from taskdeck.service.requests import NewTask
from taskdeck.service.schedules import create_schedule
from taskdeck.store import schedules

HOUR = 3_600
WISH = {"name": "nightly", "when": "every 1 hours", "task": {"title": "tidy", "labels": ["auto"]}}


async def _made(api: Api) -> list[str]:
    """The ticks for which there is a task, oldest first."""
    await api.tick()
    tasks = (await api.get("/v1/tasks?sort=number&limit=200"))["tasks"]
    return [task["metadata"]["schedule"]["tick"] for task in tasks]


async def test_each_tick_makes_one_task(api: Api, clock: FakeClock) -> None:
    start = clock.now_ms()
    wish = WISH | {"task": {"title": "tidy", "priority": 70, "payload": {"a": 1}, "due_in_seconds": 60}}
    made = await api.post("/v1/schedules", wish)
    ticks = [rfc3339(start + n * HOUR * 1000) for n in range(1, 6)]
    assert (made["next_at"], made["next_ticks"]) == (ticks[0], ticks)
    clock.advance(HOUR - 0.001)
    assert await _made(api) == []
    clock.advance(0.001)
    for _ in range(3):
        assert await _made(api) == ticks[:1]
    (task,) = (await api.get("/v1/tasks"))["tasks"]
    assert (task["title"], task["priority"], task["payload"], task["created_by"]) == (
        "tidy", 70, {"a": 1}, "schedule:nightly",
    )  # fmt: skip
    assert task["due"] == rfc3339(start + (HOUR + 60) * 1000)
    clock.advance(HOUR)
    assert await _made(api) == ticks[:2]
    shown = await api.get("/v1/schedules/nightly")
    assert [entry["tick"] for entry in shown["recent"]] == [ticks[1], ticks[0]]
    assert {entry["outcome"] for entry in shown["recent"]} == {"created"}
    assert shown["next_at"] == ticks[2]
    assert shown["last_task"] == 2
    ticked = await api.events(type="schedule.ticked")
    assert [event["facts"]["tick"] for event in ticked] == ticks[:2]
    assert {event["actor"] for event in ticked} == {"schedule:nightly"}


async def test_a_waiting_worker_gets_what_a_tick_makes(api: Api, clock: FakeClock) -> None:
    import asyncio

    await api.post("/v1/schedules", WISH)
    waiting = asyncio.create_task(api.claim("w", wait_seconds=30))
    await api.until_waiting(1)
    clock.advance(HOUR)
    await api.tick()
    assert (await waiting)["task"]["title"] == "tidy"


@pytest.mark.parametrize(
    ("catch_up", "made", "missed"), [("skip", [], 5), ("one", [5], 4), ("all", [1, 2, 3, 4, 5], None)]
)
async def test_missed_ticks_are_made_up_for_as_it_says(
    api: Api, clock: FakeClock, catch_up: str, made: list[int], missed: int | None
) -> None:
    start = clock.now_ms()
    await api.post("/v1/schedules", WISH | {"catch_up": catch_up})
    clock.advance(5 * HOUR + 120)
    assert await _made(api) == [rfc3339(start + n * HOUR * 1000) for n in made]
    events = await api.events(type="schedule.missed")
    assert [event["facts"]["count"] for event in events] == ([] if missed is None else [missed])
    clock.advance(HOUR - 120)
    assert await _made(api) == [rfc3339(start + n * HOUR * 1000) for n in [*made, 6]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


def _schedule(store: BareStore, **more: Any) -> Schedule:
    now = store.clock.now_ms()
    fields: dict[str, Any] = {
        "name": "s", "project": "default", "said": "every 1 minutes", "zone": "UTC",
        "template_json": '{"title":"t","labels":[],"capabilities":[],"payload":{},"metadata":{},"due_in_seconds":null}',
        "catch_up": CatchUp.ALL, "overlap": Overlap.ALLOW, "starts_at": now, "next_at": None, "last_task": None,
        "paused_at": None, "paused_by": None, "pause_reason": None, "created_by": "root", "created_at": now,
    }  # fmt: skip
    return store(lambda unit: create_schedule(unit, ROOT, Schedule(**(fields | more))))


def test_a_long_downtime_is_made_up_for_within_bounds_and_some_at_a_time(store: BareStore) -> None:
    start = _schedule(store).starts_at
    store.close()
    store.clock.advance(7 * 86_400)  # ten thousand ticks
    store.open()
    counts = []
    while store.runner.mirror.next_due <= store.clock.now_ms():
        store.batch()
        counts.append(store.rows("SELECT count(*) FROM tasks")[0][0])
    assert counts[-1] == MAX_CATCH_UP
    assert max(b - a for a, b in zip([0, *counts], counts, strict=False)) <= 8
    last = start + 7 * 86_400_000
    wanted = [last - n * 60_000 for n in range(MAX_CATCH_UP)][::-1]
    found = [
        from_rfc3339(row[0]) for row in store.rows("SELECT metadata ->> '$.schedule.tick' FROM bodies ORDER BY task")
    ]
    assert found == wanted
    (missed,) = [event for event in store.events() if event["type"] == "schedule.missed"]
    assert missed["facts"]["from"] == rfc3339(start + 60_000)
    assert missed["facts"]["to"] == rfc3339(wanted[0] - 60_000)
    assert missed["facts"]["count"] is None
    store.check()


def test_a_tick_is_never_done_twice(store: BareStore) -> None:
    made = _schedule(store)
    store.clock.advance(60)
    store.batch()
    with pytest.raises(Exception, match="UNIQUE constraint failed: ticks"):
        store(lambda unit: schedules.remember_tick(unit, made, store.clock.now_ms(), "created", "T1"))
    for seconds in (-30, 20, -15, 25):
        store.clock.jump(seconds)
        store.batch()
    assert store.rows("SELECT count(*) FROM tasks") == [(1,)]
    store.clock.advance(60)
    store.batch()
    assert store.rows("SELECT count(*) FROM tasks") == [(2,)]


def test_a_clock_that_was_ahead_by_years_does_not_silence_a_schedule(store: BareStore) -> None:
    _schedule(store, catch_up=CatchUp.ONE)
    store.clock.jump(3 * 365 * 86_400)
    store.batch()
    assert store.rows("SELECT count(*) FROM tasks") == [(1,)]
    store.clock.jump(-3 * 365 * 86_400)
    store.batch()
    for made in (2, 3):
        store.clock.advance(60)
        store.batch()
        assert store.rows("SELECT count(*) FROM tasks") == [(made,)]
    store.check()


def test_ticks_and_tasks_come_in_one_commit_or_not_at_all(store: BareStore) -> None:
    _schedule(store)
    store.clock.advance(60)

    def fails(unit: Any) -> None:
        raise RuntimeError("power")

    store.batch(fails)
    assert store.rows("SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM ticks)") == [(1, 1)]
    store.close()
    store.open()
    store.batch()
    assert store.rows("SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM ticks)") == [(1, 1)]


def test_old_ticks_are_forgotten_and_the_last_task_is_not(store: BareStore) -> None:
    _schedule(store, overlap=Overlap.SKIP)
    for _ in range(schedules.TICKS_KEPT + 20):
        store.clock.advance(60)
        store.batch()
    assert store.rows("SELECT count(*), count(task) FROM ticks") == [(schedules.TICKS_KEPT, 0)]
    assert store.rows("SELECT count(*) FROM tasks") == [(1,)]


def test_what_is_due_is_found_by_an_index(store: BareStore) -> None:
    _schedule(store)
    plan = [
        row[3]
        for row in store.rows(
            f"EXPLAIN QUERY PLAN {schedules.SELECT} INDEXED BY schedules_next WHERE paused_at IS NULL"
            " AND next_at IS NOT NULL AND next_at <= 5 ORDER BY next_at, name LIMIT 9"
        )
    ]
    assert plan == ["SEARCH schedules USING INDEX schedules_next (next_at>? AND next_at<?)"]


async def test_an_open_task_holds_the_next_one_back_where_asked(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/schedules", WISH | {"overlap": "skip"})
    clock.advance(HOUR)
    await api.tick()
    claim = await api.claim("w", lease_seconds=86_400)
    clock.advance(HOUR)
    await api.tick()
    await api.post(f"/v1/tasks/{claim['task']['id']}/complete", {"fence": claim["fence"]})
    clock.advance(HOUR)
    await api.tick()
    recent = (await api.get("/v1/schedules/nightly"))["recent"]
    assert [entry["outcome"] for entry in recent] == ["created", "overlap", "created"]
    assert [entry["task"] for entry in recent] == ["T2", None, "T1"]


async def test_a_paused_schedule_makes_nothing_and_makes_up_for_nothing(api: Api, clock: FakeClock) -> None:
    start = clock.now_ms()
    await api.post("/v1/schedules", WISH | {"catch_up": "all"})
    paused = await api.post("/v1/schedules/nightly/pause", {"reason": "quiet"})
    assert (paused["paused"]["by"], paused["paused"]["reason"], paused["next_at"]) == ("admin", "quiet", None)
    await api.post("/v1/schedules/nightly/pause")
    clock.advance(3 * HOUR + 60)
    assert await _made(api) == []
    resumed = await api.post("/v1/schedules/nightly/resume")
    assert resumed["next_at"] == rfc3339(start + 4 * HOUR * 1000)
    await api.post("/v1/schedules/nightly/resume")
    clock.advance(HOUR)
    assert await _made(api) == [rfc3339(start + 4 * HOUR * 1000)]
    assert [len(await api.events(type=f"schedule.{act}")) for act in ("paused", "resumed")] == [1, 1]


async def test_a_schedule_is_changed_and_removed(api: Api, clock: FakeClock) -> None:
    await api.post("/v1/schedules", WISH)
    changes = {"when": "daily at 09:00", "zone": "Europe/Berlin", "task": {"title": "new"}, "version": 1}
    changed = await api.patch("/v1/schedules/nightly", changes)
    assert (changed["when"], changed["zone"], changed["task"]["title"], changed["version"]) == (
        "daily at 09:00", "Europe/Berlin", "new", 2,
    )  # fmt: skip
    assert changed["next_at"].endswith("08:00:00.000Z")
    assert (await api.call("PATCH", "/v1/schedules/nightly", changes)).code == "version_conflict"
    clock.advance(24 * HOUR)
    await api.tick()
    (task,) = (await api.get("/v1/tasks"))["tasks"]
    assert await api.delete("/v1/schedules/nightly") == {"deleted": "nightly"}
    assert (await api.call("GET", "/v1/schedules/nightly")).code == "unknown_schedule"
    assert (await api.get(f"/v1/tasks/{task['id']}"))["title"] == "new"
    clock.advance(48 * HOUR)
    await api.tick()
    assert len((await api.get("/v1/tasks"))["tasks"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"when": "now and then"}, 422, "invalid_request"),
        ({"when": "* * * * * *"}, 422, "invalid_request"),
        ({"zone": "Mars/Base"}, 422, "invalid_request"),
        ({"task": {}}, 422, "invalid_request"),
        ({"task": {"title": "t", "key": "K"}}, 422, "unknown_field"),
        ({"catch_up": "maybe"}, 422, "invalid_request"),
        ({"overlap": "never"}, 422, "invalid_request"),
        ({"name": "a/b"}, 422, "invalid_request"),
        ({"project": "none"}, 404, "unknown_project"),
        ({"name": "here"}, 409, "schedule_exists"),
    ],
)
async def test_an_odd_schedule_is_refused(api: Api, change: dict[str, Any], status: int, code: str) -> None:
    await api.post("/v1/schedules", WISH | {"name": "here"})
    before = await api.last_seq()
    reply = await api.call("POST", "/v1/schedules", WISH | change)
    assert (reply.status, reply.code) == (status, code), reply.json()
    assert reply.json()["hint"]
    for verb, path in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume")):
        body = {} if verb == "POST" else None
        assert (await api.call(verb, f"/v1/schedules/none{path}", body)).code == "unknown_schedule"
    assert (await api.call("PATCH", "/v1/schedules/here", {})).code == "invalid_request"
    assert await api.last_seq() == before


async def test_there_are_only_so_many(api: Api, served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskdeck.service.schedules.MAX_SCHEDULES", 1)
    await api.post("/v1/schedules", WISH)
    assert (await api.call("POST", "/v1/schedules", WISH | {"name": "two"})).code == "too_many_schedules"


async def test_a_token_for_one_project_sees_no_other_schedule(api: Api) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    await api.post("/v1/schedules", WISH)
    await api.post("/v1/schedules", WISH | {"name": "mine", "project": "ours"})
    secret = await api.token_for("operator", "inside", projects=["ours"])
    listed = (await api.get("/v1/schedules", token=secret))["schedules"]
    assert [schedule["name"] for schedule in listed] == ["mine"]
    for verb, path, body in (
        ("GET", "", None), ("PATCH", "", {"zone": "UTC"}), ("DELETE", "", None), ("POST", "/pause", {}),
        ("POST", "/resume", {}),
    ):  # fmt: skip
        reply = await api.call(verb, f"/v1/schedules/nightly{path}", body, token=secret)
        assert (reply.status, reply.code) == (404, "unknown_schedule")
    assert [s["name"] for s in (await api.get("/v1/schedules?project=default"))["schedules"]] == ["nightly"]
    assert {e["project"] for e in (await api.get("/v1/events", token=secret))["events"]} == {"ours"}


def test_a_schedule_whose_zone_is_gone_is_paused_and_stops_nothing_else(store: BareStore) -> None:
    _schedule(store)
    store.rows("UPDATE schedules SET zone = 'Mars/Base'")
    now = store.clock.now_ms()
    store(lambda unit: create(unit, ROOT, [NewTask("t", "default", not_before=now + 30_000)]))
    store.clock.advance(60)
    store.batch()
    assert store.rows("SELECT state FROM tasks") == [("ready",)]
    assert store.rows("SELECT paused_by, pause_reason FROM schedules")[0][0] == "deck"
    (paused,) = [event for event in store.events() if event["type"] == "schedule.paused"]
    assert "Mars/Base" in paused["facts"]["reason"]
    assert store.runner.mirror.next_due > store.clock.now_ms()
