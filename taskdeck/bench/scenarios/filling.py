"""Data folders with very many tasks in them, made through the store without a server, and kept to be used again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from taskdeck.bench.scripts import CAPABILITY, PROJECT, TASK
from taskdeck.domain.clock import SystemClock
from taskdeck.domain.ids import RandomIds
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.task import Task
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.finish import complete
from taskdeck.service.projects import create_project
from taskdeck.service.requests import ClaimRequest, NewTask
from taskdeck.store.connect import open_writer
from taskdeck.store.folder import DATABASE, prepare
from taskdeck.store.migrate import shipped
from taskdeck.store.runner import Pending, Runner
from taskdeck.store.unit import Unit

PARENT = "PARENT"
"""The key of the task that all blocked ones wait for; no claim that must not name it can have it."""
BARRED = "taskdeck-bench-forge"
"""What a worker must be able to do for the tasks that stand ahead."""
SOMEBODY = "taskdeck-bench-somebody"
"""Whose the tasks ahead are that belong to one alone."""
_GATES = '[{"before": "claim", "hook": "before_doing"}]'
SOME = "some"
"""The label of the last 300 of the labelled kinds."""
SOME_KINDS = 300
SKILLS = 45
"""Pairs of so many skills make 990 distinct sets; pairs of 25 of them make 300."""
AHEAD = 90
_CHUNK = 1_000
_CLAIM_CHUNK = 100
_WAL_BYTES = 64 << 20
_OWNER = Principal("admin", Role.ADMIN)
_FAR_MS = 10 * 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Filling:
    """How many tasks of which kind are in a folder; all in the bench's project.

    `ready` and `finished` are plain tasks, `held` are claimed and `scheduled` not to be begun for years. Ahead of
    them by priority are `barred`, which ask for a capability, `gated`, which ask for a hook's result before a claim,
    `assigned`, which are somebody else's, and `blocked`, which wait for `PARENT`. `labelled` and
    `skilled` are kinds, each of one task by itself, told apart by a label and by the pair of skills they ask for.
    """

    ready: int = 0
    finished: int = 0
    held: int = 0
    scheduled: int = 0
    barred: int = 0
    gated: int = 0
    assigned: int = 0
    blocked: int = 0
    labelled: int = 0
    skilled: int = 0

    def __str__(self) -> str:
        counts = ((field.name, getattr(self, field.name)) for field in fields(self))
        return "-".join(f"{name}-{count}" for name, count in counts if count) or "empty"


async def filled(filling: Filling, cache: Path, to: Path) -> Path:
    """A copy at `to` of the folder that `filling` describes, which is made in `cache` unless it is there."""
    return await asyncio.to_thread(_filled, filling, cache, to)


def _filled(filling: Filling, cache: Path, to: Path) -> Path:
    schema = hashlib.sha256("".join(step.checksum for step in shipped()).encode()).hexdigest()[:8]
    kept = cache / f"{filling}-schema-{schema}"
    if not kept.exists():
        fresh = cache / f"{kept.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        prepare(fresh)
        _fill(fresh / DATABASE, filling)
        fresh.rename(kept)
    shutil.copytree(kept, to)
    with (to / DATABASE).open("rb") as file:
        os.fsync(file.fileno())  # what is still to be written must not fall into the measurement
    return to


def fall_due(data: Path, moment_ms: int) -> None:
    """Let every lease of the folder end, and every scheduled task come due, at this moment. Nobody serves it now."""
    connection = sqlite3.connect(data / DATABASE)
    with connection:
        connection.execute("UPDATE tasks SET expires_at = ? WHERE state = 'claimed'", (moment_ms,))
        connection.execute("UPDATE tasks SET not_before = ? WHERE state = 'scheduled'", (moment_ms,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.sync()


def age(data: Path, by_ms: int) -> None:
    """Let all tasks of the folder that have ended have ended so much earlier. Nobody serves it now."""
    connection = sqlite3.connect(data / DATABASE)
    with connection:
        connection.execute("UPDATE tasks SET finished_at = finished_at - ? WHERE finished_at IS NOT NULL", (by_ms,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.sync()


def ended_before(data: Path, moment_ms: int) -> int:
    """How many tasks of the folder, served or not, ended before this moment."""
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM tasks WHERE state = 'done' AND finished_at < ?", (moment_ms,)
        ).fetchone()
        return int(row[0])


def _fill(path: Path, filling: Filling) -> None:
    clock = SystemClock()
    runner = Runner(open_writer(path, clock.now_ms()), clock, RandomIds())
    runner.connection.execute("PRAGMA synchronous = OFF")  # nobody is told that anything is done before all is
    loop = asyncio.new_event_loop()

    def run(work: Callable[[Unit], Any]) -> Any:
        (_, result, error) = runner.run([Pending(work, loop.create_future())]).outcomes[0]
        if error is not None:
            raise error
        return result

    try:
        run(lambda unit: create_project(unit, _OWNER, PROJECT, "BENCH", {}))
        for count, act in ((filling.finished, _finish), (filling.held, _hold)):
            for size in _chunks(count, _CHUNK):
                run(partial(_create, wishes=list(_plain(size))))
                for some in _chunks(size, _CLAIM_CHUNK):
                    run(partial(act, count=some))
                _keep_short(runner, path)
        wishes = _wishes(filling, clock.now_ms() + _FAR_MS)
        while chunk := list(itertools.islice(wishes, _CHUNK)):
            run(partial(_create, wishes=chunk))
            _keep_short(runner, path)
        runner.connection.execute("PRAGMA synchronous = FULL")
        runner.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        runner.connection.close()
        loop.close()


def _keep_short(runner: Runner, path: Path) -> None:
    """See that the write-ahead log does not grow without end."""
    if path.with_name(f"{path.name}-wal").stat().st_size > _WAL_BYTES:
        runner.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _wishes(filling: Filling, far: int) -> Iterator[NewTask]:
    yield from _plain(filling.ready)
    yield from _plain(filling.scheduled, not_before=far)
    yield from _plain(filling.barred, priority=AHEAD, capabilities=frozenset({BARRED}))
    yield from _plain(filling.gated, priority=AHEAD, gates=_GATES)
    yield from _plain(filling.assigned, priority=AHEAD, assignee=SOMEBODY)
    if filling.blocked:
        yield from _plain(1, key=PARENT, capabilities=frozenset({BARRED}))
        yield from _plain(filling.blocked, priority=AHEAD, depends_on=(PARENT,))
    for kind in range(filling.labelled):
        some = {SOME} if kind >= filling.labelled - SOME_KINDS else set()
        yield from _plain(1, labels=frozenset({f"kind-{kind}"} | some))
    for pair in itertools.islice(skill_pairs(), filling.skilled):
        yield from _plain(1, capabilities=frozenset(pair))


def skill_pairs() -> Iterator[tuple[str, str]]:
    """Distinct pairs of skills, those of the lower skills first."""
    for high in range(SKILLS):
        for low in range(high):
            yield skill(low), skill(high)


def skill(number: int) -> str:
    return f"skill-{number}"


def _plain(count: int, **more: Any) -> Iterator[NewTask]:
    wish: dict[str, Any] = {
        "title": TASK["title"],
        "project": PROJECT,
        "description": TASK["description"],
        "labels": frozenset({"bench"}),
        "capabilities": frozenset({CAPABILITY}),
        "payload": orjson.dumps(TASK["payload"]).decode(),
    }
    return itertools.repeat(NewTask(**wish | more), count)


def _create(unit: Unit, wishes: list[NewTask]) -> None:
    create(unit, _OWNER, wishes)


def _finish(unit: Unit, count: int) -> None:
    for task in _claimed(unit, count):
        complete(unit, _OWNER, str(task.number), task.fence, result='{"summary": "measured"}')


def _hold(unit: Unit, count: int) -> None:
    _claimed(unit, count)


def _claimed(unit: Unit, count: int) -> list[Task]:
    request = ClaimRequest("bench-holder", max_tasks=count, capabilities=frozenset({CAPABILITY}), lease_ms=86_400_000)
    return claim(unit, _OWNER, request).tasks


def _chunks(count: int, size: int) -> Iterator[int]:
    return (min(size, count - done) for done in range(0, count, size))
