"""The one writer: commits waiting units of work together, on a thread of its own or on the event loop.

A reply is given only after the commit that holds its change, and one sync serves many: whatever arrives while a batch
is being synced forms the next. That is the thread's way. Where the disk is quick, waking a thread and winning Python's
lock back from it take longer than the sync; there, batches of short units are run on the event loop, once no more of
them are on their way. Both never run at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskdeck.domain.clock import Clock
from taskdeck.domain.errors import Draining, Unavailable
from taskdeck.domain.ids import Ids
from taskdeck.domain.order import USUAL, Order
from taskdeck.store.connect import open_writer
from taskdeck.store.disk import Disk
from taskdeck.store.runner import Batch, Elsewhere, Pending, Runner, Work
from taskdeck.store.unit import Unit
from taskdeck.store.wal import Wal, checkpoint

log = logging.getLogger(__name__)

BATCH_LIMIT = 256
LOOP_LIMIT = 128
"""How many units are run on the event loop at once: everything else there waits for them."""
QUEUE_LIMIT = 20_000
BUSY_MS = 5_000
"""How long the thread waits for another program to give up its lock."""
_LOOKS = 2
"""How many rounds of the event loop must bring nothing new before a batch smaller than the last is run."""
_IDLE_S = 0.25
"""After so long without a batch the write-ahead log is moved into the database."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the thread is woken for: units of work, or the rest of the log."""

    pendings: list[Pending]
    settle: bool = False


class Writer:
    """Decides where a `Runner` runs. `deliver` is called on the event loop with each committed batch.

    At most `batch_limit` units of work share a transaction. The connection belongs to the thread during its *turn*,
    which lasts as long as it finds something queued, and to the event loop otherwise.
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
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._batch_limit = batch_limit
        self.disk = Disk()
        self.busy_ms = BUSY_MS
        self._waits_ms: int | None = None
        self.runner = Runner(open_writer(path, clock.now_ms(), order), clock, ids, order)
        self.wal = Wal(path, self._settle_wal)
        self._settle = False
        self._turns: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
        self._queue: queue.SimpleQueue[Pending] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="taskdeck-writer", daemon=True)
        self._turn = False
        self._waiting: list[Pending] = []
        self._gathering = False
        self._seen = self._looks = self._last = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._worked = False
        self._closing = False
        self._elsewhere: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        self._thread.start()

    def submit(self, work: Work, *, asked: bool = True, long: bool = False) -> asyncio.Future[Any]:
        """Queue `work`; the future gives its result once the change is on disk. Not `asked`: nobody waits for it.

        Only what is `long`, and may take more than a few milliseconds, is never run on the event loop.

        Raises:
            Unavailable: more units wait than the writer may let wait.
            Draining: the writer is closing.
        """
        if self._closing:
            raise Draining("the server is stopping", hint="Try again once it is back.")
        if len(self._waiting) + self._queue.qsize() >= QUEUE_LIMIT:
            raise Unavailable("too many writes are waiting", hint="Slow down and try again in a second.")
        return self._enqueue(Pending(work, self._loop.create_future(), asked, long))

    async def close(self) -> None:
        """Finish everything queued, checkpoint, close the connection."""
        self._closing = True
        if self._elsewhere:
            await asyncio.wait(self._elsewhere)
        if self._thread.ident is not None:
            # what was queued before it is done before it
            last = self._enqueue(Pending(_nothing, self._loop.create_future(), asked=False))
            await asyncio.gather(last, return_exceptions=True)
            self._turns.put(None)
            await asyncio.to_thread(self._thread.join)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        await asyncio.to_thread(self._put_away)

    def _put_away(self) -> None:
        self.wal.close()
        checkpoint(self.runner.connection, "TRUNCATE")
        self.runner.connection.close()

    def _enqueue(self, pending: Pending) -> asyncio.Future[Any]:
        if self._turn:
            self._queue.put(pending)
        else:
            self._waiting.append(pending)
            self._gather_soon()
        return pending.future

    def _gather_soon(self) -> None:
        if not self._gathering:
            self._gathering = True
            self._seen = self._looks = 0
            self._loop.call_soon(self._gather)

    def _gather(self) -> None:
        """Run what waits: here if that is the quicker way, once no more of it is on its way."""
        if self._turn or not self._waiting:  # a turn has begun meanwhile, and took it along
            self._gathering = False
            return
        here = self._may_run_here()
        if here and self._more_are_coming():
            self._loop.call_soon(self._gather)
            return
        self._gathering = False
        limit = min(LOOP_LIMIT, self._batch_limit) if here else self._batch_limit
        some, self._waiting = self._waiting[:limit], self._waiting[limit:]
        if here and self._begin():
            self._run_here(some)
        else:
            self._begin_turn(some)

    def _may_run_here(self) -> bool:
        return (
            self.disk.quick
            and not any(pending.long for pending in self._waiting)
            and self.runner.mirror.next_due > self._clock.now_ms()  # moving what is due may take long
        )

    def _more_are_coming(self) -> bool:
        """Whether less waits than was run the last time, and some of it came just now."""
        count = len(self._waiting)
        if count >= self._last:
            return False
        self._looks = 0 if count > self._seen else self._looks + 1
        self._seen = count
        return self._looks < _LOOKS

    def _begin(self) -> bool:
        """Open the transaction of a batch here; False if another program holds the lock, which is not waited for."""
        self._wait_for_locks(0)
        try:
            self.runner.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            return False
        return True

    def _wait_for_locks(self, milliseconds: int) -> None:
        if self._waits_ms != milliseconds:
            self.runner.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
            self._waits_ms = milliseconds

    def _run_here(self, pendings: list[Pending]) -> None:
        self._last = len(pendings)
        batch = self._run(pendings, begun=True)
        if batch.fault is not None:
            self.disk.failed()
        elif not self.wal.moving:  # which makes every sync slower, for a moment
            self.disk.synced(batch.sync_s, len(pendings))
        self._finish(batch)
        if self._waiting:
            self._gather_soon()

    def _begin_turn(self, pendings: list[Pending], *, settle: bool = False) -> None:
        """Give the connection to the thread: for `pendings` and what is queued meanwhile, or the rest of the log."""
        self._turn = True
        for pending in self._waiting:
            self._queue.put(pending)
        self._waiting.clear()
        self._turns.put(Turn(pendings, settle))

    def _turn_over(self) -> None:
        self._turn = False
        self._waiting = self._take(QUEUE_LIMIT)  # what came since the thread last looked
        if self._settle:
            self._begin_turn([], settle=True)
        elif self._waiting:
            self._gather_soon()

    def _live(self) -> None:
        """The thread: turn after turn."""
        while (turn := self._turns.get()) is not None:
            if turn.settle:
                self._settle_here()
            pendings = turn.pendings or self._take(self._batch_limit)
            while pendings:
                self._wait_for_locks(self.busy_ms)
                batch = self._run(pendings)
                self.disk.rested()
                self._tell(self._finish, batch)
                if self._settle:
                    self._settle_here()
                pendings = [] if self.disk.quick else self._take(self._batch_limit)
            self._tell(self._turn_over)

    def _settle_here(self) -> None:
        """On the thread: move the rest of the log, so that the next commit begins it anew. Waits for no reader."""
        self._settle = False
        self._tell(self.wal.moved, checkpoint(self.runner.connection))

    def _take(self, limit: int) -> list[Pending]:
        """What is queued, at most so much."""
        pendings: list[Pending] = []
        with contextlib.suppress(queue.Empty):
            while len(pendings) < limit:
                pendings.append(self._queue.get_nowait())
        return pendings

    def _tell(self, call: Callable[..., None], *values: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *values)

    def _run(self, pendings: list[Pending], *, begun: bool = False) -> Batch:
        try:
            return self.runner.run(pendings, begun=begun)
        except Exception as error:
            # a fault of our own must not end the writer: every later write would hang
            log.exception("the writer met a fault")
            self.runner.start_over()
            return Batch(now=0, outcomes=[(pending, None, error) for pending in pendings])

    def _finish(self, batch: Batch) -> None:
        self._worked = True
        if self._idle_timer is None:
            self._idle_timer = self._loop.call_later(_IDLE_S, self._look_idle)
        self.wal.wrote(len(batch.events))
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
            self._enqueue(pending)
        else:
            pending.future.set_exception(error)

    def _look_idle(self) -> None:
        """Tidy up once nothing was committed for a while."""
        self._idle_timer = None
        if self._worked or self._turn:
            self._worked = False
            self._idle_timer = self._loop.call_later(_IDLE_S, self._look_idle)
        elif not self._closing:
            self.wal.move()

    def _settle_wal(self) -> None:
        """All of the log but a little was moved beside; the rest is moved once the writer has a moment."""
        if self._turn:
            self._settle = True  # the thread sees to it after its next batch
        elif not self._closing:
            self._begin_turn([], settle=True)


def _nothing(_unit: Unit) -> None:
    """A unit of work that only tells that its turn has come."""
