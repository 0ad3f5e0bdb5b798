"""The one writer: a thread that owns the writing connection and commits waiting units of work together.

Whatever arrives while one batch is being synced forms the next: there is no delay to gather, and under load one
sync serves many. A reply is given only after the commit that holds its change.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskdeck.domain.clock import Clock
from taskdeck.domain.errors import DeckError, Draining, StorageFull, Unavailable
from taskdeck.domain.events import Event
from taskdeck.domain.ids import Ids
from taskdeck.domain.order import USUAL, Order
from taskdeck.store.bulk import run_bulk
from taskdeck.store.connect import WAL_KEPT_BYTES, open_writer
from taskdeck.store.mirror import Mirror
from taskdeck.store.rows import Rows, Spoiled
from taskdeck.store.unit import Unit

log = logging.getLogger(__name__)

Work = Callable[[Unit], Any]

BATCH_LIMIT = 256
QUEUE_LIMIT = 20_000
_IDLE_CHECKPOINT_S = 0.25


@dataclass(slots=True, eq=False)
class Pending:
    """A unit of work on its way: the callable, where its outcome goes, and whether somebody waits for it."""

    work: Work
    future: asyncio.Future[Any]
    asked: bool = True


class Elsewhere(Exception):
    """Raised by a unit of work that needs `work` done first, which would keep the writer's thread too long.

    The unit is undone, `work` is done on another thread, and the unit is run again; what `work` raises is its outcome.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__("to be done elsewhere first")
        self.work = work


class _Later:
    """The result of a unit of work that keeps its `Pending` to be settled in a later batch."""


LATER = _Later()


@dataclass(slots=True)
class Batch:
    """What one commit carries: the outcomes to hand out once it is done, and the events in it.

    `took_s` is how long its transaction lasted, the sync included; `fault` is why the database did not take it,
    where somebody waited for it (`asked`) or not.
    """

    now: int
    outcomes: list[tuple[Pending, Any, BaseException | None]] = field(default_factory=list)
    events: list[tuple[Event, bytes]] = field(default_factory=list)
    opened: int = 0
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    current: Pending | None = None
    took_s: float = 0.0
    fault: DeckError | None = None
    asked: bool = False


def no_hook(_run: Runner) -> None:
    """The hook of a store that nobody serves yet."""


_EVENT_COLUMNS = 6
_INSERT_EVENTS = (
    "INSERT INTO events (seq, at, type, task, project, body) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"
)
_COUNT_COLUMNS = 3
_WRITE_COUNTS = (
    "INSERT INTO counts (bucket, kind, n) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"
    " ON CONFLICT (bucket, kind) DO UPDATE SET n = excluded.n"
)


class Runner:
    """Runs units of work against the connection: the part of the writer that needs no thread."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, ids: Ids, order: Order = USUAL) -> None:
        self.connection = connection
        self.clock = clock
        self.ids = ids
        self.mirror = Mirror(order=order)
        self.mirror.load(connection)
        self.rows = Rows()
        self.before: Callable[[Runner], None] = no_hook
        self.after: Callable[[Runner], None] = no_hook
        self.batch = Batch(now=clock.now_ms())

    def run(self, pendings: list[Pending]) -> Batch:
        """Run `pendings` in order in one transaction with the hooks around them, and commit.

        The hooks are `before`, which moves what time has made due, and `after`, which serves those who wait.
        A unit that fails is undone alone; if the commit fails, all of them fail and nothing has changed.
        """
        try:
            return self._together(pendings)
        except Spoiled as spoiled:
            fault = spoiled.__cause__ or spoiled
            log.exception("a batch of %d broke a rule of the schema", len(pendings))
            if len(pendings) == 1:  # it may have failed by itself, and what it had written could not be taken back
                fault = next((why for one, _, why in self.batch.outcomes if one is pendings[0] and why), fault)
            failed = self._all_failed(pendings, self.batch, fault)
        return failed if len(pendings) < 2 else self._apart(pendings, failed)

    def _together(self, pendings: list[Pending]) -> Batch:
        batch = self.batch = Batch(now=self.clock.now_ms())
        begun = time.perf_counter()
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            self.before(self)
            for pending in pendings:
                if not pending.future.done():  # given up meanwhile
                    batch.current = pending
                    self.settle(pending, pending.work)
            batch.current = None
            self.after(self)
            self._write_out(batch)
            self.connection.execute("COMMIT")
            batch.took_s = time.perf_counter() - begun
        except Spoiled:
            raise
        except sqlite3.Error as error:
            log.exception("a batch of %d could not be committed", len(pendings))
            failed = self._all_failed(pendings, batch, fault := storage_error(error))
            failed.fault, failed.asked = fault, any(pending.asked for pending in pendings)
            return failed
        except BaseException:
            self._all_failed(pendings, batch, Unavailable("the batch was given up"))
            raise
        return batch

    def _apart(self, pendings: list[Pending], failed: Batch) -> Batch:
        """Run each of `pendings` in a transaction of its own, so that only the one at fault fails."""
        queued = {id(pending) for pending in pendings}
        whole = Batch(now=failed.now, outcomes=[one for one in failed.outcomes if id(one[0]) not in queued])
        for pending in pendings:
            batch = self.run([pending])
            whole.outcomes += batch.outcomes
            whole.events += batch.events
            whole.after_commit += batch.after_commit
            whole.took_s = max(whole.took_s, batch.took_s)
        return whole

    def settle(self, pending: Pending, work: Work) -> bool:
        """Run `work` as a unit and note its outcome for `pending`; False if it answered `LATER`.

        Raises:
            sqlite3.Error: the database failed, and with it the batch; a refused constraint is the unit's own fault.
        """
        result: Any = None
        failure: Exception | None = None
        try:
            result = self.unit(work)
        except (DeckError, Elsewhere) as error:
            failure = error
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError) as error:
            log.exception("a unit of work broke a rule of the schema")
            failure = error
        except sqlite3.Error:
            raise
        except Exception as error:
            log.exception("a unit of work failed")
            failure = error
        if result is LATER:
            return False
        self.batch.outcomes.append((pending, result, failure))
        return True

    def unit(self, work: Work) -> Any:
        """Run `work` as a unit of the running batch; undo it if it raises."""
        batch, mirror = self.batch, self.mirror
        unit = Unit(self.connection, mirror, self.rows, self.ids, batch.now)
        try:
            result = work(unit)
            unit.keep()
        except BaseException:
            unit.take_back()
            raise
        for event in unit.events:
            mirror.last_seq += 1
            event.seq = mirror.last_seq
            batch.events.append((event, event.encode()))
        batch.opened += unit.opened
        if unit.after_commit:
            batch.after_commit.extend(unit.after_commit)
        return result

    def _write_out(self, batch: Batch) -> None:
        self.rows.write_out(self.connection)
        self.rows.let_go()
        if batch.events:
            events = (
                (event.seq, event.at, event.type, event.task and event.task.number, event.project, body)
                for event, body in batch.events
            )
            run_bulk(self.connection, _EVENT_COLUMNS, _INSERT_EVENTS, events)
        if self.mirror.counted:
            counts = [(*key, self.mirror.counts[key]) for key in self.mirror.counted if key[0] in self.mirror.buckets]
            self.mirror.counted.clear()
            run_bulk(self.connection, _COUNT_COLUMNS, _WRITE_COUNTS, counts)

    def _all_failed(self, pendings: list[Pending], batch: Batch, error: BaseException) -> Batch:
        self.start_over()
        owed = {id(pending): pending for pending in pendings}
        owed.update((id(pending), pending) for pending, _, _ in batch.outcomes)
        return Batch(now=batch.now, outcomes=[(pending, None, error) for pending in owed.values()])

    def start_over(self) -> None:
        """Give up the transaction, if there is one, and read anew what is kept in memory."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.rollback()
        self.rows.forget_all()
        self.mirror.load(self.connection)


def storage_error(error: sqlite3.Error) -> DeckError:
    """What callers are told when SQLite itself refuses."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return StorageFull(
            "the disk is full; nothing was changed", hint="Free some space; the server goes on by itself."
        )
    return Unavailable(
        f"the database could not be written ({error}); nothing was changed",
        hint="Try again in a few seconds.",
    )


class Writer:
    """The thread around a `Runner`. `deliver` is called on the event loop with each committed batch.

    At most `batch_limit` units of work share a transaction.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        ids: Ids,
        deliver: Callable[[Batch], None],
        batch_limit: int = BATCH_LIMIT,
        order: Order = USUAL,
    ) -> None:
        self._path = path
        self._wal = f"{path}-wal"
        self._queue: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._batch_limit = batch_limit
        self.runner = Runner(open_writer(path, clock.now_ms(), order), clock, ids, order)
        self._thread = threading.Thread(target=self._live, name="taskdeck-writer", daemon=True)
        self._closing = False
        self._elsewhere: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        self._thread.start()

    def submit(self, work: Work, *, asked: bool = True) -> asyncio.Future[Any]:
        """Queue `work`; the future gives its result once the change is on disk. Not `asked`: nobody waits for it.

        Raises:
            Unavailable: more units wait than the writer may let wait.
            Draining: the writer is closing.
        """
        if self._closing:
            raise Draining("the server is stopping", hint="Try again once it is back.")
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise Unavailable("too many writes are waiting", hint="Slow down and try again in a second.")
        pending = Pending(work, self._loop.create_future(), asked)
        self._queue.put(pending)
        return pending.future

    async def close(self) -> None:
        """Finish everything queued, checkpoint, close the connection."""
        self._closing = True
        if self._elsewhere:
            await asyncio.wait(self._elsewhere)
        self._queue.put(None)
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)
        self.runner.connection.close()

    def _live(self) -> None:
        stopping, resting = False, True
        while not stopping:
            try:
                first = self._queue.get(timeout=None if resting else _IDLE_CHECKPOINT_S)
            except queue.Empty:
                self._checkpoint("TRUNCATE" if self._wal_bytes() > WAL_KEPT_BYTES else "PASSIVE")
                resting = True
                continue
            pendings: list[Pending] = []
            while True:
                if first is None:
                    stopping = True
                    break
                pendings.append(first)
                if len(pendings) == self._batch_limit:
                    break
                try:
                    first = self._queue.get_nowait()
                except queue.Empty:
                    break
            if pendings:
                self._hand_over(self._run(pendings))
                resting = False
                if self._wal_bytes() > WAL_KEPT_BYTES:
                    # waits for no reader; once all of it is moved, the next commit begins the log anew and cuts it
                    self._checkpoint("PASSIVE")
        self._checkpoint("TRUNCATE")

    def _run(self, pendings: list[Pending]) -> Batch:
        try:
            return self.runner.run(pendings)
        except Exception as error:
            # a fault of our own must not end the writer: every later write would hang
            log.exception("the writer met a fault")
            self.runner.start_over()
            return Batch(now=0, outcomes=[(pending, None, error) for pending in pendings])

    def _hand_over(self, batch: Batch) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody is left to tell
            self._loop.call_soon_threadsafe(self._finish, batch)

    def _finish(self, batch: Batch) -> None:
        self._deliver(batch)
        for pending, result, error in batch.outcomes:
            if pending.future.done():
                continue
            if isinstance(error, Elsewhere):
                self._do_elsewhere(pending, error)
            elif error is None:
                pending.future.set_result(result)
            else:
                pending.future.set_exception(error)
        for call in batch.after_commit:
            call()

    def _do_elsewhere(self, pending: Pending, asked: Elsewhere) -> None:
        task = self._loop.create_task(asyncio.to_thread(asked.work))
        self._elsewhere.add(task)
        task.add_done_callback(lambda _done: self._run_again(pending, task))

    def _run_again(self, pending: Pending, task: asyncio.Task[Any]) -> None:
        self._elsewhere.discard(task)
        error = Draining("the server is stopping") if self._closing or task.cancelled() else task.exception()
        if pending.future.done():
            return
        if error is None:
            self._queue.put(pending)
        else:
            pending.future.set_exception(error)

    def _wal_bytes(self) -> int:
        try:
            return os.stat(self._wal).st_size  # noqa: PTH116  (after every batch: a Path costs more than the call)
        except FileNotFoundError:
            return 0

    def _checkpoint(self, mode: str) -> None:
        try:
            self.runner.connection.execute(f"PRAGMA wal_checkpoint({mode})")
        except sqlite3.Error:
            log.exception("a checkpoint failed")
