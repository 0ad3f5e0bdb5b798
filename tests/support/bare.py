"""The real store without a thread: units of work run one by one on a file, as the writer would run them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import orjson

from taskdeck.domain.ids import Ids
from taskdeck.domain.order import USUAL, Order
from taskdeck.service.projects import create_project
from taskdeck.service.upkeep import Upkeep
from taskdeck.store.connect import open_writer
from taskdeck.store.mirror import Mirror
from taskdeck.store.order import rank
from taskdeck.store.rows import Rows
from taskdeck.store.runner import Batch, Elsewhere, Pending, Runner
from taskdeck.store.tasks import by_number
from taskdeck.store.timers import next_moment
from taskdeck.store.unit import Unit

from .clock import FakeClock
from .ids import CountingIds
from .people import ROOT

CLAIMABLE = (
    "SELECT {rank}, number FROM tasks WHERE bucket = ? AND (state = 'ready' OR lapsed = 1) ORDER BY 1, 2 LIMIT ?"
)


Units = tuple[Callable[[Unit], Any], ...]


def pending(work: Callable[[Unit], Any]) -> Pending:
    """A unit of work on its way."""
    return Pending(work, Future())  # type: ignore[arg-type]


class BareStore:
    """A store on the file `path`. Every call of it is one batch with the upkeep before it."""

    def __init__(self, path: Path, clock: FakeClock, ids: Ids, order: Order = USUAL) -> None:
        self.path = path
        self.clock = clock
        self.ids = ids
        self.order = order
        self.runner: Runner
        self.open()

    def open(self) -> None:
        self.runner = Runner(open_writer(self.path, self.clock.now_ms(), self.order), self.clock, self.ids, self.order)
        self.runner.before = Upkeep(self.clock)
        self.runner.connection.execute("PRAGMA synchronous = OFF")  # power is not lost here, and disks are slow

    def close(self) -> None:
        self.runner.connection.close()

    def batch(self, *works: Callable[[Unit], Any]) -> Batch:
        """Run `works` in one batch."""
        return self.runner.run([pending(work) for work in works])

    def __call__(self, work: Callable[[Unit], Any], before: Units = (), after: Units = ()) -> Any:
        """The result of `work`, in one batch with what comes `before` and `after` it; raises what it raised."""
        _, result, error = self.batch(*before, work, *after).outcomes[len(before)]
        if isinstance(error, Elsewhere):
            error.work()
            return self(work)
        if error is not None:
            raise error
        return result

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self.runner.connection.execute(sql, values).fetchall()

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """The log behind that number."""
        rows = self.rows("SELECT body FROM events WHERE seq > ? ORDER BY seq", (after,))
        return [orjson.loads(body) for (body,) in rows]

    def check(self) -> None:
        """The counts are what counting gives, and the mirror is what loading gives."""
        counted = self.rows("SELECT bucket, kind, n FROM counts WHERE n > 0")
        real = self.rows(
            "SELECT bucket, state, count(*) FROM tasks GROUP BY 1, 2"
            " UNION ALL SELECT bucket, 'lapsed', count(*) FROM tasks WHERE lapsed = 1 GROUP BY 1"
        )
        assert sorted(counted) == sorted(real)
        mirror, fresh, claimable = self.runner.mirror, Mirror(), CLAIMABLE.format(rank=rank(self.order))
        fresh.load(self.runner.connection)
        assert {key: n for key, n in mirror.counts.items() if n} == fresh.counts
        for name in (
            "buckets",
            "interned",
            "claimable",
            "projects",
            "paused",
            "workers",
            "last_seq",
            "last_task",
            "missing",
        ):
            assert getattr(mirror, name) == getattr(fresh, name), name
        assert mirror.assignees >= fresh.assignees
        assert mirror.attached >= fresh.attached
        for claimer, choice in mirror._choices.items():
            assert choice.buckets == fresh.open_to(claimer).buckets, claimer
            for bucket in choice.buckets:
                bounds = [place for place, number in choice.heaps[mirror.lane(bucket)] if number == bucket]
                assert min(bounds) <= self.rows(claimable, (bucket, 1))[0], bucket
        for bucket, front in mirror.fronts.items():
            assert front.places == self.rows(claimable, (bucket, len(front.places))), bucket
            if front.whole:
                assert len(front.places) == len(self.rows(claimable, (bucket, -1))), bucket
        if mirror.held.on:
            fresh.held.load(self.runner.connection.execute, fresh.buckets)
            assert mirror.held.counts == fresh.held.counts
        unit = Unit(self.runner.connection, mirror, Rows(), self.runner.unlearnt, self.ids, self.clock.now_ms())
        assert mirror.next_due <= min(next_moment(unit), mirror.watch.next_moment())
        for task in self.runner.rows:
            stored = by_number(unit, task.number)
            assert stored is not None
            assert task.awaited or not stored.awaited
            stored.awaited = task.awaited  # may have been so once
            assert task == stored, task.key
            assert self.runner.rows.named(task.key) is self.runner.rows.named(task.id) is task


class Template:
    """A migrated database with the projects `default` and `side`, copied for each use."""

    def __init__(self, folder: Path, order: Order = USUAL) -> None:
        self._path = folder / "template.db"
        store = BareStore(self._path, FakeClock(), CountingIds(), order)
        store(lambda unit: create_project(unit, ROOT, "default", "T", {}))
        slim = {"lease_ms": 60_000, "backoff_ms": 0, "backoff_cap_ms": 0}
        store(lambda unit: create_project(unit, ROOT, "side", "S", slim))
        store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()

    def copy(self, path: Path, clock: FakeClock, ids: Ids, order: Order = USUAL) -> BareStore:
        shutil.copyfile(self._path, path)
        return BareStore(path, clock, ids, order)
