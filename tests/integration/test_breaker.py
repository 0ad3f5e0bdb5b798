"""The circuit breaker, on a store that really fails: another connection holds its lock."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.api import Api
from support.clock import FakeClock
from support.failing import failing

from taskdeck.app import RunningDeck
from taskdeck.domain.clock import rfc3339
from taskdeck.service import deck as deck_module
from taskdeck.service.breaker import OPEN_AFTER, OPEN_MS
from taskdeck.store.folder import DATABASE

OPEN_S = OPEN_MS / 1000


async def fail(api: Api, times: int) -> None:
    for _ in range(times):
        reply = await api.call("POST", "/v1/tasks", {"title": "t"})
        assert (reply.status, reply.code) == (503, "storage_unavailable")


async def refused(api: Api) -> int:
    """Be refused by the open breaker; the seconds to wait."""
    reply = await api.call("POST", "/v1/tasks", {"title": "t"})
    assert (reply.status, reply.code) == (503, "circuit_open"), reply
    assert reply.json()["retryable"] is True
    assert "database is locked" in reply.json()["detail"]
    return int(reply.headers["Retry-After"])


async def test_it_opens_tries_again_and_closes(served: RunningDeck, api: Api, clock: FakeClock) -> None:
    assert (await api.get("/v1/stats"))["breaker"] == {
        "state": "closed",
        "faults": 0,
        "opened_at": None,
        "retry_after_seconds": None,
        "reason": None,
    }
    before, opened_at = await api.last_seq(), clock.now_ms()
    with failing(served):
        await fail(api, OPEN_AFTER)
        assert await refused(api) == OPEN_S
        stats = (await api.get("/v1/stats"))["breaker"]
        assert (stats["state"], stats["faults"], stats["retry_after_seconds"]) == ("open", OPEN_AFTER, OPEN_S)
        assert stats["opened_at"] == rfc3339(opened_at)
        ready = await api.call("GET", "/readyz")
        assert (ready.status, ready.json()["checks"]["breaker"]) == (503, "open")
        assert (await api.get("/v1/tasks"))["tasks"] == [], "reads go on"
        clock.advance(OPEN_S - 0.5)
        assert await refused(api) == 1
        clock.advance(0.5)
        await fail(api, 1)  # the probe
        assert await refused(api) == OPEN_S
    assert await refused(api) == OPEN_S, "it waits, though the store would work again"
    assert await api.last_seq() == before
    clock.advance(OPEN_S)
    task = await api.create("the probe is a write like any other")
    assert (await api.get("/v1/stats"))["breaker"]["state"] == "closed"
    assert (await api.call("GET", "/readyz")).status == 200
    opened, closed, created = await api.events(after=before)
    assert [opened["type"], closed["type"], created["type"]] == ["breaker.opened", "breaker.closed", "task.created"]
    assert opened["facts"]["opened_at"] == rfc3339(opened_at)
    assert opened["facts"]["faults"] == OPEN_AFTER + 1
    assert "database is locked" in opened["facts"]["reason"]
    assert closed["facts"] == {"open_seconds": 2 * OPEN_S, "probes": 2}
    assert created["task"]["id"] == task["id"]


async def test_only_one_write_tries_the_store(served: RunningDeck, api: Api, clock: FakeClock) -> None:
    with failing(served):
        await fail(api, OPEN_AFTER)
        clock.advance(OPEN_S)
        replies = await asyncio.gather(*(api.call("POST", "/v1/tasks", {"title": "t"}) for _ in range(20)))
        assert sorted(reply.code for reply in replies) == ["circuit_open"] * 19 + ["storage_unavailable"]


async def test_the_writes_of_one_batch_are_one_fault(served: RunningDeck, api: Api) -> None:
    with failing(served):
        works = [served.deck.write(lambda unit: None) for _ in range(50)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        assert {getattr(error, "stable_code", None) for error in outcomes} == {"storage_unavailable"}
        assert len({id(error) for error in outcomes}) == served.deck.breaker.faults < OPEN_AFTER
    await api.create()
    assert served.deck.breaker.faults == 0


async def test_faults_with_a_success_between_do_not_add_up(served: RunningDeck, api: Api) -> None:
    for _ in range(3):
        with failing(served):
            await fail(api, OPEN_AFTER - 1)
        await api.create()
    assert (await api.get("/v1/stats"))["breaker"]["state"] == "closed"


async def test_what_clients_do_wrong_never_counts(served: RunningDeck, api: Api) -> None:
    for _ in range(OPEN_AFTER * 3):
        assert (await api.call("POST", "/v1/tasks/no/complete", {"fence": 1})).status == 404
        assert (await api.call("POST", "/v1/tasks", {"title": ""})).status == 422

    def broken(unit: object) -> None:
        raise ZeroDivisionError

    for _ in range(OPEN_AFTER * 3):
        with pytest.raises(ZeroDivisionError):
            await served.deck.write(broken)
    assert served.deck.breaker.faults == 0
    await api.create()


async def test_waiting_claims_are_answered_at_once_too(served: RunningDeck, api: Api) -> None:
    with failing(served):
        await fail(api, OPEN_AFTER)
        reply = await api.call("POST", "/v1/claims", {"worker": "w", "wait_seconds": 60})
        assert (reply.status, reply.code) == (503, "circuit_open")


async def test_a_full_disk_has_its_own_answer(served: RunningDeck, api: Api) -> None:
    def limit(pages: int) -> None:
        served.deck._writer.runner.connection.execute(f"PRAGMA max_page_count = {pages}")

    limit(1)  # no fewer than there are: the file may not grow
    big = {"title": "t", "payload": "x" * 200_000}
    for _ in range(OPEN_AFTER * 2):
        reply = await api.call("POST", "/v1/tasks", big)
        assert (reply.status, reply.code) == (507, "storage_full")
    assert served.deck.breaker.closed
    limit(1 << 20)
    assert (await api.call("POST", "/v1/tasks", big)).status == 201


async def test_a_disk_that_does_not_answer_opens_it(
    served: RunningDeck, api: Api, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = served.deck._patience
    monkeypatch.setattr(patience, "_seconds", 0.05)
    monkeypatch.setattr(patience, "_look_s", 0.05)
    runner = served.deck._writer.runner
    with closing(sqlite3.connect(served.data / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # the writer waits for the lock, as for a disk that hangs
        runner.connection.execute("PRAGMA busy_timeout = 60000")
        works = [served.deck.write(lambda unit: None) for _ in range(OPEN_AFTER)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        assert all(deck_module.Unavailable is type(error) for error in outcomes)
        assert (await api.get("/v1/stats"))["breaker"]["state"] == "open"
        assert (await api.call("POST", "/v1/tasks", {"title": "t"})).code == "circuit_open"
        other.execute("ROLLBACK")
    clock.advance(OPEN_S)
    monkeypatch.setattr(patience, "_seconds", 10)
    await api.create()
    assert (await api.get("/v1/stats"))["breaker"]["state"] == "closed"
