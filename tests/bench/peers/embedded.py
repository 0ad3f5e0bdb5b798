"""Queues that are a library on a SQLite file: they have no connections, so each worker is a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from peers.ground import Ground
from peers.peer import BODY, Missing, Peer, Played, Watch, watch
from taskdeck.bench.line import BenchFailed
from taskdeck.bench.load import SILENCE_S

Worker = tuple[Callable[[], bool], Callable[[], object]]
"""Takes one task, False when there is none; and what closes it."""


async def huey(ground: Ground) -> Peer:
    """huey on SQLite. It only dequeues: a task that was taken and not done is lost."""
    try:
        from huey.storage import SqliteStorage
    except ImportError:
        raise Missing("no huey found (PyPI: huey)") from None
    file = str(ground.folder("huey") / "huey.db")
    unsynced = SqliteStorage("bench", file, fsync=False)
    ground.stack.callback(unsynced.close)

    async def load(count: int) -> None:
        for _ in range(count):
            unsynced.enqueue(BODY.encode())

    def worker() -> Worker:
        storage = SqliteStorage("bench", file, fsync=True, create_tables=False)
        return lambda: storage.dequeue() is not None, storage.close

    return Peer(
        title="huey on SQLite, only dequeue",
        versions=f"huey {importlib.metadata.version('huey')}, SQLite {sqlite3.sqlite_version}",
        durability="fsync before it returns",
        does="in the client's process, no server; half of the work: no acknowledgement, no lease, no events",
        tasks_a_second=8_000,
        load=load,
        play=lambda connections, seconds: _play(worker, connections, seconds),
    )


async def litequeue(ground: Ground) -> Peer:
    """litequeue: pop, then done."""
    try:
        from litequeue import LiteQueue
    except ImportError:
        raise Missing("no litequeue found (PyPI: litequeue)") from None
    file = str(ground.folder("litequeue") / "queue.db")
    filled = LiteQueue(file)
    ground.stack.callback(filled.close)

    async def load(count: int) -> None:
        with filled.transaction():
            for _ in range(count):
                filled.put(BODY)

    def worker() -> Worker:
        queue = LiteQueue(file)

        def cycle() -> bool:
            held = queue.pop()
            if held is None:
                return False
            queue.done(held.message_id)
            return True

        return cycle, queue.close

    return Peer(
        title="litequeue",
        versions=f"litequeue {importlib.metadata.version('litequeue')}, SQLite {sqlite3.sqlite_version}",
        durability="no fsync (WAL, synchronous=NORMAL)",
        does="in the client's process, no server; no leases, no fences, no events; finished kept",
        tasks_a_second=4_000,
        load=load,
        play=lambda connections, seconds: _play(worker, connections, seconds),
    )


async def _play(worker: Callable[[], Worker], threads: int, seconds: float) -> Played:
    failed: list[Exception] = []
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        cycles = []
        for _ in range(threads):
            cycle, close = worker()
            stack.callback(close)
            cycles.append(cycle)
        round_ = stack.enter_context(watch())
        until = time.perf_counter() + seconds
        running = [threading.Thread(target=_loop, args=(cycle, until, round_, stop, failed)) for cycle in cycles]
        for thread in running:
            thread.start()
        try:
            async with asyncio.timeout(seconds + SILENCE_S):
                while any(thread.is_alive() for thread in running):  # noqa: ASYNC110  (of threads)
                    await asyncio.sleep(0.01)
            played = round_.played()
        except TimeoutError:
            raise BenchFailed(f"no answer for {SILENCE_S:g} seconds") from None
        finally:
            stop.set()
            for thread in running:
                thread.join()
    if failed:
        raise BenchFailed(f"a worker failed: {failed[0]}")
    return replace(played, client_busy=None)  # client and queue are one


def _loop(
    cycle: Callable[[], bool], until: float, round_: Watch, stop: threading.Event, failed: list[Exception]
) -> None:
    begun = time.perf_counter()
    try:
        while begun < until and not stop.is_set():
            try:
                if not cycle():
                    return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                if time.perf_counter() > until:
                    return
                continue  # it waited for the file until its patience ended; its worker asks again
            now = time.perf_counter()
            round_.samples.append(now - begun)
            begun = now
    except Exception as error:
        failed.append(error)
