"""A batch: units of work that are run together and committed by one sync.

A unit that fails is undone alone. Here is what needs no thread; `store/writer.py` says where and when it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from taskdeck.domain.clock import Clock
from taskdeck.domain.errors import DeckError, StorageFull, Unavailable
from taskdeck.domain.events import Event
from taskdeck.domain.ids import Ids
from taskdeck.domain.order import USUAL, Order
from taskdeck.store.bulk import insertion, run_bulk
from taskdeck.store.mirror import Mirror
from taskdeck.store.rows import Rows, Spoiled
from taskdeck.store.unit import Unit
from taskdeck.store.words import Unlearnt

log = logging.getLogger(__name__)

Work = Callable[[Unit], Any]


@dataclass(slots=True, eq=False)
class Pending:
    """A unit of work on its way: the callable, where its outcome goes, and whether somebody waits for it.

    A `long` one may take more than a few milliseconds.
    """

    work: Work
    future: asyncio.Future[Any]
    asked: bool = True
    long: bool = False


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

    `took_s` is how long its transaction lasted, and `sync_s` the commit at its end; `fault` is why the database did
    not take it, where somebody waited for it (`asked`) or not.
    """

    now: int
    outcomes: list[tuple[Pending, Any, BaseException | None]] = field(default_factory=list)
    events: list[tuple[Event, bytes]] = field(default_factory=list)
    opened: int = 0
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    current: Pending | None = None
    took_s: float = 0.0
    sync_s: float = 0.0
    fault: DeckError | None = None
    asked: bool = False


def no_hook(_run: Runner) -> None:
    """The hook of a store that nobody serves yet."""


_INSERT_EVENTS = insertion("events", ("seq", "at", "type", "task", "project", "body"))
_WRITE_COUNTS = insertion("counts", ("bucket", "kind", "n"), "ON CONFLICT (bucket, kind) DO UPDATE SET n = excluded.n")


class Runner:
    """Runs units of work against the connection: the part of the writer that needs no thread."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, ids: Ids, order: Order = USUAL) -> None:
        self.connection = connection
        self.clock = clock
        self.ids = ids
        self.mirror = Mirror(order=order)
        self.mirror.load(connection)
        self.rows = Rows()
        self.unlearnt = Unlearnt(connection)
        self.before: Callable[[Runner], None] = no_hook
        self.after: Callable[[Runner], None] = no_hook
        self.batch = Batch(now=clock.now_ms())

    def run(self, pendings: list[Pending], *, begun: bool = False) -> Batch:
        """Run `pendings` in order in one transaction with the hooks around them, and commit.

        The hooks are `before`, which moves what time has made due, and `after`, which serves those who wait.
        A unit that fails is undone alone; if the commit fails, all of them fail and nothing has changed. The caller may
        have `begun` the transaction.
        """
        try:
            return self._together(pendings, begun=begun)
        except Spoiled as spoiled:
            fault = spoiled.__cause__ or spoiled
            log.exception("a batch of %d broke a rule of the schema", len(pendings))
            if len(pendings) == 1:  # it may have failed by itself, and what it had written could not be taken back
                fault = next((why for one, _, why in self.batch.outcomes if one is pendings[0] and why), fault)
            failed = self._all_failed(pendings, self.batch, fault)
        return failed if len(pendings) < 2 else self._apart(pendings, failed)

    def _together(self, pendings: list[Pending], *, begun: bool) -> Batch:
        batch = self.batch = Batch(now=self.clock.now_ms())
        begun_s = time.perf_counter()
        try:
            if not begun:
                self.connection.execute("BEGIN IMMEDIATE")
            self.before(self)
            for pending in pendings:
                if not pending.future.done():  # given up meanwhile
                    batch.current = pending
                    self.settle(pending, pending.work)
            batch.current = None
            self.after(self)
            self._write_out(batch)
            written = time.perf_counter()
            self.connection.execute("COMMIT")
            ended = time.perf_counter()
            batch.took_s, batch.sync_s = ended - begun_s, ended - written
        except Spoiled:
            raise
        except sqlite3.Error as error:
            # without a traceback: on a full disk it is said of every batch
            log.error("a batch of %d could not be committed: %s", len(pendings), error)  # noqa: TRY400
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

    def new_unit(self) -> Unit:
        """A unit of the running batch, to be kept or taken back."""
        return Unit(self.connection, self.mirror, self.rows, self.unlearnt, self.ids, self.batch.now)

    def unit(self, work: Work) -> Any:
        """Run `work` as a unit of the running batch; undo it if it raises."""
        batch, mirror = self.batch, self.mirror
        unit = self.new_unit()
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
            if event.task is not None:  # its shape was made for the event and the reply: kept, it is most of a task
                event.task.shown = None
        batch.opened += unit.opened
        if unit.after_commit:
            batch.after_commit.extend(unit.after_commit)
        return result

    def _write_out(self, batch: Batch) -> None:
        self.rows.write_out(self.connection)
        self.rows.let_go()
        self.unlearnt.learn(self.connection)
        self.unlearnt.tidy(self.connection)
        if batch.events:
            events = (
                (event.seq, event.at, event.type, event.task and event.task.number, event.project, body)
                for event, body in batch.events
            )
            run_bulk(self.connection, _INSERT_EVENTS, events)
        if self.mirror.counted:
            counts = [(*key, self.mirror.counts[key]) for key in self.mirror.counted if key[0] in self.mirror.buckets]
            self.mirror.counted.clear()
            run_bulk(self.connection, _WRITE_COUNTS, counts)

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
        self.unlearnt.start_over()
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
