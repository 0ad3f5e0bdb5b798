"""Limits, breakers and deadlines of the ClaudeBench dialect, with the figures of its specification."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import aiohttp
import pytest
from claudebench_calls import Calls
from conftest import Speaking

from taskdeck.dialects.claudebench.breakers import TRIALS, Breakers, Trip
from taskdeck.dialects.claudebench.catalogue import BY_NAME
from taskdeck.dialects.claudebench.house import house_of
from taskdeck.dialects.claudebench.windows import SPAN_MS, Windows
from taskdeck.store.folder import DATABASE

FIGURES = {
    "task.claim": (100, 5_000, (10, 30_000)),
    "task.create": (100, 5_000, (5, 30_000)),
    "task.complete": (100, 5_000, (5, 30_000)),
    "task.update": (20, 5_000, (5, 30_000)),
    "task.assign": (20, 5_000, (5, 30_000)),
    "task.unassign": (20, 5_000, (5, 30_000)),
    "task.list": (100, 10_000, (5, 30_000)),
    "task.delete": (None, None, None),
    "task.create_attachment": (50, 5_000, (5, 30_000)),
    "task.list_attachments": (500, 5_000, (5, 30_000)),
    "task.get_attachment": (100, 3_000, (5, 30_000)),
    "task.get_attachments_batch": (100, 5_000, (10, 30_000)),
    "task.delete_attachment": (100, 5_000, (10, 30_000)),
    "system.register": (100, 5_000, (5, 30_000)),
    "system.heartbeat": (1_000, 2_000, (20, 10_000)),
    "system.unregister": (50, 5_000, (5, 30_000)),
    "system.check_health": (None, None, None),
    "system.get_state": (50, 5_000, (5, 30_000)),
    "system.health": (100, 3_000, (10, 20_000)),
    "system.batch.process": (10, 30_000, (3, 60_000)),
    "system.discover": (None, None, None),
    "system.metrics": (None, None, None),
}


def test_every_method_has_its_figures() -> None:
    found = {
        name: (one.limit, one.timeout_ms, None if one.trip is None else (one.trip.faults, one.trip.open_ms))
        for name, one in BY_NAME.items()
    }
    assert found == FIGURES


def test_a_window_rolls() -> None:
    windows = Windows()
    assert [windows.admit("m", "a", 2, now) for now in (0, 10, 20)] == [True, True, False]
    assert windows.admit("m", "b", 2, 20)
    assert windows.admit("n", "a", 2, 20)
    assert not windows.admit("m", "a", 2, SPAN_MS - 1)
    assert windows.admit("m", "a", 2, SPAN_MS)
    assert not windows.admit("m", "a", 2, SPAN_MS)
    assert windows.admit("m", "a", 2, SPAN_MS + 10)


def test_quiet_callers_are_forgotten() -> None:
    windows = Windows()
    for number in range(20_001):
        assert windows.admit("m", f"c{number}", 1, number // 100)
    assert len(windows._calls) == 20_001  # all of them called in the last minute
    assert not windows.admit("m", "c0", 1, SPAN_MS - 1)
    for number in range(20_000):
        assert windows.admit("m", f"d{number}", 1, 2 * SPAN_MS)
    assert len(windows._calls) < 30_000


def _fail(breakers: Breakers, method: str, trip: Trip, now: int) -> None:
    assert breakers.admit(method, now)
    breakers.failed(method, trip, now)


def test_a_breaker_opens_tries_and_closes() -> None:
    breakers, trip = Breakers(), Trip(3, 1_000)
    _fail(breakers, "m", trip, 0)
    breakers.worked("m")  # any success begins the count anew
    for _ in range(3):
        _fail(breakers, "m", trip, 0)
    assert not breakers.admit("m", 999)
    assert breakers.admit("n", 0)
    assert [breakers.admit("m", 1_000) for _ in range(TRIALS + 1)] == [True] * TRIALS + [False]
    breakers.undecided("m")
    assert breakers.admit("m", 1_000)
    for _ in range(TRIALS):
        breakers.worked("m")
    _fail(breakers, "m", trip, 2_000)  # the first fault after it closed opens it again, for longer
    assert not breakers.admit("m", 3_499)
    assert breakers.admit("m", 3_500)


def test_each_opening_lasts_longer_up_to_five_minutes_and_is_forgotten_in_an_hour() -> None:
    breakers, trip, now, spans = Breakers(), Trip(1, 30_000), 0, []
    for number in range(8):
        breakers.failed(f"m{number}", trip, now)
        spans.append(next(ms for ms in range(0, 400_000, 10) if breakers.admit(f"m{number}", now + ms)))
    assert spans == [30_000, 45_000, 67_500, 101_250, 151_880, 227_820, 300_000, 300_000]
    now += 3_600_000
    breakers.failed("late", trip, now)
    assert not breakers.admit("late", now + 29_999)
    assert breakers.admit("late", now + 30_000)


async def test_what_takes_too_long_is_told_and_opens_no_breaker(
    speaking: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking("claudebench", opened=True) as spoken, aiohttp.ClientSession() as session:
        cb = Calls(spoken.url, session)
        await cb.worker("w1")
        patience = house_of(spoken.running.deck).patience(5_000)
        monkeypatch.setattr(patience, "_seconds", 0.02)
        monkeypatch.setattr(patience, "_look_s", 0.02)
        runner = spoken.running.deck._writer.runner
        with closing(sqlite3.connect(spoken.running.data / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # the writer waits for the lock, as for a disk that hangs
            runner.connection.execute("PRAGMA busy_timeout = 60000")
            for _ in range(11):
                assert await cb.reason("task.claim", workerId="w1") == "Operation timed out after 5000ms"
            other.execute("ROLLBACK")
        monkeypatch.undo()
        assert await cb.claim("w1") is None
        await cb.new()
        assert await cb.claim("w1") is not None


async def test_a_deck_that_stops_gives_out_no_work(speaking: Speaking) -> None:
    async with speaking("claudebench", opened=True) as spoken, aiohttp.ClientSession() as session:
        cb = Calls(spoken.url, session)
        await cb.worker("w1")
        ids = [await cb.new() for _ in range(2)]
        await cb.claim("w1")
        await spoken.running.deck.drain()
        for _ in range(11):
            assert "stopping" in await cb.reason("task.claim", workerId="w1")
        assert (await cb.ok("task.complete", id=ids[0], result=1))["status"] == "completed"
