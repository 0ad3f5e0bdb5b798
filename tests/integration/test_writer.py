"""The writer when things go wrong: a unit that raises, a commit that fails, a full disk, a caller that leaves."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api import Api
from support.bare import BareStore, Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.app import RunningDeck
from taskdeck.domain.errors import NotFound, StorageFull, Unavailable
from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.operate import cancel
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store import tasks
from taskdeck.store.folder import DATABASE
from taskdeck.store.unit import Unit


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BareStore]:
    made = Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds())
    yield made
    made.close()


def _make(title: str) -> Any:
    return lambda unit: create(unit, ROOT, [NewTask(title, "default")])[0].title


def _titles(store: BareStore) -> list[str]:
    return [row[0] for row in store.rows("SELECT title FROM bodies ORDER BY task")]


def _break(error: BaseException) -> Any:
    def work(unit: Unit) -> None:
        create(unit, ROOT, [NewTask("half", "default", labels=frozenset({"new"}))])
        raise error

    return work


@pytest.mark.parametrize("error", [RuntimeError("odd"), NotFound("no"), ValueError("bad"), sqlite3.IntegrityError("x")])
def test_a_unit_that_raises_harms_no_neighbour(store: BareStore, error: Exception) -> None:
    outcomes = store.batch(_make("a"), _break(error), _make("b"), _break(error), _make("c")).outcomes
    assert [(result, failure) for _, result, failure in outcomes] == [
        ("a", None), (None, error), ("b", None), (None, error), ("c", None),
    ]  # fmt: skip
    assert _titles(store) == ["a", "b", "c"]
    assert [event["seq"] for event in store.events()] == list(range(1, len(store.events()) + 1))
    store.check()


def test_a_broken_rule_of_the_schema_is_the_units_own_fault(store: BareStore) -> None:
    def odd(unit: Unit) -> None:
        unit.write("UPDATE projects SET lease_ms = 1")

    outcomes = store.batch(_make("a"), odd, _make("b")).outcomes
    assert isinstance(outcomes[1][2], sqlite3.IntegrityError)
    assert _titles(store) == ["a", "b"]


class _Refusing(sqlite3.Connection):
    """A connection that can be told to fail at a statement."""

    fail_at = ""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if self.fail_at and sql.startswith(self.fail_at):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if self.fail_at and sql.startswith(self.fail_at):
            raise sqlite3.OperationalError("disk I/O error")
        return super().executemany(sql, *args)


@pytest.mark.parametrize(
    "at", ["BEGIN", "COMMIT", "INSERT INTO events", "INSERT INTO counts", "INSERT INTO tasks", "SAVEPOINT", "RELEASE"]
)
def test_a_failure_at_any_statement_fails_all_and_leaves_memory_right(store: BareStore, at: str) -> None:
    store.batch(_make("before"))
    path, connection = store.path, store.runner.connection
    connection.close()
    refusing = sqlite3.connect(path, isolation_level=None, factory=_Refusing)
    refusing.execute("PRAGMA foreign_keys = ON")
    store.runner.connection = refusing
    refusing.fail_at = at
    outcomes = store.batch(_make("a"), lambda unit: cancel(unit, ROOT, "T1"), _make("b")).outcomes
    assert len(outcomes) == 3
    assert all(isinstance(failure, Unavailable) for _, _, failure in outcomes)
    refusing.fail_at = ""
    assert not refusing.in_transaction
    assert _titles(store) == ["before"]
    store.check()
    assert [failure for _, _, failure in store.batch(_make("after")).outcomes] == [None]
    assert _titles(store) == ["before", "after"]
    assert [event["seq"] for event in store.events()] == list(range(1, len(store.events()) + 1))
    store.check()


def test_a_full_disk_is_said_and_passes(store: BareStore) -> None:
    (pages,) = store.rows("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count = {pages}")
    big = [NewTask("t", "default", payload=f'"{"x" * 200_000}"')]
    outcomes = store.batch(_make("a"), lambda unit: create(unit, ROOT, big)).outcomes
    assert all(isinstance(failure, StorageFull) for _, _, failure in outcomes)
    assert _titles(store) == []
    store.check()
    store.rows("PRAGMA max_page_count = 1000000")
    assert store(_make("b")) == "b"
    store.check()


async def test_a_full_disk_over_http(api: Api, served: RunningDeck) -> None:
    """A claim that waits meanwhile is refused like the rest, and later takes no task with it."""
    deck = served.deck
    await api.create("before")
    held = await api.claim("w")

    def limit(unit: Unit, pages: int) -> Any:
        return unit.read(f"PRAGMA max_page_count = {pages}").fetchone()

    (pages,) = await deck.write(lambda unit: unit.read("PRAGMA page_count").fetchone())
    await deck.write(lambda unit: limit(unit, pages))
    heavy = {"title": "t", "payload": "x" * 250_000}
    replies = await asyncio.gather(
        *(api.call("POST", "/v1/tasks", heavy) for _ in range(5)),
        *(api.call("POST", "/v1/claims", {"worker": f"v{n}", "wait_seconds": 0.3}) for n in range(5)),
    )
    for reply in replies[:5]:
        assert (reply.status, reply.code) == (507, "storage_full")
        assert reply.json()["retryable"] is True
        assert reply.headers["Retry-After"]
    assert {reply.status for reply in replies[5:]} <= {200, 507}
    assert [task["title"] for task in (await api.get("/v1/tasks"))["tasks"]] == ["before"]
    assert (await api.get("/v1/stats"))["counts"]["claimed"] == 1
    await deck.write(lambda unit: limit(unit, 1_000_000))
    await api.until_waiting(0)
    task = await api.create("after")
    assert (await api.claim("w"))["task"]["id"] == task["id"]
    await api.post(f"/v1/tasks/{held['task']['id']}/complete", {"fence": held["fence"]})


async def test_a_claim_that_began_to_wait_in_a_batch_that_failed_takes_no_task_later(deck: Deck) -> None:
    begun, opened = threading.Event(), threading.Event()

    def blocked(unit: Unit) -> bool:
        begun.set()
        return opened.wait(10)

    def broken(unit: Unit) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    blocking = deck.write(blocked, long=True)
    assert await asyncio.to_thread(begun.wait, 10)  # what follows is taken together, in a batch of its own
    waiting = asyncio.create_task(deck.claim(ROOT, ClaimRequest("w"), 30, None, lambda claimed: (200, b"")))
    await asyncio.sleep(0)
    breaking = deck.write(broken)
    opened.set()
    outcomes = await asyncio.gather(blocking, waiting, breaking, return_exceptions=True)
    assert outcomes[0] is True
    assert isinstance(outcomes[1], Unavailable)
    assert isinstance(outcomes[2], Unavailable)
    await deck.write(lambda unit: None)
    assert deck.waiting.count == 0
    (task,) = await deck.write(lambda unit: create(unit, ROOT, [NewTask("t", "default")]))
    assert (await deck.write(lambda unit: tasks.by_number(unit, task.number))).state == "ready"


async def test_callers_that_leave_leave_no_open_transaction(api: Api, served: RunningDeck) -> None:
    """Requests cancelled at any moment: each is done wholly or not at all, and the next one works."""
    for delay in range(40):
        async with Api(api.url, api.token) as leaver:
            leaving = asyncio.create_task(leaver.call("POST", "/v1/tasks", {"tasks": [{"title": "t"}] * 3}))
            for _ in range(delay):
                await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
    made = await api.create("last")
    count = (await api.get("/v1/stats"))["counts"]["ready"]
    assert (count - 1) % 3 == 0
    assert made["number"] >= count
    events = await api.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    connection = served.deck._writer.runner.connection
    assert not connection.in_transaction


async def test_a_write_given_up_before_its_turn_is_not_done(deck: Deck) -> None:
    done: list[str] = []
    slow = deck.write(lambda unit: done.append("first"))
    given_up = deck.write(lambda unit: done.append("given up"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(slow, given_up, return_exceptions=True)
    await deck.write(lambda unit: done.append("last"))
    assert done[0] == "first"
    assert done[-1] == "last"
    assert not deck._writer.runner.connection.in_transaction


async def test_closing_finishes_what_is_queued(folder: Path, clock: FakeClock, ids: CountingIds) -> None:
    deck = await Deck.open(folder, clock, ids)
    writes = [deck.write(_make(str(n))) for n in range(50)]
    await asyncio.sleep(0)
    await deck.close()
    assert await asyncio.gather(*writes) == [str(n) for n in range(50)]
    again = await Deck.open(folder, clock, ids)
    try:
        assert len(await again.reader.rows("SELECT 1 FROM tasks")) == 50
    finally:
        await again.close()


async def _warm_up(deck: Deck) -> None:
    """Let the writer come to the event loop: as after a rest, whatever the disk is like."""
    await deck.write(lambda unit: None, long=True)
    deck._writer.disk._rest = 0
    await _turn_over(deck)


async def _turn_over(deck: Deck) -> None:
    while deck._writer._turn:  # noqa: ASYNC110  (the writer tells nobody)
        await asyncio.sleep(0)


async def test_where_units_run(deck: Deck) -> None:
    """Short ones on the event loop while the disk is quick; long ones, and all beside them, on the thread."""
    await _warm_up(deck)
    here = threading.get_ident()
    deck._writer.disk.synced = lambda seconds, units: None  # type: ignore[method-assign]  # not today's disk
    assert await deck.write(lambda unit: threading.get_ident()) == here
    assert await deck.write(lambda unit: threading.get_ident(), long=True) != here
    await _turn_over(deck)
    both = deck.write(lambda unit: threading.get_ident()), deck.write(lambda unit: threading.get_ident(), long=True)
    assert here not in await asyncio.gather(*both)
    await _turn_over(deck)
    assert await deck.write(lambda unit: threading.get_ident()) == here
    deck._writer.disk._rest = 100
    assert await deck.write(lambda unit: threading.get_ident()) != here


async def test_short_and_long_units_never_meet(deck: Deck) -> None:
    """Whatever comes in whatever order: one batch at a time, in order, each committed before its outcome."""
    await _warm_up(deck)
    dice = random.Random(7)
    running, order, wheres = 0, [], set()

    def work(number: int) -> Any:
        def step(unit: Unit) -> int:
            nonlocal running
            running += 1
            assert running == 1
            wheres.add(threading.get_ident())
            unit.write("UPDATE projects SET version = version + 1 WHERE name = 'default'")
            order.append(number)
            running -= 1
            return number

        return step

    async def one(number: int) -> int:
        for _ in range(dice.randrange(20)):
            await asyncio.sleep(0)
        return await deck.write(work(number), long=dice.random() < 0.1)

    for _ in range(20):
        deck._writer.disk._rest = min(deck._writer.disk._rest, 2)  # come back soon from a disk that is busy
        assert await asyncio.gather(*(one(n) for n in range(30))) == list(range(30))
    assert len(wheres) == 2
    assert len(order) == 600
    rows = await deck.reader.rows("SELECT version FROM projects WHERE name = 'default'")
    assert rows[0][0] == 601


async def test_a_lock_held_by_another_program_stops_no_event_loop(deck: Deck) -> None:
    """It is waited for on the thread."""
    await _warm_up(deck)
    other = sqlite3.connect(deck.folder / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = deck.write(lambda unit: threading.get_ident())
    for _ in range(10):
        await asyncio.sleep(0)
    assert deck._writer._turn
    other.execute("ROLLBACK")
    other.close()
    assert await waiting != threading.get_ident()


async def test_a_commit_that_fails_on_the_event_loop_sends_the_next_to_the_thread(deck: Deck) -> None:
    def broken(unit: Unit) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    await _warm_up(deck)
    with pytest.raises(Unavailable):
        await deck.write(broken)
    assert await deck.write(lambda unit: threading.get_ident()) != threading.get_ident()


async def test_a_turn_takes_along_what_is_about_to_run_on_the_event_loop(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _warm_up(deck)
    ran: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(deck._writer, "_run_here", ran.append)
        here = deck.write(lambda unit: threading.get_ident())
        deck._writer._settle_wal()  # begins a turn
        assert deck._writer._turn
        assert await here != threading.get_ident()
        await _turn_over(deck)
    assert not ran


async def test_closing_finishes_what_waits_on_the_event_loop(folder: Path, clock: FakeClock, ids: CountingIds) -> None:
    deck = await Deck.open(folder, clock, ids)
    await _warm_up(deck)
    writes = [deck.write(_make(str(n)), long=n == 300) for n in range(400)]
    await deck.close()
    assert await asyncio.gather(*writes) == [str(n) for n in range(400)]
