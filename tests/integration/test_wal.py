"""The write-ahead log is moved into the database beside the writer, and begun anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.bare import Template
from support.clock import FakeClock
from support.ids import CountingIds
from support.people import ROOT

from taskdeck.service.create import create
from taskdeck.service.deck import Deck
from taskdeck.service.requests import NewTask
from taskdeck.store.connect import open_writer
from taskdeck.store.folder import DATABASE
from taskdeck.store.wal import LONG_BYTES, LOOK_EVERY, SHORT_BYTES, Wal, checkpoint

pytestmark = pytest.mark.integration
PATIENCE_S = 20.0
MB = 1 << 20


class Log:
    """A log of its own, with the connection that writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = open_writer(path, 0)
        self.connection.execute("PRAGMA synchronous = OFF")  # power is not lost here, and disks are slow
        self.connection.execute("CREATE TABLE filler (bytes BLOB)")
        checkpoint(self.connection, "TRUNCATE")
        self.to_settle = asyncio.Event()
        self.wal = Wal(path, self.to_settle.set)

    def write(self, size: int) -> None:
        for _ in range(max(1, size // MB)):
            self.connection.execute("INSERT INTO filler VALUES (zeroblob(?))", (min(size, MB),))

    async def settled(self) -> int:
        """Once it was moved beside and the writer has moved the rest: the bytes that were left."""
        await asyncio.wait_for(self.to_settle.wait(), PATIENCE_S)
        self.to_settle.clear()
        left = checkpoint(self.connection)
        self.wal.moved(left)
        return left

    def bytes_ahead(self) -> int:
        """How much of the file is the log as it is now."""
        _, frames, _ = self.connection.execute("PRAGMA wal_checkpoint").fetchone()
        return int(frames) * 4096


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    Template(tmp_path).copy(tmp_path / "deck.db", FakeClock(), CountingIds()).close()
    made = Log(tmp_path / "deck.db")
    yield made
    made.wal.close()
    made.connection.close()


async def test_a_short_log_is_left_alone(log: Log) -> None:
    log.write(LONG_BYTES - MB)
    log.wal.wrote(LOOK_EVERY)
    assert not log.wal.moving


async def test_its_length_is_looked_at_now_and_then(log: Log) -> None:
    log.write(LONG_BYTES)
    log.wal.wrote(LOOK_EVERY - 1)
    assert not log.wal.moving
    log.wal.wrote(1)
    assert log.wal.moving
    assert await log.settled() == 0


async def test_a_long_log_is_moved_and_begun_anew_again_and_again(log: Log) -> None:
    for _ in range(3):
        log.write(LONG_BYTES)
        log.wal.wrote(LOOK_EVERY)
        assert log.wal.moving
        assert await log.settled() == 0
        log.wal.wrote(LOOK_EVERY)
        assert log.wal.moving, "what is moved is in the file until something is written"
        assert await log.settled() == 0
        log.write(1)
        assert log.bytes_ahead() < SHORT_BYTES
        log.wal.wrote(LOOK_EVERY)
        assert not log.wal.moving


async def test_what_is_written_meanwhile_is_moved_too(log: Log) -> None:
    log.write(LONG_BYTES)
    log.wal.wrote(LOOK_EVERY)
    while not log.to_settle.is_set():
        log.write(1)
        await asyncio.sleep(0)
    assert await log.settled() == 0
    log.write(1)
    assert log.bytes_ahead() < SHORT_BYTES
    (count,) = log.connection.execute("SELECT count(*) FROM filler").fetchone()
    assert count > LONG_BYTES // MB


async def test_who_reads_for_long_does_not_have_it_moved_over_and_over(log: Log) -> None:
    with sqlite3.connect(log.path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM filler").fetchone()
        log.write(LONG_BYTES)
        log.wal.wrote(LOOK_EVERY)
        assert await log.settled() > 0
        log.write(MB)
        log.wal.wrote(LOOK_EVERY)
        assert not log.wal.moving
        log.write(LONG_BYTES)
        log.wal.wrote(LOOK_EVERY)
        assert await log.settled() > 0
        reader.execute("COMMIT")
        log.wal.move()
        assert await log.settled() == 0
    reader.close()


async def test_the_log_of_a_deck_that_never_rests_is_begun_anew(
    folder: Path, clock: FakeClock, ids: CountingIds
) -> None:
    deck = await Deck.open(folder, clock, ids)
    wal = deck._writer.wal
    begun_anew, moved = [], wal.moved
    wal.moved = lambda left: (begun_anew.append(left), moved(left))[1]  # type: ignore[method-assign]
    heavy, count = [NewTask("t", "default", payload=f'"{"x" * 250_000}"')], 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            while begun_anew.count(0) < 2:
                await deck.write(lambda unit: create(unit, ROOT, heavy))
                count += 1
        counted = await deck.write(lambda unit: unit.read("SELECT count(*) FROM tasks").fetchone())
    finally:
        await deck.close()
    assert counted == (count,)
    assert count * 250_000 > LONG_BYTES
    assert not (folder / f"{DATABASE}-wal").exists()
